"""The handle that attaching returns.

Owns: taking back exactly one attachment, and putting it in place again.
Must not know: how handlers are stored or called.
"""

from __future__ import annotations

import weakref
from types import TracebackType
from typing import Any, TypeVar

from glowplug.events import AnyEvent
from glowplug.registrations import Handler, Registration

HandleT = TypeVar("HandleT", bound="RemovableEventHandle")


class RemovableEventHandle:
    """What attaching a handler returns: the way to take exactly that back.

    As a context manager it attaches again what was removed, and removes on leaving.

    Args:
        event_name: the event that the handler was attached to.
        handler: the handler.
        engine: the engine, which is not kept alive.
        registrations: what this handle removes; all present ones of the handler on the event,
            where left out.

    Example:
        >>> from glowplug import Engine, Events
        >>> engine = Engine(lambda engine, batch: batch)
        >>> with engine.add_event_handler(Events.STARTED, print):
        ...     engine.has_event_handler(print)
        True
        >>> engine.has_event_handler(print)
        False
    """

    def __init__(
        self,
        event_name: AnyEvent,
        handler: Handler,
        engine: Any,
        *,
        registrations: tuple[Registration, ...] | None = None,
    ) -> None:
        self.event_name = event_name
        if registrations is None:
            function, own = engine._own(handler)
            registrations = tuple(engine._table.find(function, event_name, own=own))
        self._registrations = registrations
        self._table = weakref.ref(engine._table)

    def remove(self) -> None:
        """Remove what this handle stands for; again does nothing."""
        table = self._table()
        if table is not None:
            for registration in self._registrations:
                table.discard(registration)

    def __enter__(self: HandleT) -> HandleT:
        table = self._table()
        if table is not None:
            for registration in self._registrations:
                table.put_back(registration)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.remove()
