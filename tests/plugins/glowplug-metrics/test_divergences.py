"""The metrics of class scores beside SciPy."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import rel_entr, softmax
from scipy.stats import entropy

from glowplug_metrics import Entropy, JSDivergence, KLDivergence, Metric, MutualInformation

Array = NDArray[np.float64]
A = torch.tensor
NEVER = -math.inf

# of probabilities (n, C) of predictions and targets
REFERENCES: dict[type[Metric], Callable[[Array, Array], Any]] = {
    Entropy: lambda p, q: entropy(p, axis=1).mean(),
    MutualInformation: lambda p, q: entropy(p.mean(0)) - entropy(p, axis=1).mean(),
    KLDivergence: lambda p, q: entropy(q, p, axis=1).mean(),
    JSDivergence: lambda p, q: (
        (rel_entr(p, (p + q) / 2) + rel_entr(q, (p + q) / 2)).sum(axis=1).mean() / 2
    ),
}


def value_of(metric: Metric, y_pred: Any, y: Any) -> Any:
    metric.update((y_pred, y))
    return metric.compute()


@pytest.mark.parametrize("metric", REFERENCES)
@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**31),
    n=st.integers(1, 6),
    classes=st.integers(1, 5),
    places=st.lists(st.integers(1, 3), max_size=2),
    sharpness=st.sampled_from([0.1, 1.0, 30.0]),
)
def test_the_value_is_what_scipy_says_of_the_probabilities(
    metric: Any, seed: int, n: int, classes: int, places: list[int], sharpness: float
) -> None:
    scores = np.random.default_rng(seed).normal(size=(2, n, classes, *places)) * sharpness
    p, q = (softmax(np.moveaxis(s, 1, -1).reshape(-1, classes), axis=1) for s in scores)
    value = value_of(metric(), *map(torch.as_tensor, scores))
    assert value == pytest.approx(float(REFERENCES[metric](p, q)), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("metric", "y_pred", "y", "value"),
    [
        (Entropy, [0.0, NEVER], [0.0, 0.0], 0.0),
        (MutualInformation, [0.0, NEVER], [0.0, 0.0], 0.0),
        (KLDivergence, [0.0, 0.0], [0.0, NEVER], math.log(2)),
        (KLDivergence, [0.0, NEVER], [0.0, NEVER], 0.0),
        (KLDivergence, [0.0, NEVER], [0.0, 0.0], math.inf),
        (JSDivergence, [0.0, NEVER], [NEVER, 0.0], math.log(2)),
        (JSDivergence, [0.0, NEVER], [0.0, NEVER], 0.0),
    ],
)
def test_a_score_of_minus_infinity_is_a_probability_of_0(
    metric: Any, y_pred: list[float], y: list[float], value: float
) -> None:
    assert value_of(metric(), A([y_pred]), A([y])) == pytest.approx(value)


@pytest.mark.parametrize("metric", REFERENCES)
@pytest.mark.parametrize("score", [math.nan, math.inf])
def test_a_score_of_nan_or_infinity_makes_the_value_nan(metric: Any, score: float) -> None:
    assert math.isnan(value_of(metric(), A([[0.0, score], [0.0, 1.0]]), torch.zeros(2, 2)))


def test_mutual_information_is_never_below_0() -> None:
    alike = torch.randn(1, 7, generator=torch.Generator().manual_seed(1)).repeat(1000, 1)
    assert value_of(MutualInformation(), alike, alike) >= 0


@pytest.mark.parametrize("metric", [Entropy, MutualInformation])
def test_targets_may_be_of_any_form_where_they_are_not_looked_at(metric: Any) -> None:
    y_pred = torch.zeros(2, 3)
    assert value_of(metric(), y_pred, A(7)) == value_of(metric(), y_pred, y_pred)


def test_js_divergence_is_a_kl_divergence_and_information_an_entropy() -> None:
    assert issubclass(JSDivergence, KLDivergence)
    assert issubclass(MutualInformation, Entropy)
