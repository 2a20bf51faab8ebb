"""The metrics of predicted vectors, images and sets of vectors beside other implementations."""

from __future__ import annotations

import math
from itertools import permutations
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import distance
from skimage import metrics as skimage

from glowplug.errors import InvalidArgument
from glowplug_metrics import (
    HSIC,
    PSNR,
    CosineSimilarity,
    MaximumMeanDiscrepancy,
    MeanPairwiseDistance,
    Metric,
    NotComputableError,
)

A = torch.tensor
noise_ratio: Any = skimage.peak_signal_noise_ratio
SEEDS = st.integers(0, 2**31)
FEW = settings(max_examples=25)


def drawn(seed: int, *shape: int) -> Any:
    return np.random.default_rng(seed).normal(size=(2, *shape))


def value_of(metric: Metric, *batches: Any) -> Any:
    for y_pred, y in batches:
        metric.update((torch.as_tensor(y_pred), torch.as_tensor(y)))
    return metric.compute()


@FEW
@given(seed=SEEDS, n=st.integers(1, 6), d=st.integers(1, 4), p=st.sampled_from([0.5, 1, 2, 3]))
def test_the_distance_is_what_scipy_says(seed: int, n: int, d: int, p: float) -> None:
    x, y = drawn(seed, n, d)
    expected = np.mean([distance.minkowski(a, b, p) for a, b in zip(x, y, strict=True)])
    assert value_of(MeanPairwiseDistance(p, eps=0), (x, y)) == pytest.approx(expected)


def test_the_distance_of_infinite_order_is_the_largest_difference() -> None:
    x, y = drawn(0, 5, 3)
    expected = np.abs(x - y).max(axis=1).mean()
    assert value_of(MeanPairwiseDistance(math.inf, eps=0), (x, y)) == pytest.approx(expected)


def test_the_eps_of_a_distance_is_that_of_torch() -> None:
    x, y = map(torch.as_tensor, drawn(0, 5, 3))
    expected = torch.nn.PairwiseDistance(eps=0.1)(x, y).mean().item()
    assert value_of(MeanPairwiseDistance(eps=0.1), (x, y)) == pytest.approx(expected)


@FEW
@given(seed=SEEDS, n=st.integers(1, 6), places=st.sampled_from([(3,), (2, 3), (1, 2, 2)]))
def test_the_cosine_is_what_scipy_says_of_flat_vectors(
    seed: int, n: int, places: tuple[int, ...]
) -> None:
    x, y = drawn(seed, n, *places)
    pairs = zip(x.reshape(n, -1), y.reshape(n, -1), strict=True)
    expected = np.mean([1 - distance.cosine(a, b) for a, b in pairs])
    assert value_of(CosineSimilarity(), (x, y)) == pytest.approx(expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_a_vector_of_zeros_is_like_none(dtype: torch.dtype) -> None:
    zeros, ones = torch.zeros(1, 3, dtype=dtype), torch.ones(1, 3, dtype=dtype)
    assert value_of(CosineSimilarity(), (zeros, ones)) == 0.0


@FEW
@given(seed=SEEDS, n=st.integers(1, 4), data_range=st.sampled_from([1, 2.5, 255]))
def test_psnr_is_what_scikit_image_says_of_each_image(seed: int, n: int, data_range: float) -> None:
    x, y = drawn(seed, n, 3, 2, 2)
    pairs = zip(y, x, strict=True)
    expected = np.mean([noise_ratio(*pair, data_range=data_range) for pair in pairs])
    assert value_of(PSNR(data_range), (x, y)) == pytest.approx(expected)


def test_the_differences_of_bytes_do_not_wrap_around() -> None:
    dark, light = (torch.full((1, 2, 2), level, dtype=torch.uint8) for level in (0, 255))
    assert value_of(PSNR(255), (dark, light)) == value_of(PSNR(255), (light, dark)) == 0.0


def test_an_image_that_is_predicted_exactly_makes_psnr_infinite() -> None:
    image = torch.rand(2, 3, 4)
    assert value_of(PSNR(1.0), (image, image)) == math.inf


def gaussian(x: Any, y: Any, variance: float) -> Any:
    return np.exp(-distance.cdist(x, y, "sqeuclidean") / (2 * variance))


def dependence(x: Any, y: Any, sigma: float) -> float:
    """The mean over all quadruples of different examples, as the paper defines it."""
    variances = [
        np.median(distance.cdist(a, a, "sqeuclidean")) if sigma == -1 else sigma**2 for a in (x, y)
    ]
    k, l = gaussian(x, x, variances[0]), gaussian(y, y, variances[1])  # noqa: E741  # its letters
    quadruples = permutations(range(len(x)), 4)
    of = [k[a, b] * (l[a, b] + l[c, d] - 2 * l[a, c]) for a, b, c, d in quadruples]
    return max(float(np.mean(of)), 0.0)


@FEW
@given(seed=SEEDS, n=st.integers(4, 7), sigma=st.sampled_from([-1, 0.5, 2.0]))
def test_hsic_is_the_mean_over_quadruples_of_each_batch(seed: int, n: int, sigma: float) -> None:
    x, y = drawn(seed, n, 3)
    batches = [(x, y), (x, x**2)]
    expected = np.mean([dependence(a, b, sigma) for a, b in batches])
    value = value_of(HSIC(sigma, sigma), *batches)
    assert value == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_hsic_of_labels_that_are_mostly_equal_is_a_number() -> None:
    labels = A([[1.0]] * 7 + [[0.0]])
    assert 0 < value_of(HSIC(), (labels, labels)) < 1
    assert value_of(HSIC(), (labels[:7], labels[:7])) == 0.0


def test_hsic_leaves_out_batches_of_fewer_than_four() -> None:
    x, y = drawn(0, 6, 2)
    whole = value_of(HSIC(), (x, x))
    assert value_of(HSIC(), (x, x), (y[:3], y[:3])) == whole
    with pytest.raises(NotComputableError, match="HSIC has taken in no example"):
        value_of(HSIC(), (x[:3], y[:3]))


def test_hsic_refuses_batches_of_fewer_than_four_where_it_is_told_to() -> None:
    x, y = drawn(0, 3, 2)
    with pytest.raises(InvalidArgument, match="batches of four examples and more, got one of 3"):
        value_of(HSIC(ignore_invalid_batch=False), (x, y))


def discrepancy(x: Any, y: Any, var: float) -> float:
    """The mean kernel within both sets less that between them, as the paper defines it."""
    others = ~np.eye(len(x), dtype=bool)
    within = gaussian(x, x, var)[others].mean() + gaussian(y, y, var)[others].mean()
    return float(within - 2 * gaussian(x, y, var).mean())


@FEW
@given(seed=SEEDS, n=st.integers(2, 7), var=st.sampled_from([0.5, 1.0, 4.0]))
def test_the_discrepancy_is_the_root_of_the_mean_over_batches(
    seed: int, n: int, var: float
) -> None:
    (x, y), (x2, y2) = drawn(seed, n, 3), drawn(seed + 1, 5, 3)
    y += 1  # of the second batch the two sets are alike, and its estimate may be below 0
    mean = (discrepancy(x, y, var) + discrepancy(x2, y2, var)) / 2
    value = value_of(MaximumMeanDiscrepancy(var), (x, y), (x2, y2))
    assert value == pytest.approx(math.sqrt(max(mean, 0)), rel=1e-6, abs=1e-7)


def test_the_discrepancy_leaves_out_batches_of_one() -> None:
    x, y = drawn(0, 6, 2)
    whole = value_of(MaximumMeanDiscrepancy(), (x, y + 1))
    assert value_of(MaximumMeanDiscrepancy(), (x, y + 1), (x[:1], y[:1])) == whole


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: PSNR(0), "data_range must be a positive number, got 0 of type int"),
        (lambda: PSNR("255"), "data_range must be a positive number, got '255' of type str"),  # type: ignore[arg-type]
        (lambda: PSNR(True), "data_range must be a positive number, got True of type bool"),
        (lambda: PSNR(math.inf), "data_range must be a positive number, got inf"),
        (lambda: MeanPairwiseDistance(p=-1), "p must be a positive number, got -1"),
        (lambda: MeanPairwiseDistance(eps=-1), "eps must be a number, 0 or more, got -1"),
        (lambda: CosineSimilarity(eps=math.nan), "eps must be a number, 0 or more, got nan"),
        (
            lambda: HSIC(sigma_x=0),
            "sigma_x must be a positive number, or -1 for the median distance, got 0",
        ),
        (
            lambda: HSIC(sigma_y=-2),
            "sigma_y must be a positive number, or -1 for the median distance, got -2",
        ),
        (lambda: MaximumMeanDiscrepancy(var=0), "var must be a positive number, got 0"),
    ],
)
def test_a_number_out_of_range_is_refused(make: Any, problem: str) -> None:
    with pytest.raises(InvalidArgument, match=problem):
        make()
