"""The audit of one engine: a line when a run begins, and one when it ends.

Owns: which events are lines of the log, and that no fault of the audit reaches the run.
Must not know: where the log is, or how a step or data is described.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import cache
from typing import Any
from uuid import uuid4

from glowplug import Engine, Events

from acme_audit import records
from acme_audit.log import append, log_file

_logger = logging.getLogger("acme_audit")


class RunAudit:
    """Write a line when a run begins, and one for each way in which it ends.

    A run can end twice: one that was interrupted may be taken up again, and an error may be
    answered by an orderly end. So the last line of a run says how it ended, and a run without one
    was killed. Only events that happen once a run are handled: an iteration pays nothing.

    Example:
        >>> engine = Engine(lambda engine, batch: batch)
        >>> RunAudit().attach(engine)
        >>> engine.listens(Events.STARTED), engine.listens(Events.ITERATION_COMPLETED)
        (True, False)
    """

    def __init__(self) -> None:
        self._run = ""
        self._began = 0.0
        self._ended = ""

    def attach(self, engine: Engine[Any, Any]) -> None:
        """Audit the runs of an engine."""
        # The first to hear of the beginning, and the last of the end: what other handlers do at
        # these events belongs to the run.
        with engine.in_phase("compute"):
            engine.add_event_handler(Events.STARTED, self._begin)
        with engine.in_phase("persist"):
            engine.add_event_handler(Events.TERMINATE, self._end, "terminated")
            engine.add_event_handler(Events.COMPLETED, self._end, "completed")
            engine.add_event_handler(Events.INTERRUPT, self._end, "interrupted")
            engine.add_event_handler(Events.EXCEPTION_RAISED, self._fail)

    def _begin(self, engine: Engine[Any, Any]) -> None:
        self._run, self._began, self._ended = uuid4().hex, time.monotonic(), ""
        _write(lambda: self._line("began") | records.of_beginning(engine))

    def _end(self, engine: Engine[Any, Any], ended: str) -> None:
        # COMPLETED follows TERMINATE, and an interruption at the very end has nothing left to stop.
        if (self._ended, ended) in {("terminated", "completed"), ("completed", "interrupted")}:
            return
        self._ended = ended
        _write(lambda: self._line(ended) | self._duration() | records.of_end(engine))

    def _fail(self, engine: Engine[Any, Any], error: BaseException) -> None:
        if not self._run:  # a handler of STARTED that runs before ours has failed
            self._begin(engine)
        self._ended = "error"
        _write(
            lambda: (
                self._line("error")
                | self._duration()
                | records.of_end(engine)
                | records.of_error(error)
            )
        )

    def _line(self, what: str) -> dict[str, Any]:
        return {"run": self._run, "what": what, **records.of_moment()}

    def _duration(self) -> dict[str, Any]:
        return {"seconds": round(time.monotonic() - self._began, 3)}


def _write(make: Callable[[], dict[str, Any]]) -> None:
    """Write a line; what goes wrong is said once, and the run goes on."""
    try:
        append(make())
    except Exception as error:  # noqa: BLE001  # no fault of the audit may reach the run
        _complain(f"{type(error).__name__}: {error}")


@cache
def _complain(reason: str) -> None:
    """Say once in a process why something is missing from the log.

    By the log of Python and not by a warning, since a program may have made warnings errors.
    """
    try:
        place = str(log_file())
    except RuntimeError:  # which is why it could not be written
        place = "the log"
    _logger.warning("runs are missing from %s (%s); training goes on", place, reason)
