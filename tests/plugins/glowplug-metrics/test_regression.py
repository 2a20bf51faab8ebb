"""The metrics of predicted numbers beside scikit-learn, SciPy, and the formula in NumPy."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from scipy.spatial import distance
from sklearn import metrics

from glowplug_metrics import (
    MeanAbsoluteError,
    MeanSquaredError,
    Metric,
    RootMeanSquaredError,
    regression,
)

Array = NDArray[np.float64]
A = torch.tensor


def relative(y_pred: Array, y: Array) -> Array:
    errors: Array = np.abs(y - y_pred) / np.abs(y - y.mean())
    return errors


REFERENCES: dict[type[Metric], Callable[[Array, Array], Any]] = {
    MeanAbsoluteError: lambda p, y: metrics.mean_absolute_error(y, p),
    MeanSquaredError: lambda p, y: metrics.mean_squared_error(y, p),
    RootMeanSquaredError: lambda p, y: metrics.root_mean_squared_error(y, p),
    regression.CanberraMetric: distance.canberra,
    regression.FractionalAbsoluteError: lambda p, y: np.mean(
        2 * np.abs(y - p) / (np.abs(y) + np.abs(p))
    ),
    regression.FractionalBias: lambda p, y: np.mean(2 * (y - p) / (y + p)),
    regression.GeometricMeanAbsoluteError: lambda p, y: stats.gmean(np.abs(y - p)),
    regression.GeometricMeanRelativeAbsoluteError: lambda p, y: stats.gmean(relative(p, y)),
    regression.KendallRankCorrelation: lambda p, y: stats.kendalltau(p, y).statistic,
    regression.ManhattanDistance: distance.cityblock,
    regression.MaximumAbsoluteError: lambda p, y: metrics.max_error(y, p),
    regression.MeanAbsoluteRelativeError: lambda p, y: metrics.mean_absolute_percentage_error(y, p),
    regression.MeanError: lambda p, y: np.mean(y - p),
    regression.MeanNormalizedBias: lambda p, y: np.mean((y - p) / y),
    regression.MedianAbsoluteError: lambda p, y: metrics.median_absolute_error(y, p),
    regression.MedianAbsolutePercentageError: lambda p, y: 100 * np.median(np.abs((y - p) / y)),
    regression.MedianRelativeAbsoluteError: lambda p, y: np.median(relative(p, y)),
    regression.PearsonCorrelation: lambda p, y: stats.pearsonr(p, y).statistic,
    regression.R2Score: lambda p, y: metrics.r2_score(y, p),
    regression.SpearmanRankCorrelation: lambda p, y: stats.spearmanr(p, y).statistic,
    regression.WaveHedgesDistance: lambda p, y: np.sum(np.abs(y - p) / np.maximum(y, p)),
}
UNITS = st.sampled_from([1e-9, 1.0, 1e9])


def drawn(seed: int, n: int, unit: float = 1.0) -> tuple[Array, Array]:
    """Positive numbers, of which no two are equal."""
    generator = np.random.default_rng(seed)
    return unit * generator.lognormal(size=n), unit * generator.lognormal(size=n)


def value_of(metric: Metric, y_pred: Any, y: Any) -> Any:
    metric.update((torch.as_tensor(y_pred), torch.as_tensor(y)))
    return metric.compute()


@pytest.mark.parametrize("metric", REFERENCES)
@settings(max_examples=25)
@given(seed=st.integers(0, 2**31), n=st.integers(2, 50), unit=UNITS, column=st.booleans())
def test_the_value_is_what_the_reference_says(
    metric: Callable[[], Metric], seed: int, n: int, unit: float, column: bool
) -> None:
    y_pred, y = drawn(seed, n, unit)
    value = value_of(metric(), y_pred[:, None] if column else y_pred, y)
    expected = REFERENCES[metric](y_pred, y)  # type: ignore[index]  # its key
    assert isinstance(value, float)
    assert value == pytest.approx(expected, rel=1e-9, abs=0.0)


@given(numbers=st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=2))
@pytest.mark.parametrize("variant", ["b", "c"])
def test_kendall_counts_ties_as_scipy_does(numbers: list[Any], variant: str) -> None:
    y_pred, y = np.array(numbers, dtype=float).T
    value = value_of(regression.KendallRankCorrelation(variant), y_pred, y)
    expected = stats.kendalltau(y_pred, y, variant=variant).statistic
    assert value == pytest.approx(expected, nan_ok=True)


@given(numbers=st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=2))
def test_spearman_ranks_ties_as_scipy_does(numbers: list[Any]) -> None:
    y_pred, y = np.array(numbers, dtype=float).T
    value = value_of(regression.SpearmanRankCorrelation(), y_pred, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.ConstantInputWarning)
        expected = stats.spearmanr(y_pred, y).statistic
    assert value == pytest.approx(expected, nan_ok=True)


@given(y=st.lists(st.sampled_from([0.1, 0.3]), min_size=2), exact=st.booleans())
def test_r2_of_equal_targets_is_what_scikit_learn_says(y: list[float], exact: bool) -> None:
    y_pred = y if exact else [number + 1 for number in y]
    # a mean of equal numbers is not always that number for scikit-learn
    expected = float(exact) if len(set(y)) == 1 else metrics.r2_score(y, y_pred)
    assert value_of(regression.R2Score(), A(y_pred), A(y)) == pytest.approx(expected)


@pytest.mark.parametrize("offset", [1e6, 1e9, 1e12])
@pytest.mark.parametrize("metric", [regression.PearsonCorrelation, regression.R2Score])
def test_a_mean_far_from_zero_costs_no_digits(metric: Any, offset: float) -> None:
    whole = np.random.default_rng(0).integers(-20, 20, (2, 1000)).astype(float)
    gathered = metric()
    for batch in np.split(whole + offset, 100, axis=1):
        gathered.update(tuple(torch.as_tensor(batch)))
    assert gathered.compute() == pytest.approx(REFERENCES[metric](*whole), rel=1e-9)


@pytest.mark.parametrize("metric", [regression.PearsonCorrelation, regression.R2Score])
def test_a_mean_that_drifts_costs_no_digits(metric: Any) -> None:
    steps = np.repeat([0.0, 1e8, -1e8, 3e8], 250)
    whole = np.random.default_rng(0).integers(-20, 20, (2, 1000)) + steps
    gathered = metric()
    for batch in np.split(whole, 100, axis=1):
        gathered.update(tuple(torch.as_tensor(batch)))
    error = 1 - gathered.compute()
    assert error == pytest.approx(1 - REFERENCES[metric](*whole), rel=1e-3, abs=1e-15)


def test_pearson_does_not_depend_on_units() -> None:
    y_pred, y = drawn(0, 20, unit=1e-12)
    expected = stats.pearsonr(y_pred, y).statistic
    assert value_of(regression.PearsonCorrelation(), y_pred, y) == pytest.approx(expected)


@pytest.mark.parametrize(("eps", "value"), [(1e-8, 0.0), (0, math.nan)])
def test_pearson_of_a_constant_is_0_or_nan_as_eps_says(eps: float, value: float) -> None:
    metric = regression.PearsonCorrelation(eps=eps)
    for _ in range(100):
        metric.update((A([0.1, 0.1]), A([1.0, 2.0])))
    assert metric.compute() == pytest.approx(value, nan_ok=True)


@pytest.mark.parametrize(
    "metric",
    [
        regression.R2Score,
        regression.SpearmanRankCorrelation,
        regression.KendallRankCorrelation,
    ],
)
def test_a_single_example_has_no_coefficient(metric: Any) -> None:
    assert math.isnan(value_of(metric(), A([1.0]), A([2.0])))


ZERO, ONE = A([0.0]), A([1.0])
SPECIAL: list[tuple[Any, Any, Any, float]] = [
    (regression.CanberraMetric, ZERO, ZERO, 0.0),
    (regression.CanberraMetric, ZERO, ONE, 1.0),
    (regression.FractionalAbsoluteError, ZERO, ZERO, 0.0),
    (regression.FractionalBias, ZERO, ZERO, 0.0),
    (regression.FractionalBias, -ONE, ONE, math.inf),
    (regression.GeometricMeanAbsoluteError, ONE, ONE, 0.0),
    (regression.WaveHedgesDistance, ZERO, ZERO, 0.0),
    (regression.WaveHedgesDistance, -ONE, ZERO, math.inf),
    (regression.MedianAbsolutePercentageError, ONE, ZERO, math.inf),
    (regression.MedianAbsolutePercentageError, ZERO, ZERO, math.nan),
    (regression.MedianRelativeAbsoluteError, ONE, ZERO, math.inf),
    (regression.GeometricMeanRelativeAbsoluteError, ONE, ONE, math.nan),
    (regression.GeometricMeanRelativeAbsoluteError, ZERO, ONE, math.inf),
]


@pytest.mark.parametrize(("metric", "y_pred", "y", "value"), SPECIAL)
def test_what_has_no_quotient_is_as_documented(
    metric: Any, y_pred: Any, y: Any, value: float
) -> None:
    assert value_of(metric(), y_pred, y) == pytest.approx(value, nan_ok=True)


INFINITE = [
    *(MeanAbsoluteError, MeanSquaredError, RootMeanSquaredError),
    *(regression.ManhattanDistance, regression.MaximumAbsoluteError),
    *(regression.MeanAbsoluteRelativeError, regression.GeometricMeanAbsoluteError),
]


@pytest.mark.parametrize("metric", INFINITE)
def test_an_infinite_error_makes_the_value_infinite(metric: Any) -> None:
    assert value_of(metric(), A([1.0, -math.inf, 2.0]), A([2.0, 1.0, 3.0])) == math.inf


UNDEFINED = [
    *(regression.CanberraMetric, regression.FractionalAbsoluteError, regression.FractionalBias),
    *(regression.PearsonCorrelation, regression.WaveHedgesDistance),
]


@pytest.mark.parametrize("metric", UNDEFINED)
@pytest.mark.parametrize("y", [A([2.0, 1.0, 3.0]), A([2.0, 2.0, 2.0])])
def test_an_infinite_prediction_makes_the_value_nan(metric: Any, y: Any) -> None:
    assert math.isnan(value_of(metric(), A([1.0, math.inf, 2.0]), y))


@pytest.mark.parametrize("y", [A([2.0, 1.0, 3.0]), A([2.0, 2.0, 2.0])])
def test_r2_of_an_infinite_prediction_is_minus_infinity(y: Any) -> None:
    assert value_of(regression.R2Score(), A([1.0, math.inf, 2.0]), y) == -math.inf
    assert math.isnan(value_of(regression.R2Score(), y, A([1.0, math.inf, 2.0])))


@pytest.mark.parametrize(
    "metric", [regression.SpearmanRankCorrelation, regression.KendallRankCorrelation]
)
def test_infinity_is_the_greatest_number_of_all(metric: Any) -> None:
    assert value_of(metric(), A([1.0, math.inf, 2.0]), A([1.0, 3.0, 2.0])) == pytest.approx(1.0)


def test_a_matrix_is_averaged_over_all_its_places() -> None:
    y_pred, y = np.random.default_rng(0).normal(size=(2, 5, 3))
    expected = metrics.mean_squared_error(y, y_pred)
    assert value_of(MeanSquaredError(), y_pred, y) == pytest.approx(expected)


def test_the_error_of_half_precision_may_be_beyond_its_range() -> None:
    far = A([60000.0], dtype=torch.float16)
    assert value_of(MeanAbsoluteError(), far, -far) == pytest.approx(120000.0, rel=1e-3)
    assert value_of(MeanAbsoluteError(), A([255], dtype=torch.uint8), A([True])) == 254.0
