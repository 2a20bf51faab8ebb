"""Attaching handlers to events and firing them.

Owns: the methods by which users reach an engine's table of handlers, the walk through the handlers
of one firing, and what an error says of the handler that it left.
Must not know: when the events of a run fire, or what a run is.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from glowplug.errors import InvalidArgument, InvalidType, StrayStopIteration, did_you_mean
from glowplug.events import CARRIED, AnyEvent, EventEnum, Events
from glowplug.handlers import HandlerTable, Slot
from glowplug.handles import RemovableEventHandle
from glowplug.registrations import EventKey, Handler, Registration
from glowplug.state import BatchT, OutputT, State

HandlerT = TypeVar("HandlerT", bound=Handler)


class Dispatcher(Generic[BatchT, OutputT]):
    """A table of handlers, a state whose counters the filters read, and the firing of events.

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
        self.logger = logging.getLogger(f"{__package__}.{type(self).__name__}")

    def register_events(
        self, *event_names: EventEnum | str, event_to_attr: Mapping[Any, str] | None = None
    ) -> None:
        """Let handlers be attached to further events, which you fire by ``fire_event``.

        Args:
            *event_names: members of an ``EventEnum``, or strings.
            event_to_attr: the attribute of the state that counts an event; it appears with 0, and
                is yours to increase. An event without one counts its own firings.

        Raises:
            InvalidType: for an event that is neither a member nor a string.
            InvalidArgument: when ``event_to_attr`` is no dict, or names other events.

        Example:
            >>> from glowplug import Engine, EventEnum
            >>> class Backprop(EventEnum):
            ...     STEPPED = "stepped"
            >>> engine = Engine(lambda engine, batch: None)
            >>> engine.register_events(*Backprop, event_to_attr={Backprop.STEPPED: "steps"})
            >>> engine.state.steps
            0
        """
        for event in event_names:
            if not isinstance(event, (EventEnum, str)):
                raise InvalidType(
                    "an event to register is a member of an EventEnum or a string, got "
                    f"{event!r} of type {type(event).__name__}"
                )
        if event_to_attr is not None and not isinstance(event_to_attr, Mapping):
            raise InvalidArgument(
                "event_to_attr must be a dict from events to names of attributes, got "
                f"{event_to_attr!r} of type {type(event_to_attr).__name__}"
            )
        for event, attribute in (event_to_attr or {}).items():
            if event not in event_names and event not in self._table.slots:
                near = did_you_mean(str(event), map(str, event_names))
                raise InvalidArgument(f"event_to_attr names {event!s}, not registered here{near}")
            if not isinstance(attribute, str) or not attribute.isidentifier():
                raise InvalidArgument(
                    f"event_to_attr[{event!s}] must name an attribute, got {attribute!r}"
                )
        for event in event_names:
            self._table.register(event)
        self._counted_by.update(event_to_attr or {})
        self._count_events()

    def _count_events(self) -> None:
        for event, attribute in self._counted_by.items():
            self._state.count_by(event, attribute)

    def has_registered_events(self, event: EventEnum | str) -> bool:
        """Return whether handlers can be attached to ``event``."""
        return self._table.knows(event)

    def listens(self, event: EventEnum | str) -> bool:
        """Return whether any handler is attached to ``event``, filtered ones included.

        Raises:
            UnknownEvent: when the event is not registered.
        """
        slot = self._table.slots.get(event) or self._table.slots[self._table.key(event)]
        return bool(slot.registrations)

    def add_event_handler(
        self, event_name: AnyEvent, handler: Handler, *args: Any, **kwargs: Any
    ) -> RemovableEventHandle:
        """Call ``handler`` whenever an event fires.

        The handler receives the engine first if its signature can take it, then what the event
        carries (the exception of EXCEPTION_RAISED, the ``iter_counter`` of
        TERMINATE_SINGLE_EPOCH), then ``args`` and ``kwargs``. What it returns is ignored.

        Args:
            event_name: an event, filtered or not, a union, or the name of a registered event.
            handler: any callable that is not a coroutine function.
            *args: further arguments of each call.
            **kwargs: further keyword arguments of each call.

        Returns:
            A handle that removes this registration.

        Raises:
            UnknownEvent: when the event is not registered with this engine.
            InvalidHandler: when the handler's signature fits neither with the engine nor without.
            InvalidType: when ``handler`` cannot be called, or ``event_name`` is no event.

        Example:
            >>> from glowplug import Engine, Events
            >>> engine = Engine(lambda engine, batch: batch)
            >>> seen = []
            >>> handle = engine.add_event_handler(
            ...     Events.ITERATION_COMPLETED(every=2), lambda e: seen.append(e.state.output)
            ... )
            >>> _ = engine.run([10, 20, 30, 40])
            >>> seen
            [20, 40]
        """
        function, own = self._own(handler)
        made = self._table.add(event_name, function, args, kwargs, own=own)
        return RemovableEventHandle(event_name, handler, self, registrations=made)

    def on(self, event_name: AnyEvent, *args: Any, **kwargs: Any) -> Callable[[HandlerT], HandlerT]:
        """Attach the decorated function; see ``add_event_handler``. The function stays as it is."""

        def attach(handler: HandlerT) -> HandlerT:
            self.add_event_handler(event_name, handler, *args, **kwargs)
            return handler

        return attach

    def has_event_handler(self, handler: Handler, event_name: AnyEvent | None = None) -> bool:
        """Return whether ``handler`` is attached to an event, or to any.

        A plain event stands for its filtered forms too; a filtered one for equal filters only.

        Raises:
            UnknownEvent: when the event is not registered.
        """
        function, own = self._own(handler)
        return bool(self._table.find(function, event_name, own=own))

    def remove_event_handler(self, handler: Handler, event_name: AnyEvent) -> None:
        """Remove every registration of ``handler`` on an event, its filtered forms included.

        Raises:
            InvalidArgument: when the handler is not attached to the event.
        """
        function, own = self._own(handler)
        found = self._table.find(function, event_name, own=own)
        if not found:
            name = getattr(handler, "__qualname__", repr(handler))
            raise InvalidArgument(f"handler {name} is not attached to {event_name!s}")
        for registration in found:
            self._table.discard(registration)

    def fire_event(self, event_name: EventEnum | str, *carried: Any) -> None:
        """Run the handlers of an event now, from within a handler or outside a run too.

        Args:
            event_name: a registered event.
            *carried: what this event carries: the exception, ``iter_counter``; else nothing.

        Raises:
            UnknownEvent: when the event is not registered.
            InvalidArgument: when what is carried is not what handlers of this event expect.
        """
        event = self._table.key(event_name)
        names = CARRIED.get(event, ())
        if len(carried) != len(names) and self._table.slots[event].registrations:
            raise InvalidArgument(
                f"{event!s} carries {', '.join(names) or 'nothing'}, got {carried!r}; fire it as "
                f"fire_event({', '.join((str(event), *names))})"
            )
        # Whoever fires by hand may do so at any count, and the run at the same one again.
        self._table.slots[event].rearm()
        try:
            self._fire(event, *carried)
        finally:
            self._table.slots[event].rearm()

    def _own(self, handler: Handler) -> tuple[Handler, bool]:
        """Return a method of this very engine as its function, so that no cycle comes about."""
        if inspect.ismethod(handler) and handler.__self__ is self:
            return handler.__func__, True
        return handler, False

    def _fire(self, event: EventKey, *carried: Any) -> None:
        slot = self._table.slots[event]
        self.last_event_name = event
        attribute = self._state.counter_of(event)
        if attribute is None:
            slot.fired += 1
            count = slot.fired
        else:
            count = getattr(self._state, attribute)
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
                walked = slot.tested
                for test, call in walked:
                    if test is None or test(self, count):
                        call(self)
                if not slot.asks:
                    slot.schedule(count)
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
