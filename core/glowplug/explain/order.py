"""The order in which the events of a run fire, with what repeats itself written down once.

Owns: writing firings down as they come, compressing them, and reading them back.
Must not know: the loop that fires them, or who handles them.

A run repeats itself: iterations inside an epoch, and epochs. So what is kept of a firing is what it
adds to the counters, and equal neighbours are counted: a million iterations are a few lines. The
counts of one event follow each other without a gap, so its first one is enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from glowplug.events import Events
from glowplug.registrations import EventKey

_INSIDE_AN_ITERATION = frozenset(
    {
        Events.GET_BATCH_STARTED,
        Events.DATALOADER_STOP_ITERATION,
        Events.GET_BATCH_COMPLETED,
        Events.ITERATION_STARTED,
    }
)
_OPENS_A_PART = frozenset({Events.EPOCH_STARTED, Events.COMPLETED})


class Fired(NamedTuple):
    """One firing.

    Args:
        event: the event.
        epoch: ``state.epoch`` at that time.
        iteration: ``state.iteration`` at that time.
        counted: what filters see.
    """

    event: EventKey
    epoch: int
    iteration: int
    counted: int


class Step(NamedTuple):
    """One firing, as what it adds to the numbers of the one before.

    Args:
        event: the event.
        epoch: epochs more.
        iteration: iterations more.
    """

    event: EventKey
    epoch: int
    iteration: int


class Group(NamedTuple):
    """Firings that follow each other, and how often they do so in a row: iterations mostly."""

    steps: tuple[Step, ...]
    times: int

    @property
    def iterations(self) -> int:
        """The iterations that begin in all of it."""
        return self.times * sum(step.iteration for step in self.steps)


class Part(NamedTuple):
    """Groups that follow each other, and how often they do so in a row: an epoch mostly."""

    groups: tuple[Group, ...]
    times: int

    @property
    def iterations(self) -> int:
        """The iterations that begin in one round of it."""
        return sum(group.iterations for group in self.groups)

    @property
    def epochs(self) -> int:
        """The epochs that begin in one round of it."""
        return sum(group.times * step.epoch for group in self.groups for step in group.steps)


class Span(NamedTuple):
    """Firings of one event at regular distances.

    Args:
        counted: the count of the first; each next one has one more.
        iteration: ``state.iteration`` at the first.
        times: how many there are.
        distance: iterations from one to the next.
    """

    counted: int
    iteration: int
    times: int
    distance: int

    @property
    def last(self) -> int:
        """The iteration at the last of them."""
        return self.iteration + (self.times - 1) * self.distance

    def joined(self, other: Span) -> Span | None:
        """Return this and the span that follows it as one, or None where that is not regular."""
        gap = other.iteration - self.last
        distances = {span.distance for span in (self, other) if span.times > 1}
        if distances - {gap}:
            return None
        return Span(self.counted, self.iteration, self.times + other.times, gap)


@dataclass(frozen=True)
class Order:
    """The firings of a run, in their order.

    Args:
        parts: what happens, one after the other.
        epoch: ``state.epoch`` before the first firing.
        iteration: ``state.iteration`` before the first firing.
        first: for every event that fires, its first count.
    """

    parts: tuple[Part, ...]
    epoch: int
    iteration: int
    first: Mapping[EventKey, int]

    def __iter__(self) -> Iterator[Fired]:
        """Yield every firing; a long run has many."""
        epoch, iteration, counts = self.epoch, self.iteration, dict(self.first)
        for steps in self._all_steps():
            for event, epochs, iterations in steps:
                epoch += epochs
                iteration += iterations
                yield Fired(event, epoch, iteration, counts[event])
                counts[event] += 1

    def _all_steps(self) -> Iterator[tuple[Step, ...]]:
        for part in self.parts:
            for _ in range(part.times):
                for group in part.groups:
                    for _ in range(group.times):
                        yield group.steps

    def spans(self) -> dict[EventKey, list[Span]]:
        """Return the firings of every event at regular distances, without walking through them."""
        found: dict[EventKey, list[Span]] = {}
        iteration, counts = self.iteration, dict(self.first)
        for part in self.parts:
            rounds = part.times
            once = _spans_of_round(part, iteration, counts)
            for event, spans in once.items():
                _join(found.setdefault(event, []), _repeated(spans, rounds, part.iterations))
                counts[event] += rounds * sum(span.times for span in spans)
            iteration += rounds * part.iterations
        return found


def _spans_of_round(
    part: Part, iteration: int, counts: Mapping[EventKey, int]
) -> dict[EventKey, list[Span]]:
    found: dict[EventKey, list[Span]] = {}
    begun = dict(counts)
    for group in part.groups:
        distance = sum(step.iteration for step in group.steps)
        at = iteration
        for step in group.steps:
            at += step.iteration
            span = Span(begun[step.event], at, group.times, distance)
            begun[step.event] += group.times
            _join(found.setdefault(step.event, []), [span])
        iteration += group.iterations
    return found


def _repeated(spans: list[Span], rounds: int, iterations: int) -> Iterator[Span]:
    """Yield the spans of every round; as one span where each round goes on where the last ended."""
    if len(spans) == 1:
        (span,) = spans
        if span.times == 1 or span.times * span.distance == iterations:
            distance = iterations if span.times == 1 else span.distance
            yield Span(span.counted, span.iteration, span.times * rounds, distance)
            return
    fired = sum(span.times for span in spans)
    for done in range(rounds):
        for count, iteration, times, distance in spans:
            yield Span(count + done * fired, iteration + done * iterations, times, distance)


def _join(spans: list[Span], more: Iterable[Span]) -> None:
    for span in more:
        joined = spans[-1].joined(span) if spans else None
        if joined is None:
            spans.append(span)
        else:
            spans[-1] = joined


@dataclass
class Tape:
    """Writes firings down as they come.

    Args:
        epoch: ``state.epoch`` before the first firing.
        iteration: ``state.iteration`` before the first firing.
    """

    epoch: int
    iteration: int
    _parts: list[Part] = field(default_factory=list)
    _groups: list[Group] = field(default_factory=list)
    _steps: list[Step] = field(default_factory=list)
    _first: dict[EventKey, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._start = (self.epoch, self.iteration)

    def write(self, fired: Fired) -> None:
        """Add the next firing."""
        event, epoch, iteration, count = fired
        if event in _OPENS_A_PART:
            self._close_part()
        self._first.setdefault(event, count)
        self._steps.append(Step(event, epoch - self.epoch, iteration - self.iteration))
        self.epoch, self.iteration = epoch, iteration
        if event not in _INSIDE_AN_ITERATION:
            self._close_group()
        if event is Events.EPOCH_COMPLETED:
            self._close_part()

    def last_group(self) -> Group | None:
        """Return what has just been repeated, or None where what was last is the first so far."""
        group = self._groups[-1] if self._groups and not self._steps else None
        return group if group is not None and group.times > 1 else None

    def last_part(self) -> Part | None:
        """Return what has just been repeated, or None where what was last is the first so far."""
        part = self._parts[-1] if self._parts and not self._groups + self._steps else None
        return part if part is not None and part.times > 1 else None

    def repeat_group(self, times: int) -> None:
        """Write the last group down so many times more."""
        steps, before = self._groups[-1]
        self._groups[-1] = Group(steps, before + times)
        self.iteration += Group(steps, times).iterations

    def repeat_part(self, times: int) -> None:
        """Write the last part down so many times more."""
        groups, before = self._parts[-1]
        self._parts[-1] = part = Part(groups, before + times)
        self.iteration += times * part.iterations
        self.epoch += times * part.epochs

    def _close_group(self) -> None:
        steps, self._steps = tuple(self._steps), []
        if self._groups and self._groups[-1].steps == steps:
            self._groups[-1] = Group(steps, self._groups[-1].times + 1)
        elif steps:
            self._groups.append(Group(steps, 1))

    def _close_part(self) -> None:
        self._close_group()
        groups, self._groups = tuple(self._groups), []
        if self._parts and self._parts[-1].groups == groups:
            self._parts[-1] = Part(groups, self._parts[-1].times + 1)
        elif groups:
            self._parts.append(Part(groups, 1))

    def order(self) -> Order:
        """Return what was written down."""
        self._close_part()
        return Order(tuple(self._parts), *self._start, self._first)
