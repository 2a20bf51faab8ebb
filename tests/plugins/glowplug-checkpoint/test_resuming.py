"""A run that is resumed from a checkpoint is the run that was never stopped."""

from __future__ import annotations

import itertools
import random
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader, Dataset, IterableDataset, WeightedRandomSampler
from torchdata.stateful_dataloader import StatefulDataLoader

from glowplug import Engine, EventEnum, Events, component
from glowplug.errors import GlowplugError, InvalidArgument, InvalidType
from glowplug_checkpoint import Checkpoint, InexactWarning, checkpoints, resume, store_at
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


def test_workers_draw_the_same_numbers_after_a_resume() -> None:
    expected, found = whole_and_resumed(
        lambda: DataLoader(Noisy(9), 2, shuffle=True, num_workers=2),
        Events.ITERATION_COMPLETED(once=[2, 5, 8]),
        max_epochs=2,
    )
    assert found == expected


def test_a_run_of_iterations_resumes_too() -> None:
    expected, found = whole_and_resumed(
        lambda: DataLoader(Noisy(5), 2, shuffle=True), Events.ITERATION_COMPLETED, max_iters=8
    )
    assert found == expected


def test_a_run_without_data_resumes_too() -> None:
    expected, found = whole_and_resumed(
        lambda: None, Events.ITERATION_COMPLETED, max_epochs=2, epoch_length=3
    )
    assert found == expected


def test_a_run_resumes_after_an_epoch_that_was_cut_short() -> None:
    def kind(step: Any) -> Engine[Any, Any]:
        engine: Engine[Any, Any] = Engine(step)
        engine.add_event_handler(
            Events.ITERATION_COMPLETED(once=[2, 5]), lambda e: e.terminate_epoch()
        )
        return engine

    expected, found = whole_and_resumed(
        lambda: DataLoader(Noisy(7), 2, shuffle=True),
        Events.EPOCH_COMPLETED | Events.ITERATION_COMPLETED(once=[3, 6, 8]),
        kind=kind,
        max_epochs=4,
    )
    assert found == expected


@given(size=st.integers(1, 6), length=st.none() | st.integers(1, 5))
@settings(max_examples=20, deadline=None)
def test_a_deterministic_engine_resumes_from_any_iteration(size: int, length: int | None) -> None:
    expected, found = whole_and_resumed(
        lambda: DataLoader(Noisy(size), 2, shuffle=True),
        Events.ITERATION_COMPLETED | Events.EPOCH_COMPLETED,
        kind=DeterministicEngine,
        max_epochs=3,
        epoch_length=length,
    )
    assert found == expected


def test_a_run_that_is_resumed_twice_is_still_the_same() -> None:
    def data() -> Any:
        return DataLoader(Noisy(6), 2, shuffle=True)

    whole: Log = []
    engine, _ = make(whole)
    manual_seed(11)
    engine.run(data(), max_epochs=3)
    folder, parts = mkdtemp(), []
    manual_seed(11)
    for stop in (2, 5, 99):
        log: Log = []
        engine, objects = make(log)
        resume(engine, to_load=objects, folder=folder)
        Checkpoint(objects, folder).attach(engine, Events.ITERATION_COMPLETED(every=1))
        engine.add_event_handler(Events.ITERATION_COMPLETED(once=stop), lambda e: e.terminate())
        engine.run(data(), max_epochs=3)
        parts += [entry for entry in log if entry[0] == "step"]
        manual_seed(77)
    assert parts == [entry for entry in whole if entry[0] == "step"]


def test_iterating_over_the_data_in_a_handler_does_not_move_the_place(tmp_path: Path) -> None:
    def data() -> Any:
        return DataLoader(Noisy(6), 2, shuffle=True)

    logs: list[Log] = [[], []]
    for log in logs:
        engine, objects = make(log)
        resume(engine, to_load=objects, folder=tmp_path)
        Checkpoint(objects, tmp_path).attach(engine, Events.ITERATION_COMPLETED(once=2))
        engine.add_event_handler(
            Events.ITERATION_COMPLETED(once=1), lambda e: list(e.state.dataloader)
        )
        manual_seed(11)
        engine.run(data(), max_epochs=2)
    steps = [[entry for entry in log if entry[0] == "step"] for log in logs]
    assert steps[1] == steps[0][2:]


def test_where_nothing_is_saved_there_is_nothing_to_resume(tmp_path: Path) -> None:
    engine, objects = make([])
    assert resume(engine, to_load=objects, folder=tmp_path / "none") is None
    assert resume(engine, to_load=objects, folder=tmp_path) is None
    assert engine.run([1, 2], max_epochs=1).iteration == 2


def test_a_file_that_is_asked_for_must_be_there(tmp_path: Path) -> None:
    engine, objects = make([])
    with pytest.raises(FileNotFoundError, match=r"none\.pt"):
        resume(engine, tmp_path / "none.pt", to_load=objects)


def saved(folder: Path, **more: Any) -> tuple[Engine[Any, Any], dict[str, Any]]:
    """Save a run of two epochs of three batches at its end; return new objects to load."""
    engine, objects = make([])
    Checkpoint({**objects, **more}, folder, n_saved=2, filename_prefix="run").attach(engine)
    engine.run([1, 2, 3], max_epochs=2)
    return make([])


def test_a_run_that_is_done_is_not_trained_again(tmp_path: Path) -> None:
    engine, objects = saved(tmp_path)
    resume(engine, to_load=objects, folder=tmp_path)
    before = objects["weights"].value
    assert engine.run([1, 2, 3]).iteration == 6
    assert objects["weights"].value == before
    assert engine.run([1, 2, 3], max_epochs=3).iteration == 9


def test_what_was_kept_is_kept_on_after_a_resume(tmp_path: Path) -> None:
    engine, objects = saved(tmp_path)
    resume(engine, to_load=objects, folder=tmp_path)
    Checkpoint(objects, tmp_path, n_saved=2, filename_prefix="run").attach(engine)
    engine.run([1, 2, 3], max_epochs=4)
    assert sorted(path.name for path in tmp_path.glob("*.pt")) == [
        "run_checkpoint_12.pt",
        "run_checkpoint_9.pt",
    ]


def test_a_checkpoint_without_the_engine_is_refused(tmp_path: Path) -> None:
    engine, objects = make([])
    Checkpoint({"weights": objects["weights"], "more": Weights()}, tmp_path).attach(engine)
    engine.run([1])
    with pytest.raises(GlowplugError, match=r"does not hold the engine.*'weights', 'more'"):
        resume(engine, to_load=objects, folder=tmp_path)


def test_a_refused_resume_changes_nothing(tmp_path: Path) -> None:
    saved(tmp_path)
    engine, objects = make([])
    with pytest.raises(GlowplugError, match=r"no 'wieghts'.*did you mean 'weights'"):
        resume(engine, to_load={"wieghts": objects["weights"], "other": Weights()}, folder=tmp_path)
    assert (engine.state.iteration, objects["weights"].value) == (0, 1.0)
    assert engine.run([1, 2], max_epochs=1).iteration == 2


@pytest.mark.parametrize(
    ("nothing", "error", "said"),
    [([], InvalidType, "to_load must be a mapping"), ({}, InvalidArgument, "to_load is empty")],
)
def test_objects_that_are_none_are_refused(nothing: Any, error: Any, said: str) -> None:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: batch)
    with pytest.raises(error, match=said):
        resume(engine, to_load=nothing)


class Forgetful:
    """Has a state that somebody should save."""

    def attach(self, engine: Engine[Any, Any]) -> None:
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.note)

    def note(self) -> None: ...

    def state_dict(self) -> dict[str, int]:
        return {}

    def load_state_dict(self, state: dict[str, int]) -> None: ...


def test_a_handler_whose_state_is_not_saved_is_named_at_the_save(tmp_path: Path) -> None:
    engine, objects = make([])
    Forgetful().attach(engine)
    Checkpoint(objects, tmp_path).attach(engine)
    with pytest.warns(InexactWarning, match="Forgetful is attached to 'trainer' and has a state"):
        engine.run([1, 2])


def test_a_handler_whose_state_is_saved_is_not_named(tmp_path: Path) -> None:
    engine, objects = make([])
    forgetful = Forgetful()
    forgetful.attach(engine)
    Checkpoint({**objects, "forgetful": forgetful}, tmp_path).attach(engine)
    engine.run([1, 2])


@pytest.mark.parametrize(
    ("make_data", "said"),
    [
        (lambda: (number for number in range(3)), "a generator, can be iterated once only"),
        (lambda: {1, 2, 3}, "a set, has no state_dict"),
        (
            lambda: DataLoader(Unsaved(), 1),
            "Unsaved has no state_dict.*StatefulDataLoader",
        ),
        (
            lambda: DataLoader(Stream(4), 1, num_workers=1),
            "Stream keeps its place in the worker processes.*StatefulDataLoader",
        ),
    ],
)
def test_data_whose_place_cannot_be_restored_is_named_at_the_save(
    tmp_path: Path, make_data: Callable[[], Any], said: str
) -> None:
    engine, objects = make([])
    Checkpoint(objects, tmp_path).attach(engine, Events.ITERATION_COMPLETED)
    with pytest.warns(InexactWarning, match=said) as warned:
        engine.run(make_data(), epoch_length=2)
    assert len(warned) == 1, "it is said once"


class Unsaved(IterableDataset[Any]):
    def __iter__(self) -> Iterator[int]:
        return iter(range(4))


def test_a_save_in_the_middle_of_an_iteration_says_that_it_is_done_anew(tmp_path: Path) -> None:
    engine, objects = make([])
    Checkpoint(objects, tmp_path).attach(engine, Events.ITERATION_STARTED(once=2))
    with pytest.warns(InexactWarning, match="iteration under way is not saved"):
        engine.run([1, 2, 3])
    resumed, objects = make([])
    assert resume(resumed, to_load=objects, folder=tmp_path) is not None
    assert resumed.state.iteration == 1


def test_a_save_before_the_asked_end_of_an_epoch_says_that_it_is_not_saved(tmp_path: Path) -> None:
    engine, objects = make([])
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=2), lambda e: e.terminate_epoch())
    Checkpoint(objects, tmp_path).attach(engine, Events.ITERATION_COMPLETED)
    with pytest.warns(InexactWarning, match=r"end of the epoch that terminate_epoch\(\) has asked"):
        engine.run([1, 2, 3])


def test_an_engine_that_was_not_followed_from_the_start_says_so(tmp_path: Path) -> None:
    engine, objects = make([])

    @engine.on(Events.ITERATION_COMPLETED(once=1))
    def late() -> None:
        Checkpoint(objects, tmp_path).attach(engine, Events.ITERATION_COMPLETED)

    with pytest.warns(InexactWarning, match=r"run began before.*follow\(engine\)"):
        engine.run([1, 2, 3])


def test_damaged_files_are_passed_over_for_the_newest_good_one(tmp_path: Path) -> None:
    engine, objects = saved(tmp_path)
    newest = tmp_path / "run_checkpoint_6.pt"
    newest.write_bytes(newest.read_bytes()[:-100])
    with pytest.warns(UserWarning, match=r"run_checkpoint_3\.pt.*passed over.*run_checkpoint_6"):
        found = resume(engine, to_load=objects, folder=tmp_path)
    assert found is not None
    assert found.iteration == 3


def test_a_plain_state_of_an_engine_can_be_gone_on_from_and_says_what_is_missing(
    tmp_path: Path,
) -> None:
    engine, objects = make([])
    state = {"epoch_length": 3, "iteration": 4, "max_epochs": 2}
    torch.save({"trainer": state, "weights": {"value": 3.0}}, tmp_path / "old.pt")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        resume(engine, tmp_path / "old.pt", to_load=objects)
    assert any("does not say where in its data 'trainer' stood" in str(w.message) for w in caught)
    assert engine.run([1, 2, 3]).iteration == 6


def test_events_of_others_do_not_count_as_the_runs_own(tmp_path: Path) -> None:
    class Mine(EventEnum):
        SAVING = "saving"

    engine, objects = make([])
    engine.register_events(*Mine)
    engine.add_event_handler(
        Events.ITERATION_COMPLETED(once=2), lambda e: e.fire_event(Mine.SAVING)
    )
    Checkpoint(objects, tmp_path).attach(engine, Mine.SAVING)
    engine.run([1, 2, 3])
    resumed, objects = make([])
    found = resume(resumed, to_load=objects, folder=tmp_path)
    assert found is not None
    assert found.iteration == 2
