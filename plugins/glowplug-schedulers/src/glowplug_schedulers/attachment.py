"""Schedulers as handlers: attached to an event, and called again by a run that goes on.

Owns: attaching, and leaving out the firings that were answered before a state was saved.
Must not know: what is scheduled, or how it is saved.

A run that goes on from a saved state fires STARTED and EPOCH_STARTED once more for the epoch that
it is in. A scheduler that had moved at the first of these firings must not move at the second, but
what it had set is set again, since the optimizer may be a new one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from glowplug import Engine, Events, Phase, RemovableEventHandle
from glowplug.errors import InvalidArgument, InvalidType
from glowplug.events import AnyEvent, EventEnum, parts

FIRED_AGAIN = frozenset({"STARTED", "EPOCH_STARTED"})


class Attachable(ABC):
    """What is called at an event, moves, and can be saved.

    Example:
        >>> class Counter(Attachable):
        ...     count = 0
        ...     def _move(self, engine, name): self.count += 1
        ...     def _reapply(self, engine): ...
        >>> counter = Counter()
        >>> engine = Engine(lambda engine, batch: batch)
        >>> handle = counter._attach(engine, Events.ITERATION_STARTED)
        >>> state = engine.run([1, 2, 3])
        >>> counter.count
        3
    """

    glowplug_phase = Phase.ACT

    def __init__(self) -> None:
        self._answered: dict[str, int] = {}
        self._resumed = False
        self._event: EventEnum | str | None = None

    def __call__(self, engine: Engine[Any, Any] | None, name: str | None = None) -> None:
        """Set the value of this event; what an engine calls.

        Args:
            engine: the engine, or None where there is none.
            name: what the values are recorded under; the name of what is scheduled, by default.
        """
        if self._resumed:
            if engine is not None and self._is_answered(engine):
                self._reapply(engine)
                return
            self._resumed = False
        self._move(engine, name)
        if engine is not None:
            event = self._event or engine.last_event_name
            # The members are compared by identity: this is on the path of every iteration.
            if event is Events.EPOCH_STARTED or event is Events.STARTED:
                self._answered[event.name] = engine.state.epoch

    @abstractmethod
    def _move(self, engine: Engine[Any, Any] | None, name: str | None) -> None:
        """Work out the next value, and set it."""

    @abstractmethod
    def _reapply(self, engine: Engine[Any, Any] | None) -> None:
        """Set the present value once more, if there is one."""

    def _take_over(self) -> None:  # noqa: B027  # most need nothing
        """Get ready to move for the first time, after another scheduler of the same parameter."""

    def _is_answered(self, engine: Engine[Any, Any]) -> bool:
        """Return whether this firing is one that was answered before the state was saved."""
        event, state = str(self._event or engine.last_event_name), engine.state
        if event not in self._answered or state.iteration == 0:
            return False  # a run that does not go on, as that of an evaluator, counts from 0
        return event == "STARTED" or self._answered[event] == state.epoch

    def _attach(self, engine: Engine[Any, Any], event: AnyEvent) -> RemovableEventHandle:
        self._refuse(engine)
        handle = engine.add_event_handler(event, self)
        # Where there is one event alone, it is that, whatever else its handlers have fired.
        events = {plain for plain, _ in parts(event)}
        self._event = events.pop() if len(events) == 1 else None
        return handle

    def _refuse(self, engine: Engine[Any, Any]) -> None:
        """Refuse what is no engine, and an engine that calls this scheduler already."""
        if not isinstance(engine, Engine):
            raise InvalidType(f"expected an Engine, got {engine!r} of type {type(engine).__name__}")
        if engine.has_event_handler(self):
            raise InvalidArgument(
                f"this {type(self).__name__} is attached to this engine already, and would move "
                "twice; remove() what attach() returned before, or attach it to several events at "
                "once, as in attach(engine, Events.STARTED | Events.EPOCH_COMPLETED)"
            )


def check_answered(answered: Any) -> None:
    """Refuse anything that is no record of answered firings.

    Raises:
        InvalidType: when it is none.
    """
    fits = isinstance(answered, Mapping) and all(
        name in FIRED_AGAIN and isinstance(count, int) for name, count in answered.items()
    )
    if not fits:
        raise InvalidType(
            "'answered' of a saved scheduler must be a dict from names of events to counts, got "
            f"{answered!r} of type {type(answered).__name__}"
        )
