"""The phases of a firing: what computes runs before what reports, whatever the order of attaching.

Owns: the names of the phases, their order, and how a handler says which one is its own.
Must not know: how handlers are stored, or when events fire.
"""

from __future__ import annotations

from enum import Enum
from functools import partial
from inspect import getattr_static
from types import MethodType
from typing import Any

from glowplug.errors import InvalidArgument, did_you_mean

ATTRIBUTE = "glowplug_phase"
"""The attribute by which a handler, or the object that a method belongs to, declares its phase."""


class Phase(Enum):
    """When a handler runs among those of one event.

    The phases run in this order; within a phase, handlers run in the order of adding. A class
    declares its phase by an attribute, for which the bare word will do, so that it need not import
    anything: ``glowplug_phase = "report"``. What declares nothing acts.

    Example:
        >>> [phase.value for phase in Phase]
        ['compute', 'act', 'report', 'persist']
        >>> Phase.of("report") is Phase.REPORT
        True
    """

    COMPUTE = "compute"
    """Works out what others read: metrics."""
    ACT = "act"
    """Everything else: plain functions, schedulers, whatever steers the run."""
    REPORT = "report"
    """Shows and logs what was computed: progress bars, loggers."""
    PERSIST = "persist"
    """Saves what all others left behind: checkpoints."""

    @classmethod
    def of(cls, phase: Phase | str) -> Phase:
        """Return the phase that ``phase`` is or names.

        Args:
            phase: a phase, or its name in lower case.

        Raises:
            InvalidArgument: when there is no such phase.
        """
        if isinstance(phase, Phase):
            return phase
        names = [known.value for known in cls]
        if isinstance(phase, str) and phase in names:
            return cls(phase)
        raise InvalidArgument(
            f"expected a phase, one of {', '.join(names)}; got {phase!r} of type "
            f"{type(phase).__name__}{did_you_mean(str(phase), names)}"
        )


RANK = {phase: place for place, phase in enumerate(Phase)}
"""The place of each phase in the order."""


def declared_phase(handler: Any) -> Phase | None:
    """Return the phase that a handler or a component declares, or None.

    A method's own declaration comes before that of the object it belongs to.

    Args:
        handler: a function, a method, a partial of one, or any object.

    Raises:
        InvalidArgument: when what is declared is no phase.

    Example:
        >>> class Chart:
        ...     glowplug_phase = "report"
        ...     def draw(self, engine): ...
        >>> declared_phase(Chart().draw)
        <Phase.REPORT: 'report'>
    """
    while isinstance(handler, partial):
        handler = handler.func
    method = isinstance(handler, MethodType)
    holders = (handler.__func__, handler.__self__) if method else (handler,)
    # What an object makes up for whatever is asked of it, as a mock does, is no declaration.
    holder = next((h for h in holders if getattr_static(h, ATTRIBUTE, None) is not None), None)
    declared = getattr(holder, ATTRIBUTE, None)
    if declared is None:
        return None
    try:
        return Phase.of(declared)
    except InvalidArgument as error:
        raise InvalidArgument(f"{ATTRIBUTE} of {handler!r}: {error}") from None
