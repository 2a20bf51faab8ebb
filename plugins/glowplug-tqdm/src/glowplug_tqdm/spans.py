"""What a bar counts, between which events, and towards which total.

Owns: the order of the events of a run as bars need it, and positions, totals and titles.
Must not know: tqdm, or what is shown beside the bar.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from glowplug import EventEnum, Events, State
from glowplug.errors import InvalidArgument, InvalidType
from glowplug.events import EventUnion, FilteredEvent, parts

ORDER = (
    Events.STARTED,
    Events.EPOCH_STARTED,
    Events.ITERATION_STARTED,
    Events.ITERATION_COMPLETED,
    Events.EPOCH_COMPLETED,
    Events.COMPLETED,
)
"""The events that a bar can count or close at, in the order of a run."""


@dataclass(frozen=True)
class Span:
    """From where to where a bar goes.

    Args:
        event: what is counted, without filters.
        closing: the event that closes the bar.
        counter: the attribute of the state that counts ``event``, or None.
    """

    event: EventEnum | str
    closing: EventEnum | str
    counter: str | None

    @property
    def opening(self) -> Events | None:
        """The event that opens the bar; None: the first of what is counted."""
        openings = {Events.COMPLETED: Events.STARTED, Events.EPOCH_COMPLETED: Events.EPOCH_STARTED}
        return openings.get(self.closing)  # type: ignore[call-overload,no-any-return]  # any event

    def base(self, state: State[Any, Any]) -> int:
        """Return the count at which the bar begins, in a state of now.

        A run that is resumed inside an epoch has its bar begin where the epoch did.
        """
        if self.counter is None or (
            self.closing is Events.COMPLETED and self.counter in ("epoch", "iteration")
        ):
            return 0
        if self.closing is Events.EPOCH_COMPLETED:
            if self.counter == "epoch":
                return state.epoch - 1
            if self.counter == "iteration":
                return state.iteration - _within(state)
        return int(getattr(state, self.counter))

    def total(self, state: State[Any, Any], base: int) -> int | None:
        """Return how many there will be, as far as that is known."""
        length = state.epoch_length
        if self.closing is Events.EPOCH_COMPLETED and self.counter == "iteration":
            if length is None or state.max_iters is None:
                return length
            return min(length, state.max_iters - base)
        if self.closing is not Events.COMPLETED:
            return None
        if self.counter == "iteration":
            if state.max_iters is not None or length is None or state.max_epochs is None:
                return state.max_iters
            return length * state.max_epochs
        if self.counter == "epoch":
            if state.max_epochs is not None or length is None or state.max_iters is None:
                return state.max_epochs
            return -(-state.max_iters // length)
        return None

    def title(self, state: State[Any, Any], given: str | None) -> str:
        """Return what stands before the bar.

        Args:
            state: the state of the engine.
            given: the user's own title, or None.
        """
        if self.closing is not Events.EPOCH_COMPLETED:
            return given or ("Epoch" if self.counter == "epoch" else "Iteration")
        if state.max_epochs == 1:
            return given or "Iteration"
        of = "" if state.max_epochs is None else f"/{state.max_epochs}"
        return f"{given or 'Epoch'} [{state.epoch}{of}]"


def _within(state: State[Any, Any]) -> int:
    """Return how many iterations of this epoch are done."""
    if state.epoch_length is None:
        return 0
    within = state.iteration - (state.epoch - 1) * state.epoch_length
    # An epoch that was cut short leaves the count behind: then this epoch is at its beginning.
    return within if 0 < within <= state.epoch_length else 0


def checked_events(event_name: Any, closing: Any) -> tuple[EventEnum | str, EventEnum | str]:
    """Return the plain events that a bar counts and closes at.

    Args:
        event_name: the event that is counted; it may have filters.
        closing: the event that closes the bar.

    Raises:
        InvalidType: when one of them is no event.
        InvalidArgument: when the counted event is a union, the closing one a union or filtered, one
            of them happens at no set place of a run, or the closing event comes first.

    Example:
        >>> checked_events(Events.ITERATION_COMPLETED(every=10), Events.EPOCH_COMPLETED)[1].name
        'EPOCH_COMPLETED'
    """
    for name, event in (("event_name", event_name), ("closing_event_name", closing)):
        if isinstance(event, EventUnion):
            raise InvalidArgument(f"{name} must be one event, got the union {event!s}")
        if not isinstance(event, (EventEnum, FilteredEvent, str)):
            raise InvalidType(
                f"{name} must be an event, got {event!r} of type {type(event).__name__}"
            )
    if isinstance(closing, FilteredEvent):
        raise InvalidArgument(f"closing_event_name must have no filter, got {closing!s}")
    ((counted, _),) = parts(event_name)
    counted, closing = (
        Events[event] if isinstance(event, str) and event in Events.__members__ else event
        for event in (counted, closing)
    )
    for name, event in (("event_name", counted), ("closing_event_name", closing)):
        if isinstance(event, Events) and event not in ORDER:
            raise InvalidArgument(
                f"{name} must be one of {', '.join(map(str, ORDER))}, or an event of your own; "
                f"got {event!s}"
            )
    if counted == closing or (
        counted in ORDER and closing in ORDER and ORDER.index(counted) > ORDER.index(closing)
    ):
        raise InvalidArgument(
            f"the bar would close before it moves: event_name {counted!s} must come before "
            f"closing_event_name {closing!s}"
        )
    return counted, closing
