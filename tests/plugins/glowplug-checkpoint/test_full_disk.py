"""Disks and folders that cannot be written to.

Owns: the error of each, and that what was there is still there.
Must not know: damaged files.
"""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from glowplug_checkpoint import Format, LocalStore, SaveFailed, Store, load, load_newest, save

resource = pytest.importorskip("resource", reason="Windows has no limits of files")

NOBODY = 65534


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let the system refuse larger files of this process."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


@pytest.fixture
def kept(store: Store, folder: Path) -> Iterator[None]:
    """A checkpoint that is there before, and afterwards still, and nothing beside it."""
    save(store, "last.pt", {"step": 1})
    names = sorted(os.listdir(folder))
    yield
    assert load(store, "last.pt") == {"step": 1}
    assert sorted(os.listdir(folder)) == names


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("form", Format)
@pytest.mark.parametrize("limit", [1, 500, 100_000, 399_999])
def test_a_file_that_may_not_grow_so_large_is_told(
    store: Store, folder: Path, limit: int, form: Format
) -> None:
    content = {"weights": torch.ones(100_000)}
    with pytest.raises(SaveFailed, match="File too large") as raised, files_of_at_most(limit):
        save(store, "last.pt", content, format=form)
    assert str(raised.value).startswith(
        f"cannot save {folder / 'last.pt'}: File too large; it takes about 400,000 bytes, and "
    )
    assert str(raised.value).endswith("what was there before is still there")
    assert (raised.value.errno, raised.value.file) == (errno.EFBIG, str(folder / "last.pt"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 200 kilobytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no command mount")
    if done.returncode:
        pytest.skip(f"mounting is not permitted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_told_with_the_bytes_that_are_free(small_disk: Path) -> None:
    store = LocalStore(small_disk)
    save(store, "1.pt", {"step": 1})
    with pytest.raises(SaveFailed, match=r"No space left.* 400,000 bytes, and 1\d\d,\d+ are free"):
        save(store, "2.pt", {"weights": torch.zeros(100_000)})
    assert load_newest(store)[1] == {"step": 1}
    assert store.names() == ["1.pt", "1.pt.manifest.json"]


def test_a_disk_that_is_full_to_the_last_byte_keeps_what_it_has(small_disk: Path) -> None:
    store = LocalStore(small_disk)
    save(store, "last.pt", {"step": 1})
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * (store.free() or 0))
    for _ in range(2):
        with pytest.raises(SaveFailed, match="No space left"):
            save(store, "last.pt", {"step": 2})
        assert load(store, "last.pt") == {"step": 1}
    filler.unlink()
    save(store, "last.pt", {"step": 2})
    assert load(store, "last.pt") == {"step": 2}


@pytest.mark.usefixtures("kept")
@pytest.mark.skipif("os.name == 'nt' or os.getuid() != 0", reason="only root can become another")
def test_a_folder_of_somebody_else_is_told(store: Store, folder: Path) -> None:
    for path in (folder, *folder.parents):
        if "pytest" in str(path):
            path.chmod(0o755)
    os.seteuid(NOBODY)
    try:
        with pytest.raises(SaveFailed, match=r"last.pt: Permission denied; .* is still there"):
            save(store, "last.pt", {"step": 2})
    finally:
        os.seteuid(0)


@pytest.mark.usefixtures("kept")
@pytest.mark.skipif("os.name != 'nt' and os.getuid() == 0", reason="root writes to any folder")
def test_a_read_only_folder_is_told_to_its_owner(folder: Path, store: Store) -> None:
    folder.chmod(0o555)
    with pytest.raises(SaveFailed, match="Permission denied"):
        save(store, "last.pt", {"step": 2})
    folder.chmod(0o755)


@pytest.mark.usefixtures("kept")
def test_a_read_only_file_system_is_told(folder: Path, tmp_path: Path) -> None:
    frozen = tmp_path / "frozen"
    frozen.mkdir()
    commands = [
        ["mount", "--bind", str(folder), str(frozen)],
        ["mount", "-o", "remount,ro,bind", str(frozen)],
    ]
    for command in commands:
        try:
            done = subprocess.run(command, capture_output=True, text=True)
        except FileNotFoundError:
            pytest.skip("there is no command mount")
        if done.returncode:
            pytest.skip(f"mounting is not permitted here: {done.stderr.strip()}")
    try:
        with pytest.raises(SaveFailed, match=r"Read-only file system.*what was there before is"):
            save(LocalStore(frozen), "last.pt", {"step": 2})
        assert load(LocalStore(frozen), "last.pt") == {"step": 1}
    finally:
        subprocess.run(["umount", "-l", str(frozen)], check=True)


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("called", ["fsync", "replace"])
def test_every_call_that_fails_leaves_the_old_checkpoint(
    store: Store, monkeypatch: pytest.MonkeyPatch, called: str
) -> None:
    calls, number = 0, 1
    real = getattr(os, called)

    def fail_at_the_number(*args: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number:
            raise OSError(5, "Input/output error")
        return real(*args)

    monkeypatch.setattr(os, called, fail_at_the_number)
    with pytest.raises(SaveFailed, match=r"Input/output error.* what was there before is still"):
        save(store, "last.pt", {"step": 2})


def test_a_failure_after_the_new_file_is_in_place_says_that_it_is(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(store, "last.pt", {"step": 1})
    real, renamed = os.fsync, False

    def fail_once_renamed(number: int) -> None:
        nonlocal renamed
        place = folder / "last.pt.manifest.json.pending"
        if not renamed and place.exists() and not list(folder.glob(".*.tmp")):
            renamed = True
            raise OSError(5, "Input/output error")
        real(number)

    monkeypatch.setattr(os, "fsync", fail_once_renamed)
    with pytest.raises(SaveFailed, match="the new file is there, but may not outlive a power cut"):
        save(store, "last.pt", {"step": 2})
    assert load(store, "last.pt") == {"step": 2}


@pytest.mark.usefixtures("kept")
def test_a_disk_that_keeps_other_bytes_than_it_was_given_is_told(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync

    def sync_and_flip(number: int) -> None:
        if os.fstat(number).st_size > 200:
            os.pwrite(number, b"\xff", 100)
        real(number)

    monkeypatch.setattr(os, "fsync", sync_and_flip)
    with pytest.raises(SaveFailed, match=r"bytes were written, and others read back"):
        save(store, "last.pt", {"step": 2})


@pytest.mark.usefixtures("kept")
def test_a_name_that_is_too_long_is_told(store: Store) -> None:
    with pytest.raises(SaveFailed, match="File name too long"):
        save(store, "x" * 250, {"step": 2})
