"""A slow and obvious model of filters, and which of them the reference applies otherwise.

Owns: when a filter fires, by semantics alone.
Must not know: engines.
"""

from __future__ import annotations

from parity.departures import Departure
from parity.programs import COUNTED, Filter, On

COUNTED_BY_EPOCHS = ("STARTED", "EPOCH_STARTED", "EPOCH_COMPLETED", "COMPLETED")
COUNTED_BY_ITERATIONS = (
    "GET_BATCH_STARTED",
    "GET_BATCH_COMPLETED",
    "ITERATION_STARTED",
    "ITERATION_COMPLETED",
)
FROM_ZERO = ("STARTED", "COMPLETED", "GET_BATCH_STARTED", "GET_BATCH_COMPLETED")


def fires(given: Filter, count: int) -> bool:
    """Return whether the firing of a count goes through."""
    if given.odd:
        return count % 2 == 1
    if given.once:
        return count in given.once
    if given.before is not None and count >= given.before:
        return False
    if given.after is not None:
        return count > given.after and (count - given.after - 1) % (given.every or 1) == 0
    if given.every is None or given.every == 1:
        return True
    return count > 0 and count % given.every == 0


def why_mended(on: On) -> set[Departure]:
    """Return the departures because of which the reference cannot be given this filter."""
    if on.filter is None:
        return set()
    why = set()
    counted = (*COUNTED_BY_EPOCHS, *COUNTED_BY_ITERATIONS, COUNTED)
    if on.event not in counted:
        why.add(Departure.EVERY_EVENT_HAS_A_COUNT)
    every, before, after = on.filter.every, on.filter.before, on.filter.after
    if every is not None and before is not None and after is None:
        why.add(Departure.EVERY_BEFORE_COUNTS_FROM_ITS_MULTIPLES)
    if on.event in FROM_ZERO and after is None and (before is not None or (every or 1) > 1):
        why.add(Departure.FIRST_COUNT_IS_ZERO)
    return why
