"""A log of plain lines about a run, in the style of Facebook AI Research's projects.

Owns: which lines there are, what stands in them, and the clocks that they need.
Must not know: where the lines go, or how a value is written.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

import torch

from glowplug import Events, Phase
from glowplug.errors import InvalidArgument, InvalidType, did_you_mean
from glowplug_handlers.arguments import as_it_is, checked_count, checked_function
from glowplug_handlers.attachment import AnyEngine, Attachable
from glowplug_handlers.research_log_lines import Lines
from glowplug_handlers.research_log_text import duration, entries, number

MEGABYTE = 1024 * 1024
"""Bytes."""


class FBResearchLogger(Attachable):
    """Logs a run as plain lines: epoch, iteration, learning rate, output, metrics, times, memory.

    ::

        Train: start epoch [1/3]
        Epoch [1/3]  [20/100]:  ETA: 0:00:12  lr: 0.10000  loss: 0.4242  Iter time: 0.1501 s  ...
        Train: Epoch [1/3]  Total time: 0:00:15  (0.1502 s / it)  accuracy: 0.9123
        Train: run completed  Total time: 0:00:45

    The time of an iteration is the mean of this epoch, with data and handlers; ETA is the time that
    is left of the epoch. On CUDA the largest memory that tensors have taken is shown. A value on a
    GPU is waited for when a line is written, and not between. Where the logger's level is above
    INFO, nothing is worked out. Which rank logs is the logger's affair: see
    ``glowplug_torch.setup_logger``.

    One logger serves several engines.

    Args:
        logger: where the lines go, at level INFO.
        delimiter: what stands between the parts of a line.
        show_output: whether the step's output is shown in the lines about iterations.

    Raises:
        InvalidType: when ``logger`` is none, or another argument of the wrong type.

    Example:
        >>> import logging, sys
        >>> from glowplug import Engine
        >>> logger = logging.Logger("doc")
        >>> logger.addHandler(logging.StreamHandler(sys.stdout))
        >>> trainer = Engine(lambda engine, batch: {"loss": 1 / batch})
        >>> FBResearchLogger(logger, show_output=True).attach(trainer, "Train", every=2)
        >>> _ = trainer.run([1, 2])  # doctest: +ELLIPSIS
        Train: start epoch [1/1]
        Epoch [1/1]  [2/2]:  ETA: 0:00:00  loss: 0.5000  Iter time: ... s  Data prep time: ... s
        Train: Epoch [1/1]  Total time: 0:00:00  (... s / it)
    """

    glowplug_phase: ClassVar[Phase] = Phase.REPORT

    def __init__(
        self, logger: logging.Logger, delimiter: str = "  ", show_output: bool = False
    ) -> None:
        super().__init__()
        if not isinstance(logger, (logging.Logger, logging.LoggerAdapter)):
            raise InvalidType(
                "logger must be a logging.Logger, such as glowplug_torch.setup_logger() returns, "
                f"got {logger!r} of type {type(logger).__name__}"
            )
        if not isinstance(delimiter, str):
            raise InvalidType(f"delimiter must be a string, got {delimiter!r}")
        if not isinstance(show_output, bool):
            raise InvalidType(f"show_output must be True or False, got {show_output!r}")
        self.logger, self.delimiter, self.show_output = logger, delimiter, show_output
        self._lines: WeakKeyDictionary[AnyEngine, Lines] = WeakKeyDictionary()

    def attach(
        self,
        engine: AnyEngine,
        name: str,
        every: int = 1,
        output_transform: Callable[[Any], Any] | None = None,
        state_attributes: Sequence[str] | None = None,
        optimizer: Any = None,
        *,
        metric_names: Sequence[str] = (),
    ) -> None:
        """Log the runs of an engine.

        Args:
            engine: the engine.
            name: what the lines about epochs and the run begin with, such as ``"Train"``.
            every: a line about an iteration is written after each of so many.
            output_transform: makes what is shown from the step's output: numbers and tensors, or
                lists or mappings of them. It is shown with ``show_output`` alone.
            state_attributes: names of attributes of the state, shown in the lines about iterations.
            optimizer: the optimizer whose learning rates are shown there.
            metric_names: names of metrics that are shown there too; the line about an epoch shows
                all that there are.

        Raises:
            InvalidType: for an argument of another type.
            InvalidArgument: when ``every`` is below 1, or this logger is attached to the engine.
        """
        if not isinstance(name, str):
            raise InvalidType(f"name must be a string, got {name!r} of type {type(name).__name__}")
        every = checked_count("every", every)
        transform = as_it_is if output_transform is None else output_transform
        lines = Lines(
            name,
            checked_function("output_transform", transform, "f(output)"),
            _checked_names("state_attributes", state_attributes or ()),
            _checked_optimizer(optimizer),
            _checked_names("metric_names", metric_names),
        )
        with self._attaching(engine) as handles:
            add = engine.add_event_handler
            handles.append(add(Events.STARTED, lines.start_run))
            handles.append(add(Events.EPOCH_STARTED, lines.start_epoch))
            handles.append(add(Events.EPOCH_STARTED, self.log_epoch_started, name))
            with engine.in_phase(Phase.PERSIST):  # last before the batch, and first after it
                handles.append(add(Events.GET_BATCH_STARTED, lines.want_batch))
            with engine.in_phase(Phase.COMPUTE):
                handles.append(add(Events.GET_BATCH_COMPLETED, lines.receive_batch))
            line = add(Events.ITERATION_COMPLETED(every=every), self.log_every, optimizer)
            handles.append(line.declare(reports=lines.metric_names))
            handles.append(add(Events.EPOCH_COMPLETED, self.log_epoch_completed, name))
            handles.append(add(Events.COMPLETED, self.log_completed, name))
        self._lines[engine] = lines

    def log_every(self, engine: AnyEngine, optimizer: Any = None) -> None:
        """Write the line about an iteration.

        Args:
            engine: an engine that this is attached to.
            optimizer: whose learning rates are shown; that of ``attach`` where left out.

        Raises:
            InvalidArgument: when this is not attached to the engine, or its state lacks an
                attribute that ``attach`` was given.
        """
        lines = self._lines_of(engine)
        if not self.logger.isEnabledFor(logging.INFO):
            return
        state, length = engine.state, engine.state.epoch_length
        seconds, waited = lines.means(engine)
        left = lines.left(engine)
        place = f"[{lines.place(engine)}{f'/{length}' if length else ''}]:"
        metrics = {
            name: state.metrics[name] for name in lines.metric_names if name in state.metrics
        }
        parts = [
            _epoch(engine),
            place,
            *([] if left is None else [f"ETA: {duration(left * seconds)}"]),
            *_rates(lines.optimizer if optimizer is None else optimizer),
            *(entries(lines.output_transform(state.output)) if self.show_output else ()),
            *entries(metrics),
            *entries({name: _attribute(engine, name) for name in lines.state_attributes}),
            f"Iter time: {number(seconds)} s",
            f"Data prep time: {number(waited)} s",
            *_memory(),
        ]
        self.logger.info("%s", self.delimiter.join(parts))

    def log_epoch_started(self, engine: AnyEngine, name: str) -> None:
        """Write the line about an epoch's start.

        Args:
            engine: an engine.
            name: what the line begins with.
        """
        self.logger.info("%s: start %s", name, _epoch(engine).lower())

    def log_epoch_completed(self, engine: AnyEngine, name: str) -> None:
        """Write the line about an epoch's end, with the metrics.

        Args:
            engine: an engine that this is attached to.
            name: what the line begins with.

        Raises:
            InvalidArgument: when this is not attached to the engine.
        """
        lines = self._lines_of(engine)
        if not self.logger.isEnabledFor(logging.INFO):
            return
        seconds, _ = lines.means(engine)
        parts = [
            f"{name}: {_epoch(engine)}",
            f"Total time: {duration(lines.seconds_of_epoch())}",
            f"({number(seconds)} s / it)",
            *entries(engine.state.metrics),
        ]
        self.logger.info("%s", self.delimiter.join(parts))

    def log_completed(self, engine: AnyEngine, name: str) -> None:
        """Write the line about the end of a run; one of a single epoch has had its line.

        Args:
            engine: an engine that this is attached to.
            name: what the line begins with.

        Raises:
            InvalidArgument: when this is not attached to the engine.
        """
        lines = self._lines_of(engine)
        if engine.state.max_epochs != 1:
            total = f"Total time: {duration(lines.seconds_of_run())}"
            self.logger.info("%s", self.delimiter.join((f"{name}: run completed", total)))

    def _lines_of(self, engine: AnyEngine) -> Lines:
        lines = self._lines.get(engine)
        if lines is None:
            raise InvalidArgument(
                f"this {type(self).__name__} is not attached to the engine; attach(engine, name) "
                "before"
            )
        return lines

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_lines": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__({**state, "_lines": WeakKeyDictionary()})


def _epoch(engine: AnyEngine) -> str:
    state = engine.state
    last = "" if state.max_epochs is None else f"/{state.max_epochs}"
    return f"Epoch [{state.epoch}{last}]"


def _rates(optimizer: Any) -> list[str]:
    groups = () if optimizer is None else optimizer.param_groups
    rates = [number(float(group["lr"]), places=5) for group in groups]
    if len(rates) == 1:
        return [f"lr: {rates[0]}"]
    return [f"lr [g{index}]: {rate}" for index, rate in enumerate(rates)]


def _memory() -> list[str]:
    if not torch.cuda.is_initialized():
        return []
    return [f"GPU Max Mem: {torch.cuda.max_memory_allocated() / MEGABYTE:.0f} MB"]


def _attribute(engine: AnyEngine, name: str) -> Any:
    known = vars(engine.state)
    if name not in known:
        raise InvalidArgument(
            f"state_attributes names {name!r}, which engine.state does not have"
            f"{did_you_mean(name, known)}"
        )
    return known[name]


def _checked_names(argument: str, names: Any) -> tuple[str, ...]:
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise InvalidType(
            f"{argument} must be a list of strings, got {names!r} of type {type(names).__name__}"
        )
    return tuple(names)


def _checked_optimizer(optimizer: Any) -> Any:
    groups = getattr(optimizer, "param_groups", None)
    if optimizer is not None and not isinstance(groups, list):
        raise InvalidType(
            f"optimizer must have param_groups, as those of torch.optim do, got {optimizer!r} of "
            f"type {type(optimizer).__name__}"
        )
    return optimizer
