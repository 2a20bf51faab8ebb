"""What a checkpoint costs a training: in line, in the background, and with other libraries.

    python docs/benchmarks/saving.py

Owns: the rows of the table "Saving" in this folder's README.
Must not know: events or handlers beyond the one that saves; a model that is any good.

Every contestant trains the same multilayer perceptron with Adam on one thread, in one process, in
turns, and saves model and optimizer every few steps, over the file before. Blocked is how much
longer than the others an iteration takes that saves, seen from the training's thread: copying,
waiting for the save before, and writing where that is done in line. A library that is not installed
is left out.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import torch
from side_by_side import machine, optional, ratio, table, take_turns

import glowplug
import glowplug_checkpoint

plugins_io = optional("lightning.pytorch.plugins.io")
distributed = optional("torch.distributed.checkpoint")

WIDTH, LAYERS, BATCH = 768, 4, 384
NOTHING = "no saving"
Save = Callable[[dict[str, Any], int], None]


class Training:
    """The model, its optimizer, and one step."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        layers = [torch.nn.Linear(WIDTH, WIDTH) for _ in range(LAYERS)]
        self.model = torch.nn.Sequential(*layers)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-4)
        self.batch = torch.randn(BATCH, WIDTH)

    def step(self, *_: Any) -> None:
        """Learn to return what is given."""
        self.optimizer.zero_grad()
        torch.nn.functional.mse_loss(self.model(self.batch), self.batch).backward()
        self.optimizer.step()

    def objects(self) -> dict[str, Any]:
        """What is saved."""
        return {"model": self.model, "optimizer": self.optimizer}

    def states(self) -> dict[str, Any]:
        """What is saved, as the other libraries are given it."""
        return {name: value.state_dict() for name, value in self.objects().items()}

    def nbytes(self) -> int:
        """How large that is."""
        states = self.optimizer.state.values()
        tensors = [tensor for state in states for tensor in state.values()]
        return sum(t.numel() * t.element_size() for t in [*tensors, *self.model.parameters()])


class Cost(NamedTuple):
    """What a run cost.

    Args:
        blocked: seconds for which each save held up the training, on average.
        step: seconds of a step beside which nothing is saved.
        whole: seconds of the run, until all is saved.
        durable: seconds from the beginning of the last save until that, without what the steps in
            between would take by themselves.
    """

    blocked: float
    step: float
    whole: float
    until: float


@contextmanager
def nothing(folder: Path) -> Iterator[Save]:
    """Save nothing."""
    yield lambda states, number: None


@contextmanager
def torch_in_line(folder: Path) -> Iterator[Save]:
    """Write by torch.save, bring the file to the disk, and give it its name."""

    def save(states: dict[str, Any], number: int) -> None:
        with open(folder / "new.pt", "wb") as file:
            torch.save(states, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(folder / "new.pt", folder / "last.pt")

    yield save


@contextmanager
def glowplug_saver(folder: Path, background: bool) -> Iterator[Save]:
    """Write by what a Checkpoint writes by, under two names in turn."""
    disk: Any = glowplug_checkpoint.DiskSaver(folder)
    saver = glowplug_checkpoint.BackgroundSaver(disk) if background else disk
    yield lambda states, number: saver(states, f"{number % 2}.pt") and None
    if background:
        saver.wait()


@contextmanager
def lightning_async(folder: Path) -> Iterator[Save]:
    """Write by Lightning's plugin for saving in the background."""
    plugin = plugins_io.AsyncCheckpointIO(plugins_io.TorchCheckpointIO())
    yield lambda states, number: plugin.save_checkpoint(states, folder / f"{number % 2}.ckpt")
    plugin.teardown()


@contextmanager
def torch_async(folder: Path) -> Iterator[Save]:
    """Write by torch.distributed.checkpoint, waiting for the save before as it asks for."""
    under_way: list[Any] = []

    def save(states: dict[str, Any], number: int) -> None:
        if under_way:
            under_way.pop().result()
        writer = distributed.FileSystemWriter(
            folder / str(number % 2), overwrite=True, cache_staged_state_dict=True
        )
        under_way.append(distributed.async_save(states, storage_writer=writer))

    yield save
    for future in under_way:
        future.result()


ROWS: dict[str, Callable[[Path], Any]] = {
    NOTHING: nothing,
    "`torch.save` and fsync, in line": torch_in_line,
    "glowplug, in line": partial(glowplug_saver, background=False),
    "glowplug, `background=True`": partial(glowplug_saver, background=True),
}
if plugins_io:
    ROWS["Lightning `AsyncCheckpointIO`"] = lightning_async
if distributed:
    ROWS["`torch.distributed.checkpoint.async_save`"] = torch_async
