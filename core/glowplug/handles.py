"""The handle that attaching returns.

Owns: taking back exactly one attachment, and putting it in place again.
Must not know: how handlers are stored or called.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from types import TracebackType
from typing import Any, TypeVar

from glowplug.errors import InvalidType
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

    def declare(
        self: HandleT, *, computes: Iterable[Any] = (), reports: Iterable[str] = ()
    ) -> HandleT:
        """Say which of ``engine.state.metrics`` the handler fills, and which it reads.

        Where it reads one that nobody fills, or that is filled later, the engine says so before the
        first step of a run.

        Args:
            computes: names that it fills; ``...`` among them stands for names not known yet.
            reports: names that it reads.

        Returns:
            This handle.

        Raises:
            InvalidType: when one of the names is no string.

        Example:
            >>> from glowplug import Engine, Events
            >>> engine = Engine(lambda engine, batch: batch)
            >>> def validate(engine):
            ...     engine.state.metrics["accuracy"] = 0.9
            >>> handle = engine.add_event_handler(Events.EPOCH_COMPLETED, validate)
            >>> handle.declare(computes=["accuracy"]) is handle
            True
        """
        filled, read = _checked_names("computes", computes), _checked_names("reports", reports)
        for registration in self._registrations:
            registration.computes += filled
            registration.reports += read
        return self

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


def _checked_names(argument: str, names: Iterable[Any]) -> tuple[Any, ...]:
    """Return names of metrics as a tuple; ``...`` may stand among those that are computed."""
    given = (names,) if isinstance(names, str) else tuple(names)
    for name in given:
        if not isinstance(name, str) and not (name is ... and argument == "computes"):
            raise InvalidType(
                f"{argument} must hold names of metrics, got {name!r} of type {type(name).__name__}"
            )
    return given
