"""The scheduler of a loader's batch size."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

import pytest
import torch
from torch.utils.data import BatchSampler, DataLoader, IterableDataset, SequentialSampler

from glowplug import Engine, Events
from glowplug_schedulers import BatchSizeScheduler


class Numbers(IterableDataset[int]):
    """The numbers below 12, which cannot be indexed."""

    def __iter__(self) -> Any:
        return iter(range(12))


class Wrapping(BatchSampler):
    """A sampler of batches that another draws."""

    def __init__(self, batch_sampler: BatchSampler) -> None:
        self.batch_sampler = batch_sampler

    def __iter__(self) -> Any:
        return iter(self.batch_sampler)

    def __len__(self) -> int:
        return len(self.batch_sampler)


class Alone:
    """A sampler of batches of its own."""

    def __iter__(self) -> Any:
        return iter([[0, 1], [2, 3]])


def loader(**settings: Any) -> DataLoader[Any]:
    """A loader of the numbers below 12."""
    data: Any = range(12)
    return DataLoader(data, **{"batch_size": 2, **settings})


def sizes(data: DataLoader[Any], sizes_of_epochs: list[int], **run: Any) -> list[int]:
    """Return how large the batches of a run are."""
    seen: list[int] = []
    engine: Engine[Any, Any] = Engine(lambda engine, batch: seen.append(len(batch)))
    BatchSizeScheduler(data, lambda epoch: sizes_of_epochs[epoch]).attach(engine)
    engine.run(data, max_epochs=len(sizes_of_epochs), **run)
    return seen


def test_each_epoch_has_its_batch_size() -> None:
    assert sizes(loader(), [2, 4, 6], epoch_length=2) == [2, 2, 4, 4, 6, 6]


def test_a_length_that_is_not_given_stays_that_of_the_first_epoch() -> None:
    assert sizes(loader(batch_size=6), [6, 12]) == [6, 6, 12, 12]


@pytest.mark.parametrize("drop_last", [False, True])
def test_a_pass_that_an_epoch_left_unfinished_is_finished_in_the_next(drop_last: bool) -> None:
    seen = sizes(loader(batch_size=4, drop_last=drop_last), [4, 3, 4])
    assert seen == [4, 4, 4, 3, 3, 3, 3, 4, 4]


def test_the_loader_of_torchdata_has_the_new_size_from_the_next_pass_on() -> None:
    warnings.simplefilter("ignore")  # it uses what torch is about to remove
    stateful = importlib.import_module("torchdata.stateful_dataloader").StatefulDataLoader
    seen = sizes(stateful(list(range(12)), batch_size=4), [4, 6, 12])
    assert seen == [4, 4, 4, 6, 6, 6, 6, 12, 12]


def test_workers_draw_batches_of_the_new_size() -> None:
    data = loader(num_workers=1, batch_size=6)
    assert sizes(data, [6, 12]) == [6, 6, 12, 12]


def test_data_that_can_only_be_iterated_comes_in_batches_of_the_new_size() -> None:
    assert sizes(DataLoader(Numbers(), batch_size=2), [2, 4], epoch_length=1) == [2, 4]


def test_a_sampler_that_wraps_another_is_looked_through() -> None:
    drawn = BatchSampler(SequentialSampler(range(12)), 2, drop_last=False)
    data: DataLoader[Any] = DataLoader(
        torch.arange(12),  # type: ignore[arg-type]  # it can be indexed
        batch_sampler=Wrapping(drawn),
    )
    assert sizes(data, [6, 12], epoch_length=2) == [6, 6, 12, 12]


def test_a_loader_without_batches_is_refused() -> None:
    with pytest.raises(ValueError, match="has batch_size=None: it makes no batches"):
        BatchSizeScheduler(loader(batch_size=None), lambda epoch: 2)


def test_a_sampler_without_a_batch_size_is_refused_by_name() -> None:
    data = loader(batch_size=1, batch_sampler=Alone())
    with pytest.raises(ValueError, match="batch sampler, Alone, has no batch_size"):
        BatchSizeScheduler(data, lambda epoch: 2)


def test_what_is_no_loader_is_refused() -> None:
    with pytest.raises(TypeError, match=r"must be a torch.utils.data.DataLoader, got \[1\]"):
        BatchSizeScheduler([1], lambda epoch: 2)  # type: ignore[arg-type]  # on purpose


@pytest.mark.parametrize("size", [0, -1, 2.5, "4", True, None])
def test_what_is_no_batch_size_is_refused_before_anything_changes(size: Any) -> None:
    data = loader()
    scheduler = BatchSizeScheduler(data, lambda epoch: size)
    engine: Engine[Any, Any] = Engine(lambda engine, batch: None)
    scheduler.attach(engine)
    with pytest.raises(ValueError, match=r"scheduler_fn\(0\) must return a batch size"):
        engine.run(data)
    assert (data.batch_sampler.batch_size, scheduler.event_index) == (2, 0)  # type: ignore[union-attr]  # it has one


def test_the_history_has_one_number_an_event() -> None:
    data = loader()
    engine: Engine[Any, Any] = Engine(lambda engine, batch: None)
    BatchSizeScheduler(data, lambda epoch: 2 + epoch, save_history=True).attach(engine)
    state = engine.run(data, max_epochs=3, epoch_length=1)
    assert state.param_history == {"batch_size": [2, 3, 4]}


def going_on(saved: list[Any] | None) -> tuple[list[Any], list[Any]]:
    """Run for two epochs, or to the third iteration, and return what was seen and what is saved."""
    data = loader()
    seen: list[list[int]] = []
    engine: Engine[Any, Any] = Engine(lambda engine, batch: seen.append(batch.tolist()))
    scheduler = BatchSizeScheduler(data, lambda epoch: 3 + epoch)
    scheduler.attach(engine)
    if saved is None:
        engine.add_event_handler(Events.ITERATION_COMPLETED(once=3), engine.interrupt)
    else:
        engine.load_state_dict(saved[0])
        scheduler.load_state_dict(saved[1])
    engine.run(data, max_epochs=2, epoch_length=2)
    return seen, [engine.state_dict(), scheduler.state_dict()]


def test_a_run_that_goes_on_has_the_batch_size_of_its_epoch() -> None:
    _, saved = going_on(None)
    assert going_on(saved)[0] == [[4, 5, 6, 7]]
