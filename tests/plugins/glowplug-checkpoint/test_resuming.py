"""A run that is resumed from a checkpoint is the run that was never stopped."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader, Dataset, IterableDataset, WeightedRandomSampler
from torchdata.stateful_dataloader import StatefulDataLoader

from glowplug import Engine, Events, component
from glowplug_checkpoint import Checkpoint, checkpoints, resume, store_at
from glowplug_torch import manual_seed

# torchdata 0.11 calls what torch 2.13 deprecates
pytestmark = pytest.mark.filterwarnings("ignore:'set_vital' is deprecated")

DeterministicEngine: Any = component("trainer", "deterministic-engine")
Log = list[tuple[Any, ...]]


class Noisy(Dataset[Any]):
    """Numbers with noise that is drawn anew at each loading, from every source."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> Any:
        noise = [random.random(), np.random.rand(), float(torch.rand(()))]
        return torch.tensor([float(index), *noise], dtype=torch.float64)


class Stream(IterableDataset[Any]):
    """Numbers that keep their place by themselves."""

    def __init__(self, size: int) -> None:
        self.size, self.place = size, 0

    def __iter__(self) -> Iterator[float]:
        while self.place < self.size:
            self.place += 1
            yield self.place + float(torch.rand(()))
        self.place = 0

    def state_dict(self) -> dict[str, int]:
        return {"place": self.place}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.place = state["place"]


class Weights:
    """What is trained: a number that every batch and every random number changes."""

    def __init__(self) -> None:
        self.value = 1.0

    def state_dict(self) -> dict[str, float]:
        return {"value": self.value}

    def load_state_dict(self, state: dict[str, float]) -> None:
        self.value = state["value"]


def as_list(batch: Any) -> Any:
    return batch.tolist() if isinstance(batch, torch.Tensor) else batch


def make(log: Log, kind: Any = Engine) -> tuple[Engine[Any, Any], dict[str, Any]]:
    """Return an engine that writes down all that a run draws, and what is saved of it."""
    weights = Weights()

    def step(engine: Engine[Any, Any], batch: Any) -> float:
        drawn = random.random() + float(np.random.rand()) + float(torch.rand(()))
        weights.value = 0.5 * weights.value + drawn
        log.append(("step", engine.state.iteration, as_list(batch), weights.value))
        return weights.value

    engine: Engine[Any, Any] = kind(step)

    def draw(engine: Engine[Any, Any], event: str) -> None:
        log.append((event, engine.state.epoch, engine.state.iteration, float(torch.rand(()))))

    for event in (Events.EPOCH_STARTED, Events.EPOCH_COMPLETED, Events.DATALOADER_STOP_ITERATION):
        engine.add_event_handler(event, draw, event.name)
    return engine, {"trainer": engine, "weights": weights}


def whole_and_resumed(
    make_data: Callable[[], Any],
    event: Any,
    *,
    kind: Any = Engine,
    **ends: Any,
) -> tuple[Log, Log]:
    """Run once without a stop, saving at an event; resume from each file; return what differs.

    Returns:
        What was still to come when the last file was saved, and what came after resuming it.
    """
    folder = mkdtemp()
    whole: Log = []
    engine, objects = make(whole, kind)
    marks: list[int] = []
    numbers = itertools.count(1)
    Checkpoint(
        objects, folder, n_saved=None, global_step_transform=lambda *_: next(numbers)
    ).attach(engine, event)
    engine.add_event_handler("SAVED_CHECKPOINT", lambda: marks.append(len(whole)))
    manual_seed(11)
    engine.run(make_data(), **ends)

    expected: Log = []
    found: Log = []
    files = [manifest.file for manifest in reversed(checkpoints(store_at(folder)))]
    assert len(files) == len(marks) > 0
    for file, mark in zip(files, marks, strict=True):
        rest: Log = []
        resumed, objects = make(rest, kind)
        manual_seed(99)  # another process has other random numbers
        resume(resumed, f"{folder}/{file}", to_load=objects)
        resumed.run(make_data())
        begun = [entry[:2] for entry in whole[:mark] if entry[0] == "EPOCH_STARTED"]
        if rest and rest[0][:2] in begun:  # an epoch that had begun begins again
            rest = rest[1:]
        expected += [("file", file), *whole[mark:]]
        found += [("file", file), *rest]
    return expected, found


LOADERS: dict[str, Callable[[int, int], Any]] = {
    "in order": lambda size, batch: DataLoader(Noisy(size), batch),
    "shuffled": lambda size, batch: DataLoader(Noisy(size), batch, shuffle=True),
    "with a generator": lambda size, batch: DataLoader(
        Noisy(size), batch, shuffle=True, generator=torch.Generator().manual_seed(5)
    ),
    "weighted": lambda size, batch: DataLoader(
        Noisy(size), batch, sampler=WeightedRandomSampler([1.0] * size, size)
    ),
    "the last batch dropped": lambda size, batch: DataLoader(
        Noisy(size), min(batch, size), shuffle=True, drop_last=True
    ),
    "a list": lambda size, batch: [[number] * batch for number in range(size)],
    "a stream": lambda size, batch: DataLoader(Stream(size), batch),
    "a stream by itself": lambda size, batch: Stream(size),
    "StatefulDataLoader": lambda size, batch: StatefulDataLoader(Noisy(size), batch, shuffle=True),
}


@pytest.mark.parametrize("kind", LOADERS)
@given(
    size=st.integers(1, 7),
    batch=st.integers(1, 3),
    epochs=st.integers(1, 3),
    length=st.none() | st.integers(1, 5),
    every=st.integers(1, 3),
)
@settings(max_examples=25, deadline=None)
def test_a_run_resumes_from_any_iteration(
    kind: str, size: int, batch: int, epochs: int, length: int | None, every: int
) -> None:
    if length is None and kind.startswith("a stream"):
        length = 2  # the length of a stream is not known before its end
    every = min(every, epochs)
    expected, found = whole_and_resumed(
        lambda: LOADERS[kind](size, batch),
        Events.ITERATION_COMPLETED(every=every) | Events.EPOCH_COMPLETED,
        max_epochs=epochs,
        epoch_length=length,
    )
    assert found == expected
