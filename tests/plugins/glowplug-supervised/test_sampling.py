"""Batches that come in the same order again."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
)

from glowplug import Engine
from glowplug_supervised import ReproducibleBatchSampler, keep_random_state, update_dataloader
from glowplug_torch import manual_seed


def shuffled(size: int = 7, batch_size: int = 2) -> BatchSampler:
    return BatchSampler(RandomSampler(range(size)), batch_size, drop_last=False)


@given(
    size=st.integers(1, 20),
    batch_size=st.integers(1, 6),
    start=st.integers(0, 25),
    seed=st.integers(0, 99),
)
def test_a_pass_that_begins_later_is_the_end_of_the_whole_pass(
    size: int, batch_size: int, start: int, seed: int
) -> None:
    manual_seed(seed)
    whole = list(ReproducibleBatchSampler(shuffled(size, batch_size)))
    manual_seed(seed)
    rest = list(ReproducibleBatchSampler(shuffled(size, batch_size), start_iteration=start))
    assert rest == whole[start:]
    assert sorted(index for batch in whole for index in batch) == list(range(size))


def test_all_batches_are_drawn_when_the_pass_begins() -> None:
    manual_seed(1)
    expected = list(ReproducibleBatchSampler(shuffled()))
    manual_seed(1)
    batches = iter(ReproducibleBatchSampler(shuffled()))
    manual_seed(2)
    assert list(batches) == expected


def test_only_the_next_pass_is_shortened() -> None:
    sampler = ReproducibleBatchSampler(
        BatchSampler(SequentialSampler(range(4)), 2, drop_last=False), start_iteration=1
    )
    assert (list(sampler), list(sampler)) == ([[2, 3]], [[0, 1], [2, 3]])


def test_its_length_is_that_of_a_whole_pass() -> None:
    assert len(ReproducibleBatchSampler(shuffled(7, 2), start_iteration=3)) == 4


@pytest.mark.parametrize(
    ("sampler", "start", "kind", "message"),
    [
        (3, None, TypeError, "batch_sampler must yield batches of indices.*int"),
        ([[0]], -1, ValueError, "start_iteration must be 0 or more, got -1"),
    ],
)
def test_impossible_arguments_are_refused(
    sampler: Any, start: int | None, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        ReproducibleBatchSampler(sampler, start)


class NamedLoader(DataLoader[Any]):
    """A loader whose constructor takes other arguments than its base's."""

    def __init__(self, name: str) -> None:
        numbers: Any = list(range(6))  # any sequence serves
        super().__init__(numbers, batch_size=2, collate_fn=self.collate)
        self.name = name

    def collate(self, batch: list[Any]) -> list[Any]:
        return [self.name, *batch]


def test_an_updated_loader_is_of_the_same_class_with_the_same_settings() -> None:
    loader = NamedLoader("mine")
    sampler = ReproducibleBatchSampler(loader.batch_sampler, start_iteration=2)
    updated = update_dataloader(loader, sampler)
    assert type(updated) is NamedLoader
    assert updated.name == "mine"
    assert list(updated) == [["mine", 4, 5]]
    assert list(loader) == [["mine", 0, 1], ["mine", 2, 3], ["mine", 4, 5]]


def test_an_updated_loader_has_workers_of_its_own() -> None:
    numbers: Any = range(4)  # any sequence serves
    loader: DataLoader[int] = DataLoader(
        numbers, batch_size=2, num_workers=1, persistent_workers=True
    )
    next(iter(loader))
    sampler = ReproducibleBatchSampler(loader.batch_sampler, start_iteration=1)
    updated = update_dataloader(loader, sampler)
    assert [batch.tolist() for batch in updated] == [[2, 3]]
    assert [batch.tolist() for batch in loader] == [[0, 1], [2, 3]]


class Stream(IterableDataset[int]):
    def __iter__(self) -> Any:
        return iter(range(3))


def test_a_loader_without_a_batch_sampler_cannot_be_updated() -> None:
    with pytest.raises(ValueError, match="draws no batches of indices"):
        update_dataloader(DataLoader(Stream()), shuffled())
    with pytest.raises(TypeError, match="must be a torch DataLoader, got list"):
        update_dataloader([1], shuffled())  # type: ignore[arg-type]  # on purpose


def test_a_plain_engine_resumes_through_a_reproducible_sampler_without_loading() -> None:
    class Counted(list[int]):
        loaded = 0

        def __getitem__(self, index: Any) -> Any:
            self.loaded += 1
            return super().__getitem__(index)

    data = Counted(range(6))
    numbers: Any = data  # any sequence serves
    loader: DataLoader[int] = DataLoader(numbers, batch_size=2)
    loader = update_dataloader(loader, ReproducibleBatchSampler(loader.batch_sampler))
    engine: Engine[Any, Any] = Engine(lambda engine, batch: batch.tolist())
    engine.load_state_dict({"epoch_length": 3, "iteration": 2, "max_epochs": 1})
    assert engine.run(loader).output == [4, 5]
    assert data.loaded == 2


def test_a_function_that_keeps_the_random_state_draws_nothing_from_the_run() -> None:
    manual_seed(4)
    expected = torch.rand(2)
    manual_seed(4)

    @keep_random_state
    def handler(count: int) -> torch.Tensor:
        return torch.rand(count)

    assert handler(3).shape == (3,)
    assert torch.equal(torch.rand(2), expected)


def test_the_random_state_is_kept_when_the_function_raises() -> None:
    def fail() -> None:
        torch.rand(5)
        raise KeyError("spoiled")

    manual_seed(4)
    expected = torch.rand(2)
    manual_seed(4)
    with pytest.raises(KeyError, match="spoiled"):
        keep_random_state(fail)()
    assert torch.equal(torch.rand(2), expected)
