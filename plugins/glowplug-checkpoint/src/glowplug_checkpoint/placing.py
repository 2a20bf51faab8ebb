"""How a checkpoint takes the place of an older one.

Owns: the order of the steps, so that a kill at any moment leaves what can be loaded, and what an
error of the operating system means on the way.
Must not know: how content becomes bytes, how a checkpoint is loaded, or other checkpoints.

There are four steps, each of them on the disk before the next one begins:

1. the content is written to a temporary file, and read back;
2. its manifest is written beside the old one, as ``<file>.manifest.json.pending``;
3. the temporary file gets the checkpoint's name;
4. the pending manifest gets the manifest's name.

Before the third step the old file fits the old manifest; after it, the new file fits the pending
one. A file is good if it fits either.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from glowplug_checkpoint.errors import CheckpointError, SaveFailed
from glowplug_checkpoint.filenames import manifest_of, pending_of
from glowplug_checkpoint.manifests import Manifest
from glowplug_checkpoint.stores import Draft, Store
from glowplug_checkpoint.verification import OVER, Candidate, measured


class Summed:
    """Passes bytes on, and keeps their number, their SHA-256 and the error that stopped them.

    Args:
        draft: where they go.
    """

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self.sum = hashlib.sha256()
        self.size = 0
        self.error: OSError | None = None

    def write(self, data: Any) -> int:
        """Pass bytes on, and return how many."""
        self.sum.update(data)
        try:
            written = self._draft.write(data)
        except OSError as error:
            self.error = error
            raise
        self.size += written
        return written

    def flush(self) -> None:
        """Have them passed on that are held back."""
        try:
            self._draft.flush()
        except OSError as error:
            self.error = error
            raise


def place(
    store: Store,
    name: str,
    write: Callable[[Summed], None],
    describe: Callable[[int, str], Manifest],
    wanted: int,
) -> Manifest:
    """Put a checkpoint in place.

    Args:
        store: where to.
        name: its name.
        write: writes the content.
        describe: given the size and the SHA-256 of what was written, returns the manifest.
        wanted: about how many bytes that will be, to say when there is no room for it.

    Returns:
        The manifest that now stands beside it.

    Raises:
        SaveFailed: when that cannot be done.
    """
    manifest = None
    try:
        settle(store, name)
        with store.create(name) as draft:
            size, sha256 = _write(draft, write)
            manifest = describe(size, sha256)
            _check_stored(draft, manifest)
            _announce(store, manifest)
        store.rename(pending_of(name), manifest_of(name))
    except OSError as error:
        if isinstance(error, CheckpointError):
            raise
        raise _failed(store, name, wanted, manifest, error) from error
    return manifest


def _write(draft: Draft, write: Callable[[Summed], None]) -> tuple[int, str]:
    """Write a content, and return the size and the SHA-256 of what was written."""
    summed = Summed(draft)
    try:
        write(summed)
        summed.flush()
    except Exception:
        # torch makes of a full disk an error of its own, which does not say so.
        if summed.error is not None:
            raise summed.error from None
        raise
    return summed.size, summed.sum.hexdigest()


def _check_stored(draft: Draft, manifest: Manifest) -> None:
    with draft.stored() as file:
        size, sha256 = measured(file)
    if size != manifest.size:
        raise OSError(f"{manifest.size:,} bytes were written, and {size:,} read back")
    if sha256 != manifest.sha256:
        raise OSError(f"{size:,} bytes were written, and others read back")


def _announce(store: Store, manifest: Manifest) -> None:
    name = manifest.file
    if store.exists(name) and not store.exists(manifest_of(name)):
        manifest = replace(manifest, extra={OVER: True})
    with store.create(pending_of(name)) as file:
        file.write(manifest.to_json())


def settle(store: Store, name: str) -> bool:
    """Bring a save to its end that was cut off, and return whether its file is in place.

    The next save's manifest would take the place of the one that the file may fit.

    Args:
        store: where it is.
        name: the checkpoint's name.
    """
    if not store.exists(pending_of(name)):
        return False
    pending = Candidate.read(store, pending_of(name))
    if store.exists(name):
        with store.open(name) as file:
            if pending.fits(*measured(file)):
                store.rename(pending_of(name), manifest_of(name))
                return True
    store.remove(pending_of(name))
    return False


def _failed(
    store: Store, name: str, wanted: int, manifest: Manifest | None, error: OSError
) -> SaveFailed:
    where = store.where(name)
    outcome = "what was there before is still there"
    free = None
    with suppress(OSError):
        free = store.free()
    with suppress(OSError):
        if manifest is not None and settle(store, name):
            outcome = "the new file is there, but may not outlive a power cut"
    room = "" if free is None else f", and {free:,} are free there"
    return SaveFailed(
        f"cannot save {where}: {error.strerror or error}; it takes about {wanted:,} bytes{room}; "
        f"{outcome}",
        where,
        error.errno,
    )
