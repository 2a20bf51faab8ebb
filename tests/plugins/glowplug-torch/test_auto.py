"""Loader, model and optimizer for one process, and for the ranks of a group."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import (
    BatchSampler,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    TensorDataset,
)
from torch.utils.data.distributed import DistributedSampler

import glowplug_torch as gt
from glowplug import Engine, Events

DIGITS: Any = list(range(12))  # a list is a dataset too, which its type does not say
EPOCHS, BATCH = 3, 4


class Counting(IterableDataset[int]):
    """Counts to ten, on each rank."""

    def __iter__(self) -> Iterator[int]:
        return iter(range(10))


def batches(loader: Any) -> list[list[int]]:
    """Return the batches as lists."""
    return [batch.tolist() for batch in loader]


def joined(lists: Iterable[list[int]]) -> list[int]:
    """Return the members of lists as one list."""
    return list(chain.from_iterable(lists))


def with_warnings(make: Callable[[], Any]) -> tuple[Any, list[str]]:
    """Return what a call returned, and the warnings that it gave."""
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        value = make()
    return value, [f"{w.category.__name__}: {w.message}" for w in given]


def share(local_rank: int) -> dict[str, Any]:
    """Return what this rank's loaders give, and what their batches and workers are."""
    ordered = gt.auto_dataloader(DIGITS, batch_size=BATCH)
    shuffled = gt.auto_dataloader(DIGITS, batch_size=BATCH, shuffle=True)
    assert isinstance(shuffled.sampler, DistributedSampler)
    told: dict[str, Any] = {"ordered": batches(ordered), "shuffled": []}
    for epoch in range(2):
        shuffled.sampler.set_epoch(epoch)
        told["shuffled"].append(joined(batches(shuffled)))
    mine = gt.auto_dataloader(DIGITS, batch_size=BATCH, sampler=RandomSampler(DIGITS))
    told["own sampler"] = type(mine.sampler).__name__, joined(batches(mine))
    divided: Any = DistributedSampler(DIGITS, shuffle=False)
    told["divided"] = gt.auto_dataloader(DIGITS, sampler=divided).sampler is divided
    by_two = gt.DistributedProxySampler(BatchSampler(SequentialSampler(DIGITS), 2, False))
    told["divided batches"] = batches(gt.auto_dataloader(DIGITS, batch_sampler=by_two))
    sizes = [gt.auto_dataloader(DIGITS, num_workers=n, batch_size=None) for n in range(4)]
    told["workers"] = [loader.num_workers for loader in sizes]
    return {**told, **warn(local_rank)}


def warn(local_rank: int) -> dict[str, Any]:
    """Return what this rank's loaders give where a warning is due."""
    whole = BatchSampler(SequentialSampler(DIGITS), 6, False)
    counted, said = with_warnings(lambda: gt.auto_dataloader(Counting(), batch_size=10))
    return {
        "odd": with_warnings(lambda: gt.auto_dataloader(DIGITS, batch_size=7).batch_size),
        "one": with_warnings(lambda: gt.auto_dataloader(DIGITS, batch_size=1).batch_size),
        "whole": with_warnings(lambda: batches(gt.auto_dataloader(DIGITS, batch_sampler=whole))),
        "counted": (batches(counted), said),
    }


def data() -> tuple[torch.Tensor, torch.Tensor]:
    """Return inputs and targets, the same in every process."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(24, 5, generator=generator)
    return x, x.sum(dim=1, keepdim=True).sin()


def train(local_rank: int) -> list[torch.Tensor]:
    """Train a small network through the three functions, and return its weights."""
    torch.manual_seed(0)
    model = gt.auto_model(nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 1)))
    optimizer = gt.auto_optim(torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9))
    loader = gt.auto_dataloader(TensorDataset(*data()), batch_size=8)

    def step(engine: Engine[Any, Any], batch: list[torch.Tensor]) -> float:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(batch[0]), batch[1])
        loss.backward()
        optimizer.step()
        return loss.item()

    trainer = Engine(step)
    if isinstance(loader.sampler, DistributedSampler):
        sampler = loader.sampler
        trainer.add_event_handler(
            Events.EPOCH_STARTED, lambda engine: sampler.set_epoch(engine.state.epoch)
        )
    trainer.run(loader, max_epochs=EPOCHS)
    return [parameter.detach() for parameter in model.parameters()]


def prepare(local_rank: int) -> dict[str, Any]:
    """Return what becomes of models on this rank."""
    normalised = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    frozen = nn.Linear(2, 2).requires_grad_(False)
    with pytest.raises(ValueError, match="sync_bn=True needs processes with GPUs"):
        gt.auto_model(normalised, sync_bn=True)
    wrapped = gt.auto_model(normalised, bucket_cap_mb=1)
    with pytest.raises(TypeError, match="is not wrapped yet, got DistributedDataParallel"):
        gt.auto_model(wrapped)
    return {
        "wrapped": isinstance(wrapped, DistributedDataParallel) and wrapped.module is normalised,
        "frozen": gt.auto_model(frozen) is frozen,
    }


def everything(local_rank: int) -> dict[str, Any]:
    """Return what all of the above tell, for one start of processes."""
    models = {} if torch.cuda.is_available() else prepare(local_rank)
    return {**share(local_rank), **models, "weights": train(local_rank)}


@pytest.fixture(scope="module")
def told(ranks: Callable[..., Any]) -> list[dict[str, Any]]:
    """What two ranks tell."""
    by_rank: list[dict[str, Any]] = ranks(2, everything)
    return by_rank


def test_the_batches_of_the_ranks_together_are_those_of_one_process(
    told: list[dict[str, Any]],
) -> None:
    pairs = zip(told[0]["ordered"], told[1]["ordered"], strict=True)
    whole = batches(gt.auto_dataloader(DIGITS, batch_size=BATCH))
    assert [sorted(first + second) for first, second in pairs] == whole


def test_the_ranks_share_one_shuffled_order_which_changes_with_the_epoch(
    told: list[dict[str, Any]],
) -> None:
    epochs = [joined(rank["shuffled"][epoch] for rank in told) for epoch in range(2)]
    assert sorted(epochs[0]) == sorted(epochs[1]) == DIGITS
    assert epochs[0] != epochs[1]


def test_a_sampler_of_the_users_own_is_divided(told: list[dict[str, Any]]) -> None:
    names, drawn = zip(*(rank["own sampler"] for rank in told), strict=True)
    assert names == ("DistributedProxySampler",) * 2
    assert sorted(joined(drawn)) == DIGITS


def test_a_sampler_that_is_divided_already_is_used_as_it_is(told: list[dict[str, Any]]) -> None:
    assert [rank["divided"] for rank in told] == [True, True]


def test_batches_can_be_divided_by_the_proxy(told: list[dict[str, Any]]) -> None:
    assert [rank["divided batches"][0] for rank in told] == [[0, 1], [2, 3]]


def test_the_workers_are_divided_among_the_processes_of_a_node(told: list[dict[str, Any]]) -> None:
    assert [rank["workers"] for rank in told] == [[0, 1, 1, 2]] * 2


@pytest.mark.parametrize(("name", "size", "whole"), [("odd", 3, 6), ("one", 1, 2)])
def test_a_batch_that_cannot_be_divided_evenly_is_warned_of(
    told: list[dict[str, Any]], name: str, size: int, whole: int
) -> None:
    for got, (warning,) in (rank[name] for rank in told):
        assert got == size
        assert f"each has {size}, so all together have {whole}" in warning
        assert warning.startswith("RanksWarning")


def test_a_batch_sampler_that_every_rank_reads_whole_is_warned_of(
    told: list[dict[str, Any]],
) -> None:
    for got, (warning,) in (rank["whole"] for rank in told):
        assert len(got) == 2
        assert "DistributedProxySampler(batch_sampler) divides them" in warning


def test_a_dataset_without_indices_has_its_batch_divided_and_is_warned_of(
    told: list[dict[str, Any]],
) -> None:
    for got, (warning,) in (rank["counted"] for rank in told):
        assert got == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
        assert "Counting is an IterableDataset, which only itself can divide" in warning


def test_two_ranks_learn_the_weights_of_one_process_with_the_whole_batch(
    told: list[dict[str, Any]],
) -> None:
    alone = train(0)
    for rank in told:
        torch.testing.assert_close(rank["weights"], alone, rtol=1e-5, atol=1e-6)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there are GPUs, and it does more")
def test_a_model_is_wrapped_where_it_has_something_to_train(told: list[dict[str, Any]]) -> None:
    assert [(rank["wrapped"], rank["frozen"]) for rank in told] == [(True, True)] * 2


def test_in_one_process_a_loader_is_as_it_was_asked_for() -> None:
    loader = gt.auto_dataloader(DIGITS, batch_size=5, num_workers=0, drop_last=True)
    assert (loader.batch_size, loader.drop_last) == (5, True)
    assert isinstance(loader.sampler, SequentialSampler)
    assert loader.pin_memory == torch.cuda.is_available()


def test_in_one_process_a_model_is_moved_and_not_wrapped() -> None:
    model = nn.Linear(2, 1)
    assert gt.auto_model(model, sync_bn=True, find_unused_parameters=True) is model
    assert model.weight.device.type == gt.device().type


@pytest.mark.parametrize("model", ["text", None, nn.Linear])
def test_what_is_no_model_is_a_type_error(model: Any) -> None:
    with pytest.raises(TypeError, match=f"is not wrapped yet, got {type(model).__name__}"):
        gt.auto_model(model)


def test_an_optimizer_is_given_back_and_its_unused_options_are_warned_of() -> None:
    optimizer = torch.optim.SGD(nn.Linear(2, 1).parameters(), lr=0.1)
    with pytest.warns(gt.RanksWarning, match="no use for compression"):
        assert gt.auto_optim(optimizer, compression=None) is optimizer


def test_what_is_no_optimizer_is_a_type_error() -> None:
    with pytest.raises(TypeError, match=r"is a torch.optim.Optimizer, got 3 of type int"):
        gt.auto_optim(3)  # type: ignore[type-var]  # the error is what is tested


@pytest.mark.parametrize(
    "options", [{"batch_size": 0}, {"batch_size": "4"}, {"num_workers": -1}, {"batch_size": 2.0}]
)
def test_a_number_that_cannot_be_divided_is_an_error(
    ranks: Callable[..., Any], options: dict[str, Any]
) -> None:
    ((name, value),) = options.items()
    with pytest.raises(gt.RankFailed, match=f"{name} must be an integer of at .* got {value!r}"):
        ranks(2, divide, options)


def divide(local_rank: int, options: dict[str, Any]) -> None:
    """Make a loader on this rank."""
    gt.auto_dataloader(DIGITS, **options)
