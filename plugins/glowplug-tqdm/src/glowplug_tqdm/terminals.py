"""Writing to a terminal that may go away.

Owns: what happens when the stream of a bar is closed, broken or missing.
Must not know: bars, or engines.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import sys
from typing import Any

LOGGER = logging.getLogger("glowplug_tqdm")


class Terminal:
    """Where something is written, until that fails for the first time.

    Args:
        what: what is written, for the log.
        file: a text stream, or None for ``sys.stderr`` as it is when something is drawn.

    Attributes:
        gone: whether writing has failed; nothing is written from then on.
    """

    def __init__(self, what: str, file: Any = None) -> None:
        self.what = what
        self.file = file
        self.gone = False

    def stream(self, default: Any = None) -> Stream:
        """Return the stream to write to now.

        Args:
            default: what to write to where this terminal was made without a file.
        """
        target = self.file if self.file is not None else default or sys.stderr
        if target is None:
            self.give_up("there is no standard error stream")
        return Stream(target, self)

    def give_up(self, reason: object) -> None:
        """Write nothing from now on, and say so once in the log."""
        if self.gone:
            return
        self.gone = True
        # The log may go to the stream that has just failed; logging itself does not expect that.
        with contextlib.suppress(OSError, ValueError):
            LOGGER.warning(
                "%s cannot be written (%s) and will be left out; the run goes on",
                self.what,
                reason,
            )


class Stream:
    """A text stream that swallows its failures, and tells its terminal of the first.

    tqdm holds a lock while it writes, which an error would leave locked: so none may leave here.

    Args:
        target: the stream that is written to, or None.
        terminal: what to tell of a failure.
    """

    def __init__(self, target: Any, terminal: Terminal) -> None:
        self._target = target
        self._terminal = terminal
        # tqdm flushes both standard streams itself where it writes to one of them.
        self._is_known = _can_flush(sys.stdout) and _can_flush(sys.stderr)

    def write(self, text: str) -> int:
        """Write ``text``, if that can be done."""
        if not self._terminal.gone:
            try:
                self._target.write(text)
            except (OSError, ValueError) as error:  # a closed file, or text it cannot encode
                self._fail(error)
        return len(text)

    def flush(self) -> None:
        """Flush the stream, if that can be done."""
        flush = getattr(self._target, "flush", None)
        if flush is not None and not self._terminal.gone:
            try:
                flush()
            except (OSError, ValueError) as error:
                self._fail(error)

    def _fail(self, error: OSError | ValueError) -> None:
        self._terminal.give_up(error)
        if self._target in (sys.stdout, sys.stderr) and isinstance(error, OSError):
            _drop_pending(self._target, error)

    def isatty(self) -> bool:
        """Return whether the stream is a terminal that can be written to."""
        try:
            return not self._terminal.gone and bool(self._target.isatty())
        except (AttributeError, OSError, ValueError):
            return False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)

    def __eq__(self, other: object) -> bool:
        # tqdm asks whether its stream is a standard one, to find out how wide the terminal is.
        return self._is_known and self._target is getattr(other, "_target", other)

    def __hash__(self) -> int:
        return hash(id(self._target))


def _drop_pending(stream: Any, error: OSError) -> None:
    """Let what a standard stream still holds go nowhere, once its reader is gone for good.

    Python flushes the stream again when it exits, and would end with exit code 120. The remedy is
    that of its documentation ("Note on SIGPIPE", module ``signal``).
    """
    descriptor = stream.fileno()
    if error.errno == errno.EPIPE or (error.errno == errno.EBADF and not _is_open(descriptor)):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        if nowhere != descriptor:
            os.dup2(nowhere, descriptor)
            os.close(nowhere)
        stream.flush()


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _can_flush(stream: Any) -> bool:
    """Return whether flushing a standard stream, if there is one, does no harm."""
    try:
        if stream is not None:
            stream.flush()
    except (OSError, ValueError):
        return False
    return True
