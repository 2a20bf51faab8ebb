"""Straight lines between milestones.

Owns: which pairs of milestones and values will do, and the value between two of them.
Must not know: what the values are set on.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from glowplug.errors import InvalidArgument, InvalidType
from glowplug_schedulers.arguments import items, number, rising


def corners(milestones_values: Any) -> tuple[list[int], list[float]]:
    """Return milestones and their values, taken from pairs.

    Args:
        milestones_values: pairs of an event's number and a value. Two pairs with the same number
            make a jump: the later value counts from that event on.

    Raises:
        InvalidType: when a milestone is no whole number, or a value no number.
        InvalidArgument: when there are none, one is no pair, or a milestone is below the last.

    Example:
        >>> corners([(2, 0.5), (4, 1.0)])
        ([2, 4], [0.5, 1.0])
    """
    pairs = items("milestones_values", milestones_values, "pairs (milestone, value)")
    for place, pair in enumerate(pairs):
        if not isinstance(pair, (list, tuple)):
            raise InvalidType(
                f"milestones_values[{place}] must be a pair (milestone, value), got {pair!r} of "
                f"type {type(pair).__name__}"
            )
        if len(pair) != 2:
            raise InvalidArgument(
                f"milestones_values[{place}] must be a pair (milestone, value), got {pair!r}"
            )
    milestones = rising("milestones", [milestone for milestone, _ in pairs])
    return milestones, [number(f"values[{n}]", value) for n, (_, value) in enumerate(pairs)]


def check_saved_corners(state: Any) -> None:
    """Refuse saved milestones and values that ``corners`` would not have returned.

    Raises:
        InvalidType: when one of them is of the wrong type.
        InvalidArgument: when they are not as many, or not in order.
    """
    milestones = items("'milestones'", state["milestones"], "milestones")
    values = items("'values'", state["values"], "values")
    if len(milestones) != len(values):
        raise InvalidArgument(
            f"a saved state has {len(milestones)} milestones and {len(values)} values; expected as "
            "many of both"
        )
    corners(list(zip(milestones, values, strict=True)))


def value_at(index: int, milestones: Sequence[int], values: Sequence[float]) -> float:
    """Return the value at an event: the first before all milestones, the last after them.

    Args:
        index: the event's number.
        milestones: numbers of events, none below the one before.
        values: the value at each of them.

    Example:
        >>> [value_at(index, [2, 4], [0.5, 1.0]) for index in range(6)]
        [0.5, 0.5, 0.5, 0.75, 1.0, 1.0]
    """
    after = bisect_right(milestones, index)
    if after == 0:
        return values[0]
    if after == len(milestones):
        return values[-1]
    began, begun_at = milestones[after - 1], values[after - 1]
    share = (index - began) / (milestones[after] - began)
    return begun_at + (values[after] - begun_at) * share
