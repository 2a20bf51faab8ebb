"""Attaching to engines, and coming off them.

Owns: what was added to which engine, taking that back, and whether an engine goes on or begins.
Must not know: what is attached, or why.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

from glowplug import Engine, RemovableEventHandle
from glowplug.errors import InvalidArgument
from glowplug_handlers.arguments import checked_engine

AnyEngine: TypeAlias = Engine[Any, Any]


class Attachable:
    """The base of what is attached to an engine once, and can be detached.

    A copy, by way of pickle too, is attached to nothing.

    Example:
        >>> from glowplug import Events
        >>> class Greeting(Attachable):
        ...     def attach(self, engine):
        ...         with self._attaching(engine) as handles:
        ...             handles.append(engine.add_event_handler(Events.STARTED, self.greet))
        ...     def greet(self, engine): ...
        >>> engine = Engine(lambda engine, batch: batch)
        >>> greeting = Greeting()
        >>> greeting.attach(engine)
        >>> greeting.detach(engine)
        >>> engine.listens(Events.STARTED)
        False
    """

    def __init__(self) -> None:
        self._attached: WeakKeyDictionary[AnyEngine, list[RemovableEventHandle]]
        self._attached = WeakKeyDictionary()

    @contextmanager
    def _attaching(self, engine: AnyEngine) -> Iterator[list[RemovableEventHandle]]:
        """Collect the handles of what is added; where that fails half-way, take it all back.

        Raises:
            InvalidType: when ``engine`` is none.
            InvalidArgument: when this is attached to it already.
        """
        if checked_engine("engine", engine) in self._attached:
            raise InvalidArgument(
                f"this {type(self).__name__} is attached to the engine already; detach(engine) "
                "first, or make another"
            )
        handles: list[RemovableEventHandle] = []
        try:
            yield handles
        except BaseException:
            _remove(handles)
            raise
        self._attached[engine] = handles

    def detach(self, engine: AnyEngine) -> None:
        """Take back what ``attach`` added to an engine.

        Args:
            engine: the engine.

        Raises:
            InvalidType: when it is no engine.
            InvalidArgument: when this is not attached to it.
        """
        handles = self._attached.pop(checked_engine("engine", engine), None)
        if handles is None:
            raise InvalidArgument(
                f"this {type(self).__name__} is not attached to the engine; attach(engine) before"
            )
        _remove(handles)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_attached"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._attached = WeakKeyDictionary()


def _remove(handles: list[RemovableEventHandle]) -> None:
    for handle in handles:
        handle.remove()
