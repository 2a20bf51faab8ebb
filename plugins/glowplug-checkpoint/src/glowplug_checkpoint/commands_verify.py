"""Whether checkpoints are what was saved.

Owns: which files are looked at, and what is said of each.
Must not know: the command line.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from glowplug_checkpoint import files, folders
from glowplug_checkpoint.errors import CheckpointError, NoCheckpoint, UnverifiedWarning
from glowplug_checkpoint.stores import Store, store_and_name, store_at


@dataclass(frozen=True)
class Finding:
    """What came of looking at one checkpoint.

    Args:
        where: its path or URL.
        problem: what is wrong with it; empty where nothing is.
        verified: whether it was held against a manifest.
    """

    where: str
    problem: str = ""
    verified: bool = True

    def __str__(self) -> str:
        """Return a line."""
        if self.problem:
            return f"damaged  {self.problem}"
        if self.verified:
            return f"good  {self.where}"
        return f"unverified  {self.where} can be read, and has no manifest"


def findings(where: str) -> Iterator[Finding]:
    """Read checkpoints, and yield what came of each.

    Args:
        where: a checkpoint, or a folder of them, as a path or a URL.

    Raises:
        NoCheckpoint: when there is no such file, and no folder with a checkpoint.
    """
    store, name = store_and_name(where)
    if name:
        yield _finding(store, name)
        return
    store = store_at(where)
    names = {entry.file for entry in folders.entries(store)} | set(folders.unverified(store))
    if not names:
        raise NoCheckpoint(f"there is no checkpoint in {where}", where)
    for name in sorted(names):
        yield _finding(store, name)


def _finding(store: Store, name: str) -> Finding:
    where = store.where(name)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UnverifiedWarning)
            files.load(store, name, map_location="cpu")
    except CheckpointError as error:
        return Finding(where, str(error))
    except Exception as error:  # a file that fits its manifest, and torch cannot read nevertheless
        return Finding(where, f"{where}: {type(error).__name__}: {error}")
    return Finding(where, verified=not caught)
