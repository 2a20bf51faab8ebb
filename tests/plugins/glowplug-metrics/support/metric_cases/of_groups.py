"""Metrics of clusters, of groups, and of rankings."""

from __future__ import annotations

from functools import partial

import torch

from glowplug_metrics import NDCG, Accuracy, HitRate, MeanAbsoluteError
from glowplug_metrics.clustering import CalinskiHarabaszScore, DaviesBouldinScore, SilhouetteScore
from glowplug_metrics.fairness import (
    DemographicParityDifference,
    SelectionRate,
    SubgroupAccuracyDifference,
    SubgroupDifference,
    SubgroupMetric,
)
from metric_cases.case import Case, Examples, binary, scores, zeros_and_ones

GROUPS = range(3)


def clusters(generator: torch.Generator, n: int) -> Examples:
    """Two numbers for each example, and one of three clusters."""
    features = torch.randn(n, 2, generator=generator, dtype=torch.float64)
    return features, torch.randint(3, (n,), generator=generator)


def grouped(generator: torch.Generator, n: int) -> Examples:
    """Scores of three classes, class numbers, and the group of each example, of which none is 3."""
    return *scores(generator, n), torch.arange(n) % 4


def numbers_of_groups(generator: torch.Generator, n: int) -> Examples:
    """Two numbers for each example, and its group."""
    return *torch.randn(2, n, generator=generator, dtype=torch.float64), torch.arange(n) % 4


def items(generator: torch.Generator, n: int) -> Examples:
    """Scores of five items, of which some are equal, and which of them are relevant."""
    y = torch.randint(2, (n, 5), generator=generator)
    y[:1] = 1
    return torch.randint(4, (n, 5), generator=generator).double(), y


CASES = {
    "calinski-harabasz score": Case(CalinskiHarabaszScore, clusters),
    "davies-bouldin score": Case(DaviesBouldinScore, clusters),
    "silhouette score": Case(SilhouetteScore, clusters),
    "silhouette score, cosine": Case(
        lambda: SilhouetteScore(silhouette_kwargs={"metric": "cosine"}), clusters
    ),
    "selection rate": Case(SelectionRate, scores, nan=False),
    "selection rate, binary": Case(SelectionRate, binary, nan=False),
    "selection rate, multilabel": Case(
        lambda: SelectionRate(is_multilabel=True), zeros_and_ones, nan=False
    ),
    "subgroup metric": Case(lambda: SubgroupMetric(Accuracy(), GROUPS), grouped, nan=False),
    "subgroup difference": Case(
        lambda: SubgroupDifference(MeanAbsoluteError(), range(4)),
        numbers_of_groups,
        rounding=1e-6,
        close=1e-3,
    ),
    "subgroup accuracy difference": Case(
        lambda: SubgroupAccuracyDifference(GROUPS), grouped, nan=False
    ),
    "demographic parity difference": Case(
        lambda: DemographicParityDifference(GROUPS), grouped, nan=False
    ),
    "hit rate": Case(partial(HitRate, [1, 3]), items, nan=False),
    "hit rate of all": Case(partial(HitRate, 2, ignore_zero_hits=False), items, nan=False),
    "ndcg": Case(partial(NDCG, [1, 3]), items, nan=False),
    "ndcg, linear": Case(partial(NDCG, 9, gain_function="linear_rank"), items, nan=False),
}
