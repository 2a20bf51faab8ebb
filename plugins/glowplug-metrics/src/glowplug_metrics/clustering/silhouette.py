"""How much nearer examples are to their own cluster than to the next one.

Owns: the silhouette of every example, block by block, and the choice of distance and sample.
Must not know: how features are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor

from glowplug.errors import InvalidArgument, did_you_mean
from glowplug_metrics.arguments import whole
from glowplug_metrics.clustering.distances import DISTANCES
from glowplug_metrics.clustering.features import ClusteringMetric, Clusters, on_clusters
from glowplug_metrics.metric import CPU
from glowplug_metrics.outputs import as_it_is

PRECOMPUTED = "precomputed"
BLOCK = 2**22
"""How many distances are worked out at once: 32 MiB of them."""


class SilhouetteScore(ClusteringMetric):
    r"""How much nearer examples are to their own cluster than to the next, its mean over them.

    .. math:: \frac{1}{N} \sum_{i=1}^{N} \frac{b_i - a_i}{\max(a_i, b_i)}

    with the mean distance :math:`a_i` of an example from the others of its cluster, and the least
    mean distance :math:`b_i` from the examples of another. Shapes: ``features`` of shape ``(N, D)``
    and ``labels`` of shape ``(N,)``, one number for each cluster; all are kept. From -1 to 1;
    larger is better.

    An example counts 0 that is alone in its cluster, or for which both distances are 0. NaN where
    there are not at least two clusters, and where each example is a cluster of its own; NaN and
    infinity among the features make it NaN, where pytorch-ignite fails.

    Args:
        output_transform: makes ``(features, labels)`` of the step's output.
        check_compute_fn: as for `EpochMetric`.
        device: where features and labels are kept.
        skip_unrolling: as for `Metric`.
        silhouette_kwargs: a mapping with any of ``"metric"``, the distance: ``"euclidean"``,
            ``"l2"``, ``"sqeuclidean"``, ``"manhattan"``, ``"cityblock"``, ``"l1"``,
            ``"chebyshev"``, ``"cosine"``, or ``"precomputed"``, for features that are the distances
            of the examples from all N; ``"sample_size"``, how many examples to draw, on all ranks
            the same ones; and ``"random_state"``, the seed of that, 0 unless given.

    Raises:
        InvalidArgument: for other ``silhouette_kwargs``; on the first update, for other shapes;
            when computed, for precomputed distances that are not N by N.
        InvalidType: for an output that is not two tensors.

    Source:
        P. J. Rousseeuw, "Silhouettes: a Graphical Aid to the Interpretation and Validation of
        Cluster Analysis", 1987; scikit-learn's ``silhouette_score``, which gives the same, but that
        it draws other samples.

    Example:
        >>> metric = SilhouetteScore()
        >>> features = torch.tensor([[0.0], [2.0], [10.0], [12.0]])
        >>> metric.update((features, torch.tensor([0, 0, 1, 1])))
        >>> round(metric.compute(), 4)
        0.798
    """

    def __init__(
        self,
        output_transform: Callable[[Any], Any] = as_it_is,
        check_compute_fn: bool = True,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
        silhouette_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        given = {"metric": "euclidean", "sample_size": None, "random_state": None}
        given.update(silhouette_kwargs or {})
        function = partial(_silhouette, **_checked(given))
        super().__init__(function, output_transform, check_compute_fn, device, skip_unrolling)


def _checked(given: Mapping[str, Any]) -> Mapping[str, Any]:
    known = ("metric", "sample_size", "random_state")
    for name in given:
        if name not in known:
            raise InvalidArgument(
                f"silhouette_kwargs may hold {', '.join(known)}, got {name!r}"
                f"{did_you_mean(str(name), known)}"
            )
    metric, seed = given["metric"], given["random_state"]
    if metric not in (*DISTANCES, PRECOMPUTED):
        raise InvalidArgument(
            f"the metric of silhouette_kwargs must be one of {', '.join(DISTANCES)}, "
            f"{PRECOMPUTED}, got {metric!r}{did_you_mean(str(metric), DISTANCES)}"
        )
    if given["sample_size"] is not None:
        whole("the sample_size of silhouette_kwargs", given["sample_size"])
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
        raise InvalidArgument(
            "the random_state of silhouette_kwargs must be a whole number, got "
            f"{seed!r} of type {type(seed).__name__}"
        )
    return given


def _silhouette(
    clusters: Clusters, metric: str, sample_size: int | None, random_state: int | None
) -> Any:
    if sample_size is None:
        return _mean(clusters, metric)
    features, places, _ = clusters
    generator = torch.Generator().manual_seed(random_state or 0)
    drawn = torch.randperm(len(features), generator=generator)[:sample_size].to(features.device)
    features = features[drawn][:, drawn] if metric == PRECOMPUTED else features[drawn]
    return on_clusters(partial(_mean, metric=metric), features, places[drawn])


def _mean(clusters: Clusters, metric: str) -> Tensor:
    features, places, sizes = clusters
    n = len(features)
    if metric == PRECOMPUTED and features.shape != (n, n):
        raise InvalidArgument(
            "SilhouetteScore with precomputed distances expected features of shape (N, N), got "
            f"{tuple(features.shape)}"
        )
    total = features.new_zeros(())
    for rows in torch.arange(n, device=features.device).split(max(BLOCK // n, 1)):
        block = features[rows]
        distances = block if metric == PRECOMPUTED else DISTANCES[metric](block, features)
        sums = features.new_zeros(len(rows), len(sizes)).index_add_(1, places, distances)
        total = total + _silhouettes(sums, places[rows].unsqueeze(1), sizes).sum()
    return total / n


def _silhouettes(sums: Tensor, own: Tensor, sizes: Tensor) -> Tensor:
    """Return the silhouette of each example, from its distances ``(M, K)`` from all clusters."""
    others = sizes[own] - 1
    inside = sums.gather(1, own) / others
    outside = (sums / sizes).scatter(1, own, torch.inf).amin(dim=1, keepdim=True)
    larger = torch.maximum(inside, outside)
    return torch.where((others == 0) | (larger == 0), 0.0, (outside - inside) / larger)
