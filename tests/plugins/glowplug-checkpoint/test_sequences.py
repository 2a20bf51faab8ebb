"""The sequence of the next checkpoint of a folder.

Owns: that it is larger than every other's, whoever saved those, and what is read to know that.
Must not know: what else depends on the order of checkpoints.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import BinaryIO, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glowplug_checkpoint import (
    About,
    DiskSaver,
    LocalStore,
    Store,
    next_sequence,
    remove,
    save,
    store_at,
)
from glowplug_checkpoint.folders import Seen

PLACES = {
    "a folder": mkdtemp,
    "a folder by its URL": lambda: f"local://{mkdtemp()}",
    "a system that tells nothing of versions": lambda: f"memory://{uuid.uuid4().hex}",
}
Deed: TypeAlias = tuple[str, int, int]
DEEDS = st.tuples(st.sampled_from(["save", "remove"]), st.integers(0, 3), st.integers(1, 9))


def do(deed: Deed, store: Store) -> None:
    """Let somebody else save or remove one of a few files."""
    what, number, sequence = deed
    name = f"m_{number}.pt"
    if what == "save":
        save(store, name, {}, about=About(sequence=sequence))
    elif store.exists(name):
        remove(store, name)


@pytest.mark.parametrize("place", PLACES.values(), ids=list(PLACES))
@settings(max_examples=25)
@given(deeds=st.lists(DEEDS, max_size=8))
def test_what_is_remembered_changes_no_answer(place: Callable[[], str], deeds: list[Deed]) -> None:
    where = place()
    seen: Seen = {}
    store = store_at(where, create="://" not in where)
    for deed in deeds:
        do(deed, store_at(where))
        assert next_sequence(store, seen) == next_sequence(store)


class Counting(LocalStore):
    """A folder that knows which files were read."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.read: list[str] = []

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        self.read.append(name)
        with super().open(name) as file:
            yield file


def test_what_has_not_changed_is_not_read_again(folder: Path) -> None:
    store = Counting(folder)
    seen: Seen = {}
    for step in (1, 2, 3):
        save(LocalStore(folder), f"m_{step}.pt", {}, about=About(sequence=step))
        assert next_sequence(store, seen) == step + 1
    assert store.read == [f"m_{step}.pt.manifest.json" for step in (1, 2, 3)]


def test_a_manifest_that_is_damaged_meanwhile_leaves_its_sequence_taken(folder: Path) -> None:
    store = LocalStore(folder)
    seen: Seen = {}
    save(store, "m.pt", {}, about=About(sequence=7))
    assert next_sequence(store, seen) == 8
    (folder / "m.pt.manifest.json").write_bytes(b"nobody can read this")
    assert (next_sequence(store, seen), next_sequence(store)) == (8, 1)


def test_two_savers_of_a_folder_count_on_together(folder: Path) -> None:
    one, other = DiskSaver(folder, require_empty=False), DiskSaver(folder, require_empty=False)
    for saver, name in ((one, "a.pt"), (other, "b.pt"), (one, "a.pt"), (other, "b.pt")):
        saver({}, name)
    assert next_sequence(LocalStore(folder)) == 5
