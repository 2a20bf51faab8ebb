"""What is measured of a run: the calls of its step and its handlers, and the waits for data.

Owns: keeping a duration for each, with the iteration and the epoch that it belongs to.
Must not know: what is made of the durations.
"""

from __future__ import annotations

import weakref
from array import array
from collections.abc import Iterator, Sequence
from time import perf_counter_ns
from typing import Any

from glowplug import Engine, Events, Observer, State
from glowplug.attached import AttachedHandler

SECOND = 1_000_000_000
"""Nanoseconds."""
BEFORE = (
    Events.STARTED,
    Events.EPOCH_STARTED,
    Events.GET_BATCH_STARTED,
    Events.GET_BATCH_COMPLETED,
)
"""What fires before the iteration that it belongs to is counted."""


class Durations:
    """Durations of one thing, in the order in which it happened; 24 bytes for each.

    Args:
        ahead: what has to be added to the count of iterations.

    Attributes:
        iterations: the iteration that each belongs to.
        epochs: the epoch that each belongs to.
        nanoseconds: how long each took.
    """

    __slots__ = ("_ahead", "epochs", "iterations", "nanoseconds")

    def __init__(self, ahead: int = 0) -> None:
        self._ahead = ahead
        self.iterations, self.epochs, self.nanoseconds = array("q"), array("q"), array("q")

    def add(self, iteration: int, epoch: int, nanoseconds: int) -> None:
        """Append one."""
        self.iterations.append(iteration + self._ahead)
        self.epochs.append(epoch)
        self.nanoseconds.append(nanoseconds)

    def by_iteration(self) -> dict[int, int]:
        """Return the nanoseconds of each iteration, which count from 0 here."""
        return summed(self.nanoseconds, self.iterations)

    def by_epoch(self) -> dict[int, int]:
        """Return the nanoseconds of each epoch, which count from 0 here."""
        return summed(self.nanoseconds, self.epochs)

    def __len__(self) -> int:
        return len(self.nanoseconds)


def summed(nanoseconds: Sequence[int], places: Sequence[int]) -> dict[int, int]:
    """Return the sum of each place; places are counted from 1, and from 0 in what is returned.

    Example:
        >>> summed([5, 7, 1], places=[1, 1, 3])
        {0: 12, 2: 1}
    """
    sums: dict[int, int] = {}
    for place, each in zip(places, nanoseconds, strict=True):
        sums[place - 1] = sums.get(place - 1, 0) + each
    return sums


class Recorder(Observer):
    """Keeps the durations of one engine's run, or of several that go on from each other.

    A run that starts anew drops those of the run before.

    Args:
        engine: the engine, which is not kept alive.

    Attributes:
        steps: the calls of the step.
        data: the waits for a batch.
        handlers: the calls of each handler, in the order in which they run within an event.
        ran: whether a run was observed.
    """

    def __init__(self, engine: Engine[Any, Any]) -> None:
        self._engine = weakref.ref(engine)
        self._state: State[Any, Any] | None = None
        self._wanted = 0
        self._own: set[AttachedHandler] = set()
        self.ran = False
        self._forget()

    def _forget(self) -> None:
        self.steps, self.data = Durations(), Durations(ahead=1)
        self.handlers: dict[AttachedHandler, Durations] = {}

    def run_began(self, at: int) -> None:
        """Begin anew where the run does, and look who is attached."""
        engine = self._engine()
        if engine is None:
            return
        self._state, self.ran = engine.state, True
        if engine.state.iteration == 0:
            self._forget()
        for row in engine.describe().rows:
            self._durations_of(row.handler)

    def run_ended(self, at: int) -> None:
        """Let the state go."""
        self._state = None

    def step_ran(self, began: int, ended: int) -> None:
        """Keep a call of the step."""
        state = self._state
        if state is not None:
            self.steps.add(state.iteration, state.epoch, ended - began)

    def handler_ran(self, handler: AttachedHandler, began: int, ended: int) -> None:
        """Keep a call of a handler, if it is one of the run's and not a profiler's."""
        state = self._state
        if state is None or handler in self._own:
            return
        durations = self.handlers.get(handler)
        if durations is None:
            durations = self._durations_of(handler)
        if durations is not None:
            durations.add(state.iteration, state.epoch, ended - began)

    def _durations_of(self, handler: AttachedHandler) -> Durations | None:
        if handler.module == __name__:
            self._own.add(handler)
            return None
        return self.handlers.setdefault(handler, Durations(ahead=int(handler.event in BEFORE)))

    def want_batch(self) -> None:
        """Start the clock, as the last handler before a batch is fetched."""
        self._wanted = perf_counter_ns()

    def receive_batch(self, engine: Engine[Any, Any]) -> None:
        """Stop it, as the first handler afterwards."""
        waited = perf_counter_ns() - self._wanted
        self.data.add(engine.state.iteration, engine.state.epoch, waited)

    def iterations(self) -> Iterator[tuple[int, int]]:
        """Walk the iterations whose step was called.

        Yields:
            The iteration and its epoch.
        """
        return zip(self.steps.iterations, self.steps.epochs, strict=True)
