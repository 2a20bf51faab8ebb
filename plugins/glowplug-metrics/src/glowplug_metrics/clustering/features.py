"""Metrics of features and the clusters that these were put into.

Owns: the form of features and labels, what makes no clusters, and the means of clusters.
Must not know: what is made of clusters.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from glowplug_metrics.epoch_metric import EpochMetric
from glowplug_metrics.metric import CPU
from glowplug_metrics.outputs import as_it_is
from glowplug_metrics.results import as_numbers
from glowplug_metrics.states import in_float64


class Clusters(NamedTuple):
    """N examples in K clusters.

    Attributes:
        features: ``(N, D)``, in float64.
        places: the cluster of each example, ``(N,)``, from 0 to K - 1.
        sizes: how many examples each cluster has, ``(K,)``, in float64.
    """

    features: Tensor
    places: Tensor
    sizes: Tensor

    def means(self, values: Tensor) -> Tensor:
        """Return the mean in each cluster, ``(K, ...)``, of ``(N, ...)``."""
        sums = values.new_zeros((len(self.sizes), *values.shape[1:]))
        sums.index_add_(0, self.places, values)
        return sums / self.sizes.reshape(-1, *(1 for _ in values.shape[1:]))


class ClusteringMetric(EpochMetric):
    """The base of metrics that are a function of features and of their clusters.

    Shapes: ``features`` of shape ``(N, D)``, real numbers, and ``labels`` of shape ``(N,)``, one
    number for each cluster; all are kept. The value is worked out in float64. It is NaN where there
    are not at least two clusters, and where each example is a cluster of its own.

    Args:
        function: called with `Clusters`; returns the value.
        output_transform: makes ``(features, labels)`` of the step's output.
        check_compute_fn: as for `EpochMetric`.
        device: where features and labels are kept.
        skip_unrolling: as for `Metric`.

    Raises:
        InvalidArgument: on the first update, for other shapes.
        InvalidType: for an output that is not two tensors.

    Example:
        >>> metric = ClusteringMetric(lambda clusters: clusters.sizes.max())
        >>> metric.update((torch.tensor([[0.0], [0.1], [5.0]]), torch.tensor([7, 7, 3])))
        >>> metric.compute()
        2.0
    """

    required_output_keys: ClassVar[tuple[str, ...]] = ("features", "labels")
    single_valued = True

    def __init__(
        self,
        function: Callable[[Clusters], Any],
        output_transform: Callable[[Any], Any] = as_it_is,
        check_compute_fn: bool = True,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
    ) -> None:
        computed = partial(on_clusters, function)
        super().__init__(computed, output_transform, check_compute_fn, device, skip_unrolling)

    def check(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse what is not features beside labels."""
        if y_pred.ndim != 2 or y.ndim != 1 or len(y_pred) != len(y):
            self.refuse("features of shape (N, D) and labels of shape (N,)", y_pred, y)
        if y_pred.is_complex() or y.is_complex():
            self.refuse("real numbers", y_pred, y)

    def compute(self) -> Any:
        """Return the function's value as a number.

        Raises:
            NotComputableError: when nothing was taken in.
        """
        return as_numbers(super().compute())


def on_clusters(function: Callable[[Clusters], Any], features: Tensor, labels: Tensor) -> Any:
    """Return what a function makes of the clusters that labels name, NaN where there are none.

    Args:
        function: called with `Clusters`.
        features: ``(N, D)``, or ``(N,)``.
        labels: ``(N,)``

    Example:
        >>> on_clusters(lambda clusters: 1.0, torch.zeros(3, 2), torch.tensor([4, 4, 4]))
        nan
    """
    features = in_float64(features)
    if features.ndim == 1:  # a column is kept without its dimension
        features = features.unsqueeze(1)
    _, places, counts = labels.to(features.device).unique(return_inverse=True, return_counts=True)
    if not 1 < len(counts) < len(labels):
        return math.nan
    return function(Clusters(features, places, counts.to(torch.float64)))
