"""An exponential moving average of a model's weights.

Owns: the momentum of each update, and what becomes of buffers.
Must not know: how averages are kept or exchanged.
"""

from __future__ import annotations

import warnings
from typing import Any, Literal

from torch import nn

from glowplug import Events, Phase
from glowplug.errors import InvalidArgument
from glowplug.events import AnyEvent
from glowplug_handlers.arguments import checked_choice, checked_count, checked_number
from glowplug_handlers.attachment import AnyEngine
from glowplug_handlers.averaging import AveragedWeights
from glowplug_handlers.errors import HandlerWarning


class EMAHandler(AveragedWeights):
    r"""Keeps an exponential moving average of a model's weights.

    .. math:: \theta^{EMA}_t = (1 - m) \, \theta^{EMA}_{t-1} + m \, \theta_t

    with the momentum :math:`m`, the share of the new; what others call the decay is :math:`1 - m`.
    Over the first updates the momentum can go from another value to this one, in equal steps.
    The momentum is found in the engine's state, as ``ema_momentum``, and read there at every update
    after the warm-up: a scheduler of state parameters may move it.

    Args:
        model: the model. One that is wrapped for several processes, or compiled, is unwrapped; all
            ranks come to the same averages by themselves.
        momentum: above 0 and below 1.
        momentum_warmup: the momentum of the first update.
        warmup_iters: the update at which ``momentum`` is reached.
        handle_buffers: ``"copy"`` copies the model's buffers at every update, ``"update"`` averages
            them like parameters, those of integers aside, and ``"ema_train"`` leaves them to you:
            the averaged model stays in training mode and gathers statistics when you run it.

    Attributes:
        ema_model: the averaged model.

    Raises:
        InvalidType: when ``model`` is no module, or a number is none.
        InvalidArgument: for a number out of range, one half of a warm-up, or a model that cannot
            be copied.

    Example:
        >>> import torch
        >>> from glowplug import Engine
        >>> model = nn.Linear(1, 1, bias=False)
        >>> def step(engine, batch):
        ...     with torch.no_grad():
        ...         model.weight.fill_(batch)
        >>> with torch.no_grad():
        ...     _ = model.weight.zero_()
        >>> ema = EMAHandler(model, momentum=0.5)
        >>> trainer = Engine(step)
        >>> ema.attach(trainer)
        >>> _ = trainer.run([4.0, 8.0])
        >>> ema.ema_model.weight.item()
        5.0
        >>> with ema.swapped():
        ...     model.weight.item()
        5.0
        >>> model.weight.item()
        8.0
    """

    glowplug_phase = Phase.COMPUTE

    def __init__(
        self,
        model: nn.Module,
        momentum: float = 0.0002,
        momentum_warmup: float | None = None,
        warmup_iters: int | None = None,
        handle_buffers: Literal["copy", "update", "ema_train"] = "copy",
    ) -> None:
        checked_number("momentum", momentum, above=0, below=1)
        if (momentum_warmup is None) is not (warmup_iters is None):
            raise InvalidArgument(
                "momentum_warmup and warmup_iters belong together; got "
                f"momentum_warmup={momentum_warmup!r} and warmup_iters={warmup_iters!r}"
            )
        if warmup_iters is not None:
            checked_number("momentum_warmup", momentum_warmup, above=0, below=1)
            checked_count("warmup_iters", warmup_iters)
        self.handle_buffers = checked_choice(
            "handle_buffers", handle_buffers, ("copy", "update", "ema_train")
        )
        super().__init__(model)
        self.momentum = momentum
        self._first = momentum if momentum_warmup is None else momentum_warmup
        self._warmup = warmup_iters or 0
        self.averaged_model.train(self.handle_buffers == "ema_train")

    @property
    def ema_model(self) -> nn.Module:
        """The averaged model."""
        return self.averaged_model

    def attach(
        self,
        engine: AnyEngine,
        name: str = "ema_momentum",
        warn_if_exists: bool = True,
        event: AnyEvent = Events.ITERATION_COMPLETED,
    ) -> None:
        """Average the weights at an event, before plain handlers of it run.

        Args:
            engine: the engine that trains the model.
            name: the attribute of its state that holds the momentum. Where there is one already it
                is kept, and is the momentum.
            warn_if_exists: whether to warn of that.
            event: when; under gradient accumulation, when the weights have changed, as in
                ``ITERATION_COMPLETED(every=4)``.

        Raises:
            InvalidType: when it is no engine.
            InvalidArgument: when this is attached to it already, or ``name`` can name no attribute.
            UnknownEvent: when the event is not registered.
        """
        if not (isinstance(name, str) and name.isidentifier()):
            raise InvalidArgument(f"name must name an attribute of the state, got {name!r}")
        with self._attaching(engine) as handles:
            handles.append(engine.add_event_handler(Events.STARTED, self._begin, name))
            handles.append(engine.add_event_handler(event, self._update, name))
        if not hasattr(engine.state, name):
            setattr(engine.state, name, self.momentum)
        elif warn_if_exists:
            warnings.warn(
                f"the engine's state has {name}={getattr(engine.state, name)!r} already, which is "
                "the momentum now; give another name=, or warn_if_exists=False if that is meant",
                HandlerWarning,
                stacklevel=2,
            )

    def _begin(self, engine: AnyEngine, name: str) -> None:
        self.look_up()
        # The state may have been replaced, and a run that is resumed may stand in the warm-up.
        if 0 < self.updates <= self._warmup:
            setattr(engine.state, name, self._momentum_of(self.updates))
        elif not hasattr(engine.state, name):
            setattr(engine.state, name, self.momentum)

    def _update(self, engine: AnyEngine, name: str) -> None:
        if self.updates < self._warmup:
            setattr(engine.state, name, self._momentum_of(self.updates + 1))
        momentum: Any = getattr(engine.state, name)
        if not 0 <= momentum <= 1:
            raise InvalidArgument(f"state.{name} must be from 0 to 1, got {momentum!r}")
        self.move_averages(momentum)
        if self.handle_buffers != "ema_train":
            self.move_buffers(momentum if self.handle_buffers == "update" else 1)
        self.updates += 1

    def _momentum_of(self, update: int) -> float:
        """Return the momentum of an update of the warm-up, the first being 1."""
        if update >= self._warmup:
            return self.momentum
        return self._first + (self.momentum - self._first) * (update - 1) / (self._warmup - 1)
