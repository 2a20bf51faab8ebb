"""One checkpoint: a file and its manifest.

Owns: saving, loading and removing it, and what the errors on the way mean.
Must not know: other checkpoints, or which of them is the newest.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from typing import Any, BinaryIO

from glowplug_checkpoint.errors import (
    CheckpointError,
    DamagedCheckpoint,
    LoadFailed,
    NoCheckpoint,
    UnverifiedWarning,
)
from glowplug_checkpoint.filenames import checkpoint_name, manifest_of, pending_of
from glowplug_checkpoint.format_names import Format
from glowplug_checkpoint.manifests import About, Manifest
from glowplug_checkpoint.placing import Summed, place
from glowplug_checkpoint.stores import Store
from glowplug_checkpoint.verification import Candidate, verified


def save(
    store: Store,
    name: str,
    content: Any,
    *,
    about: About | None = None,
    format: Format = Format.TORCH,
    **kwargs: Any,
) -> Manifest:
    """Save a checkpoint; until it is complete, on the disk and read back, an old one stays.

    Args:
        store: where to.
        name: the file's name; a checkpoint that has it is replaced.
        content: a tree of dicts, lists, tuples, tensors and plain values.
        about: what it is of.
        format: how it is written.
        kwargs: for ``torch.save``.

    Returns:
        The manifest that now stands beside it.

    Raises:
        SaveFailed: when it cannot be written; it says which file, why, and what is there now.
        UnsavableContent: when something in the content could not be read back, by its path.
        InvalidArgument: when ``name`` is not one for a checkpoint, or a keyword cannot be used.

    Example:
        >>> import tempfile
        >>> from glowplug_checkpoint import load, save, store_at
        >>> store = store_at(tempfile.mkdtemp())
        >>> save(store, "last.pt", {"epoch": 3}).keys
        {'epoch': 'int'}
        >>> load(store, "last.pt")
        {'epoch': 3}
    """
    # torch, which a list of checkpoints does without
    from glowplug_checkpoint import formats, trees

    checkpoint_name(name)
    about = about or About()

    def describe(size: int, sha256: str) -> Manifest:
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        keys = {path: trees.describe(value) for path, value in trees.leaves(content)}
        return Manifest(name, size, sha256, format, saved_at=now, keys=keys, **vars(about))

    def write(file: Summed) -> None:
        formats.write(content, file, format, **kwargs)

    return place(store, name, write, describe, trees.nbytes(content))


def load(
    store: Store,
    name: str,
    *,
    map_location: Any = None,
    weights_only: bool = True,
    verify: bool = True,
) -> Any:
    """Load a checkpoint's content, after the file was held against its manifest.

    Args:
        store: where it is.
        name: the file's name.
        map_location: where tensors go, as ``torch.load`` takes it.
        weights_only: False to let the file run code, which only a file that you trust may.
        verify: False to load it whatever its manifest says.

    Returns:
        The content.

    Raises:
        NoCheckpoint: when there is no such file.
        LoadFailed: when the operating system cannot read it.
        DamagedCheckpoint: when the file, or its manifest, is not what was written.
        NewerFormat: when a later version of glowplug-checkpoint wrote the manifest.
        UnsafeContent: when the file holds what ``weights_only=True`` refuses.

    Warns:
        UnverifiedWarning: when the file has no manifest, as one of ``torch.save`` has none.

    Example:
        >>> import tempfile
        >>> from glowplug_checkpoint import load, store_at
        >>> load(store_at(tempfile.mkdtemp()), "last.pt")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        glowplug_checkpoint.errors.NoCheckpoint: there is no checkpoint ...last.pt
    """
    where = store.where(checkpoint_name(name))
    if not verify:
        with _explained(store, name), store.open(name) as file:
            return _read(file, None, map_location, weights_only)
    manifest, content = load_verified(store, name, map_location, weights_only)
    if manifest is None:
        _warn_of_unverified(where)
    return content


def load_verified(
    store: Store, name: str, map_location: Any, weights_only: bool
) -> tuple[Manifest | None, Any]:
    """Return the manifest that a file fits, None where it has none, and its content.

    Args:
        store: where the file is.
        name: the file's name.
        map_location: where tensors go, as ``torch.load`` takes it.
        weights_only: False to let the file run code.

    Raises:
        CheckpointError: as of :func:`load`.
    """
    with _explained(store, name), verified(store, name) as (file, manifest):
        return manifest, _read(file, manifest, map_location, weights_only)


def _read(file: BinaryIO, manifest: Manifest | None, map_location: Any, weights_only: bool) -> Any:
    from glowplug_checkpoint import formats  # torch, which a list of checkpoints does without

    if manifest is not None:
        return formats.read(file, manifest.format, map_location, weights_only)
    try:
        return formats.read(file, None, map_location, weights_only)
    except CheckpointError:
        raise
    except formats.UNREADABLE as error:
        raise DamagedCheckpoint(f"it cannot be read: {formats.reason(error)}") from error


def _warn_of_unverified(where: str) -> None:
    warnings.warn(
        UnverifiedWarning(
            f"{where} has no manifest, so nothing tells whether it is what was saved; one that "
            "glowplug-checkpoint saves has one"
        ),
        stacklevel=3,
    )


@contextmanager
def _explained(store: Store, name: str) -> Iterator[None]:
    """Turn the errors of reading a file into ones that name it."""
    where = store.where(name)
    try:
        yield
    except CheckpointError as error:
        if error.file:
            raise
        raise type(error)(f"{where}: {error}", where) from error.__cause__
    except FileNotFoundError:
        raise _missing(store, name) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise LoadFailed(f"cannot read {where}: {reason}", where, error.errno) from error


def _missing(store: Store, name: str) -> NoCheckpoint:
    where = store.where(name)
    if store.exists(manifest_of(name)):
        return NoCheckpoint(
            f"{where} is gone, and its manifest is still there: the file was moved or removed "
            "without it",
            where,
        )
    return NoCheckpoint(f"there is no checkpoint {where}", where)


def manifest(store: Store, name: str) -> Manifest:
    """Return a file's manifest; the file is read only where a kill left two manifests.

    Args:
        store: where the file is.
        name: the file's name.

    Raises:
        NoCheckpoint: when it has no manifest, or there is no such file.
        LoadFailed: when the operating system cannot read it.
        DamagedCheckpoint: when the manifest cannot be read, or the file fits neither of two.
        NewerFormat: when a later version of glowplug-checkpoint wrote the manifest.
    """
    with _explained(store, name):
        if store.exists(pending_of(name)):
            with verified(store, name) as (_, found):
                pass  # that it fits is all that is asked for
        else:
            candidate = Candidate.read(store, manifest_of(name))
            if candidate.error is not None:
                raise candidate.error
            found = candidate.manifest
    if found is None:
        raise NoCheckpoint(f"{store.where(name)} has no manifest", store.where(name))
    return found


def remove(store: Store, name: str) -> None:
    """Remove a checkpoint; a kill in between leaves nothing that looks good and is not.

    Args:
        store: where it is.
        name: the file's name.

    Raises:
        NoCheckpoint: when there is no such file.

    Example:
        >>> import tempfile
        >>> from glowplug_checkpoint import remove, save, store_at
        >>> store = store_at(tempfile.mkdtemp())
        >>> _ = save(store, "last.pt", {})
        >>> remove(store, "last.pt")
        >>> store.names()
        []
    """
    if not store.exists(checkpoint_name(name)):
        raise _missing(store, name)
    # Called pending, a manifest without its file is no sign that a checkpoint was lost.
    if store.exists(manifest_of(name)):
        store.rename(manifest_of(name), pending_of(name))
    store.remove(name)
    with suppress(FileNotFoundError):
        store.remove(pending_of(name))
