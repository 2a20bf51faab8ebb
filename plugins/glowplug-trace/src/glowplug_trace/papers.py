"""What was recorded and not yet written.

Owns: when records become text in the file, and which of an engine's records are kept at all.
Must not know: what the records tell, or the form of the file.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock

from glowplug_trace.chrome import Record, text
from glowplug_trace.files import TraceFile

MOST_WAITING = 4096
"""Records that may wait to be written."""
LONGEST_WAIT = 1_000_000_000
"""Nanoseconds that they may wait, as long as something happens."""


class Paper:
    """Gathers records, and writes them by the thousands, once a second, and when all runs are over.

    Args:
        file: where they are written to.
    """

    def __init__(self, file: TraceFile) -> None:
        self._file = file
        self._waiting: list[Record] = []
        self._windows: list[Window] = []
        self._running = self._due = 0
        self._lock = Lock()

    def put(self, record: Record) -> None:
        """Take a record."""
        self._waiting.append(record)
        if len(self._waiting) >= MOST_WAITING:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        with self._lock:  # engines of several threads may share a trace
            waiting, self._waiting = self._waiting, []
            self._file.append([text(record) for record in waiting])

    def run_began(self) -> None:
        """Count a run."""
        self._running += 1

    def run_ended(self) -> None:
        """Write everything, if that was the outermost run."""
        self._running -= 1
        self.rest()

    def rest(self, now: int | None = None) -> None:
        """Write what is due now, and everything if nothing runs that would do so later.

        Args:
            now: nanoseconds, or None where the time is not known.
        """
        if not self._running:
            for window in self._windows:
                window.release()
            self.flush()
        elif now is not None and now >= self._due:
            self._due = now + LONGEST_WAIT
            self.flush()

    def window(self, first: int | None, last: int | None) -> Window:
        """Return a new window on the iterations of an engine.

        Args:
            first: how many of the first ones are kept, or None.
            last: how many of the last ones, or None. With neither, all are kept.
        """
        self._windows.append(Window(self.put, first, last))
        return self._windows[-1]

    def close(self, window: Window) -> None:
        """Let a window go."""
        window.release()
        if window in self._windows:
            self._windows.remove(window)
        self.rest()


class Window:
    """Which iterations of an engine are kept.

    Args:
        write: takes the records of the first ones.
        first: how many of the first ones, or None.
        last: how many of the last ones, which wait in memory, or None.

    Attributes:
        put: takes a record of the present iteration.

    Example:
        >>> written = []
        >>> window = Window(written.append, first=1, last=1)
        >>> for number in range(4):
        ...     assert window.goes_on()
        ...     window.begin_iteration()
        ...     window.put((f"{number}", None))
        >>> window.release()
        >>> [text(record) for record in written]
        ['0', '3']
    """

    def __init__(
        self, write: Callable[[Record], None], first: int | None, last: int | None
    ) -> None:
        self._write, self._first = write, first
        self._kept: deque[list[Record]] | None = None if last is None else deque(maxlen=last)
        self._begun = 0
        self.put: Callable[[Record], None] = write
        if first is None:
            self._turn_page()

    def goes_on(self) -> bool:
        """Make room for another iteration; return whether one is wanted."""
        if self._first is not None and self._begun < self._first:
            return True
        self._turn_page()
        return self._first is None or self._kept is not None

    def begin_iteration(self) -> None:
        """Count an iteration."""
        self._begun += 1

    def release(self) -> None:
        """Write the last iterations, as they are now."""
        if self._kept:
            for record in (record for page in self._kept for record in page):
                self._write(record)
            self._kept.clear()
            self._turn_page()

    def _turn_page(self) -> None:
        if self._kept is not None:
            page: list[Record] = []
            self._kept.append(page)
            self.put = page.append
