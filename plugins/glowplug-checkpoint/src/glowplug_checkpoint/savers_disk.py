"""Saving checkpoints in a folder.

Owns: the save handler of folders, and whose a file there is.
Must not know: which checkpoints are kept, or engines.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Any

import torch

import glowplug
from glowplug.errors import InvalidArgument, InvalidType, did_you_mean
from glowplug_checkpoint import files, folders
from glowplug_checkpoint.errors import CheckpointError, NoCheckpoint, SaveFailed
from glowplug_checkpoint.format_names import Format
from glowplug_checkpoint.manifests import About
from glowplug_checkpoint.savers import BaseSaveHandler
from glowplug_checkpoint.stores import Store, store_at
from glowplug_torch import get_rank

_MOST = 5
"""How many files are named that are in the way."""
_EXTENSIONS: Mapping[Format, str] = {Format.TORCH: "pt", Format.SAFETENSORS: "safetensors"}


class DiskSaver(BaseSaveHandler):
    """Saves checkpoints in a folder, each with a manifest, or at any URL that fsspec knows.

    A file is complete, brought to the disk and read back before it gets its name. See
    :func:`~glowplug_checkpoint.save`.

    Args:
        dirname: the folder: a path, or a URL such as ``"s3://bucket/runs/7"``.
        atomic: False to write files in place, for a file system that cannot rename; a file whose
            writing is cut off is then damaged.
        create_dir: make the folder where there is none.
        require_empty: refuse a folder in which there are checkpoints of this format already.
        save_on_rank: the rank that saves; the others do nothing.
        format: ``"torch"``, or ``"safetensors"`` for files that any program can read that knows
            safetensors.
        **kwargs: for ``torch.save``.

    Attributes:
        dirname: the folder, as a string.
        save_on_rank: the rank that saves.
        extension: ``"pt"`` or ``"safetensors"``.

    Raises:
        InvalidType: when an argument is of the wrong type.
        InvalidArgument: when there is no such folder and none is to be made, when it is not empty
            though it has to be, or for a format that there is not.
        SaveFailed: when the folder cannot be made, or cannot be read.

    Example:
        >>> import tempfile
        >>> saver = DiskSaver(tempfile.mkdtemp())
        >>> saver({"epoch": 3}, "last.pt")
        >>> saver.load("last.pt")
        {'epoch': 3}
    """

    def __init__(
        self,
        dirname: str | os.PathLike[str],
        atomic: bool = True,
        create_dir: bool = True,
        require_empty: bool = True,
        save_on_rank: int = 0,
        *,
        format: Format | str = Format.TORCH,
        **kwargs: Any,
    ) -> None:
        if not isinstance(dirname, (str, os.PathLike)):
            raise InvalidType(
                f"dirname must be a path or a URL, got {dirname!r} of type {type(dirname).__name__}"
            )
        self.dirname = os.fspath(dirname)
        self.save_on_rank = checked_rank(save_on_rank)
        self._format = _format(format)
        self.extension = _EXTENSIONS[self._format]
        self._atomic = atomic
        self._kwargs = kwargs
        self._opened: Store | None = None
        self._seen: folders.Seen = {}
        if get_rank() == self.save_on_rank:
            self._opened = self._prepared(create_dir, require_empty)

    def __call__(
        self,
        checkpoint: Mapping[str, Any],
        filename: str,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Save a checkpoint; one that has the name is replaced when this one is complete.

        Args:
            checkpoint: a tree of dicts, lists, tuples, tensors and plain values.
            filename: the file's name.
            metadata: ``iteration``, ``epoch``, ``run`` and ``versions`` go into the manifest.

        Raises:
            SaveFailed: when it cannot be written.
            UnsavableContent: when something in it could not be read back.
        """
        if get_rank() != self.save_on_rank:
            return
        known = metadata or {}
        store = self._store()
        about = About(
            iteration=known.get("iteration"),
            epoch=known.get("epoch"),
            run=known.get("run"),
            sequence=folders.next_sequence(store, self._seen),
            versions={**own_versions(), **known.get("versions", {})},
        )
        files.save(store, filename, checkpoint, about=about, format=self._format, **self._kwargs)

    def remove(self, filename: str) -> None:
        """Remove a checkpoint and its manifest.

        Args:
            filename: the file's name.

        Raises:
            NoCheckpoint: when there is no such file.
            OSError: when it cannot be removed.
        """
        if get_rank() == self.save_on_rank:
            files.remove(self._store(), filename)

    def load(self, filename: str, **how: Any) -> Any:
        """Return the content of a checkpoint, held against its manifest.

        Args:
            filename: the file's name.
            **how: ``map_location``, ``weights_only`` and ``verify`` of
                :func:`~glowplug_checkpoint.load`.

        Raises:
            NoCheckpoint: when there is no such file.
            DamagedCheckpoint: when it is not what was written.
        """
        return files.load(self._store(), filename, **how)

    def names(self) -> list[str]:
        """Return the names of the checkpoints of this format in the folder, sorted."""
        return [name for name in self._store().names() if name.endswith(f".{self.extension}")]

    def where(self, filename: str) -> str:
        """Return the path or the URL of a checkpoint; the same on every rank."""
        # The folder may be one that other ranks do not see, so no store is asked.
        if "://" in self.dirname:
            return f"{self.dirname.rstrip('/')}/{filename}"
        return os.path.join(self.dirname, filename)

    def place(self, filename: str) -> object:
        """Return the file that a path leads to, or the URL."""
        where = self.where(filename).removeprefix("file://")
        return where if "://" in where else os.path.realpath(where)

    def has(self, filename: str) -> bool:
        """Return whether there is a checkpoint of this name."""
        return self._store().exists(filename)

    def objection(self, filename: str, run: str) -> str:
        """Return why a run must not save under a name: there is a file that is not the run's.

        Args:
            filename: the name.
            run: the id of the run that wants it.
        """
        store = self._store()
        if not store.exists(filename):
            return ""
        try:
            owner = files.manifest(store, filename).run
        except CheckpointError:
            owner = None
        if owner == run:
            return ""
        whose = "" if owner is None else f" of run {owner!r},"
        return f"there is one{whose} that is not of this run"

    def _store(self) -> Store:
        if self._opened is None:
            self._opened = store_at(self.dirname, atomic=self._atomic)
        return self._opened

    def _prepared(self, create_dir: bool, require_empty: bool) -> Store:
        try:
            self._opened = store_at(self.dirname, create=create_dir, atomic=self._atomic)
            there = self.names() if require_empty else []
        except NoCheckpoint as error:
            raise InvalidArgument(
                f"cannot save in {self.dirname}: there is no such folder; make it, or pass "
                "create_dir=True"
            ) from error
        except CheckpointError:
            raise
        except OSError as error:
            raise SaveFailed(
                f"cannot save in {self.dirname}: {error}", self.dirname, error.errno
            ) from error
        if there:
            more = f" and {len(there) - _MOST} more" if len(there) > _MOST else ""
            raise InvalidArgument(
                f"{self.dirname} has checkpoints already: {', '.join(there[:_MOST])}{more}; take "
                "another folder, or pass require_empty=False to save beside them: they are neither "
                "removed nor overwritten"
            )
        return self._opened


def checked_rank(rank: Any) -> int:
    """Return a rank, if it is one.

    Raises:
        InvalidType: when it is no integer.
        InvalidArgument: when it is negative.
    """
    if not isinstance(rank, int) or isinstance(rank, bool):
        raise InvalidType(
            f"save_on_rank must be an integer, got {rank!r} of type {type(rank).__name__}"
        )
    if rank < 0:
        raise InvalidArgument(f"save_on_rank must be 0 or more, got {rank}")
    return rank


@cache
def own_versions() -> Mapping[str, str]:
    """Return the versions of what saves."""
    own = "glowplug-checkpoint"
    return {"glowplug": glowplug.__version__, own: version(own), "torch": str(torch.__version__)}


def _format(format: Any) -> Format:
    try:
        return Format(format)
    except ValueError:
        names = [known.value for known in Format]
        raise InvalidArgument(
            f"expected a format, one of {', '.join(names)}; got {format!r}"
            f"{did_you_mean(str(format), names)}"
        ) from None
