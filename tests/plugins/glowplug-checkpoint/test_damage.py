"""Files that are not what was saved.

Owns: what is said of each kind of damage, and that no flipped bit goes unseen.
Must not know: how a checkpoint is saved.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from glowplug_checkpoint import (
    DamagedCheckpoint,
    Format,
    LoadFailed,
    LocalStore,
    NoCheckpoint,
    Store,
    UnsafeContent,
    UnverifiedWarning,
    load,
    load_newest,
    remove,
    save,
)

CONTENT = {"model": OrderedDict(weight=torch.arange(6.0)), "step": 2}


@pytest.fixture
def path(store: Store, folder: Path) -> Path:
    """The file of a checkpoint."""
    save(store, "last.pt", CONTENT)
    return folder / "last.pt"


def test_a_file_that_is_cut_off_is_told(store: Store, path: Path) -> None:
    size = path.stat().st_size
    os.truncate(path, size - 100)
    told = rf"{path} is cut off: it has {size - 100} bytes, expected {size}; its SHA-256 is"
    with pytest.raises(DamagedCheckpoint, match=told):
        load(store, "last.pt")


def test_an_empty_file_is_cut_off(store: Store, path: Path) -> None:
    os.truncate(path, 0)
    with pytest.raises(DamagedCheckpoint, match=r"is cut off: it has 0 bytes"):
        load(store, "last.pt")


def test_a_file_that_has_grown_is_told(store: Store, path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"x")
    with pytest.raises(DamagedCheckpoint, match=r"last.pt is too long: it has \d+ bytes, expected"):
        load(store, "last.pt")


def test_two_files_that_were_swapped_are_told(store: Store, folder: Path) -> None:
    for name, step in (("1.pt", 1), ("2.pt", 2)):
        save(store, name, {"step": step})
    os.rename(folder / "1.pt", folder / "x")
    os.rename(folder / "2.pt", folder / "1.pt")
    os.rename(folder / "x", folder / "2.pt")
    for name in ("1.pt", "2.pt"):
        with pytest.raises(DamagedCheckpoint, match=rf"{name} is not what was saved, though of"):
            load(store, name)


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("originals")
    for format in Format:
        save(LocalStore(folder), f"a.{format.value}", CONTENT, format=format)
    return folder


@given(data=st.data())
@pytest.mark.parametrize("file", ["a.torch", "a.safetensors"])
@pytest.mark.parametrize("suffix", ["", ".manifest.json"])
def test_no_flipped_bit_goes_unseen(
    originals: Path, file: str, suffix: str, data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as copy:
        shutil.copytree(originals, copy, dirs_exist_ok=True)
        path = Path(copy, file + suffix)
        flipped = bytearray(path.read_bytes())
        place = data.draw(st.integers(0, 8 * len(flipped) - 1))
        flipped[place // 8] ^= 1 << place % 8
        path.write_bytes(flipped)
        try:
            weight = load(LocalStore(copy), file)["model"]["weight"]
        except DamagedCheckpoint:
            return
        # Of a manifest a space between two entries may become another.
        assert suffix
        assert torch.equal(weight, torch.arange(6.0))


def test_a_manifest_that_is_no_json_is_told(store: Store, path: Path) -> None:
    manifest = Path(f"{path}.manifest.json")
    manifest.write_text("{")
    with pytest.raises(DamagedCheckpoint, match=rf"{manifest}: the manifest is no JSON"):
        load(store, "last.pt")


def test_whatever_its_manifest_says_a_file_can_be_loaded_unverified(
    store: Store, path: Path
) -> None:
    Path(f"{path}.manifest.json").write_text("{")
    assert load(store, "last.pt", verify=False)["step"] == 2


def test_a_file_without_a_manifest_is_loaded_with_a_warning(store: Store, folder: Path) -> None:
    torch.save(CONTENT, folder / "mine.pt")
    with pytest.warns(UnverifiedWarning, match=r"mine.pt has no manifest, so nothing tells"):
        assert load(store, "mine.pt")["step"] == 2


def test_a_damaged_file_without_a_manifest_is_told(store: Store, folder: Path) -> None:
    torch.save(CONTENT, folder / "mine.pt")
    for size in (0, 1, 100, 700):
        os.truncate(folder / "mine.pt", size)
        with pytest.raises(DamagedCheckpoint, match=r"mine.pt: it cannot be read: "):
            load(store, "mine.pt")


def test_a_manifest_without_its_file_is_told(store: Store, path: Path) -> None:
    path.unlink()
    with pytest.raises(NoCheckpoint, match=r"last.pt is gone, and its manifest is still there"):
        load(store, "last.pt")
    with pytest.raises(NoCheckpoint, match=r"last.pt is gone, and its manifest is still there"):
        remove(store, "last.pt")


def test_a_file_that_is_not_there_is_told(store: Store) -> None:
    with pytest.raises(NoCheckpoint, match=r"there is no checkpoint .*runs/last.pt"):
        load(store, "last.pt")
    with pytest.raises(FileNotFoundError, match=r"there is no checkpoint .*runs/last.pt"):
        remove(store, "last.pt")


def test_a_folder_of_that_name_cannot_be_read(store: Store, folder: Path) -> None:
    (folder / "last.pt").mkdir()
    with pytest.raises(LoadFailed, match=r"cannot read .*last.pt: Is a directory"):
        load(store, "last.pt")


class Mine:
    """What only a file that is trusted may bring back."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mine)

    __hash__ = object.__hash__


def test_a_file_that_holds_code_is_refused_unless_it_is_trusted(folder: Path) -> None:
    torch.save({"mine": Mine()}, folder / "mine.pt")
    store = LocalStore(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnverifiedWarning)
        with pytest.raises(UnsafeContent, match=r"mine.pt: it holds what .*Mine.*trust alone"):
            load(store, "mine.pt")
        assert load(store, "mine.pt", weights_only=False) == {"mine": Mine()}


def test_what_is_wrong_with_the_machine_is_not_blamed_on_a_good_file(store: Store) -> None:
    save(store, "last.pt", CONTENT)
    with pytest.raises(RuntimeError, match="restore data location"):
        load(store, "last.pt", map_location="nowhere")
    with pytest.raises(RuntimeError, match="restore data location"):
        load_newest(store, map_location="nowhere")


def test_a_checkpoint_can_be_removed_though_it_has_no_manifest(store: Store, folder: Path) -> None:
    torch.save(CONTENT, folder / "mine.pt")
    remove(store, "mine.pt")
    assert list(folder.iterdir()) == []
