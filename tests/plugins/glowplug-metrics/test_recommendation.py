"""Metrics of rankings against scikit-learn and slow models."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score
from torch import Tensor
from torchmetrics.functional.retrieval import retrieval_hit_rate

from glowplug.errors import InvalidArgument
from glowplug_metrics import NDCG, HitRate, NotComputableError
from glowplug_metrics.recommendation import TopKMetric

A = torch.tensor
FEW = settings(max_examples=60)
SEEDS = st.integers(0, 2**31)
SIZES = st.tuples(st.integers(1, 6), st.integers(2, 9))
KS = st.lists(st.integers(1, 12), min_size=1, max_size=4)
BOTH: list[Any] = [HitRate, NDCG]


def of(metric: TopKMetric, y_pred: Tensor, y: Tensor) -> list[float]:
    metric.update((y_pred, y))
    return metric.compute()


def distinct(seed: int, size: tuple[int, int]) -> Tensor:
    """Scores of which no two of a user are equal."""
    return torch.rand(size, generator=torch.Generator().manual_seed(seed)).argsort(1).double()


def drawn(seed: int, size: tuple[int, int], most: int) -> Tensor:
    return torch.randint(most + 1, size, generator=torch.Generator().manual_seed(seed))


def ranked(scores: list[float], worth: list[float]) -> list[float]:
    """What the items are worth in the order of their scores, equal ones in their own."""
    keys = [-math.inf if math.isnan(score) else -score for score in scores]
    return [worth[item] for item in sorted(range(len(scores)), key=lambda item: keys[item])]


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


@FEW
@given(seed=SEEDS, size=SIZES, ks=KS, ignore=st.booleans())
def test_a_hit_is_a_relevant_item_among_the_first_k(
    seed: int, size: tuple[int, int], ks: list[int], ignore: bool
) -> None:
    y_pred, y = drawn(seed, size, 3), drawn(seed + 1, size, 1)
    y[0, 0] = 1
    lists = [
        ranked(scores, worth)
        for scores, worth in zip(y_pred.tolist(), y.tolist(), strict=True)
        if any(worth) or not ignore
    ]
    expected = [mean([float(any(worth[:k])) for worth in lists]) for k in sorted(ks)]
    assert of(HitRate(ks, ignore), y_pred, y) == pytest.approx(expected)


@FEW
@given(seed=SEEDS, size=SIZES, k=st.integers(1, 12))
def test_the_rate_of_hits_is_what_torchmetrics_says(
    seed: int, size: tuple[int, int], k: int
) -> None:
    y_pred, y = distinct(seed, size), drawn(seed + 1, size, 1)
    users = zip(y_pred, y, strict=True)
    expected = mean([retrieval_hit_rate(*user, top_k=min(k, size[1])).item() for user in users])
    assert of(HitRate(k, ignore_zero_hits=False), y_pred, y) == pytest.approx([expected])


@FEW
@given(seed=SEEDS, size=SIZES, ks=KS)
def test_linear_gains_are_those_of_scikit_learn(
    seed: int, size: tuple[int, int], ks: list[int]
) -> None:
    y_pred, y = distinct(seed, size), drawn(seed + 1, size, 4)
    expected = [ndcg_score(y, y_pred, k=k) for k in sorted(ks)]
    metric = NDCG(ks, ignore_zero_hits=False, gain_function="linear_rank")
    assert of(metric, y_pred, y) == pytest.approx(expected)


@FEW
@given(seed=SEEDS, size=SIZES, ks=KS, threshold=st.sampled_from([0.5, 1, 2, 3]))
def test_exponential_gains_are_those_of_scikit_learn_for_powers_of_two(
    seed: int, size: tuple[int, int], ks: list[int], threshold: float
) -> None:
    y_pred, y = distinct(seed, size), drawn(seed + 1, size, 4)
    y[0, 0] = 4
    gains = (2**y - 1) * (y >= threshold)
    users = gains.any(1)
    expected = [ndcg_score(gains[users], y_pred[users], k=k) for k in sorted(ks)]
    metric = NDCG(ks, relevance_threshold=threshold)
    assert of(metric, y_pred, y) == pytest.approx(expected)


@FEW
@given(seed=SEEDS, size=SIZES)
def test_items_of_equal_scores_keep_their_order(seed: int, size: tuple[int, int]) -> None:
    y_pred, y = drawn(seed, size, 2), drawn(seed + 1, size, 1)
    order = y_pred.double().argsort(dim=1, descending=True, stable=True)
    falling = torch.arange(size[1], 0, -1).expand(size)
    for make in BOTH:
        metrics = [make([1, 2, 5], ignore_zero_hits=False) for _ in range(2)]
        assert of(metrics[0], y_pred, y) == of(metrics[1], falling, y.gather(1, order))


@pytest.mark.parametrize("make", BOTH)
def test_the_first_of_many_items_of_one_score_is_the_first_of_all(make: Any) -> None:
    y = torch.zeros(1, 5000)
    y[0, 0] = 1
    assert of(make(1), torch.zeros(1, 5000), y) == [1.0]


@pytest.mark.parametrize("make", BOTH)
def test_the_values_are_in_the_order_of_k(make: Any) -> None:
    y_pred, y = A([[3.0, 2.0, 1.0]]), A([[0, 1, 1]])
    one, three = of(make(1), y_pred, y)[0], of(make(3), y_pred, y)[0]
    assert of(make((3, 1)), y_pred, y) == [one, three]
    assert of(make(30), y_pred, y) == [three]


@pytest.mark.parametrize("make", BOTH)
def test_nan_is_the_highest_score_beside_infinity(make: Any) -> None:
    y = A([[0, 0, 1]])
    assert of(make(1), A([[1.0, math.inf, math.nan]]), y) == [0.0]
    assert of(make(1), A([[math.nan, 1.0, math.inf]]), y) == [0.0]
    assert of(make(1), A([[1.0, 2.0, math.nan]]), y) == [1.0]


@pytest.mark.parametrize("make", BOTH)
def test_items_that_are_masked_with_minus_infinity_come_last(make: Any) -> None:
    masked = A([[-math.inf, 1.0, -math.inf, -math.inf]])
    assert of(make(2), masked, A([[0, 0, 0, 1]])) == [0.0]
    assert of(make(4), masked, A([[0, 0, 0, 1]]))[0] > 0


@pytest.mark.parametrize("make", BOTH)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.int32])
def test_scores_and_relevances_may_be_of_any_real_type(make: Any, dtype: torch.dtype) -> None:
    y_pred, y = A([[3, 2, 1], [1, 2, 3]], dtype=dtype), A([[0, 1, 1], [0, 0, 1]], dtype=dtype)
    expected = of(make([1, 2]), y_pred.double(), y.double())
    assert of(make([1, 2]), y_pred, y) == pytest.approx(expected)


@pytest.mark.parametrize("make", BOTH)
def test_users_without_relevant_items_are_ignored_or_count_0(make: Any) -> None:
    y_pred, y = A([[2.0, 1.0], [2.0, 1.0]]), A([[1, 0], [0, 0]])
    assert of(make(1), y_pred, y) == [1.0]
    assert of(make(1, ignore_zero_hits=False), y_pred, y) == [0.5]


@pytest.mark.parametrize("make", BOTH)
def test_only_users_who_are_ignored_have_no_value(make: Any) -> None:
    with pytest.raises(NotComputableError, match="has taken in no example"):
        of(make(1), torch.ones(2, 3), torch.zeros(2, 3))


def test_a_great_relevance_does_not_overflow() -> None:
    assert of(NDCG(1), A([[1.0, 2.0]]), A([[200.0, 199.0]])) == pytest.approx([0.5])


@pytest.mark.parametrize("k", [1, 2])
def test_a_relevance_that_is_nan_makes_the_value_nan(k: int) -> None:
    metric = NDCG(k)
    metric.update((A([[1.0, 2.0]]), A([[1.0, 0.0]])))
    metric.update((A([[1.0, 2.0]]), A([[math.nan, 1.0]])))
    assert math.isnan(metric.compute()[0])


@pytest.mark.parametrize("make", BOTH)
@pytest.mark.parametrize("top_k", [0, -1, 1.5, True, "1", [1, 0], [[1]]])
def test_a_k_that_is_no_positive_whole_number_is_refused(make: Any, top_k: Any) -> None:
    with pytest.raises(InvalidArgument, match="top_k must be a positive whole number, got"):
        make(top_k)


@pytest.mark.parametrize("make", BOTH)
def test_no_k_is_refused(make: Any) -> None:
    with pytest.raises(InvalidArgument, match="top_k must have at least one"):
        make([])


@pytest.mark.parametrize("make", BOTH)
@pytest.mark.parametrize(("shape", "other"), [((3,), (3,)), ((2, 3), (2, 4)), ((2, 0), (2, 0))])
def test_other_shapes_are_refused(make: Any, shape: Any, other: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"expected y_pred and y of one shape \(N, I\)"):
        of(make(1), torch.ones(shape), torch.ones(other))


@pytest.mark.parametrize(("make", "value"), [(HitRate, 2.0), (HitRate, math.nan), (NDCG, -1.0)])
def test_other_values_of_the_targets_are_refused(make: Any, value: float) -> None:
    with pytest.raises(InvalidArgument, match=f"{make.__name__} expected y of"):
        of(make(1), torch.ones(1, 2), A([[0.0, value]]))


def test_another_gain_function_is_refused() -> None:
    with pytest.raises(
        InvalidArgument, match=r"gain_function must be one of exp_rank, linear_rank"
    ):
        NDCG(1, gain_function="exp")


@pytest.mark.parametrize("threshold", [-1, "1", math.nan])
def test_a_threshold_that_is_no_number_is_refused(threshold: Any) -> None:
    with pytest.raises(InvalidArgument, match="relevance_threshold must be a number, 0 or more"):
        NDCG(1, relevance_threshold=threshold)
