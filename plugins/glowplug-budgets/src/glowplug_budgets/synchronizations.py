"""What torch tells of operations that make the CPU wait for the GPU.

Owns: having torch tell of them, hearing it, and leaving everything as it was.
Must not know: handlers, or what is said of them.

torch is never imported here, nor is CUDA initialized: where neither has happened, there is nothing
to hear. ``torch.cuda.set_sync_debug_mode`` is an experimental feature of torch, and by its own
words does not know of every such operation.
"""

from __future__ import annotations

import sys
import warnings
from collections import deque
from threading import get_ident
from time import perf_counter_ns
from typing import Any

TOLD = "called a synchronizing CUDA operation"
"""How torch's warning begins."""
WARN = 1
"""The mode in which torch warns."""
MOST_WAITING = 256
"""How many may wait to be asked for: the latest."""


class Synchronizations:
    """Hears what torch tells, between ``listen`` and ``stop``.

    Several may listen at a time; the last one to stop restores what was.
    """

    def __init__(self) -> None:
        self._heard: deque[tuple[int, str, int]] = deque(maxlen=MOST_WAITING)
        self._listeners = 0
        self._mode = 0
        self._thread = 0
        self._show: Any = None
        self._before: Any = warnings.showwarning
        self._filter: Any = None

    def listen(self) -> bool:
        """Have torch tell of them; return False where there is no CUDA, or none in use yet."""
        cuda = _cuda()
        if cuda is None:
            return False
        self._listeners += 1
        if self._listeners == 1:
            self._mode = cuda.get_sync_debug_mode()
            if not self._mode:
                cuda.set_sync_debug_mode(WARN)
            self._thread = get_ident()
            # A second one at the same line is otherwise not shown, though another handler's.
            warnings.filterwarnings("always", message=TOLD)
            self._filter = warnings.filters[0]
            self._before, self._show = warnings.showwarning, self._hear
            warnings.showwarning = self._show
        return True

    def stop(self) -> None:
        """Listen no more."""
        self._listeners -= 1
        if self._listeners:
            return
        cuda = _cuda()
        if cuda is not None and not self._mode:
            cuda.set_sync_debug_mode(self._mode)
        if warnings.showwarning is self._show:
            warnings.showwarning = self._before
        if self._filter in warnings.filters:
            warnings.filters.remove(self._filter)  # type: ignore[attr-defined]  # it is a list
        self._heard.clear()

    def between(self, began: int, ended: int) -> tuple[str, int] | None:
        """Return where the first of them was within some time, by file and line, and forget those.

        Args:
            began: nanoseconds of ``perf_counter_ns``.
            ended: nanoseconds too.
        """
        if not self._heard:
            return None
        inside = [heard for heard in self._heard if began <= heard[0] <= ended]
        for heard in inside:
            self._heard.remove(heard)
        return inside[0][1:] if inside else None

    def _hear(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: Any = None,
        line: str | None = None,
    ) -> None:
        """Take the place of ``warnings.showwarning``."""
        is_heard = self._listeners and get_ident() == self._thread and TOLD in str(message)
        if is_heard:
            self._heard.append((perf_counter_ns(), filename, lineno))
        if not is_heard or self._mode:  # who asked torch for the warnings shall have them
            self._before(message, category, filename, lineno, file, line)


def _cuda() -> Any:
    """Return ``torch.cuda`` where it is in use, else None."""
    cuda = getattr(sys.modules.get("torch"), "cuda", None)
    return cuda if cuda is not None and cuda.is_available() and cuda.is_initialized() else None
