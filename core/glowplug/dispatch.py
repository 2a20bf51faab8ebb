"""Attaching handlers to events, and firing them by hand.

Owns: the methods by which users reach an engine's table of handlers.
Must not know: when the events of a run fire, or what a run is.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from glowplug.errors import InvalidArgument, InvalidType, did_you_mean
from glowplug.events import CARRIED, AnyEvent, EventEnum
from glowplug.firing import Firing
from glowplug.handles import RemovableEventHandle
from glowplug.phases import Phase
from glowplug.registrations import Handler
from glowplug.sites import call_sites
from glowplug.state import BatchT, OutputT

HandlerT = TypeVar("HandlerT", bound=Handler)


class Dispatcher(Firing[BatchT, OutputT]):
    """What can be done with an engine's handlers."""

    def register_events(
        self, *event_names: EventEnum | str, event_to_attr: Mapping[Any, str] | None = None
    ) -> None:
        """Let handlers be attached to further events, which you fire by ``fire_event``.

        Args:
            *event_names: members of an ``EventEnum``, or strings.
            event_to_attr: the attribute of the state that counts an event; it appears with 0, and
                is yours to increase. Otherwise the counter that its set declares, see
                ``EventEnum.event_to_attr``; an event without one counts its own firings.

        Raises:
            InvalidType: for an event that is neither a member nor a string.
            InvalidArgument: when ``event_to_attr`` is no dict, or names other events, or an
                attribute that counts the events of another set.

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
        declared = _declared_counters(event_names)
        counted_by = {**declared, **(event_to_attr or {})}
        for event, attribute in counted_by.items():
            if event not in event_names and event not in self._table.slots:
                near = did_you_mean(str(event), map(str, event_names))
                raise InvalidArgument(f"event_to_attr names {event!s}, not registered here{near}")
            if not isinstance(attribute, str) or not attribute.isidentifier():
                raise InvalidArgument(
                    f"event_to_attr[{event!s}] must name an attribute, got {attribute!r}"
                )
            if declared.get(event) == attribute:
                self._refuse_taken(event, attribute)
        for event in event_names:
            self._table.register(event)
        self._count_events(counted_by)

    def _refuse_taken(self, event: EventEnum | str, attribute: str) -> None:
        """Refuse a set's counter that counts another set already: two strangers would share it."""
        for other, taken in self._counted_by.items():
            if taken == attribute and type(other) is not type(event):
                raise InvalidArgument(
                    f"{type(event).__name__} declares that state.{attribute} counts {event!s}, but "
                    f"it counts {other!s} of {type(other).__name__} already; give another one by "
                    "event_to_attr"
                )

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

        It runs after those that are there, within its phase (see ``Phase``), which its attribute
        ``glowplug_phase`` or ``in_phase`` says. The handler receives the engine first if its
        signature can take it, then what the event carries (the exception of EXCEPTION_RAISED, the
        ``iter_counter`` of TERMINATE_SINGLE_EPOCH), then ``args`` and ``kwargs``. What it returns
        is ignored.

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
        sites = call_sites()
        made = self._table.add(event_name, function, args, kwargs, own=own, sites=sites)
        return RemovableEventHandle(event_name, handler, self, registrations=made)

    def in_phase(self, phase: Phase | str) -> AbstractContextManager[None]:
        """Return a context in which handlers that declare no phase are attached to this one.

        Args:
            phase: ``"compute"``, ``"act"`` (the phase of plain functions otherwise), ``"report"``
                or ``"persist"``.

        Raises:
            InvalidArgument: when there is no such phase.

        Example:
            >>> from glowplug import Engine, Events
            >>> engine = Engine(lambda engine, batch: batch)
            >>> order = []
            >>> with engine.in_phase("persist"):
            ...     saved = engine.add_event_handler(Events.COMPLETED, lambda: order.append("save"))
            >>> changed = engine.add_event_handler(Events.COMPLETED, lambda: order.append("change"))
            >>> _ = engine.run([1])
            >>> order
            ['change', 'save']
        """
        return self._table.marking(phase=Phase.of(phase))

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
        self._by_hand = (event, self._event_of_run())
        try:
            self._fire(event, *carried)
        finally:
            self._table.slots[event].rearm()

    def _own(self, handler: Handler) -> tuple[Handler, bool]:
        """Return a method of this very engine as its function, so that no cycle comes about."""
        if inspect.ismethod(handler) and handler.__self__ is self:
            return handler.__func__, True
        return handler, False


def _declared_counters(events: tuple[EventEnum | str, ...]) -> dict[Any, str]:
    """Return the counters of these events, as their sets declare them."""
    counted_by: dict[Any, str] = {}
    for made in dict.fromkeys(type(event) for event in events if isinstance(event, EventEnum)):
        for event, attribute in made.event_to_attr().items():
            if not isinstance(event, made):
                raise InvalidArgument(
                    f"{made.__name__}.event_to_attr() names {event!r}, which is none of its members"
                )
            if event in events:
                counted_by[event] = attribute
    return counted_by
