"""Where files live.

Owns: what every store must do, and what is particular to a folder of this machine.
Must not know: checkpoints.
"""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from glowplug import GlowplugError
from glowplug_checkpoint import FsspecStore, LocalStore, NoCheckpoint, SaveFailed, Store, store_at
from glowplug_checkpoint.filenames import temporary
from glowplug_checkpoint.stores import store_and_name

KINDS: dict[str, Callable[[Path], Store]] = {
    "local": LocalStore,
    "in place": lambda folder: LocalStore(folder, atomic=False),
    "memory": lambda folder: FsspecStore(f"memory://{uuid.uuid4().hex}/deep"),
    "file": lambda folder: FsspecStore(f"file://{folder}"),
}


@pytest.fixture(params=KINDS)
def any_store(request: pytest.FixtureRequest, folder: Path) -> Store:
    return KINDS[request.param](folder)


def put(store: Store, name: str, data: bytes) -> None:
    with store.create(name) as file:
        assert file.write(data) == len(data)


def got(store: Store, name: str) -> bytes:
    with store.open(name) as file:
        return file.read()


def test_what_is_written_is_read(any_store: Store) -> None:
    put(any_store, "a", b"hello")
    assert got(any_store, "a") == b"hello"
    assert (any_store.exists("a"), any_store.size("a")) == (True, 5)


def test_a_file_is_replaced_by_one_of_the_same_name(any_store: Store) -> None:
    put(any_store, "a", b"old and long")
    put(any_store, "a", b"new")
    assert got(any_store, "a") == b"new"


def test_a_file_can_be_read_from_any_place_in_it(any_store: Store) -> None:
    put(any_store, "a", b"hello")
    with any_store.open("a") as file:
        assert (file.read(), file.seek(1), file.read(3)) == (b"hello", 1, b"ell")


def test_a_file_that_is_being_written_has_no_name_yet(folder: Path) -> None:
    for store in (LocalStore(folder), FsspecStore(f"memory://{uuid.uuid4().hex}")):
        with store.create("a") as file:
            file.write(b"hello")
            assert (store.exists("a"), store.names()) == (False, [])


def test_what_was_written_can_be_read_before_it_has_its_name(any_store: Store) -> None:
    with any_store.create("a") as file:
        file.write(b"hello")
        with file.stored() as stored:
            assert stored.read() == b"hello"
    assert got(any_store, "a") == b"hello"


@pytest.mark.parametrize("kind", ["local", "memory", "file"])
def test_an_error_while_a_file_is_written_leaves_the_old_one(kind: str, folder: Path) -> None:
    store = KINDS[kind](folder)
    put(store, "a", b"old")
    with pytest.raises(ZeroDivisionError, match="zero"), store.create("a") as file:
        file.write(b"new" * (1 // (file.write(b"new") - 3)))
    assert (got(store, "a"), store.names()) == (b"old", ["a"])
    assert [path.name for path in folder.iterdir()] == ([] if kind == "memory" else ["a"])


def test_names_are_sorted_and_folders_are_not_among_them(folder: Path) -> None:
    (folder / "below").mkdir()
    store = LocalStore(folder)
    for name in ("b", "a", ".hidden"):
        put(store, name, b"")
    assert store.names() == [".hidden", "a", "b"]


def test_a_renamed_file_takes_the_place_of_another(any_store: Store) -> None:
    put(any_store, "a", b"one")
    put(any_store, "b", b"two")
    any_store.rename("a", "b")
    assert (any_store.names(), got(any_store, "b")) == (["b"], b"one")


def test_a_removed_file_is_gone(any_store: Store) -> None:
    put(any_store, "a", b"")
    any_store.remove("a")
    assert (any_store.names(), any_store.exists("a")) == ([], False)


def test_a_file_that_is_not_there_cannot_be_opened_or_removed(any_store: Store) -> None:
    with pytest.raises(FileNotFoundError, match="a"):
        got(any_store, "a")
    with pytest.raises(FileNotFoundError, match="a"):
        any_store.remove("a")


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../a", "a\\b", "a\0"])
def test_a_name_with_a_folder_in_it_is_refused(any_store: Store, name: str) -> None:
    with pytest.raises(ValueError, match="without a folder"):
        put(any_store, name, b"")
    assert any_store.names() == []


def test_a_name_that_is_no_string_is_refused(any_store: Store) -> None:
    with pytest.raises(TypeError, match="a checkpoint's name is a string; got 3 of type int"):
        any_store.exists(3)  # type: ignore[arg-type]  # on purpose


def test_a_name_of_a_temporary_file_is_refused(any_store: Store) -> None:
    with pytest.raises(GlowplugError, match="temporary files of glowplug-checkpoint"):
        put(any_store, temporary("a"), b"")


def test_a_long_name_has_a_temporary_name_that_fits(folder: Path) -> None:
    name = "ü" * 120
    put(LocalStore(folder), name, b"hello")
    assert got(LocalStore(folder), name) == b"hello"


def test_the_umask_says_who_may_read_a_file(folder: Path) -> None:
    old = os.umask(0o027)
    try:
        put(LocalStore(folder), "a", b"")
    finally:
        os.umask(old)
    assert (folder / "a").stat().st_mode & 0o777 == 0o640


LEAVE_A_TEMPORARY_FILE = """
import os, signal, sys
from glowplug_checkpoint import LocalStore
with LocalStore(sys.argv[1]).create("a") as file:
    file.write(b"half")
    file.flush()
    print("written", flush=True)
    if sys.argv[2] == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    input()
"""


def writer(folder: Path, fate: str) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", LEAVE_A_TEMPORARY_FILE, str(folder), fate]
    streams: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen(arguments, **streams)
    assert process.stdout is not None
    assert process.stdout.readline() == "written\n"
    return process


def test_the_temporary_file_of_a_killed_process_is_removed_by_the_next_writer(
    folder: Path,
) -> None:
    writer(folder, "die").communicate()
    assert len(list(folder.iterdir())) == 1
    assert LocalStore(folder).names() == []
    put(LocalStore(folder), "b", b"")
    assert [path.name for path in folder.iterdir()] == ["b"]


def test_the_temporary_file_of_a_living_process_stays(folder: Path) -> None:
    process = writer(folder, "wait")
    put(LocalStore(folder), "b", b"")
    process.communicate("\n")
    assert got(LocalStore(folder), "a") == b"half"


def test_the_temporary_files_of_others_stay(folder: Path) -> None:
    others = {".a.tmp", "a.tmp", ".a.another-host-12-0123456789ab.tmp", "a.123-0123456789ab.tmp"}
    for name in others:
        (folder / name).write_bytes(b"")
    put(LocalStore(folder), "b", b"")
    assert {path.name for path in folder.iterdir()} == others | {"b"}


def test_a_path_is_a_local_store_and_so_is_a_file_url(folder: Path) -> None:
    for where in (folder, str(folder), f"file://{folder}"):
        store = store_at(where)
        assert isinstance(store, LocalStore)
        assert store.location == str(folder)


def test_any_other_url_is_a_store_of_fsspec() -> None:
    store = store_at("memory://somewhere")
    assert (type(store), store.where("a")) == (FsspecStore, "memory://somewhere/a")


def test_a_folder_that_is_not_there_is_made_if_asked_for(folder: Path) -> None:
    with pytest.raises(NoCheckpoint, match=r"no checkpoints in .*deep: it does not exist"):
        store_at(folder / "deep")
    put(store_at(folder / "deep" / "er", create=True), "a", b"hello")
    assert (folder / "deep" / "er" / "a").read_bytes() == b"hello"


def test_a_folder_that_is_a_file_is_an_error(folder: Path) -> None:
    (folder / "a").write_bytes(b"")
    with pytest.raises(NoCheckpoint, match="it is no folder"):
        store_at(folder / "a")
    with pytest.raises(SaveFailed, match=r"cannot make the folder .*a: File exists"):
        store_at(folder / "a", create=True)


def test_what_is_no_path_is_refused() -> None:
    with pytest.raises(TypeError, match="a store is at a path or a URL; got 3 of type int"):
        store_at(3)  # type: ignore[arg-type]  # on purpose


def test_a_path_is_split_into_its_store_and_its_name(folder: Path) -> None:
    put(store_at(folder), "a", b"")
    for where in (folder / "a", f"file://{folder}/a"):
        store, name = store_and_name(where)
        assert (store.location, name) == (str(folder), "a")
    assert store_and_name(folder)[1] == ""


def test_a_url_is_split_into_its_store_and_its_name() -> None:
    put(store_at("memory://split/here"), "a", b"")
    for where, split in {
        "memory://split/here/a": ("memory://split/here", "a"),
        "memory://split/here": ("memory://split/here", ""),
        "memory://split": ("memory://split", ""),
    }.items():
        store, name = store_and_name(where)
        assert (store.location, name) == split
