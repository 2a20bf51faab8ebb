"""Saving in a thread, while the run goes on.

Owns: the thread, that there is one at most, and what becomes of its error.
Must not know: how anything is saved, engines, or what happens when a save is complete.
"""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from glowplug.errors import InvalidArgument
from glowplug_checkpoint.errors import SaveFailed
from glowplug_checkpoint.savers import BaseSaveHandler, FunctionSaver
from glowplug_checkpoint.snapshots import Snapshot, Snapshots

_log = logging.getLogger(__name__)


class InBackground:
    """A save in a thread of its own: a ``SaveUnderWay``.

    The interpreter does not end before the thread has. An error that nobody has asked for is logged
    when nobody can ask for it any more.

    Args:
        save: saves.
        name: what is saved.
    """

    def __init__(self, save: Callable[[], object], name: str) -> None:
        self._outcome = Outcome(name)
        self._process = os.getpid()
        self._unheard = weakref.finalize(self, self._outcome.complain)
        # The thread keeps this alive, so that nobody complains before there is an outcome.
        self._thread: threading.Thread | None = threading.Thread(
            target=self._run, args=(save,), name=f"saving {name}"
        )
        try:
            self._thread.start()
        except RuntimeError as error:  # at the end of the interpreter, or when there are too many
            _log.info("%s is saved while the run waits: %s", name, error)
            self._thread = None
            self._run(save)

    def done(self) -> bool:
        """Return whether the save is over, well or not."""
        return self._thread is None or not self._thread.is_alive()

    def result(self) -> None:
        """Wait until it is over; raise what went wrong.

        In a process that was forked meanwhile there is nothing to wait for: it returns at once.
        """
        if not self.is_own():
            return
        if self._thread is not None:
            self._thread.join()
        self._unheard.detach()
        if self._outcome.error is not None:
            raise self._outcome.error

    def is_heard(self) -> bool:
        """Return whether somebody has asked what came of it."""
        return not self._unheard.alive

    def is_own(self) -> bool:
        """Return whether this process saves, and not the one that it was forked from."""
        return self._process == os.getpid()

    def _run(self, save: Callable[[], object]) -> None:
        outcome = self._outcome
        del self  # the thread has it, and an error, which has this frame, shall not keep it alive
        try:
            save()
        except Exception as error:
            outcome.error = error
        except BaseException as error:  # as a function may end its thread
            name = outcome.name
            failed = SaveFailed(f"{name} was not saved: {error!r} ended it", name)
            failed.__cause__ = error
            outcome.error = failed


class Outcome:
    """What came of a save.

    Args:
        name: what is saved.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.error: Exception | None = None

    def complain(self) -> None:
        """Log the error, since nobody will ask for it."""
        if self.error is not None:
            message = "%s was not saved, and nobody asked what came of it: %s"
            _log.error(message, self.name, self.error, exc_info=self.error)


class BackgroundSaver(BaseSaveHandler):
    """Saves in a thread what another save handler would save while the run waits.

    ``Checkpoint(..., background=True)`` makes one. What is saved is copied, which is all that the
    caller waits for; what it does to its tensors afterwards does not get into the file. One save is
    under way at a time: the next call waits for the one before, and raises what went wrong with it.

    Used by itself, ``wait()`` tells what came of the last save, and so does the end of a ``with``.

    Args:
        save_handler: a ``DiskSaver``, another ``BaseSaveHandler``, or a function ``save(checkpoint,
            filename, metadata)``. It is called in the thread, with the copy, whose tensors are on
            the CPU.

    Attributes:
        save_handler: what was given.
        extension: that of what was given.

    Raises:
        InvalidType: when it can save nothing.
        InvalidArgument: when it saves in the background already.

    Example:
        >>> import tempfile, torch
        >>> from glowplug_checkpoint import DiskSaver
        >>> weights = torch.zeros(2)
        >>> with BackgroundSaver(DiskSaver(tempfile.mkdtemp())) as saver:
        ...     under_way = saver({"weights": weights}, "last.pt")
        ...     weights += 1
        >>> under_way.done(), saver.load("last.pt")
        (True, {'weights': tensor([0., 0.])})
    """

    def __init__(self, save_handler: Any) -> None:
        if isinstance(save_handler, BackgroundSaver):
            raise InvalidArgument(f"{save_handler!r} saves in the background already")
        self.save_handler = save_handler
        is_one = isinstance(save_handler, BaseSaveHandler)
        self._saver = save_handler if is_one else FunctionSaver(save_handler)
        self.extension = self._saver.extension
        if hasattr(self._saver, "save_on_rank"):
            self.save_on_rank = self._saver.save_on_rank
        self._snapshots = Snapshots()
        self._last: InBackground | None = None

    def __call__(
        self,
        checkpoint: Mapping[str, Any],
        filename: str,
        metadata: Mapping[str, Any] | None = None,
    ) -> InBackground:
        """Copy a checkpoint, and begin to save the copy.

        Args:
            checkpoint: what is saved.
            filename: under which name.
            metadata: what it is of.

        Returns:
            A handle with ``done()`` and ``result()``.

        Raises:
            UnsavableContent: when something in it cannot be copied, by its path.
            Exception: what went wrong with the save before, if nobody has asked.
        """
        self.wait()
        snapshot = self._snapshots.take(checkpoint)
        known = None if metadata is None else dict(metadata)
        work = partial(_write, self._saver, snapshot, filename, known)
        self._last = InBackground(work, filename)
        return self._last

    def wait(self) -> None:
        """Wait until no save is under way; raise what went wrong with the last one.

        Raises:
            Exception: what the save handler raised; a second call does not raise it again.
        """
        last = self._last
        if last is not None and not last.is_heard():
            last.result()
        self._last = None

    def __enter__(self) -> BackgroundSaver:
        """Return this."""
        return self

    def __exit__(self, *_: object) -> None:
        """Wait until no save is under way."""
        self.wait()

    def remove(self, filename: str) -> None:
        """Remove a checkpoint, in the thread of the caller."""
        self._saver.remove(filename)

    def load(self, filename: str, **how: Any) -> Any:
        """Return the content of a checkpoint."""
        return self._saver.load(filename, **how)

    def where(self, filename: str) -> str:
        """Return the path or the URL of a checkpoint."""
        return self._saver.where(filename)

    def has(self, filename: str) -> bool:
        """Return whether there is a checkpoint of this name."""
        return self._saver.has(filename)

    def names(self) -> list[str]:
        """Return the names of the checkpoints that there are."""
        return self._saver.names()

    def place(self, filename: str) -> object:
        """Return what is equal for two handlers that save a name to the same place."""
        return self._saver.place(filename)

    def objection(self, filename: str, run: str) -> str:
        """Return why a run must not save under a name."""
        return self._saver.objection(filename, run)

    def __getstate__(self) -> dict[str, Any]:
        # A save under way stays with the one that began it.
        return {**vars(self), "_snapshots": Snapshots(), "_last": None}


def _write(
    saver: BaseSaveHandler, snapshot: Snapshot, filename: str, metadata: dict[str, Any] | None
) -> None:
    under_way = saver(snapshot.ready(), filename, metadata)
    if under_way is not None:
        under_way.result()
