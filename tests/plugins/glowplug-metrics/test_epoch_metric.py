from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from torch import Tensor

from glowplug.errors import InvalidArgument, InvalidType
from glowplug_metrics import EpochMetric, EpochMetricWarning, NotComputableError

A = torch.tensor


def both(y_pred: Tensor, y: Tensor) -> tuple[list[Any], list[Any]]:
    return y_pred.tolist(), y.tolist()


@given(seed=st.integers(0, 2**31), sizes=st.lists(st.integers(1, 5), min_size=2, max_size=5))
def test_the_function_sees_everything(seed: int, sizes: list[int]) -> None:
    y_pred = torch.rand(sum(sizes), generator=torch.Generator().manual_seed(seed))
    y = torch.arange(sum(sizes)) % 2
    metric = EpochMetric(lambda y_pred, y: roc_auc_score(y, y_pred), check_compute_fn=False)
    for batch in zip(y_pred.split(sizes), y.split(sizes), strict=True):
        metric.update(batch)
    assert metric.compute() == pytest.approx(roc_auc_score(y, y_pred))


def test_a_column_is_kept_as_single_values() -> None:
    metric = EpochMetric(both)
    metric.update((A([[1.0], [2.0]]), A([0, 1])))
    metric.update((A([3.0]), A([[1]])))
    assert metric.compute() == ([1.0, 2.0, 3.0], [0, 1, 1])


def test_it_can_be_computed_in_between() -> None:
    metric = EpochMetric(both)
    metric.update((A([1.0]), A([0])))
    assert metric.compute() == ([1.0], [0])
    metric.update((A([2.0]), A([1])))
    assert metric.compute() == ([1.0, 2.0], [0, 1])


def test_a_step_may_use_its_buffers_again() -> None:
    metric = EpochMetric(both)
    buffer = A([1.0])
    for value in (1.0, 2.0):
        metric.update((buffer.fill_(value), buffer))
    assert metric.compute() == ([1.0, 2.0], [1.0, 2.0])


def test_what_the_function_returns_is_shown(final: Callable[..., dict[str, Any]]) -> None:
    metric = EpochMetric(lambda y_pred, y: (y_pred - y).mean(), check_compute_fn=False)
    assert final(metric, [(A([1.0]), A([0.0])), (A([4.0]), A([1.0]))]) == {"m": 2.0}


def test_a_function_that_fails_on_the_first_outputs_is_warned_of_once() -> None:
    metric = EpochMetric(lambda y_pred, y: 1 / 0)
    with pytest.warns(EpochMetricWarning, match="ZeroDivisionError: division by zero") as caught:
        metric.update((A([1.0]), A([0.0])))
    assert len(caught) == 1
    metric.update((A([1.0]), A([0.0])))


def test_the_function_is_not_tried_where_that_is_not_wanted() -> None:
    EpochMetric(lambda y_pred, y: 1 / 0, check_compute_fn=False).update((A([1.0]), A([0.0])))


@pytest.mark.parametrize(
    ("pred_shape", "shape"), [((), ()), ((3, 2, 2), (3, 2, 2)), ((3,), (4,)), ((3, 2), (3, 2, 2))]
)
def test_other_shapes_are_an_error_that_shows_them(
    pred_shape: tuple[int, ...], shape: tuple[int, ...]
) -> None:
    with pytest.raises(InvalidArgument, match=r"EpochMetric expected .* \(N,\) or \(N, C\) each"):
        EpochMetric(both).update((torch.ones(pred_shape), torch.ones(shape)))


def test_a_function_that_cannot_be_called_is_refused() -> None:
    with pytest.raises(InvalidType, match="compute_fn must be callable, got 3 of type int"):
        EpochMetric(3)  # type: ignore[arg-type]  # that is what is tested


def test_nothing_taken_in_is_not_computable() -> None:
    with pytest.raises(NotComputableError, match="EpochMetric has taken in no example"):
        EpochMetric(both).compute()
