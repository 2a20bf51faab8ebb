"""How fast an engine works.

Owns: what is counted, and the time that it took.
Must not know: what is done in that time.
"""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from time import perf_counter
from typing import Any, ClassVar

import torch
from torch import Tensor

from glowplug import Events
from glowplug.errors import InvalidType
from glowplug.events import AnyEvent
from glowplug_metrics.attachment import AnyEngine
from glowplug_metrics.metric import CPU, Metric
from glowplug_metrics.outputs import as_it_is
from glowplug_metrics.results import as_numbers
from glowplug_metrics.states import StateValue
from glowplug_metrics.usage import MetricUsage


class Frequency(Metric):
    r"""How many examples, tokens or whatever else are done in a second, since the epoch began.

    .. math:: \frac{\sum_{r, b} n_{rb}}{\max_r s_r}

    with the number :math:`n_{rb}` of batch b of rank r, and the seconds :math:`s_r` of a rank, each
    step, its data and its handlers included. From 0, larger is better; infinite where no time has
    passed. A number that is a tensor is added where it is; showing the value waits for it. NaN
    stays in the value.

    The state holds the seconds too: a run that goes on from one goes on with its value, and the
    time in which it stood still does not count. pytorch-ignite drops the places after the point, so
    that less than one in a second is 0.

    Args:
        output_transform: makes the number of the step's output, such as ``lambda out: len(out)``.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.
        clock: says the seconds since some moment.

    Raises:
        InvalidType: when ``clock`` cannot be called, or for an output that is no number.

    Source:
        pytorch-ignite's metric of this name.

    Example:
        >>> from glowplug import Engine
        >>> now = iter(range(100))  # a clock that moves on by one second each time it is asked
        >>> engine = Engine(lambda engine, batch: batch)
        >>> Frequency(clock=lambda: next(now)).attach(engine, "tokens/s")
        >>> engine.run([30, 50]).metrics
        {'tokens/s': 40.0}
    """

    required_output_keys: ClassVar[None] = None
    single_valued = True
    number: Tensor
    seconds: Tensor | float

    def __init__(
        self,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
        *,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        if not callable(clock):
            raise InvalidType(
                f"clock must be callable, got {clock!r} of type {type(clock).__name__}"
            )
        self._clock = clock
        self._since = clock()
        super().__init__(output_transform, device=device, skip_unrolling=skip_unrolling)
        self.add_state("number", torch.zeros((), dtype=torch.float64), reduce="sum")
        self.add_state("seconds", 0.0, reduce="max")

    def reset(self) -> None:
        """Forget what was done, and start the clock."""
        super().reset()
        self._since = self._clock()

    def started(self, engine: AnyEngine) -> None:
        """Reset, unless the engine goes on inside what was done; the clock starts in any case."""
        super().started(engine)
        self._since = self._clock()

    def update(self, output: Any) -> None:
        """Count a number.

        Args:
            output: a number, or a tensor of one element.

        Raises:
            InvalidType: for anything else.
        """
        if isinstance(output, Tensor) and output.numel() == 1:
            output = output.detach().reshape(())
            if self._fresh:
                self.follow(output.device)
                self._fresh = False
        elif not isinstance(output, Real) or isinstance(output, bool):
            shown = tuple(output.shape) if isinstance(output, Tensor) else output
            raise InvalidType(
                "Frequency expected a number, or a tensor of one element, got "
                f"{shown!r} of type {type(output).__name__}; output_transform can make it of the "
                "step's output, such as lambda output: len(output)"
            )
        self.add("number", output if isinstance(output, Tensor) else float(output))

    def brought(self) -> dict[str, StateValue]:
        """Return the states, with the seconds that have passed until now."""
        seconds = self.seconds + (self._clock() - self._since)
        return {**super().brought(), "seconds": torch.as_tensor(seconds, dtype=torch.float64)}

    def value(self) -> Any:
        """Return the frequency in float64, on the device of the outputs."""
        states = self.reduced()
        return states["number"] / states["seconds"]

    def compute(self) -> Any:
        """Return the frequency in Hertz, 0 before anything was counted."""
        return as_numbers(self.value())

    def attach(  # type: ignore[override]  # the parameters that users know
        self, engine: AnyEngine, name: str, event_name: AnyEvent = Events.ITERATION_COMPLETED
    ) -> None:
        """Show the frequency while an engine runs; the clock starts with each epoch.

        Args:
            engine: the engine.
            name: the key in ``engine.state.metrics``.
            event_name: when it is shown, such as ``Events.ITERATION_COMPLETED(every=50)``.

        Raises:
            UnknownEvent: when the engine has not registered the event.
        """
        super().attach(engine, name, _shown_at(event_name))

    def detach(  # type: ignore[override]  # as for attach
        self, engine: AnyEngine, event_name: AnyEvent = Events.ITERATION_COMPLETED
    ) -> None:
        """Take back what ``attach`` did for an event; nothing where it is not attached."""
        super().detach(engine, _shown_at(event_name))

    def is_attached(  # type: ignore[override]  # as for attach
        self, engine: AnyEngine, event_name: AnyEvent = Events.ITERATION_COMPLETED
    ) -> bool:
        """Return whether this is shown at an event."""
        return super().is_attached(engine, _shown_at(event_name))


def _shown_at(event: AnyEvent | MetricUsage) -> MetricUsage:
    if isinstance(event, MetricUsage):  # as the methods of Metric hand it on
        return event
    return MetricUsage(Events.EPOCH_STARTED, event, Events.ITERATION_COMPLETED)
