"""The plain mean of a model's weights over the end of its training.

Owns: which weights count, and batch-norm statistics when all have been seen.
Must not know: how averages are kept or exchanged.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable
from typing import Any

from torch import nn

from glowplug import Events, Phase
from glowplug.errors import InvalidArgument
from glowplug.events import AnyEvent
from glowplug_handlers.arguments import checked_count, checked_function, checked_number
from glowplug_handlers.attachment import AnyEngine
from glowplug_handlers.averaging import AveragedWeights
from glowplug_handlers.averaging_batch_norm import batch_norm_layers


class StochasticWeightAveraging(AveragedWeights):
    r"""Keeps the mean of a model's weights over the last epochs of its training.

    .. math:: \bar\theta_n = \bar\theta_{n-1} + \frac{\theta_n - \bar\theta_{n-1}}{n}

    The learning rate of these epochs should be constant or cyclical; a scheduler sees to that. The
    buffers are those of the model when the last weights were counted. The statistics of batch-norm
    layers, which belong to other weights, are computed anew at the end of the run where
    ``batch_norm_data`` is given, or when you call ``update_batch_norm(data)``.

    Source: Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization",
    UAI 2018.

    Args:
        model: the model; wrapped, it is unwrapped.
        start: the first epoch whose weights count: its number, from 1, or a share of ``max_epochs``
            below 1, of which the rest counts: 0.75 averages the last quarter.
        batch_norm_data: batches of the training data, for the statistics of batch-norm layers.
        prepare: ``f(batch)``, the model's input; by default the batch, or the first entry of a
            tuple or list.

    Attributes:
        swa_model: the averaged model.

    Raises:
        InvalidType: when ``model`` is no module, or an argument of another type.
        InvalidArgument: when ``start`` is out of range, or the model cannot be copied.

    Example:
        >>> import torch
        >>> from glowplug import Engine
        >>> model = nn.Linear(1, 1, bias=False)
        >>> def step(engine, batch):
        ...     with torch.no_grad():
        ...         model.weight.fill_(engine.state.epoch)
        >>> swa = StochasticWeightAveraging(model, start=0.5)
        >>> trainer = Engine(step)
        >>> swa.attach(trainer)
        >>> _ = trainer.run([0], max_epochs=4)
        >>> swa.swa_model.weight.item(), swa.updates
        (3.5, 2)
    """

    glowplug_phase = Phase.COMPUTE

    def __init__(
        self,
        model: nn.Module,
        start: int | float = 0.75,
        *,
        batch_norm_data: Iterable[Any] | None = None,
        prepare: Callable[[Any], Any] | None = None,
    ) -> None:
        if isinstance(start, float):
            checked_number("start, a share of max_epochs,", start, above=0, below=1)
        else:
            checked_count("start", start)
        if prepare is not None:
            checked_function("prepare", prepare, "f(batch)")
        super().__init__(model)
        self.start = start
        self._data, self._prepare = batch_norm_data, prepare
        self.logger = logging.getLogger(f"{__name__}.StochasticWeightAveraging")

    @property
    def swa_model(self) -> nn.Module:
        """The averaged model."""
        return self.averaged_model

    def attach(self, engine: AnyEngine, event: AnyEvent = Events.EPOCH_COMPLETED) -> None:
        """Average the weights at an event, from the epoch ``start`` on.

        Args:
            engine: the engine that trains the model.
            event: when; ``ITERATION_COMPLETED(every=100)`` averages more often.

        Raises:
            InvalidType: when it is no engine.
            InvalidArgument: when this is attached to it already.
            UnknownEvent: when the event is not registered.
        """
        with self._attaching(engine) as handles:
            handles.append(engine.add_event_handler(Events.STARTED, self._begin))
            handles.append(engine.add_event_handler(event, self._update))
            handles.append(engine.add_event_handler(Events.COMPLETED, self._finish))

    def _begin(self, engine: AnyEngine) -> None:
        self.look_up()
        self._first_epoch(engine)  # which says so at once where it cannot be known

    def _first_epoch(self, engine: AnyEngine) -> int:
        """Return the first epoch that counts."""
        if isinstance(self.start, int):
            return self.start
        epochs = engine.state.max_epochs
        if epochs is None:
            raise InvalidArgument(
                f"start={self.start!r} is a share of max_epochs, which this run has none of; give "
                "the number of an epoch, or run(data, max_epochs=...)"
            )
        return math.floor(self.start * epochs + 1e-9) + 1  # 0.7 of 10 are 7

    def _update(self, engine: AnyEngine) -> None:
        if engine.state.epoch < self._first_epoch(engine):
            return
        self.move_averages(1 / (self.updates + 1))
        self.move_buffers()
        self.updates += 1

    def _finish(self, engine: AnyEngine) -> None:
        layers = batch_norm_layers(self.averaged_model)
        if not self.updates:
            self.logger.warning(
                "nothing was averaged: the run ended in epoch %d, and the first that counts is %d",
                engine.state.epoch,
                self._first_epoch(engine),
            )
        elif self._data is not None:
            self.update_batch_norm(self._data, self._prepare)
        elif layers:
            self.logger.warning(
                "the averaged model has %d batch-norm layers, whose statistics are of other "
                "weights; call update_batch_norm(data), or give batch_norm_data",
                len(layers),
            )
