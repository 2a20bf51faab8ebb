"""What stands beside a checkpoint.

Owns: what is in a manifest, and what is said of one that cannot be read.
Must not know: the file that it is about.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glowplug_checkpoint import (
    About,
    DamagedCheckpoint,
    Format,
    Manifest,
    NewerFormat,
    Store,
    save,
)

LEAST = {"format_version": 1, "file": "a", "size": 3, "sha256": "0" * 64, "format": "torch"}
COUNTS = st.none() | st.integers(0, 2**62)
TEXTS = st.dictionaries(st.text(), st.text(), max_size=3)
MANIFESTS = st.builds(
    Manifest,
    file=st.text(),
    size=st.integers(0),
    sha256=st.text(),
    format=st.sampled_from(Format),
    iteration=COUNTS,
    epoch=COUNTS,
    run=st.none() | st.text(),
    sequence=st.integers(0),
    saved_at=st.text(),
    keys=TEXTS,
    versions=TEXTS,
)


def parse(**entries: Any) -> Manifest:
    return Manifest.parse(json.dumps({**LEAST, **entries}).encode())


@given(manifest=MANIFESTS)
def test_every_manifest_comes_back_exactly(manifest: Manifest) -> None:
    assert Manifest.parse(manifest.to_json()) == manifest


def test_a_manifest_tells_what_is_known_of_a_checkpoint(
    store: Store, folder: Path, content: dict[str, Any]
) -> None:
    about = About(iteration=7, epoch=2, run="r", sequence=4, versions={"glowplug": "0.1.0"})
    save(store, "last.pt", content, about=about)
    entries = json.loads((folder / "last.pt.manifest.json").read_text())
    data = (folder / "last.pt").read_bytes()
    assert (entries.pop("saved_at")[10], len(entries.pop("manifest_sha256"))) == ("T", 64)
    assert entries == {
        "format_version": 1,
        "file": "last.pt",
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "format": "torch",
        "iteration": 7,
        "epoch": 2,
        "run": "r",
        "sequence": 4,
        "keys": {
            "model.weight": "float32[2, 3]",
            "model.bias": "float32[2]",
            "trainer.iteration": "int",
            "trainer.epoch": "int",
        },
        "versions": {"glowplug": "0.1.0"},
    }


def test_the_least_that_a_manifest_must_have_is_enough() -> None:
    assert parse() == Manifest("a", 3, "0" * 64, Format.TORCH)


def test_what_others_add_is_kept() -> None:
    manifest = parse(mine={"x": 1})
    assert manifest.extra == {"mine": {"x": 1}}
    assert Manifest.parse(manifest.to_json()) == manifest


def test_a_later_version_says_which_glowplug_checkpoint_wrote_it() -> None:
    told = r"of version 2, and this .* reads up to 1 \(glowplug-checkpoint 9\.1 wrote it\): install"
    with pytest.raises(NewerFormat, match=told):
        parse(format_version=2, versions={"glowplug-checkpoint": "9.1"})


def test_a_later_version_need_not_have_what_this_one_needs() -> None:
    with pytest.raises(NewerFormat, match=r"reads up to 1: install a later"):
        Manifest.parse(b'{"format_version": 7, "versions": 3}')


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ({"size": "3"}, "size is '3', expected int"),
        ({"size": None}, "size is None, expected int"),
        ({"size": True}, "size is True, expected int"),
        ({"iteration": 1.5}, "iteration is 1.5, expected int or null"),
        ({"keys": []}, r"keys is \[\], expected dict"),
        ({"format": "zip"}, "format is 'zip', expected torch or safetensors"),
        ({"format_version": "1"}, "format_version is '1', expected int"),
        ({"size": "3", "file": 1}, "file is 1, expected str; size is '3', expected int"),
    ],
)
def test_a_wrong_entry_is_told(entries: dict[str, Any], told: str) -> None:
    with pytest.raises(DamagedCheckpoint, match=f"no manifest: {told}"):
        parse(**entries)


@pytest.mark.parametrize("name", LEAST)
def test_a_missing_entry_is_told(name: str) -> None:
    entries = {key: value for key, value in LEAST.items() if key != name}
    with pytest.raises(DamagedCheckpoint, match=f"no manifest: {name} is "):
        Manifest.parse(json.dumps(entries).encode())


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "no JSON"),
        (b"\xff", "no JSON"),
        (b"[]", "is a list, not an object"),
        (b"[" * 10**5, "no JSON"),
    ],
)
def test_what_is_no_manifest_at_all_is_told(data: bytes, told: str) -> None:
    with pytest.raises(DamagedCheckpoint, match=told):
        Manifest.parse(data)


def test_a_manifest_that_was_changed_by_hand_is_told() -> None:
    data = Manifest("a", 3, "0" * 64, Format.TORCH, iteration=10).to_json()
    with pytest.raises(DamagedCheckpoint, match=r"its own SHA-256 should be \w{12}\.\.\., and is"):
        Manifest.parse(data.replace(b'"iteration": 10', b'"iteration": 99'))
