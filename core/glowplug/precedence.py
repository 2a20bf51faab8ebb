"""Whether what is reported has been computed before.

Owns: comparing when handlers first run with what they are declared to fill and to read.
Must not know: what a metric is worth, or how a run goes on after its first steps.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from glowplug.attached import Describer
from glowplug.errors import did_you_mean
from glowplug.events import Events
from glowplug.filters import NEVER, Predicate
from glowplug.handlers import Slot
from glowplug.registrations import Registration

_IN_ITERATION: Mapping[Any, int] = MappingProxyType(
    {
        Events.GET_BATCH_STARTED: 1,
        Events.GET_BATCH_COMPLETED: 2,
        Events.ITERATION_STARTED: 3,
        Events.ITERATION_COMPLETED: 4,
    }
)
_EPOCH_STARTED, _EPOCH_COMPLETED = 0, 5


class _Moment(NamedTuple):
    """When a handler first runs; moments compare as they follow each other in a run."""

    iteration: float
    event: int
    place: int


def complaints(
    slots: Iterable[Slot],
    metrics: Mapping[str, Any],
    epoch_length: int | None,
    describe: Describer,
) -> Iterator[str]:
    """Say which handlers would report something that is computed later in a new run, or never.

    Args:
        slots: the handlers of every event.
        metrics: ``state.metrics`` before the run; what is in there can be reported.
        epoch_length: iterations in an epoch, or None where the data will tell.
        describe: puts a registration into words.

    Yields:
        A sentence for each name that a handler reads too early.
    """
    moments = {
        registration: _first(registration, place, epoch_length)
        for slot in slots
        for place, registration in enumerate(slot.registrations)
        if registration.reports or registration.computes
    }
    filled = {name for registration in moments for name in registration.computes}
    for reader, moment in moments.items():
        for name in reader.reports:
            if moment is None or name in metrics:
                continue
            fillers = [other for other in moments if name in other.computes]
            if not fillers and ... not in filled:
                near = did_you_mean(name, [*map(str, filled), *metrics])
                yield (
                    f"{describe(reader)} reports metric {name!r}, which nothing computes that is "
                    f"attached to this engine{near}"
                )
            elif fillers and all(_is_later(moments[other], moment) for other in fillers):
                yield (
                    f"{describe(reader)} reports metric {name!r}, which is computed later, by "
                    f"{describe(fillers[0])}"
                )


def _is_later(one: _Moment | None, other: _Moment) -> bool:
    return one is not None and one > other


def _first(registration: Registration, place: int, epoch_length: int | None) -> _Moment | None:
    """Return when a handler runs first in a new run, or None where that cannot be known."""
    event = registration.event
    if any(isinstance(made, Predicate) for made in registration.filters):
        return None
    if event is Events.STARTED:
        return _Moment(0, 0, place)
    if event is Events.COMPLETED:
        return _Moment(math.inf, _EPOCH_COMPLETED + 1, place)
    length = math.inf if epoch_length is None else epoch_length
    if event in _IN_ITERATION:
        begun = event in (Events.ITERATION_STARTED, Events.ITERATION_COMPLETED)
        first = registration.first_from(1 if begun else 0)
        iteration = first if begun else first + 1
        return _Moment(math.inf if first >= NEVER else iteration, _IN_ITERATION[event], place)
    if event in (Events.EPOCH_STARTED, Events.EPOCH_COMPLETED):
        epoch = registration.first_from(1)
        if event is Events.EPOCH_COMPLETED:
            return _Moment(epoch * length, _EPOCH_COMPLETED, place)
        return _Moment(1 if epoch == 1 else (epoch - 1) * length + 1, _EPOCH_STARTED, place)
    return None
