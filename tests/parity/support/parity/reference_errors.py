"""Errors on the reference: seen once by those who watch, and let out afterwards.

Owns: calling the handlers of EXCEPTION_RAISED, and what follows an error.
Must not know: how a run is called.
"""

from __future__ import annotations

from typing import Any

from parity.departures import Departure
from parity.kits import Kit
from parity.model import fires
from parity.programs import Program
from parity.reference_handlers import ERROR, ReferenceHandlers, Registration

IN_EPOCH = (
    "GET_BATCH_STARTED",
    "GET_BATCH_COMPLETED",
    "ITERATION_STARTED",
    "ITERATION_COMPLETED",
    "DATALOADER_STOP_ITERATION",
)


class ReferenceErrors(ReferenceHandlers):
    """An interpreter for pytorch-ignite, as far as handlers and errors go.

    Attributes:
        in_error: whether handlers of EXCEPTION_RAISED are being called.
        error_ends_epoch: whether one of them called ``terminate_epoch``.
    """

    def __init__(self, kit: Kit, program: Program) -> None:
        super().__init__(kit, program)
        self.in_error = self.error_ends_epoch = False
        self._watchers: list[Registration] = []

    def watch_errors(self, found: Registration) -> None:
        if not self.engine.has_event_handler(self._dispatch):
            self.engine.add_event_handler(self.kit.event(ERROR), self._dispatch)
        self._watchers.append(found)

    def forget_watcher(self, found: Registration) -> None:
        self._watchers.remove(found)

    def _dispatch(self, engine: Any, error: BaseException) -> None:
        """Call the handlers; then let the error out, unless one of them asked for an end."""
        if engine.state.epoch_length == 0:
            self.cut_here(Departure.EXHAUSTED_DATA_ENDS_THE_RUN)
        if error is self.now.error or self.cut is not None:
            raise error  # the reference calls handlers of this event within each other
        asked_before, self.now.asked_end = self.now.asked_end, False
        self.in_error, self.error_ends_epoch = True, False
        try:
            self.now.error = error
            self._call_watchers(error)
        except BaseException as another:
            self.now.error = another
            raise
        finally:
            self.in_error = False
            self.now.last_at_error = super().last_event()
            ends_run = self.now.asked_end
            self.now.asked_end |= asked_before
        self._follow(error, ends_run)

    def _call_watchers(self, error: BaseException) -> None:
        number = self.count_firing(ERROR)
        for found in list(self._watchers):
            if found.removed:
                self.meet(Departure.REMOVED_HANDLERS_ARE_OUT)
            elif found.filter is None or fires(found.filter, number):
                found.function(self.engine, error)

    def _follow(self, error: BaseException, ends_run: bool) -> None:
        if not ends_run and not self.error_ends_epoch:
            self.meet(Departure.ERRORS_ARE_NOT_SWALLOWED)
            raise error
        self.meet(Departure.AN_ERROR_CAN_END_IN_ORDER)
        if ends_run and self.current in IN_EPOCH and isinstance(error, Exception):
            self.now.ending = True
        else:
            self.cut_here(Departure.AN_ERROR_CAN_END_IN_ORDER)

    def last_event(self) -> str:
        # The reference fires EXCEPTION_RAISED only where somebody handles it, and more than once.
        return self.now.last_at_error if self.now.left_by_error else super().last_event()
