"""Power cuts in the middle of a save.

Owns: a disk that forgets what was not brought to it, and that no cut costs a checkpoint.
Must not know: by which steps a save goes about it.

The model is that of POSIX: the bytes of a file are there if the file was synced, else they are not;
a name that was made, changed or removed since its folder was synced may be as before or after,
whatever became of the others.
"""

from __future__ import annotations

import itertools
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from glowplug_checkpoint import (
    About,
    CheckpointWarning,
    NoCheckpoint,
    Store,
    load,
    load_newest,
    remove,
    save,
    store_at,
)

pytestmark = pytest.mark.skipif("sys.platform != 'linux'", reason="looks into /proc")

Names = dict[str, int]


@dataclass
class Disk:
    """A folder that is watched.

    Args:
        folder: it; what is in it now is on the disk.
        patch: what replaces the calls of the operating system while they are watched.
    """

    folder: Path
    patch: pytest.MonkeyPatch
    bytes_of: dict[int, bytes] = field(default_factory=dict)
    names: Names = field(default_factory=dict)
    kept: Names = field(default_factory=dict)
    changes: list[tuple[str | None, str | None, int]] = field(default_factory=list)
    cuts: set[tuple[tuple[str, bytes], ...]] = field(default_factory=set)
    made: int = 0

    def watch(self) -> None:
        for name in sorted(os.listdir(self.folder)):
            self._appeared(name)
            self.bytes_of[self.names[name]] = (self.folder / name).read_bytes()
        self.changes.clear()
        self.kept = dict(self.names)
        for called in ("fsync", "replace", "unlink"):
            self.patch.setattr(os, called, self._watched(called, getattr(os, called)))

    def _watched(self, called: str, real: Any) -> Any:
        def act(first: Any, *rest: Any, **named: Any) -> None:
            for name in set(os.listdir(self.folder)) - set(self.names):
                self._appeared(name)
            self._remember_cuts()
            real(first, *rest, **named)
            if called == "fsync":
                self._synced(Path(os.readlink(f"/proc/self/fd/{first}")))
            elif called == "replace":
                self._changed(Path(first).name, Path(rest[0]).name)
            else:
                self._changed(Path(first).name, None)
            self._remember_cuts()

        return act

    def _appeared(self, name: str) -> None:
        self.made += 1
        self.names[name] = self.made
        self.changes.append((None, name, self.made))

    def _changed(self, old: str, new: str | None) -> None:
        file = self.names.pop(old)
        if new is not None:
            self.names[new] = file
        self.changes.append((old, new, file))

    def _synced(self, path: Path) -> None:
        if path == self.folder:
            self.kept = dict(self.names)
            self.changes.clear()
        else:
            self.bytes_of[self.names[path.name]] = path.read_bytes()

    def _remember_cuts(self) -> None:
        for chosen in itertools.product((True, False), repeat=len(self.changes)):
            names = dict(self.kept)
            for (old, new, file), kept in zip(self.changes, chosen, strict=True):
                if kept and old is not None and names.get(old) == file:
                    del names[old]
                if kept and new is not None:
                    names[new] = file
            left = ((name, self.bytes_of.get(file, b"")) for name, file in names.items())
            self.cuts.add(tuple(sorted(left)))

    def folders_after_a_cut(self, base: Path) -> Iterator[Path]:
        """Yield a folder for each state that a power cut could have left."""
        self.patch.undo()
        for number, files in enumerate(sorted(self.cuts)):
            folder = base / f"cut-{number}"
            folder.mkdir()
            for name, data in files:
                (folder / name).write_bytes(data)
            yield folder


def put(store: Store, name: str, step: int) -> None:
    save(store, name, {"step": step}, about=About(iteration=step, sequence=step))


def loaded(folder: Path, name: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error", CheckpointWarning)
        try:
            return load(store_at(folder), name)["step"]
        except NoCheckpoint:
            return None


def test_a_power_cut_leaves_the_old_checkpoint_or_the_new(
    store: Store, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, "last.pt", 1)
    disk = Disk(folder, monkeypatch)
    disk.watch()
    put(store, "last.pt", 2)
    cuts = list(disk.folders_after_a_cut(tmp_path))
    assert len(cuts) > 10
    assert {loaded(cut, "last.pt") for cut in cuts} == {1, 2}


def test_once_a_save_has_returned_a_power_cut_takes_nothing_away(
    store: Store, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, "last.pt", 1)
    disk = Disk(folder, monkeypatch)
    disk.watch()
    put(store, "last.pt", 2)
    disk.cuts.clear()
    disk._remember_cuts()
    assert [loaded(cut, "last.pt") for cut in disk.folders_after_a_cut(tmp_path)] == [2]


def test_a_power_cut_in_the_first_save_leaves_nothing_or_the_new_checkpoint(
    store: Store, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(folder, monkeypatch)
    disk.watch()
    put(store, "last.pt", 2)
    assert {loaded(cut, "last.pt") for cut in disk.folders_after_a_cut(tmp_path)} == {None, 2}


def test_a_power_cut_after_a_save_that_was_cut_off_leaves_either_of_the_two(
    store: Store, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, "last.pt", 1)
    old = (folder / "last.pt.manifest.json").read_bytes()
    put(store, "last.pt", 2)
    manifest = folder / "last.pt.manifest.json"
    manifest.rename(folder / "last.pt.manifest.json.pending")
    manifest.write_bytes(old)
    disk = Disk(folder, monkeypatch)
    disk.watch()
    put(store, "last.pt", 3)
    assert {loaded(cut, "last.pt") for cut in disk.folders_after_a_cut(tmp_path)} == {2, 3}


def test_a_power_cut_while_an_old_one_is_removed_leaves_the_newest(
    store: Store, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, "1.pt", 1)
    put(store, "2.pt", 2)
    disk = Disk(folder, monkeypatch)
    disk.watch()
    remove(store, "1.pt")
    cuts = list(disk.folders_after_a_cut(tmp_path))
    assert {loaded(cut, "1.pt") for cut in cuts} == {1, None}
    with warnings.catch_warnings():
        warnings.simplefilter("error", CheckpointWarning)
        assert {load_newest(store_at(cut))[0].iteration for cut in cuts} == {2}
