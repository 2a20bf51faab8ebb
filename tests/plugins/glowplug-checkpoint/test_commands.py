"""``glowplug ckpt``.

Owns: what the command says, and its exit codes.
Must not know: how checkpoints are saved or read.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch

import glowplug.cli
from glowplug_checkpoint import About, Format, Store, ckpt, save


def run(*arguments: object) -> int:
    """Return the exit code of the command."""
    return glowplug.cli.main(["ckpt", *map(str, arguments)])


def put(store: Store, step: int, weight: float = 0.0, **about: Any) -> None:
    content = {"model": OrderedDict(weight=torch.full((2, 3), weight)), "step": step}
    told = {"iteration": step, "epoch": 1, "sequence": step, "run": "r", **about}
    save(store, f"{step}.pt", content, about=About(**told))


@pytest.fixture
def two(store: Store) -> Store:
    """A folder with the checkpoints of iterations 1 and 2."""
    put(store, 1)
    put(store, 2, weight=0.5)
    return store


def test_a_list_has_a_row_for_each_the_newest_first(
    two: Store, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("list", folder) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == [
        "file",
        "run",
        "epoch",
        "iteration",
        "size",
        "saved",
        "at",
        "format",
        "state",
    ]
    now = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00"
    assert len(rows) == 2
    for step, row in zip((2, 1), rows, strict=True):
        assert re.fullmatch(rf"{step}\.pt  r +1 +{step}  1\.\d kB  {now}  torch   complete", row)


def test_a_list_says_what_is_not_as_it_should_be(
    two: Store, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(two, 3)
    os.truncate(folder / "2.pt", 100)
    (folder / "1.pt").unlink()
    (folder / "3.pt.manifest.json").write_text("{")
    torch.save({}, folder / "mine.pt")
    (folder / "notes.txt").write_text("")
    assert run("list", folder) == 0
    states = [re.split(r" {2,}", row)[::7] for row in capsys.readouterr().out.splitlines()[1:]]
    assert states == [
        ["2.pt", "wrong size"],
        ["1.pt", "no file"],
        ["3.pt", "damaged manifest"],
        ["mine.pt", "no manifest"],
    ]


def test_a_list_for_programs_has_exact_numbers(
    two: Store, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("list", folder, "--json", "--prefix", "2", "--run", "r") == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row.pop("saved_at").startswith("20")
    assert row == {
        "file": "2.pt",
        "run": "r",
        "epoch": 1,
        "iteration": 2,
        "sequence": 2,
        "size": (folder / "2.pt").stat().st_size,
        "format": "torch",
        "state": "complete",
    }


def test_a_list_of_nothing_says_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list", folder) == 0
    assert capsys.readouterr().out == "no checkpoints\n"


def test_a_list_of_a_folder_that_is_not_there_fails(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("list", folder / "none") == 1
    assert "none: it does not exist" in capsys.readouterr().err


def test_a_list_does_without_torch(two: Store, folder: Path) -> None:
    code = (
        "import sys; from glowplug.cli import main; "
        f"main(['ckpt', 'list', {str(folder)!r}]); sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "2.pt" in done.stdout


def test_good_files_are_found_good(
    two: Store, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("verify", folder, folder / "2.pt") == 0
    files = [folder / "1.pt", folder / "2.pt", folder / "2.pt"]
    assert capsys.readouterr().out.splitlines() == [f"good  {file}" for file in files]


def test_every_damaged_file_is_named_and_fails(
    two: Store, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(two, 3)
    os.truncate(folder / "2.pt", 100)
    (folder / "1.pt").unlink()
    assert run("verify", folder) == 1
    first, second, third = capsys.readouterr().out.splitlines()
    assert first.startswith(f"damaged  {folder}/1.pt is gone, and its manifest is still there")
    assert second.startswith(f"damaged  {folder}/2.pt is cut off: it has 100 bytes, expected ")
    assert third == f"good  {folder}/3.pt"


def test_a_file_without_a_manifest_is_read_and_called_unverified(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save({}, folder / "mine.pt")
    assert run("verify", folder) == 0
    assert run("verify", folder / "mine.pt") == 0
    told = f"unverified  {folder}/mine.pt can be read, and has no manifest\n"
    assert capsys.readouterr().out == told * 2


def test_a_file_that_weights_only_refuses_fails(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save({"code": Path()}, folder / "mine.pt")
    assert run("verify", folder) == 1
    assert "it holds what weights_only=True does not read" in capsys.readouterr().out


def test_nothing_to_verify_fails(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("verify", folder) == 1
    assert run("verify", folder / "none.pt") == 1
    told = capsys.readouterr()
    assert f"there is no checkpoint in {folder}" in told.err
    assert told.out == f"damaged  there is no checkpoint {folder}/none.pt\n"


def test_a_checkpoint_does_not_differ_from_itself(
    two: Store, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("diff", folder / "1.pt", folder / "1.pt") == 0
    assert capsys.readouterr().out == ""


def test_a_diff_tells_counters_versions_values_and_tensors(
    store: Store, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(store, 1, versions={"torch": "2.4", "glowplug": "0.1"})
    put(store, 2, weight=0.5, versions={"torch": "2.5", "acme": "3"}, run="s")
    assert run("diff", folder / "1.pt", folder / "2.pt") == 1
    assert capsys.readouterr().out.splitlines() == [
        "run: r -> s",
        "iteration: 1 -> 2",
        "version of acme: none -> 3",
        "version of glowplug: 0.1 -> none",
        "version of torch: 2.4 -> 2.5",
        "changed: step: 1 -> 2",
        "tensors: 1 of 1 differ, at most by 0.5, in model.weight",
    ]


def test_a_diff_tells_keys_and_shapes_and_types(
    store: Store, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nan = float("nan")
    one = {"a": torch.ones(2), "b": torch.ones(1), "c": 1, "d": nan, "e": [1, 2], "f": ["x"] * 99}
    other = {"a": torch.ones(3), "b": torch.ones(1).half(), "c": True, "d": nan, "g": torch.ones(1)}
    save(store, "1.pt", one)
    save(store, "2.safetensors", other, format=Format.SAFETENSORS)
    assert run("diff", folder / "1.pt", folder / "2.safetensors") == 1
    assert capsys.readouterr().out.splitlines() == [
        "only in the first: e: [1, 2]",
        "only in the first: f: ['x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', '...",
        "only in the second: g: float32[1]",
        "changed: a: float32[2] -> float32[3]",
        "changed: b: float32[1] -> float16[1]",
        "changed: c: 1 -> True",
    ]


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        (torch.tensor([1.0, float("nan")]), torch.tensor([1.0, float("nan")]), ""),
        (torch.tensor([1.0, float("nan")]), torch.tensor([1.0, 2.0]), "at most by inf"),
        (torch.tensor([1 + 1j]), torch.tensor([1 + 3j]), "at most by 2,"),
        (torch.tensor([True]), torch.tensor([False]), "at most by 1,"),
        (torch.tensor([2**62]), torch.tensor([2**62 + 1]), "at most by 1,"),
        (torch.eye(2).to_sparse(), torch.eye(2).to_sparse() * 3, "at most by 2,"),
        (torch.zeros(0), torch.zeros(0), ""),
    ],
)
def test_every_kind_of_tensor_can_be_compared(
    store: Store,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    one: torch.Tensor,
    other: torch.Tensor,
    told: str,
) -> None:
    save(store, "1.pt", {"x": one})
    save(store, "2.pt", {"x": other})
    assert run("diff", folder / "1.pt", folder / "2.pt") == bool(told)
    assert told in capsys.readouterr().out


def test_files_that_cannot_be_compared_are_trouble(
    two: Store, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.truncate(folder / "2.pt", 100)
    for where in (folder / "2.pt", folder / "none.pt", folder):
        assert run("diff", folder / "1.pt", where) == 2
    cut_off, missing, no_file = capsys.readouterr().err.splitlines()
    assert "2.pt is cut off" in cut_off
    assert missing == f"glowplug: there is no checkpoint {folder}/none.pt"
    assert no_file == f"glowplug: {folder} is a folder; give one checkpoint of it"


def test_checkpoints_at_urls_can_be_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    from glowplug_checkpoint import store_at

    put(store_at("memory://looked-at"), 1)
    assert run("list", "memory://looked-at") == 0
    assert run("verify", "memory://looked-at", "memory://looked-at/1.pt") == 0
    assert run("diff", "memory://looked-at/1.pt", "memory://looked-at/1.pt") == 0
    assert capsys.readouterr().out.count("good  memory://looked-at/1.pt\n") == 2


def test_a_misused_command_ends_with_two(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["list"], ["no-such-action"]):
        with pytest.raises(SystemExit, match="2"):
            ckpt(arguments)
    assert "usage: glowplug ckpt" in capsys.readouterr().err
