"""The contracts of the metrics of texts, rankings, clusters and groups."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np
import torch
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score

from glowplug import Engine
from glowplug.testing import MetricContract
from glowplug_metrics import (
    NDCG,
    Accuracy,
    Bleu,
    CharacterErrorRate,
    HitRate,
    Perplexity,
    Rouge,
    RougeL,
    RougeN,
)
from glowplug_metrics.clustering import CalinskiHarabaszScore, DaviesBouldinScore, SilhouetteScore
from glowplug_metrics.fairness import (
    DemographicParityDifference,
    SelectionRate,
    SubgroupAccuracyDifference,
    SubgroupDifference,
    SubgroupMetric,
)

CAT, MAT = ["a", "cat", "sat", "there"], ["the", "cat", "sat", "on", "the", "mat"]


class OfPairs(MetricContract):
    """What takes in predictions and targets needs an output that has both."""

    needs: ClassVar[tuple[str, ...]] = ("y_pred", "y")

    def engine_without(self) -> Engine[Any, Any]:
        return Engine(lambda engine, batch: {"loss": 1.0})


class OfSentences(OfPairs):
    """A sentence and its reference share two of four and six tokens; the reference all of its."""

    def data(self) -> Iterable[Any]:
        return [([CAT], [[MAT]]), ([MAT], [[MAT]])]


class TestBleu(OfSentences):
    component = "bleu"
    expected = (1 + math.exp(1 - 6 / 4) * math.sqrt(2 / 4 * 1 / 3)) / 2

    def make(self) -> Bleu:
        return Bleu(ngram=2)


class TestRougeL(OfSentences):
    component = "rouge-l"
    expected: ClassVar[Any] = {
        "Rouge-L-P": (1 + 2 / 4) / 2,
        "Rouge-L-R": (1 + 2 / 6) / 2,
        "Rouge-L-F": (1 + 4 / 10) / 2,
    }

    def make(self) -> RougeL:
        return RougeL(alpha=0.5)


class TestRougeN(OfSentences):
    component = "rouge-n"
    expected: ClassVar[Any] = {
        "Rouge-2-P": (1 + 1 / 3) / 2,
        "Rouge-2-R": (1 + 1 / 5) / 2,
        "Rouge-2-F": (1 + 2 / 8) / 2,
    }

    def make(self) -> RougeN:
        return RougeN(2, alpha=0.5)


class TestRouge(OfSentences):
    component = "rouge"
    expected: ClassVar[Any] = {**TestRougeL.expected, **TestRougeN.expected}

    def make(self) -> Rouge:
        return Rouge(["L", 2], alpha=0.5)


class TestCharacterErrorRate(OfPairs):
    component = "character-error-rate"
    expected = (3 + 1) / (7 + 3)  # kitten and sitting, cat and at

    def data(self) -> Iterable[Any]:
        return [(["kitten"], ["sitting"]), ("at", "cat")]

    def make(self) -> CharacterErrorRate:
        return CharacterErrorRate()


class TestPerplexity(OfPairs):
    component = "perplexity"
    expected = math.sqrt(4 * 9)

    def data(self) -> Iterable[Any]:
        scores = [torch.zeros(1, v, 2, dtype=torch.float64) for v in (4, 9)]
        return [(of_tokens, torch.zeros(1, 2, dtype=torch.int64)) for of_tokens in scores]

    def make(self) -> Perplexity:
        return Perplexity()


class OfRankings(OfPairs):
    """The relevant item of one user is the second, of the other the first."""

    def data(self) -> Iterable[Any]:
        scores = torch.tensor([[3.0, 2.0, 1.0]])
        return [(scores, torch.tensor([row])) for row in ([0, 1, 0], [1, 0, 0])]


class TestHitRate(OfRankings):
    component = "hit-rate"
    expected: ClassVar[Any] = [0.5, 1.0]

    def make(self) -> HitRate:
        return HitRate([1, 2])


class TestNDCG(OfRankings):
    component = "ndcg"
    expected: ClassVar[Any] = [0.5, (1 / math.log2(3) + 1) / 2]

    def make(self) -> NDCG:
        return NDCG([1, 2])


POINTS = np.random.default_rng(0).normal(size=(12, 2))
CLUSTERS = np.arange(12) % 3


class OfClusters(MetricContract):
    """What takes in features and labels needs an output that has both."""

    needs = ("features", "labels")

    def data(self) -> Iterable[Any]:
        features, labels = torch.from_numpy(POINTS), torch.from_numpy(CLUSTERS)
        return list(zip(features.split(4), labels.split(4), strict=True))

    def engine_without(self) -> Engine[Any, Any]:
        return Engine(lambda engine, batch: {"loss": 1.0})


class TestCalinskiHarabaszScore(OfClusters):
    component = "calinski-harabasz-score"
    expected = float(calinski_harabasz_score(POINTS, CLUSTERS))

    def make(self) -> CalinskiHarabaszScore:
        return CalinskiHarabaszScore()


class TestDaviesBouldinScore(OfClusters):
    component = "davies-bouldin-score"
    expected = float(davies_bouldin_score(POINTS, CLUSTERS))

    def make(self) -> DaviesBouldinScore:
        return DaviesBouldinScore()


class TestSilhouetteScore(OfClusters):
    component = "silhouette-score"
    expected = float(silhouette_score(POINTS, CLUSTERS))

    def make(self) -> SilhouetteScore:
        return SilhouetteScore()


class TestSelectionRate(OfPairs):
    component = "selection-rate"
    expected = torch.tensor([0.25, 0.75], dtype=torch.float64)

    def data(self) -> Iterable[Any]:
        return [(torch.tensor(classes), torch.zeros(2)) for classes in ([1, 0], [1, 1])]

    def make(self) -> SelectionRate:
        return SelectionRate()


class OfGroups(OfPairs):
    """Of group a, one of three predictions is right and two are 1; of b, all three."""

    needs = ("y_pred", "y", "group_labels")

    def data(self) -> Iterable[Any]:
        ones = torch.ones(3)
        return [
            (torch.tensor([1, 1, 0]), torch.tensor([1, 0, 1]), ["a"] * 3),
            (ones, ones, ["b"] * 3),
        ]


class TestSubgroupMetric(OfGroups):
    component = "subgroup-metric"
    expected: ClassVar[Any] = {"a": 1 / 3, "b": 1.0}

    def make(self) -> SubgroupMetric:
        return SubgroupMetric(Accuracy(), ["a", "b"])


class TestSubgroupDifference(OfGroups):
    component = "subgroup-difference"
    expected = 2 / 3

    def make(self) -> SubgroupDifference:
        return SubgroupDifference(1 - Accuracy(), ["a", "b"])


class TestSubgroupAccuracyDifference(OfGroups):
    component = "subgroup-accuracy-difference"
    expected = 2 / 3

    def make(self) -> SubgroupAccuracyDifference:
        return SubgroupAccuracyDifference(["a", "b"])


class TestDemographicParityDifference(OfGroups):
    component = "demographic-parity-difference"
    expected = 1 / 3

    def make(self) -> DemographicParityDifference:
        return DemographicParityDifference(["a", "b"])
