"""What a rank took for some iterations: its steps, what is between them, its handlers.

Owns: adding up times, and the form in which ranks tell them to each other.
Must not know: other ranks, or how much is too much.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from time import perf_counter_ns

from glowplug import Observer
from glowplug.attached import AttachedHandler

SECOND = 1_000_000_000
"""Nanoseconds."""
MOST_TOLD = 5
"""Handlers that a rank tells of: the slowest."""


@dataclass(frozen=True)
class Times:
    """Seconds that a rank took for an iteration, on average over a window.

    Args:
        host: the machine.
        step: for the step.
        between: between two steps, for data and handlers.
        handlers: for each of its slowest handlers, by their names and events.
    """

    host: str
    step: float
    between: float
    handlers: dict[str, float]

    @property
    def whole(self) -> float:
        """Seconds for the whole iteration."""
        return self.step + self.between


class Window(Observer):
    """Adds up the times of a window of iterations.

    Args:
        ours: the name of the handler, with its module, that does not count.

    Attributes:
        iterations: how many were measured.
        handlers: nanoseconds by handler.

    Example:
        >>> window = Window("a handler")
        >>> window.restart(at=0)
        >>> window.step_ran(1 * SECOND, 3 * SECOND)
        >>> window.times("here", at=4 * SECOND)
        Times(host='here', step=2.0, between=2.0, handlers={})
    """

    def __init__(self, ours: str) -> None:
        self._ours = ours
        self.restart(0)

    def restart(self, at: int | None = None) -> None:
        """Begin a window now, or at a time that is given."""
        self._last = perf_counter_ns() if at is None else at
        self._step = self._between = self.iterations = 0
        self.handlers: defaultdict[AttachedHandler, int] = defaultdict(int)

    def run_began(self, at: int) -> None:
        """Leave out the time between two runs."""
        self.restart(at)

    def step_ran(self, began: int, ended: int) -> None:
        """Add a step, and what was between it and the one before."""
        self.iterations += 1
        self._between += began - self._last
        self._step += ended - began
        self._last = ended

    def handler_ran(self, handler: AttachedHandler, began: int, ended: int) -> None:
        """Add a call of a handler."""
        if f"{handler.module}.{handler.name}" != self._ours:
            self.handlers[handler] += ended - began

    def slowest(self) -> list[tuple[AttachedHandler, float]]:
        """Return the slowest handlers, each with its seconds for an iteration."""
        by_time = sorted(self.handlers.items(), key=lambda spent: -spent[1])
        scale = SECOND * max(self.iterations, 1)
        return [(handler, spent / scale) for handler, spent in by_time[:MOST_TOLD]]

    def times(self, host: str, at: int | None = None) -> Times:
        """Return what this rank took.

        Args:
            host: its machine.
            at: nanoseconds; now, where left out. What came after the last step counts too.
        """
        since = (perf_counter_ns() if at is None else at) - self._last
        scale = SECOND * max(self.iterations, 1)
        told = {str(handler): seconds for handler, seconds in self.slowest()}
        return Times(host, self._step / scale, (self._between + since) / scale, told)
