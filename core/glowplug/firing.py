"""The firing of events: the walk through the handlers of one firing.

Owns: an engine's table of handlers, the state whose counters the filters read, what was asked of
the run meanwhile, and what an error says of the handler that it left.
Must not know: how handlers are attached, when the events of a run fire, or what a run is.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Generic

from glowplug.errors import StrayStopIteration
from glowplug.events import Events
from glowplug.handlers import HandlerTable, Slot
from glowplug.registrations import EventKey, Registration
from glowplug.state import BatchT, OutputT, State


class Firing(Generic[BatchT, OutputT]):
    """A table of handlers, a state whose counters the filters read, and the walk through both.

    Attributes:
        last_event_name: the event that was fired last, with or without handlers.
        logger: where the engine reports; replace it as you like.
    """

    def __init__(self) -> None:
        self._table = HandlerTable(Events)
        self._state: State[BatchT, OutputT] = State()
        self.last_event_name: EventKey | None = None
        self._counted_by: dict[Any, str] = {}
        self._asked: set[Any] = set()
        self._by_hand: tuple[EventKey | None, EventKey | None] = (None, None)
        self.logger = logging.getLogger(f"{__package__}.{type(self).__name__}")

    def _count_events(self, counted_by: Mapping[Any, str]) -> None:
        """Let attributes of the state count events; a new state takes this over."""
        self._counted_by.update(counted_by)
        for event, attribute in self._counted_by.items():
            self._state.count_by(event, attribute)

    def _event_of_run(self) -> EventKey | None:
        """Return the event that the run itself fired last, whatever was fired by hand since."""
        event, before = self._by_hand
        return before if self.last_event_name is event else self.last_event_name

    def _fire(self, event: EventKey, *carried: Any) -> None:
        slot = self._table.slots[event]
        self.last_event_name = event
        slot.fired += 1
        if not slot.registrations:
            return
        attribute = self._state.counter_of(event)
        count = slot.fired if attribute is None else getattr(self._state, attribute)
        if slot.due <= count:
            if carried:
                self._call_carrying(slot, count, carried)
            else:
                self._call_handlers(slot, count)

    def _call_handlers(self, slot: Slot, count: int) -> Any:
        """Walk the handlers that this firing reaches, as they stood when it began.

        Returns:
            Something true when anything was asked of the run meanwhile.
        """
        walked, test, call = slot.plain, None, None
        try:
            if count < slot.scheduled:
                for call in walked:
                    call(self)
            else:
                walked, called = slot.tested, False
                for test, call in walked:
                    if test is None or test(self, count):
                        called = True
                        call(self)
                if not slot.asks:
                    slot.schedule(count)
                if not called:
                    return self._asked
        except BaseException as error:
            self._blame(error, walked.registration_of(call, test) or slot.event)
            raise
        if self._state.iteration < count:  # a handler turned the counter back
            self._table.rearm()
        return self._asked

    def _call_carrying(self, slot: Slot, count: int, carried: tuple[Any, ...]) -> None:
        """Walk the handlers of an event that carries something; such events are rare."""
        walked, test, call = slot.tested, None, None
        try:
            for test, call in walked:
                if test is None or test(self, count):
                    call(self, *carried)
        except BaseException as error:
            self._blame(error, walked.registration_of(call, test) or slot.event)
            raise
        slot.rearm()

    def _blame(self, error: BaseException, where: Registration | EventKey) -> None:
        """Let the error of a handler or filter say whose it is."""
        note = self._note(where)
        if isinstance(error, StopIteration):
            raise StrayStopIteration.out_of(f"a handler or filter, {note}", error) from error
        if hasattr(error, "add_note"):
            error.add_note(note)
        else:  # Python 3.10 has no notes
            self.logger.error("%s: %s", type(error).__name__, note)

    def _note(self, where: Registration | EventKey) -> str:
        return f"{where}"
