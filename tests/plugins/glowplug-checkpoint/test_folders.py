"""Folders with several checkpoints.

Owns: which is the newest, and what is said when it is damaged.
Must not know: what damages a file.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from glowplug_checkpoint import (
    About,
    FallbackWarning,
    LocalStore,
    NewerFormat,
    NoCheckpoint,
    SeveralRunsWarning,
    Store,
    UnsafeContent,
    checkpoints,
    load_newest,
    next_sequence,
    save,
)


def put(store: Store, step: int, **about: Any) -> None:
    sequence = about.pop("sequence", None) or next_sequence(store)
    about = {"iteration": step, "sequence": sequence, **about}
    save(store, f"{about.get('run') or 'm'}-{step}.pt", {"step": step}, about=About(**about))


@pytest.fixture
def three(store: Store) -> Store:
    """A folder with the checkpoints of iterations 10, 20 and 30."""
    for step in (10, 20, 30):
        put(store, step)
    return store


def steps(store: Store, **which: Any) -> list[int | None]:
    return [manifest.iteration for manifest in checkpoints(store, **which)]


def test_the_newest_is_the_first_of_the_list_and_the_one_that_is_loaded(three: Store) -> None:
    manifest, content = load_newest(three)
    assert (steps(three), manifest.iteration, content) == ([30, 20, 10], 30, {"step": 30})


def test_each_checkpoint_has_a_larger_sequence(three: Store) -> None:
    assert [manifest.sequence for manifest in checkpoints(three)] == [3, 2, 1]
    assert next_sequence(three) == 4


@settings(max_examples=10)  # each waits for the disk
@given(order=st.permutations(range(4)), clocks=st.permutations(range(4)))
def test_no_clock_has_a_say_in_the_order(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], clocks: list[int]
) -> None:
    store = LocalStore(tmp_path_factory.mktemp("clocks"))
    for sequence in order:
        put(store, 10 * sequence, sequence=sequence + 1)
    for step, clock in zip((0, 10, 20, 30), clocks, strict=True):
        path = Path(store.location, f"m-{step}.pt")
        os.utime(path, (clock, clock))
        redate(path, f"20{clock:02}-01-01T00:00:00+00:00")
    assert steps(store) == [30, 20, 10, 0]


def redate(path: Path, saved_at: str) -> None:
    """Have a manifest say another time, as a clock that was set back would have."""
    manifest = Path(f"{path}.manifest.json")
    entries = json.loads(manifest.read_text())
    del entries["manifest_sha256"]
    manifest.write_text(json.dumps({**entries, "saved_at": saved_at}))


def test_of_the_same_sequence_the_later_iteration_is_newer(store: Store) -> None:
    for step in (10, 30, 20):
        put(store, step, sequence=1)
    assert steps(store) == [30, 20, 10]


def test_a_damaged_one_is_passed_over_with_its_name_and_reason(three: Store, folder: Path) -> None:
    os.truncate(folder / "m-30.pt", 10)
    told = r"m-20.pt of iteration 20 is loaded, .* passed over: .*m-30.pt is cut off: it has 10"
    with pytest.warns(FallbackWarning, match=told):
        assert load_newest(three)[1] == {"step": 20}


def test_every_damaged_one_is_named(three: Store, folder: Path) -> None:
    os.truncate(folder / "m-30.pt", 10)
    (folder / "m-20.pt.manifest.json").write_text("{")
    with pytest.warns(FallbackWarning, match=r"m-10.pt of .*m-20.pt.*no JSON.*m-30.pt is cut off"):
        assert load_newest(three)[1] == {"step": 10}


def test_where_none_is_good_the_error_has_all_reasons(three: Store, folder: Path) -> None:
    for step in (10, 20, 30):
        os.truncate(folder / f"m-{step}.pt", step)
    with pytest.raises(
        NoCheckpoint, match=r"is good: .*m-30.*has 30 .*m-20.*has 20 .*m-10.*has 10"
    ):
        load_newest(three)


def test_where_there_is_none_the_error_says_what_was_asked_for(store: Store) -> None:
    with pytest.raises(NoCheckpoint, match=r"there is no checkpoint in .*runs$"):
        load_newest(store)
    with pytest.raises(
        NoCheckpoint, match=r"there is no checkpoint with the prefix 'a' of run 'b'"
    ):
        load_newest(store, prefix="a", run="b")


def test_files_of_others_are_no_checkpoints_but_are_mentioned(store: Store, folder: Path) -> None:
    torch.save({}, folder / "mine.pt")
    (folder / "notes.txt").write_text("")
    assert checkpoints(store) == []
    with pytest.raises(NoCheckpoint, match=r"; without a manifest, and so not looked at: mine.pt$"):
        load_newest(store)


def test_a_manifest_without_its_file_is_passed_over(three: Store, folder: Path) -> None:
    (folder / "m-30.pt").unlink()
    assert steps(three) == [20, 10]
    with pytest.warns(FallbackWarning, match=r"m-20.pt of .*m-30.pt is gone, and its manifest is"):
        assert load_newest(three)[1] == {"step": 20}


def test_of_several_runs_the_one_that_saved_last_is_taken_and_named(store: Store) -> None:
    for step, run in ((10, "one"), (90, "two"), (20, "one")):
        put(store, step, run=run)
    told = r"that of run 'one' is taken, which saved last: one-20.pt; .* give run= \('two'\) or"
    with pytest.warns(SeveralRunsWarning, match=told):
        assert load_newest(store)[1] == {"step": 20}


def test_a_run_that_is_asked_for_is_taken_without_a_warning(store: Store) -> None:
    for step, run in ((10, "one"), (90, "two"), (20, "one")):
        put(store, step, run=run)
    assert load_newest(store, run="two")[1] == {"step": 90}
    assert load_newest(store, prefix="two")[1] == {"step": 90}
    assert (steps(store, run="one"), steps(store, prefix="two")) == ([20, 10], [90])


def test_a_fallback_never_crosses_over_to_another_run(store: Store, folder: Path) -> None:
    put(store, 90, run="two")
    put(store, 10, run="one")
    os.truncate(folder / "one-10.pt", 10)
    with (
        pytest.warns(SeveralRunsWarning, match="run 'one' is taken"),
        pytest.raises(NoCheckpoint, match=r"no checkpoint in .* is good: .*one-10.pt is cut off"),
    ):
        load_newest(store)


def test_a_later_format_is_not_passed_over(three: Store, folder: Path) -> None:
    (folder / "m-30.pt.manifest.json").write_text('{"format_version": 2}')
    with pytest.raises(NewerFormat, match=r"m-30.pt.manifest.json: the manifest is of version 2"):
        load_newest(three)


def test_what_weights_only_refuses_is_not_passed_over(store: Store, folder: Path) -> None:
    put(store, 10)
    torch.save({"code": Path()}, folder / "x")
    data = (folder / "x").read_bytes()
    (folder / "x").unlink()
    with store.create("m-10.pt") as file:
        file.write(data)
    save_manifest_for(folder / "m-10.pt")
    with pytest.raises(UnsafeContent, match=r"m-10.pt: it holds what weights_only=True does not"):
        load_newest(store)


def save_manifest_for(path: Path) -> None:
    """Write the manifest that fits a file, as a program of another make would."""
    import hashlib

    data = path.read_bytes()
    entries = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "format": "torch"}
    manifest = {"format_version": 1, "file": path.name, **entries}
    Path(f"{path}.manifest.json").write_text(json.dumps(manifest))
