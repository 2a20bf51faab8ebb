"""Readers of a checkpoint that is saved anew meanwhile.

Owns: that a reader gets a whole checkpoint, and the manifest that belongs to it.
Must not know: what happens where nobody writes.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest
import torch

from glowplug_checkpoint import About, LocalStore, load, load_newest, save

SAVE_AGAIN_AND_AGAIN = """
import sys, torch
from glowplug_checkpoint import About, LocalStore, save
store, step = LocalStore(sys.argv[1]), 1
while True:
    content = {"step": step, "weights": torch.full((100_000,), float(step))}
    save(store, "last.pt", content, about=About(iteration=step, sequence=step))
    if step == 1:
        print("ready", flush=True)
    step += 1
"""


def test_a_reader_beside_a_process_that_saves_gets_whole_checkpoints(folder: Path) -> None:
    asked = [sys.executable, "-c", SAVE_AGAIN_AND_AGAIN, str(folder)]
    with subprocess.Popen(asked, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        steps = []
        for _ in range(30):
            manifest, content = load_newest(LocalStore(folder))
            assert torch.equal(content["weights"], torch.full((100_000,), float(content["step"])))
            assert manifest.iteration == content["step"]
            steps += [content["step"], load(LocalStore(folder), "last.pt")["step"]]
        writer.kill()
    assert steps == sorted(steps)


class Busy(LocalStore):
    """A store in which somebody saves whenever a checkpoint is about to be read, and again then."""

    def __init__(self, folder: Path, steps: list[int]) -> None:
        super().__init__(folder)
        self.steps = steps

    def save(self) -> None:
        if self.steps:
            step = self.steps.pop(0)
            about = About(iteration=step, sequence=step)
            save(LocalStore(self.location), "last.pt", {"step": step}, about=about)

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        if name == "last.pt":
            self.save()
        with super().open(name) as file:
            if name == "last.pt":
                self.save()
            yield file


@pytest.mark.parametrize("saves", range(6))
def test_a_file_that_is_replaced_while_it_is_read_is_read_anew(folder: Path, saves: int) -> None:
    store = Busy(folder, [1, *range(2, 2 + saves)])
    store.save()
    manifest, content = load_newest(store)
    assert manifest.iteration == content["step"]
