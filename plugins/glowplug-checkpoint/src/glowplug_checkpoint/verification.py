"""Whether a file is the one that its manifest is about.

Owns: the sum of a file, and which of two manifests it fits where a kill left two.
Must not know: how a checkpoint is put in place, or what is in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from glowplug_checkpoint.errors import CheckpointError, DamagedCheckpoint
from glowplug_checkpoint.filenames import manifest_of, pending_of
from glowplug_checkpoint.manifests import Manifest
from glowplug_checkpoint.stores import Store

OVER = "over_unverified"
"""In a pending manifest: the file that is about to be replaced has no manifest."""
CHUNK = 4 * 2**20
"""So many bytes are read at a time."""
ATTEMPTS = 10
"""So often a file is read anew that is replaced while it is read."""


def measured(file: BinaryIO) -> tuple[int, str]:
    """Read a file to its end, and return its size and its SHA-256."""
    found, size = hashlib.sha256(), 0
    buffer = memoryview(bytearray(CHUNK))
    while count := file.readinto(buffer):  # type: ignore[attr-defined]  # every binary file has it
        found.update(buffer[:count])
        size += count
    return size, found.hexdigest()


@dataclass(frozen=True)
class Candidate:
    """A manifest that may be a file's.

    Args:
        manifest: None where there is none, or none that can be read.
        error: why it cannot be read.
    """

    manifest: Manifest | None = None
    error: CheckpointError | None = None

    @classmethod
    def read(cls, store: Store, name: str) -> Candidate:
        """Return the manifest in a file, if there is one.

        Args:
            store: where it is.
            name: the manifest's name.
        """
        try:
            with store.open(name) as file:
                return cls(Manifest.parse(file.read()))
        except FileNotFoundError:
            return cls()
        except CheckpointError as error:
            where = store.where(name)
            return cls(error=type(error)(f"{where}: {error}", where))

    def fits(self, size: int, sha256: str) -> bool:
        """Return whether a file of this size and sum is the one that the manifest is about."""
        found = self.manifest
        return found is not None and (found.size, found.sha256) == (size, sha256)


@contextmanager
def verified(store: Store, name: str) -> Iterator[tuple[BinaryIO, Manifest | None]]:
    """Yield a file and the manifest that it fits, None where it has none.

    Args:
        store: where the file is.
        name: the file's name.

    Yields:
        The file, open for reading at its beginning, and the manifest.

    Raises:
        DamagedCheckpoint: when it has manifests and fits none.
        NewerFormat: when a later version of glowplug-checkpoint wrote its manifest.
    """
    for attempt in range(ATTEMPTS):
        before = Candidate.read(store, manifest_of(name))
        with store.open(name) as file:
            try:
                manifest = _fitting(store, name, file, before)
            except DamagedCheckpoint:
                after = Candidate.read(store, manifest_of(name))
                if attempt + 1 == ATTEMPTS or after.manifest == before.manifest:
                    raise
                continue  # another process has put a new one in place meanwhile
            file.seek(0)
            yield file, manifest
            return


def _fitting(store: Store, name: str, file: BinaryIO, before: Candidate) -> Manifest | None:
    size, sha256 = measured(file)
    pending = Candidate.read(store, pending_of(name))
    current = Candidate.read(store, manifest_of(name))
    for candidate in (before, pending, current):
        if candidate.fits(size, sha256):
            return candidate.manifest
    if current.error is not None:
        raise current.error
    expected = current.manifest
    if expected is None:
        if pending.manifest is None or pending.manifest.extra.get(OVER):
            return None
        expected = pending.manifest
    where = store.where(name)
    raise DamagedCheckpoint(_difference(where, expected, size, sha256), where)


def _difference(where: str, expected: Manifest, size: int, sha256: str) -> str:
    sums = f"its SHA-256 is {sha256[:12]}..., expected {expected.sha256[:12]}..."
    if size < expected.size:
        return f"{where} is cut off: it has {size} bytes, expected {expected.size}; {sums}"
    if size > expected.size:
        return f"{where} is too long: it has {size} bytes, expected {expected.size}; {sums}"
    return f"{where} is not what was saved, though of the same size: {sums}"
