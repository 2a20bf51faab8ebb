"""A handler that writes down how it was called.

Owns: attaching to some or all events of an engine, and the list of calls.
Must not know: what runs an engine, or what the calls are compared with.
"""

from __future__ import annotations

from typing import Any

from glowplug.engine import Engine
from glowplug.errors import InvalidArgument
from glowplug.events import AnyEvent
from glowplug.registrations import EventKey
from glowplug.testing.records import Call


class Recorder:
    """A handler that records each of its calls: event, epoch, iteration, output, arguments.

    It can be given to ``add_event_handler`` as any function can, or attach itself.

    Attributes:
        calls: what was recorded, in order.

    Example:
        >>> from glowplug import Engine, Events
        >>> engine = Engine(lambda engine, batch: batch * 2)
        >>> recorder = Recorder()
        >>> _ = engine.add_event_handler(Events.ITERATION_COMPLETED(every=2), recorder, "mine")
        >>> _ = engine.run([1, 2, 3])
        >>> recorder.calls  # doctest: +NORMALIZE_WHITESPACE
        [Call(event='ITERATION_COMPLETED', epoch=1, iteration=2, output=4, args=('mine',),
              kwargs={})]
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []

    @property
    def names(self) -> list[str]:
        """The names of the events at which it was called."""
        return [call.event for call in self.calls]

    def __call__(self, engine: Engine[Any, Any], *args: Any, **kwargs: Any) -> None:
        """Record this call."""
        state = engine.state
        event = str(engine.last_event_name)
        self.calls.append(Call(event, state.epoch, state.iteration, state.output, args, kwargs))

    def attach(self, engine: Engine[Any, Any], *events: AnyEvent) -> None:
        """Record the firings of some events.

        Args:
            engine: the engine.
            *events: events, filtered or not, unions, or names; all that are registered with the
                engine, if none is given.

        Raises:
            InvalidArgument: when it is attached to one of them already.
            UnknownEvent: when an event is not registered.

        Example:
            >>> from glowplug import Engine, Events
            >>> engine, recorder = Engine(lambda engine, batch: batch), Recorder()
            >>> recorder.attach(engine, Events.STARTED, Events.COMPLETED)
            >>> _ = engine.run([1])
            >>> recorder.names
            ['STARTED', 'COMPLETED']
        """
        wanted = events or registered(engine)
        for event in wanted:
            if engine.has_event_handler(self, event):
                raise InvalidArgument(f"this recorder is attached to {event!s} already")
        for event in wanted:
            engine.add_event_handler(event, self)

    def detach(self, engine: Engine[Any, Any]) -> None:
        """Stop recording the firings of an engine; what was recorded stays.

        Args:
            engine: the engine; one that this is not attached to is left as it is.
        """
        for event in registered(engine):
            if engine.has_event_handler(self, event):
                engine.remove_event_handler(self, event)


def registered(engine: Engine[Any, Any]) -> tuple[EventKey, ...]:
    """Return the events that handlers can be attached to, in the order of their registration.

    Example:
        >>> from glowplug import Engine
        >>> [str(event) for event in registered(Engine(lambda engine, batch: batch))][:2]
        ['STARTED', 'EPOCH_STARTED']
    """
    return tuple(engine._table.slots)
