"""A resumed run draws the batches and random numbers of one that never stopped."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, WeightedRandomSampler

from glowplug import Engine, Events
from glowplug_supervised import DeterministicEngine, create_supervised_trainer
from glowplug_torch import manual_seed

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


def as_list(batch: Any) -> Any:
    return batch.tolist() if isinstance(batch, torch.Tensor) else batch


def make_engine(log: Log) -> DeterministicEngine[Any, Any]:
    def step(engine: Engine[Any, Any], batch: Any) -> None:
        drawn = random.random(), float(np.random.rand()), float(torch.rand(()))
        log.append((engine.state.iteration, as_list(batch), drawn))

    return DeterministicEngine(step)


def through_a_file(saved: dict[str, Any]) -> dict[str, Any]:
    file = io.BytesIO()
    torch.save(saved, file)
    file.seek(0)
    loaded: dict[str, Any] = torch.load(file, weights_only=True)
    return loaded


def run_whole_and_resumed(
    make_data: Callable[[], Any], stop: int, event: Events = Events.ITERATION_COMPLETED, **ends: Any
) -> tuple[Log, Log]:
    """Run once without a stop, saving at ``stop``; resume from what was saved; return both logs."""
    whole: Log = []
    engine = make_engine(whole)
    saved: list[Any] = []
    engine.add_event_handler(event(once=stop), lambda e: saved.append(e.state_dict()))
    manual_seed(11)
    engine.run(make_data(), **ends)

    rest: Log = []
    resumed = make_engine(rest)
    manual_seed(99)  # another process has other random numbers
    resumed.load_state_dict(through_a_file(saved[0]))
    resumed.run(make_data())
    return whole[saved[0]["iteration"] :], rest


@given(
    size=st.integers(1, 9),
    batch_size=st.integers(1, 3),
    epochs=st.integers(1, 3),
    length=st.none() | st.integers(1, 6),
    data=st.data(),
)
@settings(max_examples=60, deadline=None)
def test_a_shuffled_loader_resumes_at_any_iteration(
    size: int, batch_size: int, epochs: int, length: int | None, data: st.DataObject
) -> None:
    total = epochs * (length or -(-size // batch_size))
    assume(total > 1)
    stop = data.draw(st.integers(1, total - 1), label="stop")

    def make_data() -> Any:
        return DataLoader(Noisy(size), batch_size, shuffle=True)

    whole, rest = run_whole_and_resumed(make_data, stop, max_epochs=epochs, epoch_length=length)
    assert rest == whole


@given(stop=st.integers(1, 9))
@settings(max_examples=9, deadline=None)
def test_a_run_of_iterations_resumes_too(stop: int) -> None:
    whole, rest = run_whole_and_resumed(
        lambda: DataLoader(Noisy(8), 2, shuffle=True), stop, max_iters=10
    )
    assert rest == whole


@pytest.mark.parametrize("stop", [1, 2])
def test_a_run_resumes_from_the_end_of_an_epoch(stop: int) -> None:
    whole, rest = run_whole_and_resumed(
        lambda: DataLoader(Noisy(6), 2, shuffle=True), stop, Events.EPOCH_COMPLETED, max_epochs=3
    )
    assert rest == whole
    assert len(rest) == 3 * (3 - stop)


@pytest.mark.parametrize("stop", [2, 3, 4])
def test_workers_draw_the_same_numbers_after_a_resume(stop: int) -> None:
    def make_data() -> Any:
        return DataLoader(Noisy(12), 4, shuffle=True, num_workers=2)

    whole, rest = run_whole_and_resumed(make_data, stop, max_epochs=2)
    assert rest == whole


def test_what_workers_draw_does_not_depend_on_their_number() -> None:
    logs: list[Log] = []
    for workers in (1, 2):
        logs.append([])
        manual_seed(5)
        make_engine(logs[-1]).run(DataLoader(Noisy(6), 2, shuffle=True, num_workers=workers))
    assert logs[0] == logs[1]


def test_no_two_items_of_a_worker_draw_the_same_numbers() -> None:
    log: Log = []
    make_engine(log).run(DataLoader(Noisy(6), 2, num_workers=1), max_epochs=2)
    noises = [row[1] for _, batch, _ in log for row in batch]
    assert len(set(noises)) == 12


@pytest.mark.parametrize("stop", [1, 3])
def test_batches_that_are_done_are_not_loaded_again(stop: int) -> None:
    class Counted(Noisy):
        loaded = 0

        def __getitem__(self, index: int) -> Any:
            self.loaded += 1
            return super().__getitem__(index)

    engine = make_engine([])
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=stop), lambda e: e.terminate())
    engine.run(DataLoader(Counted(12), 3, shuffle=True), max_epochs=1)
    data = Counted(12)
    resumed = make_engine([])
    resumed.load_state_dict(engine.state_dict())
    resumed.run(DataLoader(data, 3, shuffle=True))
    assert data.loaded == 12 - 3 * stop


@pytest.mark.parametrize("stop", [1, 2, 3, 5])
def test_samplers_and_generators_of_ones_own_resume(stop: int) -> None:
    def make_data() -> Any:
        sampler = WeightedRandomSampler([0.1, 0.9, 0.5, 0.5, 0.2, 0.8], 6)
        return DataLoader(Noisy(6), 2, sampler=sampler, generator=torch.Generator())

    whole, rest = run_whole_and_resumed(make_data, stop, max_epochs=2)
    assert rest == whole


@pytest.mark.parametrize("stop", [1, 2, 3, 4])
def test_a_loader_that_shuffles_by_its_own_generator_resumes(stop: int) -> None:
    generators = iter([torch.Generator().manual_seed(1), torch.Generator().manual_seed(2)])

    def make_data() -> Any:
        return DataLoader(Noisy(6), 2, shuffle=True, generator=next(generators))

    whole, rest = run_whole_and_resumed(make_data, stop, max_epochs=2)
    assert rest == whole


class Stream(IterableDataset[Any]):
    def __iter__(self) -> Iterator[Any]:
        return (torch.rand(2) for _ in range(4))


@pytest.mark.parametrize("stop", [1, 3, 4, 5])
@pytest.mark.parametrize(
    "make_data",
    [
        lambda: [torch.tensor(n) for n in range(4)],
        lambda: DataLoader(Stream(), 2),
        lambda: DataLoader(Noisy(4), batch_size=None, shuffle=True),
    ],
    ids=["list", "iterable-dataset", "without-batches"],
)
def test_other_data_is_fetched_up_to_its_place(make_data: Callable[[], Any], stop: int) -> None:
    whole, rest = run_whole_and_resumed(make_data, stop, max_epochs=3, epoch_length=2)
    assert rest == whole


@pytest.mark.parametrize("stop", [1, 3, 4])
def test_a_run_without_data_resumes(stop: int) -> None:
    whole, rest = run_whole_and_resumed(lambda: None, stop, max_epochs=2, epoch_length=3)
    assert rest == whole


def test_a_run_resumes_after_an_epoch_that_was_ended_early() -> None:
    whole: Log = []
    engine = make_engine(whole)
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=2), lambda e: e.terminate_epoch())
    saved: list[Any] = []
    engine.add_event_handler(
        Events.ITERATION_COMPLETED(once=4), lambda e: saved.append(e.state_dict())
    )
    engine.run(DataLoader(Noisy(8), 2, shuffle=True), max_epochs=2)
    rest: Log = []
    resumed = make_engine(rest)
    resumed.load_state_dict(through_a_file(saved[0]))
    resumed.run(DataLoader(Noisy(8), 2, shuffle=True))
    assert rest[:2] == whole[4:6]


def test_handlers_that_draw_when_an_epoch_begins_do_so_once() -> None:
    logs: list[Log] = []

    def run(saved: dict[str, Any] | None = None) -> dict[str, Any]:
        logs.append([])
        engine = make_engine(logs[-1])
        engine.add_event_handler(Events.EPOCH_STARTED, lambda: torch.rand(3))
        kept: list[Any] = []
        engine.add_event_handler(
            Events.ITERATION_COMPLETED(once=5), lambda e: kept.append(e.state_dict())
        )
        if saved is not None:
            engine.load_state_dict(saved)
        engine.run(DataLoader(Noisy(6), 2, shuffle=True), max_epochs=3)
        return kept[0] if kept else {}

    run(run())
    assert logs[1] == logs[0][5:]


def test_an_interruption_keeps_the_random_numbers() -> None:
    whole: Log = []
    stopped: Log = []
    make_engine_with_seed(whole).run(DataLoader(Noisy(6), 2, shuffle=True))
    engine = make_engine_with_seed(stopped)
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=2), lambda e: e.interrupt())
    loader = DataLoader(Noisy(6), 2, shuffle=True)
    engine.run(loader)
    torch.rand(7)
    engine.run(loader)
    assert stopped == whole


def test_a_state_saved_after_an_interruption_is_that_of_the_interruption() -> None:
    whole: Log = []
    make_engine_with_seed(whole).run(DataLoader(Noisy(6), 2, shuffle=True))
    engine = make_engine_with_seed([])
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=2), lambda e: e.interrupt())
    engine.run(DataLoader(Noisy(6), 2, shuffle=True))
    torch.rand(7)
    rest: Log = []
    resumed = make_engine(rest)
    resumed.load_state_dict(through_a_file(engine.state_dict()))
    resumed.run(DataLoader(Noisy(6), 2, shuffle=True))
    assert rest == whole[2:]


def make_engine_with_seed(log: Log, seed: int = 3) -> DeterministicEngine[Any, Any]:
    engine = make_engine(log)
    engine.state.seed = seed
    return engine


def test_a_seed_of_ones_own_decides_everything() -> None:
    logs: list[Log] = [[], [], []]
    for log, seed in zip(logs, (3, 3, 4), strict=True):
        torch.rand(len(log) + 1)
        make_engine_with_seed(log, seed).run(DataLoader(Noisy(6), 2, shuffle=True))
    assert logs[0] == logs[1]
    assert logs[0] != logs[2]


def test_a_seed_is_drawn_from_the_process_and_kept_in_the_state() -> None:
    seeds = []
    for _ in range(2):
        manual_seed(8)
        seeds.append(make_engine([]).run([1]).seed)
    assert seeds[0] == seeds[1] is not None


def test_epochs_are_shuffled_differently() -> None:
    log: Log = []
    make_engine(log).run(DataLoader(Noisy(50), 50, shuffle=True), max_epochs=2)
    assert log[0][1] != log[1][1]


def test_other_data_in_the_middle_of_a_run_is_drawn_the_same_again() -> None:
    logs: list[Log] = [[], []]
    for log in logs:
        engine = make_engine_with_seed(log)
        other = DataLoader(Noisy(10), 2, shuffle=True)
        engine.add_event_handler(Events.ITERATION_COMPLETED(once=2), engine.set_data, other)
        engine.run(DataLoader(Noisy(6), 2, shuffle=True), epoch_length=6)
        torch.rand(3)
    assert logs[0] == logs[1]


def test_the_users_loader_stays_as_it_is() -> None:
    loader = DataLoader(Noisy(6), 2, shuffle=True, num_workers=1)
    before = dict(vars(loader))
    state = make_engine([]).run(loader)
    assert vars(loader) == before
    assert state.dataloader is not loader
    assert state.dataloader.dataset.size == 6


def test_a_loader_with_a_state_of_its_own_is_left_to_it() -> None:
    class Stateful(DataLoader[Any]):
        def load_state_dict(self, state_dict: Any) -> None:
            raise NotImplementedError

    loader = Stateful(Noisy(4), 2)
    assert make_engine([]).run(loader).dataloader is loader


def test_data_that_became_shorter_is_an_error() -> None:
    engine = make_engine([])
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=3), lambda e: e.terminate())
    engine.run(DataLoader(Noisy(8), 2, shuffle=True))
    resumed = make_engine([])
    resumed.load_state_dict(engine.state_dict())
    with pytest.raises(ValueError, match=r"after batch 3 of a pass .* has 2 now"):
        resumed.run(DataLoader(Noisy(4), 2, shuffle=True))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": "a"}, "'seed' must be None or an integer .*got 'a'"),
        ({"rng_states": None}, "'rng_states': a random state is a mapping"),
        ({"rng_states": {"python": [1]}}, "'rng_states': a random state is a mapping"),
        ({"data_position": {"pass": 0}}, "'data_position' must hold integers 'pass' and 'began'"),
        ({"iteration": -1}, "'iteration' must be an integer"),
    ],
)
def test_a_state_that_cannot_be_resumed_is_refused_and_changes_nothing(
    changes: dict[str, Any], message: str
) -> None:
    engine = make_engine([])
    engine.run([torch.tensor(1)])
    before = through_a_file(engine.state_dict())
    with pytest.raises(ValueError, match=message):
        engine.load_state_dict({**engine.state_dict(), **changes})
    after = engine.state_dict()
    assert {key: after[key] for key in ("seed", "iteration", "data_position")} == {
        key: before[key] for key in ("seed", "iteration", "data_position")
    }


def test_the_state_of_a_plain_engine_is_refused() -> None:
    with pytest.raises(ValueError, match="no state of a DeterministicEngine"):
        make_engine([]).load_state_dict({"epoch_length": 2, "iteration": 2, "max_epochs": 3})


def test_cudnn_is_deterministic_during_a_run_alone() -> None:
    flags: list[Any] = []
    cudnn = torch.backends.cudnn
    before = cudnn.deterministic, cudnn.benchmark
    engine: DeterministicEngine[Any, Any] = DeterministicEngine(
        lambda engine, batch: flags.append((cudnn.deterministic, cudnn.benchmark))
    )
    engine.run([1])
    assert flags == [(True, False)]
    assert (cudnn.deterministic, cudnn.benchmark) == before


@given(stop=st.integers(1, 7))
@settings(max_examples=7, deadline=None)
def test_a_trained_model_with_dropout_ends_with_the_same_weights(stop: int) -> None:
    def make() -> tuple[nn.Module, torch.optim.Optimizer, Engine[Any, Any]]:
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 1)).double()
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

        def prepare(batch: Any, device: Any, non_blocking: bool) -> Any:
            return batch, batch[:, :1]

        trainer = create_supervised_trainer(
            model, optimizer, nn.functional.mse_loss, deterministic=True, prepare_batch=prepare
        )
        return model, optimizer, trainer

    def data() -> Any:
        return DataLoader(Noisy(8), 2, shuffle=True)

    model, optimizer, trainer = make()
    saved: dict[str, Any] = {}

    @trainer.on(Events.ITERATION_COMPLETED(once=stop))
    def save() -> None:
        everything: dict[str, Any] = {"model": model, "optimizer": optimizer, "trainer": trainer}
        saved.update(through_a_file({name: o.state_dict() for name, o in everything.items()}))

    trainer.run(data(), max_epochs=2)
    model_2, optimizer_2, trainer_2 = make()
    model_2.load_state_dict(saved["model"])
    optimizer_2.load_state_dict(saved["optimizer"])
    trainer_2.load_state_dict(saved["trainer"])
    trainer_2.run(data())
    for mine, other in zip(model.parameters(), model_2.parameters(), strict=True):
        assert torch.equal(mine, other)
