"""The shares of ranks in what any sampler draws."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    WeightedRandomSampler,
)
from torch.utils.data.distributed import DistributedSampler

from glowplug_torch import DistributedProxySampler


def shares(sampler: Sampler[Any], count: int, epoch: int = 0) -> list[list[Any]]:
    """Return what each rank draws in an epoch."""
    proxies = [DistributedProxySampler(sampler, count, rank) for rank in range(count)]
    for proxy in proxies:
        proxy.set_epoch(epoch)
    return [list(proxy) for proxy in proxies]


class PythonsOwn(Sampler[int]):
    """Draws from Python's random numbers."""

    def __len__(self) -> int:
        return 20

    def __iter__(self) -> Iterator[int]:
        return iter(random.sample(range(20), 20))


class Growing(Sampler[int]):
    """Draws more each time than it says."""

    length = 2

    def __len__(self) -> int:
        return 2

    def __iter__(self) -> Iterator[int]:
        self.length += 1
        return iter(range(self.length))


class Endless(Sampler[int]):
    """Has no length."""


@given(st.integers(1, 30), st.integers(1, 7))
def test_the_shares_are_the_order_dealt_out_and_begun_again_until_even(
    length: int, count: int
) -> None:
    dealt = list(range(length))
    while len(dealt) % count:
        dealt.append(dealt[len(dealt) - length])
    assert shares(SequentialSampler(range(length)), count) == [
        dealt[i::count] for i in range(count)
    ]


@given(st.integers(1, 30), st.integers(1, 7))
def test_the_length_of_a_share_is_what_it_draws(length: int, count: int) -> None:
    proxy = DistributedProxySampler(SequentialSampler(range(length)), count, 0)
    assert len(proxy) == len(list(proxy))


SAMPLERS: dict[str, Callable[[], Sampler[Any]]] = {
    "random": lambda: RandomSampler(range(20)),
    "own generator": lambda: RandomSampler(range(20), generator=torch.Generator()),
    "weighted": lambda: WeightedRandomSampler(range(1, 21), 20),
    "python's": PythonsOwn,
    "batches": lambda: BatchSampler(
        RandomSampler(range(20), generator=torch.Generator()), 3, False
    ),
}


@pytest.mark.parametrize("name", SAMPLERS)
def test_ranks_with_other_random_numbers_share_one_order(name: str) -> None:
    drawn = []
    for rank in range(2):
        torch.manual_seed(rank)
        random.seed(rank)
        sampler = SAMPLERS[name]()
        for held in (sampler, getattr(sampler, "sampler", None)):
            if getattr(held, "generator", None) is not None:
                held.generator.manual_seed(rank)  # type: ignore[union-attr]  # it has one
        drawn.append(shares(sampler, 2))
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("name", SAMPLERS)
def test_each_epoch_has_an_order_of_its_own_that_comes_again(name: str) -> None:
    sampler = SAMPLERS[name]()
    first, second, again = (shares(sampler, 2, epoch) for epoch in (0, 1, 0))
    assert first == again
    assert first != second


def test_another_seed_is_another_order() -> None:
    proxy = DistributedProxySampler(RandomSampler(range(20)), 2, 0)
    before = list(proxy)
    proxy.seed = 5
    assert list(proxy) != before


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_random_numbers_of_the_process_are_left_as_they_were(name: str) -> None:
    torch.manual_seed(1)
    random.seed(1)
    wanted = torch.rand(3).tolist(), random.random()
    torch.manual_seed(1)
    random.seed(1)
    shares(SAMPLERS[name](), 2)
    assert (torch.rand(3).tolist(), random.random()) == wanted


def test_a_generator_of_the_samplers_own_is_left_as_it_was() -> None:
    generator = torch.Generator().manual_seed(3)
    before = generator.get_state()
    shares(RandomSampler(range(9), generator=generator), 2)
    assert torch.equal(generator.get_state(), before)


def test_without_numbers_the_share_is_that_of_this_process() -> None:
    assert list(DistributedProxySampler(SequentialSampler(range(4)))) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("sampler", "problem"),
    [
        ([0, 1], r"must be a torch.utils.data.Sampler, got \[0, 1\] of type list"),
        (DistributedSampler(range(4), 2, 0), "DistributedSampler is divided among the ranks"),  # type: ignore[arg-type]  # a range has a length
        (Endless(), "Endless has no length, so it cannot be divided evenly"),
    ],
)
def test_what_cannot_be_divided_is_a_type_error(sampler: Any, problem: str) -> None:
    with pytest.raises(TypeError, match=problem):
        DistributedProxySampler(sampler, 2, 0)


@pytest.mark.parametrize(("count", "rank"), [(2, 2), (2, -1), (0, 0), (2, "0"), (None, 1)])
def test_a_share_that_there_is_not_is_an_error(count: Any, rank: Any) -> None:
    with pytest.raises(ValueError, match=f"0 <= rank < num_replicas, got rank={rank!r}"):
        DistributedProxySampler(SequentialSampler(range(4)), count, rank)


def test_an_empty_sampler_is_an_error() -> None:
    with pytest.raises(ValueError, match="draws nothing that ranks could share"):
        DistributedProxySampler(SequentialSampler([]), 2, 0)


def test_a_sampler_that_draws_another_number_than_it_said_is_an_error() -> None:
    with pytest.raises(ValueError, match="Growing had a length of 2 and now drew 3"):
        list(DistributedProxySampler(Growing(), 2, 0))
