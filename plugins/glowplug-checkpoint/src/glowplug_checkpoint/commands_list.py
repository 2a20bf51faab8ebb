"""A list of a folder's checkpoints.

Owns: what is told of each, as text and as JSON.
Must not know: torch, or the content of a checkpoint.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from glowplug_checkpoint import folders
from glowplug_checkpoint.manifests import Manifest
from glowplug_checkpoint.stores import Store, store_at

NOTHING = "no checkpoints\n"
COLUMNS = ("file", "run", "epoch", "iteration", "size", "saved at", "format", "state")
_NUMBERS = ("epoch", "iteration", "size")
_UNITS = ("B", "kB", "MB", "GB", "TB")


class State(enum.Enum):
    """What can be told of a checkpoint without reading its file."""

    COMPLETE = "complete"
    """Its size is the one that the manifest has."""
    WRONG_SIZE = "wrong size"
    UNVERIFIED = "no manifest"
    UNREADABLE = "damaged manifest"
    GONE = "no file"


@dataclass(frozen=True)
class Row:
    """What is told of a checkpoint.

    Args:
        file: its name.
        run: the id of its run, where it is known; so are the ones that follow.
        epoch: the number done or under way.
        iteration: the number done.
        sequence: the later of two has the larger.
        size: its bytes.
        saved_at: when it was saved.
        format: how it was written.
        state: a value of :class:`State`.
    """

    file: str
    run: str | None = None
    epoch: int | None = None
    iteration: int | None = None
    sequence: int | None = None
    size: int | None = None
    saved_at: str | None = None
    format: str | None = None
    state: str = State.COMPLETE.value

    @property
    def cells(self) -> list[str]:
        """The row of a table."""
        size = None if self.size is None else _readable(self.size)
        values = (self.file, self.run, self.epoch, self.iteration, size, self.saved_at)
        return [
            "-" if value is None else str(value) for value in (*values, self.format, self.state)
        ]


def rows(where: str, prefix: str | None, run: str | None) -> list[Row]:
    """Return what is told of each checkpoint, the newest first; then those of unknown age.

    Args:
        where: a folder, as a path or a URL.
        prefix: what their names begin with; None for all.
        run: the id of their run; None for all.

    Raises:
        NoCheckpoint: when there is no such folder.
    """
    store = store_at(where)
    return list(_rows(store, prefix, run))


def _rows(store: Store, prefix: str | None, run: str | None) -> Iterator[Row]:
    for entry in folders.entries(store, prefix, run):
        size = store.size(entry.file) if entry.present else None
        if entry.manifest is None:
            yield Row(entry.file, size=size, state=State.UNREADABLE.value)
        else:
            yield _row(entry.manifest, size)
    if run is None:
        for name in folders.unverified(store, prefix):
            yield Row(name, size=store.size(name), state=State.UNVERIFIED.value)


def _row(manifest: Manifest, size: int | None) -> Row:
    state = State.COMPLETE if size == manifest.size else State.WRONG_SIZE
    return Row(
        manifest.file,
        manifest.run,
        manifest.epoch,
        manifest.iteration,
        manifest.sequence,
        size,
        manifest.saved_at or None,
        manifest.format.value,
        (State.GONE if size is None else state).value,
    )


def as_json(found: Sequence[Row]) -> str:
    """Return the rows for programs."""
    return json.dumps([asdict(row) for row in found], indent=1) + "\n"


def as_text(found: Sequence[Row]) -> str:
    """Return the rows as a table."""
    if not found:
        return NOTHING
    lines = [list(COLUMNS), *(row.cells for row in found)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "".join(f"{_line(cells, widths)}\n" for cells in lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    fitted = (
        cell.rjust(width) if title in _NUMBERS else cell.ljust(width)
        for title, cell, width in zip(COLUMNS, cells, widths, strict=True)
    )
    return "  ".join(fitted).rstrip()


def _readable(size: int) -> str:
    number, units = float(size), iter(_UNITS)
    unit = next(units)
    while number >= 1000 and unit != _UNITS[-1]:
        number, unit = number / 1000, next(units)
    return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
