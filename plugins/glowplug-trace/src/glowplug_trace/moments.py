"""When the firing of an event begins and ends, as far as its handlers tell.

Owns: working that out from one handler of our own and the times of all others.
Must not know: how it is drawn.

An observer hears of calls, not of firings, and our own handler of an event need not be the first.
So a firing begins with the first handler that was called since anything else fired, and lasts
until the last one has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from glowplug import Engine, EventEnum, Phase
from glowplug.errors import InvalidType


class Moment:
    """The last firing of one event.

    Attributes:
        event: the event.
        began: when it began; -1 before the first.
        ended: when the last of its handlers had run.
    """

    __slots__ = ("_early", "_turn", "began", "ended", "event")

    def __init__(self, event: EventEnum | str) -> None:
        self.event = event
        self.began = self.ended = self._early = self._turn = -1


class Moments:
    """The last firing of each event of one engine.

    Example:
        >>> moments, moment = Moments(), Moment("a")
        >>> moments.handler_ran(moment, 10, 15)
        >>> moments.fired(moment, 20)
        >>> moments.handler_ran(moment, 30, 35)
        >>> moment.began, moment.ended
        (10, 35)
    """

    def __init__(self) -> None:
        self._turn = 0
        self._latest = -1

    def fired(self, moment: Moment, now: int) -> None:
        """Hear that our own handler of an event runs."""
        early = moment._early
        moment.began = early if early > self._latest else now
        moment.ended = self._latest = now
        moment._early = -1
        self._turn += 1
        moment._turn = self._turn

    def handler_ran(self, moment: Moment, began: int, ended: int) -> None:
        """Hear that another handler of an event has run."""
        # A handler during which another event fired belongs to a firing that still goes on.
        if moment._turn == self._turn or moment.began <= began < self._latest:
            moment.ended = ended
            moment._turn = self._turn
        elif moment._early <= self._latest:
            moment._early = began


class Mark:
    """Our own handler of an event.

    Args:
        moment: the firing that it tells of.
        hear: ``hear(moment, engine, carried)``.
    """

    glowplug_phase = Phase.COMPUTE
    """What is computed comes first, and so does this."""

    def __init__(
        self, moment: Moment, hear: Callable[[Moment, Engine[Any, Any], Sequence[Any]], None]
    ) -> None:
        self._moment, self._hear = moment, hear

    def __call__(self, engine: Engine[Any, Any], *carried: Any) -> None:
        """Tell that the event fires."""
        self._hear(self._moment, engine, carried)

    def __reduce__(self) -> Any:
        raise cannot_be_copied()


def cannot_be_copied() -> InvalidType:
    """Return the error for pickling or copying what writes to a file."""
    return InvalidType(
        "a Trace writes to a file and cannot be pickled or copied, nor an engine that it traces; "
        "trace.detach(engine) before"
    )
