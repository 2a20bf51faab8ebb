"""Which handlers a run would call, and at which counts of their events.

Owns: the mark of each handler, and finding its calls without walking through the run.
Must not know: the loop, or how any of it is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from glowplug.attached import AttachedHandler, Describer
from glowplug.events import Events
from glowplug.explain.order import Span
from glowplug.filters import NEVER, Filter, Predicate, Schedule
from glowplug.handlers import Slot
from glowplug.registrations import EventKey, Registration
from glowplug.state import COUNTERS, State

_BY_ITSELF = frozenset({*COUNTERS, Events.DATALOADER_STOP_ITERATION})
"""What a run fires by itself, if it comes so far; all else, something has to call for."""


class Mark(Enum):
    """What a run has for a handler.

    Example:
        >>> [mark.value for mark in Mark]
        ['always', 'sometimes', 'perhaps', 'only when fired', 'never']
    """

    ALWAYS = "always"
    """It is called at every firing of its event."""
    SOMETIMES = "sometimes"
    """It is called at some firings, which its filters say."""
    PERHAPS = "perhaps"
    """Its filter is a user's function, or reads a counter that users move: nobody can say."""
    ON_DEMAND = "only when fired"
    """The run fires its event only when something calls for it: an error, a call, a step."""
    NEVER = "never"
    """This run has no firing that reaches it."""


@dataclass(frozen=True, eq=False)
class Expectation:
    """One handler on one event, and its calls in the run.

    Args:
        handler: what it is.
        mark: what the run has for it.
        counts: the counts of its event at which it is called; at which it is called perhaps,
            where the mark says so.
    """

    handler: AttachedHandler
    mark: Mark
    counts: Sequence[int] = ()


@dataclass(frozen=True)
class Expected:
    """One event of the run, and who is called by it.

    Args:
        event: the event.
        spans: its firings.
        on_demand: whether runs fire it only when something calls for it.
        handlers: its handlers, in the order in which they run.
    """

    event: EventKey
    spans: tuple[Span, ...]
    on_demand: bool
    handlers: tuple[Expectation, ...]

    @property
    def counts(self) -> range:
        """The counts of its firings."""
        return _counts_of(self.spans)

    def iterations(self, counts: Sequence[int]) -> Iterator[range]:
        """Yield ``state.iteration`` at firings of these counts, as ranges.

        Args:
            counts: some of this event's counts, ascending.
        """
        for first, iteration, times, distance in self.spans:
            chosen = _within(counts, first, first + times)
            if isinstance(chosen, range):
                at = iteration + (chosen.start - first) * distance
                yield _regular(at, len(chosen), chosen.step * distance)
            else:
                yield from (_regular(iteration + (n - first) * distance, 1, 1) for n in chosen)


def _regular(first: int, times: int, distance: int) -> range:
    step = distance or 1
    return range(first, first + times * step, step)


def _within(counts: Sequence[int], first: int, stop: int) -> Sequence[int]:
    if not isinstance(counts, range):
        return tuple(count for count in counts if first <= count < stop)
    start = counts.start
    if start < first:
        start += -(-(first - start) // counts.step) * counts.step
    return range(start, max(start, min(stop, counts.stop)), counts.step)


def _counts_of(spans: Sequence[Span]) -> range:
    if not spans:
        return range(0)
    first = spans[0].counted
    return range(first, first + sum(span.times for span in spans))


def expected(
    slots: Iterable[Slot],
    spans: Mapping[EventKey, Sequence[Span]],
    state: State[Any, Any],
    describe: Describer,
) -> tuple[Expected, ...]:
    """Return what the run has for every event.

    Args:
        slots: the handlers of every event.
        spans: the firings of those that fire by themselves.
        state: knows which attributes count the events.
        describe: puts a registration into words.
    """
    found = []
    for slot in slots:
        event = slot.event
        fires = tuple(spans.get(event, ()))
        on_demand = not fires and event not in _BY_ITSELF
        counter = state.counter_of(event)
        foreseen = counter == COUNTERS.get(event)
        counts = _counts_of(fires)
        if on_demand:
            counts = range(slot.fired + 1 if counter is None else 0, NEVER)
        handlers = [
            _expectation(entry, describe(entry), counts, foreseen, on_demand)
            for entry in slot.registrations
        ]
        found.append(Expected(event, fires, on_demand, tuple(handlers)))
    return tuple(found)


def _expectation(
    entry: Registration,
    handler: AttachedHandler,
    counts: range,
    foreseen: bool,
    on_demand: bool,
) -> Expectation:
    reached: Sequence[int] = counts
    asks = any(isinstance(made, Predicate) for made in entry.filters)
    if foreseen or on_demand:
        reached = _through(entry.filters, counts)
    if not reached:
        return Expectation(handler, Mark.NEVER)
    if on_demand:
        return Expectation(handler, Mark.ON_DEMAND)
    if asks or (entry.filters and not foreseen):
        return Expectation(handler, Mark.PERHAPS, reached)
    mark = Mark.ALWAYS if len(reached) == len(counts) else Mark.SOMETIMES
    return Expectation(handler, mark, reached)


def _through(filters: Iterable[Filter], counts: Sequence[int]) -> Sequence[int]:
    for made in filters:
        if isinstance(made, Schedule):
            counts = made.among(counts)
    return counts
