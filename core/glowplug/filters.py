"""Filters: which firings of an event reach a handler.

Owns: the rules of ``every``, ``once``, ``before``, ``after``, ``event_filter``, and their checks.
Must not know: events, or who handles them.
"""

from __future__ import annotations

import inspect
import math
import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, SupportsIndex, TypeAlias

from glowplug.errors import InvalidArgument

NEVER = 2**30 - 1
"""A count that is as good as never: a run of so many iterations does more checks, and no less.

Integers below 2**30 have one digit in CPython, which makes comparing them twice as fast.
"""

EventFilter: TypeAlias = Callable[[Any, int], bool]
"""``f(engine, count) -> bool``: whether this firing reaches the handler."""


@dataclass(frozen=True)
class Schedule:
    """A filter made of numbers, whose next firing is known in advance.

    Args:
        every: fire at each ``every``-th count.
        once: fire at these counts alone, in ascending order.
        before: fire below this count (exclusive).
        after: fire above this count (exclusive).

    Example:
        >>> [n for n in range(30) if Schedule(every=5, before=25, after=8).fires(n)]
        [9, 14, 19, 24]
    """

    every: int | None = None
    once: tuple[int, ...] = ()
    before: int | None = None
    after: int | None = None

    def fires(self, count: int) -> bool:
        """Return whether the event of this count goes through."""
        return self.first_from(count) == count != NEVER

    def first_from(self, count: int) -> int:
        """Return the first count at or above ``count`` that goes through, or ``NEVER``."""
        if self.once:
            return next((n for n in self.once if n >= count), NEVER)
        first = count
        if self.after is not None:
            start = self.after + 1
            step = self.every or 1
            first = start if count <= start else start + -(-(count - start) // step) * step
        elif self.every is not None and self.every > 1:
            # Zero is "before the first", not a multiple: the first firing is at `every`.
            first = -(-max(count, 1) // self.every) * self.every
        return NEVER if self.before is not None and first >= self.before else first

    def among(self, counts: Sequence[int]) -> Sequence[int]:
        """Return those of ascending counts that go through, a range of a range without a walk.

        Args:
            counts: different counts; a range, or what this returned before.

        Example:
            >>> Schedule(every=4).among(Schedule(every=6).among(range(1, 1_000_000)))
            range(12, 1000000, 12)
        """
        if self.once:
            return tuple(count for count in self.once if count in counts)
        if not isinstance(counts, range):
            return tuple(filter(self.fires, counts))
        stop = counts.stop if self.before is None else min(counts.stop, self.before)
        step = math.lcm(counts.step, self.every or 1)
        first = counts.start
        meet_by = max(first, (self.after or 0) + 1) + step  # or they never do
        while first < stop and not self.fires(first):
            following = self.first_from(first)
            first = following + (counts.start - following) % counts.step
            if first > meet_by:
                return ()
        return range(first, stop, step)

    def __str__(self) -> str:
        parts = []
        if self.every is not None:
            parts.append(f"every={self.every}")
        if self.once:
            parts.append(f"once={self.once[0] if len(self.once) == 1 else list(self.once)}")
        if self.before is not None:
            parts.append(f"before={self.before}")
        if self.after is not None:
            parts.append(f"after={self.after}")
        return ", ".join(parts)


@dataclass(frozen=True)
class Predicate:
    """A filter that is the user's own function, asked at every firing.

    Args:
        function: ``f(engine, count) -> bool``.
    """

    function: EventFilter

    def __str__(self) -> str:
        return f"event_filter={getattr(self.function, '__qualname__', repr(self.function))}"


Filter: TypeAlias = Schedule | Predicate


def make_filter(
    event_filter: EventFilter | None,
    every: SupportsIndex | None,
    once: SupportsIndex | Iterable[SupportsIndex] | None,
    before: SupportsIndex | None,
    after: SupportsIndex | None,
) -> Filter:
    """Check the arguments of an event's call and build the one filter that they describe.

    Raises:
        InvalidArgument: for a mixture that means nothing, wrong types and non-positive numbers.
    """
    kinds = {
        "event_filter": event_filter is not None,
        "once": once is not None,
        "every/before/after": any(value is not None for value in (every, before, after)),
    }
    given = [kind for kind, present in kinds.items() if present]
    if len(given) != 1:
        raise InvalidArgument(
            "an event takes event_filter=, or once=, or any of every=, before= and after=; got "
            + (" together with ".join(given) or "none of them")
        )
    if event_filter is not None:
        return Predicate(_checked_function(event_filter))
    if once is not None:
        return Schedule(once=_checked_counts(once))
    return Schedule(
        every=None if every is None else _checked_count("every", every),
        before=None if before is None else _checked_count("before", before),
        after=None if after is None else _checked_count("after", after),
    )


def _checked_count(name: str, value: object) -> int:
    try:
        count = 0 if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]  # checked here
    except TypeError:
        count = 0
    if count < 1:
        raise InvalidArgument(f"{name} must be a positive integer, got {value!r}")
    return count


def _checked_counts(value: SupportsIndex | Iterable[SupportsIndex]) -> tuple[int, ...]:
    if isinstance(value, (list, tuple, set, frozenset, range)):
        if not value:
            raise InvalidArgument("once must hold at least one positive integer, got none")
        return tuple(sorted({_checked_count("once", item) for item in value}))
    return (_checked_count("once", value),)


def _checked_function(function: EventFilter) -> EventFilter:
    if not callable(function):
        raise InvalidArgument(
            f"event_filter must be callable as f(engine, count), got {function!r} "
            f"of type {type(function).__name__}"
        )
    try:
        signature = inspect.signature(function)
    except ValueError:  # some builtins have no signature to check
        return function
    try:
        signature.bind(None, 0)
    except TypeError as error:
        raise InvalidArgument(
            f"event_filter must be callable as f(engine, count), got f{signature}: {error}"
        ) from None
    return function
