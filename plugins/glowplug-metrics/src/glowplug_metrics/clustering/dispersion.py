"""Scores of clusters from their means.

Owns: how the spread within clusters is held against that between them.
Must not know: how features are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from glowplug_metrics.clustering.distances import euclidean
from glowplug_metrics.clustering.features import ClusteringMetric, Clusters
from glowplug_metrics.metric import CPU
from glowplug_metrics.outputs import as_it_is


class CalinskiHarabaszScore(ClusteringMetric):
    r"""The variance between clusters as a multiple of that within them.

    .. math:: \frac{\sum_{k=1}^{K} n_k \, \|c_k - c\|^2 / (K - 1)}
        {\sum_{k=1}^{K} \sum_{x \in C_k} \|x - c_k\|^2 / (N - K)}

    with the mean :math:`c_k` of the k-th cluster of :math:`n_k` examples, and that of all, c.
    Shapes: ``features`` of shape ``(N, D)`` and ``labels`` of shape ``(N,)``, one number for each
    cluster; all are kept. From 0 to infinity; larger is better.

    1 where the examples of each cluster are all equal. NaN where there are not at least two
    clusters, and where each example is a cluster of its own; NaN and infinity among the features
    make it NaN, where pytorch-ignite fails.

    Args:
        output_transform: makes ``(features, labels)`` of the step's output.
        check_compute_fn: as for `EpochMetric`.
        device: where features and labels are kept.
        skip_unrolling: as for `Metric`.

    Raises:
        InvalidArgument: on the first update, for other shapes.
        InvalidType: for an output that is not two tensors.

    Source:
        T. Caliński and J. Harabasz, "A Dendrite Method for Cluster Analysis", 1974; scikit-learn's
        ``calinski_harabasz_score``, which gives the same.

    Example:
        >>> metric = CalinskiHarabaszScore()
        >>> features = torch.tensor([[0.0], [2.0], [10.0], [12.0]])
        >>> metric.update((features, torch.tensor([0, 0, 1, 1])))
        >>> metric.compute()
        50.0
    """

    def __init__(
        self,
        output_transform: Callable[[Any], Any] = as_it_is,
        check_compute_fn: bool = True,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
    ) -> None:
        super().__init__(
            _calinski_harabasz, output_transform, check_compute_fn, device, skip_unrolling
        )


class DaviesBouldinScore(ClusteringMetric):
    r"""How wide clusters are beside their distance from that which is most like them.

    .. math:: \frac{1}{K} \sum_{k=1}^{K} \max_{l \neq k} \frac{s_k + s_l}{\|c_k - c_l\|}

    with the mean :math:`c_k` of the k-th cluster, and the mean distance :math:`s_k` of its examples
    from it. Shapes: ``features`` of shape ``(N, D)`` and ``labels`` of shape ``(N,)``, one number
    for each cluster; all are kept. From 0 to infinity; smaller is better.

    Clusters whose means are the same are not held against each other. NaN where there are not at
    least two clusters, and where each example is a cluster of its own; NaN and infinity among the
    features make it NaN, where pytorch-ignite fails.

    Args:
        output_transform: makes ``(features, labels)`` of the step's output.
        check_compute_fn: as for `EpochMetric`.
        device: where features and labels are kept.
        skip_unrolling: as for `Metric`.

    Raises:
        InvalidArgument: on the first update, for other shapes.
        InvalidType: for an output that is not two tensors.

    Source:
        D. L. Davies and D. W. Bouldin, "A Cluster Separation Measure", 1979; scikit-learn's
        ``davies_bouldin_score``, which gives the same but for distances below 1e-8, which it takes
        for 0.

    Example:
        >>> metric = DaviesBouldinScore()
        >>> features = torch.tensor([[0.0], [2.0], [10.0], [12.0]])
        >>> metric.update((features, torch.tensor([0, 0, 1, 1])))
        >>> metric.compute()
        0.2
    """

    def __init__(
        self,
        output_transform: Callable[[Any], Any] = as_it_is,
        check_compute_fn: bool = True,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
    ) -> None:
        super().__init__(
            _davies_bouldin, output_transform, check_compute_fn, device, skip_unrolling
        )


def _calinski_harabasz(clusters: Clusters) -> Tensor:
    features, places, sizes = clusters
    means = clusters.means(features)
    between = (sizes * (means - features.mean(dim=0)).square().sum(dim=1)).sum()
    within = (features - means[places]).square().sum()
    free = (len(features) - len(sizes)) / (len(sizes) - 1)
    return torch.where(within == 0, 1.0, between / within * free)


def _davies_bouldin(clusters: Clusters) -> Tensor:
    features, places, _ = clusters
    means = clusters.means(features)
    widths = clusters.means((features - means[places]).norm(dim=1))
    distances = euclidean(means, means)
    distances = distances.masked_fill(distances == 0, torch.inf)
    return ((widths + widths.unsqueeze(1)) / distances).amax(dim=1).mean()
