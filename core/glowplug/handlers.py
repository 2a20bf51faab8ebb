"""One engine's table of handlers: add, remove, snapshot, order, provenance.

Owns: who handles which event, in what order, with which arguments, and who attached it.
Must not know: epochs, iterations, or how plugins are found.

A firing must cost next to nothing when nobody is due, and no more than the calls otherwise. So each
event has a slot that is compiled when handlers come and go:

- ``plain`` holds the callables of the handlers without a filter, ready to be called;
- ``due`` is the first count at which anything has to be done at all, which the engine compares
  with the event's count before it calls anything here.
"""

from __future__ import annotations

import weakref
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeAlias

from glowplug.errors import UnknownEvent, did_you_mean
from glowplug.events import AnyEvent, parts
from glowplug.filters import NEVER, EventFilter, Predicate
from glowplug.phases import RANK, Phase
from glowplug.registrations import Call, EventKey, Handler, Origin, Registration
from glowplug.sites import Site

Watch: TypeAlias = Callable[[Registration], Call]
"""What turns a registration into a call that somebody watches."""


class Snapshot(list[Any]):
    """What a firing walks. A handler that is removed meanwhile leaves a hole in it.

    Args:
        entries: one for each registration.
        registrations: in the same order.
        hole: what takes the place of a removed entry.
    """

    __slots__ = ("__weakref__", "hole", "registrations")

    def __init__(self, entries: list[Any], registrations: list[Registration], hole: Any) -> None:
        super().__init__(entries)
        self.registrations = registrations
        self.hole = hole

    def forget(self, registration: Registration) -> None:
        """Put the hole where ``registration`` stands."""
        for index, present in enumerate(self.registrations):
            if present is registration:
                self[index] = self.hole

    def registration_of(self, call: Call | None, test: EventFilter | None) -> Registration | None:
        """Return the registration that was compiled to ``call``, behind ``test`` if any."""
        for entry in self.registrations:
            if entry.call is call and entry.test is test:
                return entry
        return None


def _skip(*_: Any) -> None:
    """Stand where a handler was removed during the firing that would have called it."""


class Slot:
    """The handlers of one event, compiled.

    Attributes:
        event: the event.
        registrations: phase by phase, within a phase in the order of adding.
        plain: the calls of the unfiltered handlers.
        tested: pairs of test and call, for firings that a filter may let through.
        scheduled: the first count at which a filter may let a firing through.
        due: the first count at which there is anything to do.
        asks: whether a filter is a user's function, which has to be asked at every firing.
        fired: how often the event was fired, where it counts its own firings.
    """

    __slots__ = (
        "_live",
        "asks",
        "due",
        "event",
        "fired",
        "plain",
        "registrations",
        "scheduled",
        "tested",
    )

    def __init__(self, event: EventKey) -> None:
        self.event = event
        self.registrations: list[Registration] = []
        self.fired = 0
        self._live: list[weakref.ref[Snapshot]] = []
        self.compile()

    def compile(self) -> None:
        """Make new snapshots from the registrations; those being walked stay as they are."""
        everyone = list(self.registrations)
        unfiltered = [entry for entry in everyone if not entry.filters]
        self.plain = Snapshot([entry.call for entry in unfiltered], unfiltered, _skip)
        pairs = [(entry.test, entry.call) for entry in everyone]
        self.tested = Snapshot(pairs, everyone, (None, _skip))
        self._live = [ref for ref in self._live if ref() is not None]
        self._live += [weakref.ref(self.plain), weakref.ref(self.tested)]
        self.asks = any(isinstance(f, Predicate) for entry in everyone for f in entry.filters)
        self.rearm()

    def rearm(self) -> None:
        """Forget when filters fire next: the counter may have moved backwards."""
        filtered = len(self.plain) < len(self.registrations)
        self.scheduled = 0 if filtered else NEVER
        self.due = 0 if self.registrations else NEVER

    def schedule(self, count: int) -> None:
        """Work out what comes after ``count``."""
        following = [entry.first_from(count + 1) for entry in self.registrations if entry.filters]
        self.scheduled = min(following, default=NEVER)
        self.due = 0 if self.plain else self.scheduled

    def add(self, registration: Registration) -> None:
        """Put a registration last in its phase."""
        ranks = [RANK[present.phase] for present in self.registrations]
        self.registrations.insert(bisect_right(ranks, RANK[registration.phase]), registration)
        self.compile()

    def remove(self, registration: Registration) -> None:
        """Take a registration out, of the firings under way too."""
        self.registrations.remove(registration)
        for ref in self._live:
            snapshot = ref()
            if snapshot is not None:
                snapshot.forget(registration)
        self.compile()


class HandlerTable:
    """The handlers of one engine.

    Args:
        events: the events that are registered from the start.
    """

    def __init__(self, events: Iterable[EventKey]) -> None:
        self.slots: dict[EventKey, Slot] = {event: Slot(event) for event in events}
        self._origin = Origin()
        self._watch: Watch | None = None

    def register(self, event: EventKey) -> None:
        """Let handlers be attached to ``event``; again does nothing."""
        if event not in self.slots:
            self.slots[event] = Slot(event)

    def knows(self, event: EventKey) -> bool:
        """Return whether ``event`` is registered, or names events that are."""
        return event in self.slots or event in {str(known) for known in self.slots}

    def key(self, event: EventKey) -> EventKey:
        """Return the registered event that ``event`` is or names.

        Raises:
            UnknownEvent: when there is none, or when a name fits several.
        """
        if event in self.slots:
            return event
        if isinstance(event, str):
            named = [known for known in self.slots if str(known) == event]
            if len(named) == 1:
                return named[0]
            if named:
                sets = ", ".join(f"{type(known).__name__}.{event}" for known in named)
                raise UnknownEvent(f"the name {event!r} fits several events: {sets}", event)
        known_names = [str(known) for known in self.slots]
        whose = "" if isinstance(event, str) else f"{type(event).__name__}."
        raise UnknownEvent(
            f"event {whose}{event} is not registered with this engine"
            f"{did_you_mean(str(event), known_names)} (register it by engine.register_events(...);"
            f" registered: {', '.join(known_names)})",
            event,
        )

    def add(
        self,
        event: AnyEvent,
        handler: Handler,
        args: Any,
        kwargs: Any,
        *,
        own: bool = False,
        sites: tuple[Site, ...] = (),
    ) -> tuple[Registration, ...]:
        """Attach ``handler`` to every event that ``event`` is made of.

        Returns:
            One registration for each.

        Raises:
            InvalidType: when ``handler`` cannot be called.
            InvalidHandler: when it fits an event neither with the engine nor without.
            InvalidArgument: when the handler declares a phase that is none.
            UnknownEvent: when an event is not registered.
        """
        origin = replace(self._origin, sites=sites)
        made = [
            Registration(self.key(named), filters, handler, args, kwargs, own=own, origin=origin)
            for named, filters in parts(event)
        ]
        for registration in made:
            self.put_back(registration)
        return tuple(made)

    def put_back(self, registration: Registration) -> None:
        """Attach a removed registration again, last in its phase."""
        if not self.holds(registration):
            registration.call = self._watch(registration) if self._watch else registration.direct
            self.slots[registration.event].add(registration)

    def holds(self, registration: Registration) -> bool:
        """Return whether a registration is attached."""
        slot = self.slots.get(registration.event)
        return slot is not None and registration in slot.registrations

    def discard(self, registration: Registration) -> None:
        """Remove a registration; again does nothing."""
        if self.holds(registration):
            self.slots[registration.event].remove(registration)

    def find(
        self, handler: Handler, event: AnyEvent | None, *, own: bool = False
    ) -> list[Registration]:
        """Return the registrations of ``handler``, on ``event`` or anywhere.

        A plain event finds the filtered ones too, a filtered one those of equal filters.
        """
        wanted = [(e, ()) for e in self.slots] if event is None else list(parts(event))
        return [
            registration
            for named, filters in wanted
            for registration in self.slots[self.key(named)].registrations
            if registration.is_of(handler, own) and (not filters or registration.filters == filters)
        ]

    @contextmanager
    def marking(self, owner: str | None = None, phase: Phase | None = None) -> Iterator[None]:
        """Mark what is attached within.

        Args:
            owner: the plugin that attaches; who is named already, where left out.
            phase: the phase of handlers that declare none; the present one, where left out.
        """
        before = self._origin
        self._origin = replace(before, owner=owner or before.owner, phase=phase or before.phase)
        try:
            yield
        finally:
            self._origin = before

    def watch(self, watch: Watch | None) -> None:
        """Let every firing call what ``watch`` makes of a registration; None ends it."""
        self._watch = watch
        for slot in self.slots.values():
            for registration in slot.registrations:
                registration.call = watch(registration) if watch else registration.direct
            slot.compile()

    def discard_owner(self, owner: str) -> None:
        """Remove all that the plugin ``owner`` attached."""
        for slot in self.slots.values():
            for registration in [r for r in slot.registrations if r.origin.owner == owner]:
                slot.remove(registration)

    def rearm(self) -> None:
        """Forget when filters fire next, on every event."""
        for slot in self.slots.values():
            if slot.registrations:
                slot.rearm()

    def __getstate__(self) -> list[tuple[EventKey, int, list[Registration]]]:
        return [(key, slot.fired, slot.registrations) for key, slot in self.slots.items()]

    def __setstate__(self, state: list[tuple[EventKey, int, list[Registration]]]) -> None:
        self.__init__(())  # type: ignore[misc]  # a copy is watched by nobody
        for key, fired, registrations in state:
            slot = self.slots[key] = Slot(key)
            slot.fired, slot.registrations = fired, registrations
            slot.compile()
