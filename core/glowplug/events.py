"""Events as values: members of enumerations, filters on them, and unions of them.

Owns: what an event is, and how events are filtered and joined.
Must not know: who handles an event, or that engines exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any, SupportsIndex, TypeAlias

from glowplug.errors import InvalidArgument, InvalidType
from glowplug.filters import EventFilter, Filter, make_filter


class Combinable:
    """What a member and a filtered event share: filtering, and joining into a union."""

    def __call__(
        self,
        event_filter: EventFilter | None = None,
        every: SupportsIndex | None = None,
        once: SupportsIndex | Iterable[SupportsIndex] | None = None,
        before: SupportsIndex | None = None,
        after: SupportsIndex | None = None,
    ) -> FilteredEvent:
        """Return this event narrowed by a filter; the event itself stays as it is.

        Args:
            event_filter: ``f(engine, count) -> bool``; excludes all others.
            every: a positive integer ``n``: fire at counts ``n, 2n, ...``; with ``after=a`` at
                ``a+1, a+1+n, ...``.
            once: a positive integer or several: fire at exactly these counts; excludes all others.
            before: fire at counts below this one.
            after: fire at counts above this one.

        Returns:
            A value that can be attached to, filtered again (which narrows it) and joined by ``|``.

        Raises:
            InvalidArgument: for a mixture other than these, wrong types and non-positive numbers.

        Example:
            >>> print(Events.ITERATION_COMPLETED(every=100, before=1000))
            ITERATION_COMPLETED(every=100, before=1000)
        """
        made = make_filter(event_filter, every, once, before, after)
        if isinstance(self, FilteredEvent):
            return FilteredEvent(self.event, (*self.filters, made))
        assert isinstance(self, EventEnum)
        return FilteredEvent(self, (made,))

    def __or__(self, other: object) -> EventUnion:
        """Return the union of two events: a handler of it is attached to each."""
        if not isinstance(other, (EventEnum, FilteredEvent, EventUnion)):
            return NotImplemented
        return EventUnion(_members(self) + _members(other))


class EventEnum(Combinable, Enum):
    """The base of every set of events: an enumeration whose members can be filtered and joined.

    Members of two sets never meet, even where their names and values are the same.

    Raises:
        InvalidArgument: when a set gives two members one value, which would make them one event.

    Example:
        >>> class BackpropEvents(EventEnum):
        ...     BACKWARD_STARTED = "backward_started"
        ...     BACKWARD_COMPLETED = "backward_completed"
        >>> BackpropEvents.BACKWARD_STARTED.name
        'BACKWARD_STARTED'
    """

    def __init__(self, *_: object) -> None:
        for other in type(self).__members__.values():
            if other._value_ == self._value_:
                raise InvalidArgument(
                    f"{type(self).__name__}: two events share the value {self._value_!r} "
                    f"({other._name_} is the first); give each its own"
                )

    @classmethod
    def event_to_attr(cls) -> Mapping[EventEnum, str]:
        """Return the attributes of the state that count the members; none here.

        A set that is published overrides this, so that its counters come with it wherever it is
        registered. Whoever fires a member increases its counter before. What is not in the mapping
        counts its own firings.

        Returns:
            Members to names of attributes.

        Example:
            >>> class Backprop(EventEnum):
            ...     STEPPED = "stepped"
            ...     @classmethod
            ...     def event_to_attr(cls):
            ...         return {cls.STEPPED: "optimizer_steps"}
            >>> from glowplug import Engine
            >>> engine = Engine(lambda engine, batch: None, events=[Backprop])
            >>> engine.state.optimizer_steps
            0
        """
        return MappingProxyType({})

    # Enum hashes by name; an event is equal to itself only, and is looked up at every firing.
    __hash__ = object.__hash__

    def __str__(self) -> str:
        return self.name


class Events(EventEnum):
    """The events that every engine fires, in the order of a run.

    Example:
        >>> Events["EPOCH_COMPLETED"].value
        'epoch_completed'
    """

    STARTED = "started"
    EPOCH_STARTED = "epoch_started"
    GET_BATCH_STARTED = "get_batch_started"
    GET_BATCH_COMPLETED = "get_batch_completed"
    ITERATION_STARTED = "iteration_started"
    ITERATION_COMPLETED = "iteration_completed"
    EPOCH_COMPLETED = "epoch_completed"
    COMPLETED = "completed"
    DATALOADER_STOP_ITERATION = "dataloader_stop_iteration"
    EXCEPTION_RAISED = "exception_raised"
    TERMINATE_SINGLE_EPOCH = "terminate_single_epoch"
    TERMINATE = "terminate"
    INTERRUPT = "interrupt"


PER_ITERATION = (
    Events.GET_BATCH_STARTED,
    Events.GET_BATCH_COMPLETED,
    Events.ITERATION_STARTED,
    Events.ITERATION_COMPLETED,
)
"""The events of one iteration, in their order."""

CARRIED: Mapping[object, tuple[str, ...]] = MappingProxyType(
    {
        Events.EXCEPTION_RAISED: ("exception",),
        Events.TERMINATE_SINGLE_EPOCH: ("iter_counter",),
    }
)
"""What an event hands to its handlers, between the engine and their own arguments."""


@dataclass(frozen=True)
class FilteredEvent(Combinable):
    """An event and the filters that each firing must pass; made by calling an event.

    Args:
        event: the event that is fired.
        filters: all of them must let a firing through.
    """

    event: EventEnum
    filters: tuple[Filter, ...]

    @property
    def name(self) -> str:
        """The name of the event."""
        return self.event.name

    @property
    def value(self) -> Any:
        """The value of the event."""
        return self.event.value

    def __str__(self) -> str:
        return self.name + "".join(f"({made})" for made in self.filters)


@dataclass(frozen=True)
class EventUnion:
    """Several events that a handler is attached to at once; made by ``|``.

    Args:
        events: the members, in the order in which they were joined.
    """

    events: tuple[EventEnum | FilteredEvent, ...]

    def __or__(self, other: object) -> EventUnion:
        """Return the union of this one and another event or union."""
        if not isinstance(other, (EventEnum, FilteredEvent, EventUnion)):
            return NotImplemented
        return EventUnion(self.events + _members(other))

    def __str__(self) -> str:
        return " | ".join(map(str, self.events))


AnyEvent: TypeAlias = Combinable | EventUnion | str
"""All that a handler can be attached to."""


def _members(event: object) -> tuple[EventEnum | FilteredEvent, ...]:
    if isinstance(event, EventUnion):
        return event.events
    assert isinstance(event, (EventEnum, FilteredEvent))
    return (event,)


def parts(event: AnyEvent) -> tuple[tuple[EventEnum | str, tuple[Filter, ...]], ...]:
    """Return the plain events that ``event`` is made of, each with its filters.

    Raises:
        InvalidType: when ``event`` is none of the things that can be attached to.

    Example:
        >>> union = Events.STARTED | Events.COMPLETED(every=2)
        >>> [(str(plain), len(filters)) for plain, filters in parts(union)]
        [('STARTED', 0), ('COMPLETED', 1)]
    """
    if isinstance(event, (EventEnum, str)):
        return ((event, ()),)
    if isinstance(event, FilteredEvent):
        return ((event.event, event.filters),)
    if isinstance(event, EventUnion):
        return tuple(part for member in event.events for part in parts(member))
    raise InvalidType(
        "an event is a member of an EventEnum, such a member with a filter, a union of them by |, "
        f"or the name of a registered event; got {event!r} of type {type(event).__name__}"
    )
