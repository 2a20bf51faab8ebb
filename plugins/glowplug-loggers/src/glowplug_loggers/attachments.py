"""What an attachment to an engine consists of, and how it is undone.

Owns: several handles as one.
Must not know: loggers, or what is attached.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from glowplug import RemovableEventHandle


class Attachment:
    """What one ``attach`` added to an engine: a handle that takes exactly that back.

    As a context manager it attaches again what was removed, and removes on leaving.

    Args:
        handles: the handles of all that was added.
        removed: called after each removal.

    Example:
        >>> from glowplug import Engine, Events
        >>> engine = Engine(lambda engine, batch: batch)
        >>> handle = engine.add_event_handler(Events.STARTED, lambda: None)
        >>> attachment = Attachment([handle])
        >>> attachment.remove()
        >>> engine.listens(Events.STARTED)
        False
    """

    def __init__(
        self,
        handles: Iterable[RemovableEventHandle],
        removed: Callable[[], None] | None = None,
    ) -> None:
        self._handles = tuple(handles)
        self._removed = removed

    def remove(self) -> None:
        """Remove what was added; again does nothing."""
        for handle in self._handles:
            handle.remove()
        if self._removed is not None:
            self._removed()

    def __enter__(self) -> Attachment:
        for handle in self._handles:
            handle.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


@contextmanager
def all_or_none() -> Iterator[list[RemovableEventHandle]]:
    """Collect handles in a list; where that fails half-way, remove those that there are.

    Yields:
        An empty list to append the handles to.
    """
    handles: list[RemovableEventHandle] = []
    try:
        yield handles
    except BaseException:
        Attachment(handles).remove()
        raise
