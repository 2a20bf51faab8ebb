"""Cycles that follow each other, each longer or shorter than the last by a factor.

Owns: which cycle an event is in, and where in it.
Must not know: what happens in a cycle.
"""

from __future__ import annotations

SHORTEST = 2
"""Events of a cycle, however often it was shortened."""


def locate(index: int, size: int, warmup: int, mult: float) -> tuple[int, int, int, int]:
    """Return where an event stands.

    A cycle is ``size`` events, and ``warmup`` events that lead to the next. Both are multiplied by
    ``mult`` from cycle to cycle and rounded down; ``size`` stays 2 or more.

    Args:
        index: the event's number, from 0.
        size: events of the first cycle.
        warmup: events between it and the second.
        mult: the factor.

    Returns:
        The number of the cycle, the event's number in it, and the cycle's ``size`` and ``warmup``.

    Example:
        >>> [locate(index, 2, 0, 2.0)[:2] for index in range(7)]
        [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2), (1, 3), (2, 0)]
    """
    cycle = 0
    while mult != 1.0 and index >= size + warmup:
        longer = max(SHORTEST, int(size * mult)), int(warmup * mult)
        if longer == (size, warmup):
            break  # rounding keeps all that follow alike
        index -= size + warmup
        size, warmup = longer
        cycle += 1
    further, index = divmod(index, size + warmup)
    return cycle + further, index, size, warmup
