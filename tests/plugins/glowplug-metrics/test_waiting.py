"""Small batches that wait before they are taken in."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from glowplug_metrics import MeanAbsoluteError, PredictionMetric
from glowplug_metrics.waiting import MOST, ROOM, SMALL

A = torch.tensor


class Lengths(PredictionMetric):
    """Keeps how long the batches are that it accumulates."""

    joins = True

    def __init__(self) -> None:
        super().__init__()
        self.lengths: list[tuple[int, torch.dtype]] = []

    def accumulate(self, y_pred: Tensor, y: Tensor) -> None:
        assert len(y_pred) == len(y)
        self.lengths.append((len(y), y.dtype))

    def compute(self) -> list[int]:
        self.accumulate_waiting()
        return [length for length, _ in self.lengths]


def lengths_of(*batches: Any) -> list[int]:
    metric = Lengths()
    for y_pred, y in batches:
        metric.update((y_pred, y))
    return metric.compute()


def ones(n: int, *shape: int, **kwargs: Any) -> tuple[Tensor, Tensor]:
    return torch.ones(n, *shape, **kwargs), torch.ones(n)


def test_small_batches_are_accumulated_together() -> None:
    assert lengths_of(ones(3), ones(5), ones(1)) == [9]


def test_a_large_batch_does_not_wait_and_comes_after_those_that_do() -> None:
    assert lengths_of(ones(3), ones(2 * SMALL), ones(1)) == [3, 2 * SMALL, 1]


def test_so_many_batches_wait_and_no_more() -> None:
    assert lengths_of(*[ones(2)] * (MOST + 1)) == [2 * MOST, 2]


def test_so_many_numbers_wait_and_no_more() -> None:
    batches = ROOM // 2 // SMALL
    assert lengths_of(*[ones(SMALL)] * (batches + 1)) == [batches * SMALL, SMALL]


@pytest.mark.parametrize("other", [ones(2, 3), ones(2, dtype=torch.float16)])
def test_batches_of_another_form_are_not_joined(other: Any) -> None:
    assert lengths_of(ones(4), ones(1), other, ones(3)) == [5, 2, 3]


def test_what_waits_is_forgotten_with_the_rest() -> None:
    metric = Lengths()
    metric.update(ones(3))
    metric.reset()
    assert metric.compute() == []


def test_what_waits_is_pickled_with_the_rest() -> None:
    metric = MeanAbsoluteError()
    metric.update((A([1.0]), A([4.0])))
    copied = pickle.loads(pickle.dumps(metric))
    for one in (metric, copied):
        one.update((A([1.0]), A([2.0])))
        assert one.compute() == 2.0


def test_asking_for_the_value_leaves_what_waits_waiting() -> None:
    metric = MeanAbsoluteError()
    for _ in range(2):
        metric.update((A([1.0]), A([4.0])))
        assert metric.compute() == 3.0
    assert metric.count == 0
    metric.accumulate_waiting()
    assert metric.count == 2


def test_what_waits_is_saved_batch_by_batch() -> None:
    metric = MeanAbsoluteError()
    for _ in range(2):
        metric.update((A([1.0]), A([4.0])))
    saved = metric.state_dict()
    assert saved["count"] == 0
    assert saved["waiting_differences"] == [A([3.0]), A([3.0])]
    restored = MeanAbsoluteError()
    restored.load_state_dict(saved)
    assert restored.compute() == 3.0


def test_what_waits_on_several_ranks_is_taken_in_before_it_is_saved(ranks: Any) -> None:
    def work(rank: int) -> Any:
        metric = MeanAbsoluteError()
        for length in (2, 3):  # rows of other lengths could not be gathered
            metric.update((torch.ones(1, length + rank), torch.zeros(1, length + rank)))
        saved = metric.state_dict()
        return saved["count"], saved["waiting_differences"]

    assert ranks.run(work) == [(5 + 7 + 9, [])] * 3


def test_what_is_loaded_waits_where_the_other_states_are() -> None:
    metric, restored = MeanAbsoluteError(), MeanAbsoluteError()
    metric.update((A([1.0]), A([4.0])))
    restored.follow(torch.device("meta"))
    restored.load_state_dict(metric.state_dict())
    assert [part.device.type for part in restored.waiting_differences] == ["meta"]


def test_what_was_loaded_goes_where_the_next_batch_is() -> None:
    metric, restored = MeanAbsoluteError(), MeanAbsoluteError()
    metric.update((A([1.0]), A([4.0])))
    restored.load_state_dict(metric.state_dict())
    restored.update((torch.ones(2, device="meta"), torch.ones(2, device="meta")))
    assert [part.device.type for part in restored.waiting_differences] == ["meta", "meta"]


def test_a_batch_that_needs_gradients_is_kept_without_them() -> None:
    metric = MeanAbsoluteError()
    metric.update((A([1.0], requires_grad=True), A([4.0])))
    metric.accumulate_waiting()
    assert not metric.total.requires_grad


@given(sizes=st.lists(st.sampled_from([0, 1, 7, 600, SMALL, SMALL + 1, 9000]), min_size=1))
def test_whatever_waits_the_mean_is_that_of_all(sizes: list[int]) -> None:
    metric, numbers = MeanAbsoluteError(), torch.arange(sum(sizes) + 1.0)
    for batch in numbers.split([*sizes, 1]):
        metric.update((batch, torch.zeros(len(batch))))
    assert metric.compute() == pytest.approx(numbers.double().mean().item())
