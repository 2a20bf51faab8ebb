"""Ending a run after a time.

Owns: which time counts, and when it is over.
Must not know: what a run does.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from time import monotonic
from typing import Any

from glowplug import Events, Phase
from glowplug.errors import InvalidArgument
from glowplug.events import AnyEvent
from glowplug_handlers.arguments import checked_number, checked_state
from glowplug_handlers.attachment import AnyEngine, Attachable
from glowplug_handlers.ending import Ending

PAUSES = Events.COMPLETED | Events.TERMINATE | Events.INTERRUPT | Events.EXCEPTION_RAISED
"""The events after which no time passes until the engine runs again."""


class TimeLimit(Attachable):
    """Ends a run after the iteration in which its time is over.

    Attached by ``attach``, it counts the time of the run: from STARTED, without what passes while
    the engine is interrupted or between two runs. A new run begins at 0; one that goes on from a
    saved iteration goes on at the time that ``load_state_dict`` was given, or at 0 without it. So a
    limit for the whole training is saved with the training, and the limit of a job on a cluster is
    not. Attached by ``engine.add_event_handler(Events.ITERATION_COMPLETED, TimeLimit(60))``, it
    counts from when it was made.

    Time is that of a clock that is never set (``time.monotonic``). On several ranks all runs end
    after the same iteration, when the time of the first is over: they ask each other about once a
    second.

    Args:
        limit_sec: seconds, above 0; eight hours by default.
        all_ranks: whether the runs of all ranks end together. All attach it then, to engines that
            make the same iterations.

    Raises:
        InvalidType: when ``limit_sec`` is no number, or ``all_ranks`` no bool.
        InvalidArgument: when ``limit_sec`` is not above 0.

    Example:
        >>> import time
        >>> from glowplug import Engine
        >>> engine = Engine(lambda engine, batch: time.sleep(0.02))
        >>> TimeLimit(0.05).attach(engine)
        >>> engine.run(range(100)).iteration <= 3
        True
    """

    glowplug_phase = Phase.ACT

    def __init__(self, limit_sec: float = 28800, *, all_ranks: bool = True) -> None:
        super().__init__()
        self._ending = Ending(all_ranks)
        checked_number("limit_sec", limit_sec, above=0)
        self.limit_sec = limit_sec
        self._before = 0.0
        self._since: float | None = monotonic()
        self.logger = logging.getLogger(f"{__name__}.TimeLimit")

    @property
    def elapsed(self) -> float:
        """Seconds that count so far."""
        return self._before + (0.0 if self._since is None else monotonic() - self._since)

    def __call__(self, engine: AnyEngine) -> None:
        """End the engine's run if the time is over."""
        if self._since is None:  # the engine was interrupted, and runs again
            self._since = monotonic()
        if self._ending.has_come(self.elapsed > self.limit_sec, engine.state.iteration):
            self.logger.info("the time of %s seconds is over: the run ends", self.limit_sec)
            engine.terminate()

    def attach(self, engine: AnyEngine, event: AnyEvent = Events.ITERATION_COMPLETED) -> None:
        """Count the time of an engine's runs, and look at it at an event.

        Args:
            engine: the engine.
            event: when to look.

        Raises:
            InvalidType: when it is no engine.
            InvalidArgument: when this is attached to it already.
            UnknownEvent: when the event is not registered.
        """
        with self._attaching(engine) as handles:
            handles.append(engine.add_event_handler(Events.STARTED, self._start))
            handles.append(engine.add_event_handler(event, self))
            handles.append(engine.add_event_handler(PAUSES, self._pause))
        self._pause(engine)

    def state_dict(self) -> dict[str, Any]:
        """Return the seconds that count so far, as a plain value."""
        return {"elapsed": self.elapsed}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a saved time.

        Args:
            state_dict: what ``state_dict`` returned.

        Raises:
            InvalidType: when it is no mapping, or the time no number.
            InvalidArgument: when the time is missing, or below 0.
        """
        checked_state(self, state_dict, "elapsed")
        before = checked_number("elapsed", state_dict["elapsed"])
        if before < 0:
            raise InvalidArgument(f"elapsed must be 0 or more, got {before!r}")
        self._before = before
        if self._since is not None:
            self._since = monotonic()

    def _start(self, engine: AnyEngine) -> None:
        if engine.state.iteration == 0:
            self._before = 0.0
        self._since = monotonic()

    def _pause(self, engine: AnyEngine, *_: Any) -> None:
        self._before, self._since = self.elapsed, None
