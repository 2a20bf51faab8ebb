"""What a ``Checkpoint`` saves through.

Owns: what a save handler is, and functions as such.
Must not know: files, which checkpoints are kept, or engines.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

from glowplug.errors import InvalidArgument, InvalidType


@runtime_checkable
class SaveUnderWay(Protocol):
    """What a save handler returns that has not saved yet when it returns.

    A future of ``concurrent.futures`` is one.

    Example:
        >>> from concurrent.futures import Future
        >>> isinstance(Future(), SaveUnderWay)
        True
    """

    def done(self) -> bool:
        """Return whether the save is over, well or not."""

    def result(self) -> Any:
        """Wait until it is over; raise what went wrong."""


class BaseSaveHandler(ABC):
    """The base of what a ``Checkpoint`` saves through; any callable of the same form will do.

    A subclass saves in ``__call__`` and removes in ``remove``. ``__call__`` returns when the
    checkpoint is saved, and raises when it cannot be; or it returns a handle of a save under way,
    with ``done()`` and ``result()``.

    Attributes:
        extension: what ``{ext}`` stands for in the names of files.

    Example:
        >>> class InMemory(BaseSaveHandler):
        ...     def __init__(self):
        ...         self.files = {}
        ...     def __call__(self, checkpoint, filename, metadata=None):
        ...         self.files[filename] = checkpoint
        ...     def remove(self, filename):
        ...         del self.files[filename]
        >>> saver = InMemory()
        >>> saver({"epoch": 3}, "last.pt")
        >>> saver.files
        {'last.pt': {'epoch': 3}}
    """

    extension: str = "pt"

    @abstractmethod
    def __call__(
        self,
        checkpoint: Mapping[str, Any],
        filename: str,
        metadata: Mapping[str, Any] | None = None,
    ) -> SaveUnderWay | None:
        """Save a checkpoint.

        Args:
            checkpoint: what is saved.
            filename: under which name.
            metadata: what it is of: ``basename``, ``score_name``, ``priority``, and ``iteration``,
                ``epoch``, ``run`` and ``versions`` of the engine.

        Returns:
            None when it is saved, or a handle of a save under way.
        """

    @abstractmethod
    def remove(self, filename: str) -> None:
        """Remove what was saved under a name.

        Args:
            filename: the name.

        Raises:
            FileNotFoundError: when there is no such file, if that can be told.
        """

    def where(self, filename: str) -> str:
        """Return the path or the URL of what is saved under a name; here the name itself."""
        return filename

    def has(self, filename: str) -> bool:
        """Return whether something is saved under a name; here True, as nobody can tell."""
        return True

    def names(self) -> list[str]:
        """Return the names under which something is saved; here none, as nobody can tell."""
        return []

    def place(self, filename: str) -> object:
        """Return what is equal for two handlers where they save a name to the same place."""
        return id(self), filename

    def objection(self, filename: str, run: str) -> str:
        """Return why a run must not save under a name; here "", as nobody can tell.

        Args:
            filename: the name.
            run: the id of the run that wants it.
        """
        return ""

    def load(self, filename: str, **how: Any) -> Any:
        """Return what was saved under a name; a handler that can do so overrides this.

        Args:
            filename: the name.
            **how: ``map_location``, ``weights_only`` and ``verify``.

        Raises:
            InvalidArgument: here always.
        """
        raise InvalidArgument(
            f"{type(self).__name__} does not load what it saves: give it load(filename), or load "
            "the file by Checkpoint.load_objects(to_load, path)"
        )


class FunctionSaver(BaseSaveHandler):
    """A function that saves, as a save handler; it removes by its own ``remove``, if it has one.

    Args:
        function: called with the content, the name, and the metadata if it can take them.

    Raises:
        InvalidType: when it cannot be called.
        InvalidArgument: when it cannot be called with a content and a name.
    """

    def __init__(self, function: Any) -> None:
        if not callable(function) or isinstance(function, type):
            raise InvalidType(
                "save_handler must be a path or a URL, an object such as DiskSaver(path), or a "
                f"function save(checkpoint, filename, metadata); got {function!r} of type "
                f"{type(function).__name__}"
            )
        self.function = function
        self._takes_metadata = _takes_metadata(function)

    def __call__(
        self,
        checkpoint: Mapping[str, Any],
        filename: str,
        metadata: Mapping[str, Any] | None = None,
    ) -> SaveUnderWay | None:
        """Call the function."""
        more = (metadata,) if self._takes_metadata else ()
        returned = self.function(checkpoint, filename, *more)
        return returned if isinstance(returned, SaveUnderWay) else None

    def remove(self, filename: str) -> None:
        """Call the function's own ``remove``, if it has one."""
        remove = getattr(self.function, "remove", None)
        if callable(remove):
            remove(filename)


def _takes_metadata(function: Callable[..., Any]) -> bool:
    try:
        signature = inspect.signature(function)
    except ValueError:  # some builtins have no signature
        return True
    for arguments in ((None, "", None), (None, "")):
        try:
            signature.bind(*arguments)
        except TypeError:
            continue
        return len(arguments) == 3
    raise InvalidArgument(
        "a save handler is called as save(checkpoint, filename, metadata) or save(checkpoint, "
        f"filename); got {function!r}{signature}"
    )


SaveHandler = Callable[..., Any]
"""A function that is called as ``save(checkpoint, filename, metadata)``."""
