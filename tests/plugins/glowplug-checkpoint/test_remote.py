"""Checkpoints at URLs.

Owns: that they go to any URL and come back, and what is said where that is not possible.
Must not know: what a store of a folder does.
"""

from __future__ import annotations

import sys
import uuid
from pathlib import Path
from typing import Any

import fsspec
import pytest
import torch
from fsspec.implementations.memory import (
    MemoryFileSystem,
)

from glowplug_checkpoint import (
    About,
    DamagedCheckpoint,
    FsspecStore,
    MissingLibrary,
    SaveFailed,
    checkpoints,
    load,
    load_newest,
    remove,
    save,
    store_at,
)


@pytest.fixture
def url() -> str:
    return f"memory://{uuid.uuid4().hex}"


def test_a_checkpoint_goes_to_a_url_and_comes_back(url: str, content: dict[str, Any]) -> None:
    save(store_at(url), "last.pt", content, about=About(iteration=7, sequence=1))
    manifest, found = load_newest(store_at(url))
    assert (manifest.iteration, found["trainer"]) == (7, content["trainer"])
    torch.testing.assert_close(found["model"], content["model"], rtol=0, atol=0)


def test_a_file_is_there_under_its_own_name_for_everybody(url: str) -> None:
    save(store_at(url), "last.pt", {"step": 3})
    with fsspec.open(f"{url}/last.pt", "rb") as file:
        assert torch.load(file, weights_only=True) == {"step": 3}


def test_nothing_but_the_file_and_its_manifest_is_left(tmp_path: Path) -> None:
    store = FsspecStore(f"file://{tmp_path}/runs")
    for step in range(3):
        save(store, "last.pt", {"step": step})
    left = sorted(path.name for path in (tmp_path / "runs").iterdir())
    assert left == ["last.pt", "last.pt.manifest.json"]


def test_a_file_that_changed_at_its_url_is_damaged(url: str) -> None:
    save(store_at(url), "last.pt", {"step": 3})
    with fsspec.open(f"{url}/last.pt", "wb") as file:
        file.write(b"something else")
    with pytest.raises(DamagedCheckpoint, match=r"memory://\w+/last.pt is cut off"):
        load(store_at(url), "last.pt")


def test_a_checkpoint_is_removed_with_its_manifest(url: str) -> None:
    save(store_at(url), "last.pt", {})
    remove(store_at(url), "last.pt")
    assert (store_at(url).names(), checkpoints(store_at(url))) == ([], [])


def test_a_folder_without_files_has_no_names(url: str) -> None:
    assert store_at(url).names() == []


def test_a_large_file_is_read_through_this_machines_disk(url: str) -> None:
    weights = torch.arange(2_000_000)
    save(store_at(url), "last.pt", {"weights": weights})
    assert torch.equal(load(store_at(url), "last.pt")["weights"], weights)


class Full(MemoryFileSystem):  # type: ignore[misc]  # fsspec has no types
    """A file system that takes ten kilobytes, and whose error is not an OSError."""

    protocol = "full"

    def mv(self, path1: str, path2: str, **kwargs: Any) -> None:
        if path2.endswith("last.pt") and self.size(path1) > 10_000:
            raise RuntimeError("quota exceeded")
        super().mv(path1, path2, **kwargs)


def test_an_error_of_a_library_becomes_one_that_names_the_url() -> None:
    fsspec.register_implementation("full", Full, clobber=True)
    store = store_at("full://runs")
    save(store, "last.pt", {"step": 3})
    with pytest.raises(SaveFailed, match=r"cannot save full://runs/last.pt: RuntimeError: quota"):
        save(store, "last.pt", {"weights": torch.zeros(10_000)})
    assert load(store, "last.pt") == {"step": 3}
    assert store.names() == ["last.pt", "last.pt.manifest.json"]


def test_without_fsspec_a_url_says_which_extra_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(MissingLibrary, match=r"pip install 'glowplug-checkpoint\[fsspec\]'"):
        store_at("s3://bucket/runs")


def test_without_the_library_of_a_protocol_the_error_names_it() -> None:
    with pytest.raises(MissingLibrary, match=r"cannot reach 'dropbox://runs'.*dropbox"):
        store_at("dropbox://runs")
