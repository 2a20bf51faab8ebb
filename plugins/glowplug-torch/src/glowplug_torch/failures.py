"""How a process that was started here failed, told to the process that started it.

Owns: the form in which a failure is left behind, and which of several failures was the cause.
Must not know: how the processes are started, or what they compute.
"""

from __future__ import annotations

import signal
import time
import traceback
from collections.abc import Mapping
from pathlib import Path

from glowplug.errors import GlowplugError


class RankFailed(GlowplugError, RuntimeError):
    """A process that `spawn` or `Parallel` started has failed.

    Attributes:
        rank: the rank of the process.
        traceback: its traceback as text; empty where it ended without one.
    """

    def __init__(self, message: str, rank: int, traceback: str = "") -> None:
        super().__init__(message)
        self.rank = rank
        self.traceback = traceback

    def __reduce__(self) -> tuple[type[RankFailed], tuple[str, int, str]]:
        return type(self), (str(self), self.rank, self.traceback)


def leave(folder: Path, rank: int) -> None:
    """Leave the traceback of the present error to the process that started this one.

    It is written under another name first: a process that is ended meanwhile leaves nothing half.
    """
    unfinished = folder / f"unfinished-{rank}"
    unfinished.write_text(traceback.format_exc(), encoding="utf-8")
    unfinished.rename(folder / f"{time.time_ns():020d}-{rank}")


def failure(ended: Mapping[int, int], world_size: int, folder: Path) -> RankFailed | None:
    """Return the error that tells how processes failed, or None if none has.

    Where one fails, others soon fail in talking to it. The cause is a process that ended without a
    traceback, killed for instance, if there is one, else the first to leave a traceback.

    Args:
        ended: the exit codes of the processes that have ended by themselves, by their ranks.
        world_size: the number of processes on all nodes.
        folder: where they leave their tracebacks.
    """
    # The names begin with the time, in nanoseconds and of one width.
    left = {
        int(path.name.partition("-")[2]): path.read_text("utf-8")
        for path in sorted(folder.iterdir())
        if not path.name.startswith("unfinished")
    }
    silent = {rank: code for rank, code in ended.items() if code != 0 and rank not in left}
    if not silent and not left:
        return None
    told = [f"rank {rank} of {world_size} {_end(code)}" for rank, code in silent.items()]
    first = next(iter(left), None)
    if first is not None:
        told.append(f"rank {first} of {world_size} failed:\n\n{left[first]}")
    cause = next(iter(silent), first) or 0
    return RankFailed("; ".join(told), cause, left.get(first if first is not None else -1, ""))


def _end(code: int) -> str:
    """Say how a process ended that left no traceback."""
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return (
        f"ended with exit code {code} and no traceback; what it wrote to the standard error says "
        "more (a script that starts processes does so under `if __name__ == '__main__':`)"
    )
