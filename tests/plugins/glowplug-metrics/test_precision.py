"""In what precision predictions are held against their targets, and what that keeps."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from scipy.spatial import distance
from skimage.metrics import peak_signal_noise_ratio
from sklearn import metrics
from torch import Tensor

from glowplug_metrics import (
    PSNR,
    CosineSimilarity,
    MeanAbsoluteError,
    MeanPairwiseDistance,
    MeanSquaredError,
)
from glowplug_metrics.precision import paired
from glowplug_metrics.regression import MeanError, R2Score
from glowplug_metrics.waiting import SMALL

noise: Any = peak_signal_noise_ratio
NARROW = [torch.float16, torch.bfloat16, torch.float32]


def of(metric: Any, y_pred: Tensor, y: Tensor) -> Any:
    metric.update((y_pred, y))
    return metric.compute()


def drawn(*shape: int) -> tuple[Tensor, Tensor]:
    one, other = torch.rand(2, *shape, generator=torch.Generator().manual_seed(0)).double()
    return one, other


@pytest.mark.parametrize("one", [*NARROW, torch.float64, torch.int64, torch.bool])
@pytest.mark.parametrize("other", [*NARROW, torch.float64, torch.uint8])
def test_float32_is_enough_for_numbers_that_it_holds(one: torch.dtype, other: torch.dtype) -> None:
    enough = one in NARROW and other in NARROW
    found = paired(torch.ones(2, dtype=one), torch.ones(2, 1, dtype=other), torch.float64)
    assert {part.dtype for part in found} == {torch.float32 if enough else torch.float64}
    assert {tuple(part.shape) for part in found} == {(2,)}


@pytest.mark.parametrize("n", [10, 2 * SMALL])
def test_an_error_whose_square_float32_does_not_hold_is_squared(n: int) -> None:
    error = torch.full((n,), 1e30)
    assert of(MeanSquaredError(), error, -error) == pytest.approx(4e60)


@pytest.mark.parametrize("n", [10, 2 * SMALL])
@pytest.mark.parametrize("dtype", [torch.int64, torch.float64])
def test_numbers_that_float32_does_not_hold_keep_their_difference(
    n: int, dtype: torch.dtype
) -> None:
    y = torch.full((n,), 2**40, dtype=dtype)
    assert of(MeanError(), y - 1, y) == 1.0
    assert of(MeanAbsoluteError(), y.float(), y + 1) == 1.0
    assert of(R2Score(), y - 1, y) == 0.0


@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("n", [10, 3000])
def test_narrow_numbers_give_what_their_values_give(dtype: torch.dtype, n: int) -> None:
    y_pred, y = (part.to(dtype) for part in drawn(n, 8))
    wide, true = y_pred.double().numpy(), y.double().numpy()
    rows = range(n)
    expected = {
        MeanAbsoluteError(): metrics.mean_absolute_error(true, wide),
        MeanSquaredError(): metrics.mean_squared_error(true, wide),
        MeanPairwiseDistance(eps=0): sum(distance.euclidean(wide[i], true[i]) for i in rows) / n,
        CosineSimilarity(): sum(1 - distance.cosine(wide[i], true[i]) for i in rows) / n,
        PSNR(1.0): sum(noise(true[i], wide[i], data_range=1) for i in rows) / n,
    }
    found = {metric: of(metric, y_pred, y) for metric in expected}
    assert found == pytest.approx(expected, rel=1e-6)


def test_a_sum_of_many_small_errors_beside_a_large_one_loses_none() -> None:
    metric = MeanAbsoluteError()
    metric.update((torch.zeros(1), torch.tensor([2.0**30])))
    for _ in range(64):
        metric.update((torch.zeros(1000), torch.full((1000,), 0.5)))  # lost beside it in float32
    assert metric.compute() == (2**30 + 32_000) / 64_001


def test_what_was_kept_is_not_what_the_next_step_writes() -> None:
    metric, y_pred, y = MeanAbsoluteError(), torch.zeros(3), torch.ones(3)
    metric.update((y_pred, y))
    y_pred.fill_(7.0)
    y.fill_(9.0)
    assert metric.compute() == 1.0
