"""The contracts of the metrics of predicted vectors, distributions and images."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import permutations
from typing import Any

import numpy as np
import torch
from scipy.spatial import distance
from scipy.special import softmax
from scipy.stats import entropy
from torch import Tensor

from glowplug import Engine
from glowplug.testing import MetricContract
from glowplug_metrics import (
    HSIC,
    PSNR,
    CosineSimilarity,
    Entropy,
    JSDivergence,
    KLDivergence,
    MaximumMeanDiscrepancy,
    MeanPairwiseDistance,
    MutualInformation,
)

GENERATOR = torch.Generator().manual_seed(0)
X, Y = torch.randn(2, 16, 3, generator=GENERATOR, dtype=torch.float64)
BATCHES = list(zip(X.split(4), Y.split(4), strict=True))
P, Q = softmax(X.numpy(), 1), softmax(Y.numpy(), 1)
NOISE = np.mean((X - Y).numpy() ** 2, axis=1)


def kernel(x: Tensor, y: Tensor, variance: float = 1.0) -> Any:
    """The Gaussian kernel of all pairs of rows."""
    return np.exp(-distance.cdist(x, y, "sqeuclidean") / (2 * variance))


def dependence(x: Tensor, y: Tensor) -> float:
    """The mean over all quadruples of different examples."""
    k, l = kernel(x, x, 4.0), kernel(y, y, 4.0)  # noqa: E741  # the letters of the paper
    of = [
        k[a, b] * (l[a, b] + l[c, d] - 2 * l[a, c]) for a, b, c, d in permutations(range(len(x)), 4)
    ]
    return max(float(np.mean(of)), 0.0)


def discrepancy(x: Tensor, y: Tensor) -> float:
    """The difference of mean kernels within and between."""
    different = ~np.eye(len(x), dtype=bool)
    within = kernel(x, x)[different].mean() + kernel(y, y)[different].mean()
    return float(within - 2 * kernel(x, y).mean())


class OfRows(MetricContract):
    """What takes in rows of numbers and their targets needs an output that has both."""

    needs = ("y_pred", "y")

    def data(self) -> Iterable[Any]:
        return BATCHES

    def engine_without(self) -> Engine[Any, Any]:
        return Engine(lambda engine, batch: {"loss": 1.0})


class TestMeanPairwiseDistance(OfRows):
    component = "mean-pairwise-distance"
    expected = float(np.linalg.norm(X - Y, axis=1).mean())

    def make(self) -> MeanPairwiseDistance:
        return MeanPairwiseDistance(eps=0)


class TestCosineSimilarity(OfRows):
    component = "cosine-similarity"
    expected = 1 - float(np.mean([distance.cosine(x, y) for x, y in zip(X, Y, strict=True)]))

    def make(self) -> CosineSimilarity:
        return CosineSimilarity()


class TestPSNR(OfRows):
    component = "psnr"
    expected = float(np.mean(10 * np.log10(4 / NOISE)))

    def make(self) -> PSNR:
        return PSNR(data_range=2.0)


class TestEntropy(OfRows):
    component = "entropy"
    expected = float(entropy(P, axis=1).mean())

    def make(self) -> Entropy:
        return Entropy()


class TestMutualInformation(OfRows):
    component = "mutual-information"
    expected = float(entropy(P.mean(0)) - entropy(P, axis=1).mean())

    def make(self) -> MutualInformation:
        return MutualInformation()


class TestKLDivergence(OfRows):
    component = "kl-divergence"
    expected = float(entropy(Q, P, axis=1).mean())

    def make(self) -> KLDivergence:
        return KLDivergence()


class TestJSDivergence(OfRows):
    component = "js-divergence"
    expected = float((distance.jensenshannon(P, Q, axis=1) ** 2).mean())

    def make(self) -> JSDivergence:
        return JSDivergence()


class TestHSIC(OfRows):
    component = "hsic"
    expected = float(np.mean([dependence(x, y) for x, y in BATCHES]))

    def make(self) -> HSIC:
        return HSIC(sigma_x=2.0, sigma_y=2.0)


class TestMaximumMeanDiscrepancy(OfRows):
    component = "maximum-mean-discrepancy"
    expected = math.sqrt(max(float(np.mean([discrepancy(x, y) for x, y in BATCHES])), 0.0))

    def make(self) -> MaximumMeanDiscrepancy:
        return MaximumMeanDiscrepancy()
