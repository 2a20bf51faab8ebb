"""All checkpoints of a folder.

Owns: which is the newest, and which of them is loaded.
Must not know: how one of them is put in place, or what is in it.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from glowplug_checkpoint import files
from glowplug_checkpoint.errors import (
    CheckpointError,
    DamagedCheckpoint,
    FallbackWarning,
    LoadFailed,
    NewerFormat,
    NoCheckpoint,
    SeveralRunsWarning,
)
from glowplug_checkpoint.filenames import (
    described_by,
    is_manifest,
    is_pending,
    manifest_of,
    pending_of,
)
from glowplug_checkpoint.manifests import Manifest
from glowplug_checkpoint.stores import Store

Seen: TypeAlias = dict[str, tuple[list[object], int]]
"""The sequences of files by their names, each with the stamps of the file and its manifests."""

SUFFIXES = (".pt", ".pth", ".ckpt", ".bin", ".safetensors")
"""How the names of checkpoints end that others save."""


@dataclass(frozen=True)
class Entry:
    """A checkpoint of a folder, as its manifest has it.

    Args:
        file: its name.
        manifest: None where it cannot be read.
        error: why it cannot be read.
        present: False where the manifest alone is there.
    """

    file: str
    manifest: Manifest | None = None
    error: CheckpointError | None = None
    present: bool = True


def entries(store: Store, prefix: str | None = None, run: str | None = None) -> list[Entry]:
    """Return what has a manifest, the newest first, then those whose manifest cannot be read.

    Args:
        store: where they are.
        prefix: what their names begin with; None for all.
        run: the id of their run; None for all. One that cannot be read may be of any run.
    """
    names = [name for name in store.names() if name.startswith(prefix or "")]
    present = {name for name in names if not is_manifest(name)}
    described = {described_by(name) for name in names if is_manifest(name)}
    # A manifest that is pending, of a file that is not there, is of a save that was cut off.
    gone = {described_by(name) for name in names if is_manifest(name) and not is_pending(name)}
    wanted = sorted(described & present) + sorted(gone - present)
    found = [entry for name in wanted for entry in _entry(store, name, name in present)]
    read = [
        (entry.manifest.age, entry)
        for entry in found
        if entry.manifest is not None and run in (None, entry.manifest.run)
    ]
    newest_first = [entry for _, entry in sorted(read, key=lambda pair: pair[0], reverse=True)]
    return newest_first + [entry for entry in found if entry.error is not None]


def _entry(store: Store, name: str, present: bool) -> Iterator[Entry]:
    try:
        yield Entry(name, files.manifest(store, name), present=present)
    except NoCheckpoint:
        return  # another process has removed it meanwhile, or the manifest is another file's
    except CheckpointError as error:
        yield Entry(name, error=error, present=present)


def unverified(store: Store, prefix: str | None = None) -> list[str]:
    """Return the names of the files that look like checkpoints, and have no manifest.

    Args:
        store: where they are.
        prefix: what their names begin with; None for all.
    """
    described = {entry.file for entry in entries(store, prefix)}
    names = [name for name in store.names() if name.startswith(prefix or "")]
    return [name for name in names if name.endswith(SUFFIXES) and name not in described]


def checkpoints(store: Store, prefix: str | None = None, run: str | None = None) -> list[Manifest]:
    """Return the manifests of the checkpoints in a folder, the newest first.

    They are ordered by what they say of themselves, never by a clock: the sequence, then the
    iteration. Files without a manifest, and manifests without a file, are left out.

    Args:
        store: where they are.
        prefix: what their names begin with; None for all.
        run: the id of their run; None for all.

    Example:
        >>> import tempfile
        >>> from glowplug_checkpoint import About, checkpoints, save, store_at
        >>> store = store_at(tempfile.mkdtemp())
        >>> _ = save(store, "b.pt", {}, about=About(sequence=1))
        >>> _ = save(store, "a.pt", {}, about=About(sequence=2))
        >>> [manifest.file for manifest in checkpoints(store)]
        ['a.pt', 'b.pt']
    """
    found = entries(store, prefix, run)
    return [entry.manifest for entry in found if entry.manifest is not None and entry.present]


def next_sequence(store: Store, seen: Seen | None = None) -> int:
    """Return the sequence of the next checkpoint, which is larger than that of every other.

    Args:
        store: where they are.
        seen: what earlier calls have read, which is not read again where it has not changed; what
            this one reads is added.

    Example:
        >>> import tempfile
        >>> from glowplug_checkpoint import next_sequence, store_at
        >>> next_sequence(store_at(tempfile.mkdtemp()))
        1
    """
    seen = {} if seen is None else seen
    stamps = store.stamps()
    there = {described_by(name) for name in stamps if is_manifest(name)} & stamps.keys()
    for file in seen.keys() - there:
        del seen[file]
    for file in there:
        parts = [stamps.get(name, "") for name in (file, manifest_of(file), pending_of(file))]
        if None in parts or file not in seen or seen[file][0] != parts:
            for entry in _entry(store, file, present=True):
                if entry.manifest is not None:
                    seen[file] = parts, entry.manifest.sequence
    return max((sequence for _, sequence in seen.values()), default=0) + 1


def load_newest(
    store: Store,
    *,
    prefix: str | None = None,
    run: str | None = None,
    map_location: Any = None,
    weights_only: bool = True,
) -> tuple[Manifest, Any]:
    """Load the newest checkpoint that is good.

    Args:
        store: where they are.
        prefix: what its name begins with; None for any.
        run: the id of its run; None for the run that saved last.
        map_location: where tensors go, as ``torch.load`` takes it.
        weights_only: False to let the file run code, which only a file that you trust may.

    Returns:
        Its manifest and its content.

    Raises:
        NoCheckpoint: when there is none, or none that is good; it says what is wrong with each.
        NewerFormat: when a later version of glowplug-checkpoint wrote one: it may be the newest.
        UnsafeContent: when the newest holds what ``weights_only=True`` refuses.

    Warns:
        FallbackWarning: when newer ones are damaged; it names each, and what is wrong with it.
        SeveralRunsWarning: when there are checkpoints of several runs, and ``run`` is not given.

    Example:
        >>> import tempfile
        >>> from glowplug_checkpoint import About, load_newest, save, store_at
        >>> store = store_at(tempfile.mkdtemp())
        >>> for step in (10, 20):
        ...     _ = save(store, f"{step}.pt", {"step": step}, about=About(iteration=step))
        >>> manifest, content = load_newest(store)
        >>> manifest.iteration, content
        (20, {'step': 20})
    """
    known = entries(store, prefix, run)
    problems = []
    for entry in known:
        if isinstance(entry.error, NewerFormat):
            raise entry.error
        if entry.error is not None:
            problems.append(str(entry.error))
    for manifest in _of_one_run(store, known, chosen=run is not None):
        try:
            # The manifest once more: another process may save under the same name meanwhile.
            found, content = files.load_verified(store, manifest.file, map_location, weights_only)
        except (DamagedCheckpoint, LoadFailed, NoCheckpoint) as error:
            problems.append(str(error))
            continue
        if problems:
            _warn_of_fallback(store, manifest, problems)
        return found or manifest, content
    raise _none(store, prefix, run, problems)


def _of_one_run(store: Store, found: list[Entry], chosen: bool) -> list[Manifest]:
    """Return the manifests of the run that saved last, those included whose file is gone."""
    read = [(entry.manifest, entry.present) for entry in found if entry.manifest is not None]
    there = [manifest for manifest, present in read if present]
    if chosen or not there:
        return [manifest for manifest, _ in read]
    runs = list(dict.fromkeys(manifest.run for manifest in there))
    if len(runs) > 1:
        others = ", ".join(repr(run) for run in runs[1:])
        warnings.warn(
            SeveralRunsWarning(
                f"{store.location} holds checkpoints of several runs; that of run {runs[0]!r} is "
                f"taken, which saved last: {there[0].file}; for another give run= ({others}) or "
                "prefix="
            ),
            stacklevel=3,
        )
    return [manifest for manifest, _ in read if manifest.run == runs[0]]


def _warn_of_fallback(store: Store, manifest: Manifest, problems: list[str]) -> None:
    warnings.warn(
        FallbackWarning(
            f"{store.where(manifest.file)} of iteration {manifest.iteration} is loaded, as the "
            f"newest that is good; passed over: {'; '.join(problems)}"
        ),
        stacklevel=3,
    )


def _none(store: Store, prefix: str | None, run: str | None, problems: list[str]) -> NoCheckpoint:
    asked = "".join(
        [f" with the prefix {prefix!r}" if prefix else "", f" of run {run!r}" if run else ""]
    )
    others = ", ".join(unverified(store, prefix))
    more = f"; without a manifest, and so not looked at: {others}" if others else ""
    if problems:
        text = f"no checkpoint{asked} in {store.location} is good: {'; '.join(problems)}"
    else:
        text = f"there is no checkpoint{asked} in {store.location}"
    return NoCheckpoint(text + more, store.location)
