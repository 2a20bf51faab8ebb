"""Correlations of the order of predictions with the order of targets.

Owns: the two coefficients, with ties.
Must not know: how pairs are kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from glowplug.errors import InvalidArgument, did_you_mean
from glowplug_metrics.metric import CPU
from glowplug_metrics.order import average_ranks, groups, inversions
from glowplug_metrics.outputs import as_it_is
from glowplug_metrics.regression.pairs import PairsMetric


class SpearmanRankCorrelation(PairsMetric):
    r"""The correlation of the ranks of predictions and targets.

    .. math:: \rho = \frac{\mathrm{cov}(r(\hat{y}), r(y))}{\sigma(r(\hat{y})) \, \sigma(r(y))}

    with the ranks r, of which equal numbers share the mean. Shapes: ``y_pred`` and ``y`` of shape
    ``(N,)`` or ``(N, 1)``; all are kept. From -1 to 1; larger is better. NaN for fewer than two
    examples, where all predictions or all targets are equal, and where one is NaN. Infinity is the
    greatest number.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output.
        check_compute_fn: as for `EpochMetric`.
        device: where the pairs are kept.
        skip_unrolling: as for `Metric`.

    Raises:
        InvalidArgument: on the first update, for other shapes.
        InvalidType: for an output that is not two tensors.

    Source:
        C. Spearman, "The Proof and Measurement of Association between Two Things", 1904; SciPy's
        ``spearmanr``.

    Example:
        >>> metric = SpearmanRankCorrelation()
        >>> metric.update((torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.0, 9.0, 5.0])))
        >>> round(metric.compute(), 6)
        0.5
    """

    def __init__(
        self,
        output_transform: Callable[[Any], Any] = as_it_is,
        check_compute_fn: bool = True,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
    ) -> None:
        super().__init__(_spearman, output_transform, check_compute_fn, device, skip_unrolling)


class KendallRankCorrelation(PairsMetric):
    r"""How much more pairs of examples stand in the same order than in the opposite one.

    .. math:: \tau_b = \frac{P - Q}{\sqrt{(P + Q + T)(P + Q + U)}}, \qquad
        \tau_c = \frac{2 (P - Q)}{n^2 (m - 1) / m}

    with P pairs in the same order, Q in the opposite one, T tied in ``y_pred`` alone, U in ``y``
    alone, and the smaller number m of different values in the two. Shapes: ``y_pred`` and ``y`` of
    shape ``(N,)`` or ``(N, 1)``; all are kept. From -1 to 1; larger is better. NaN for fewer than
    two examples, where all predictions or all targets are equal, and where one is NaN. Infinity is
    the greatest number.

    Args:
        variant: ``"b"``, or ``"c"`` for two scales with different numbers of values.
        output_transform: makes ``(y_pred, y)`` of the step's output.
        check_compute_fn: as for `EpochMetric`.
        device: where the pairs are kept.
        skip_unrolling: as for `Metric`.

    Raises:
        InvalidArgument: for another variant; on the first update, for other shapes.
        InvalidType: for an output that is not two tensors.

    Source:
        M. G. Kendall, "The Treatment of Ties in Ranking Problems", 1945; A. Stuart, "The Estimation
        and Comparison of Strengths of Association in Contingency Tables", 1953; SciPy's
        ``kendalltau``. The pairs are counted in N (log N)^2 steps: W. R. Knight, "A Computer Method
        for Calculating Kendall's Tau with Ungrouped Data", 1966.

    Example:
        >>> metric = KendallRankCorrelation()
        >>> metric.update((torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.0, 9.0, 5.0])))
        >>> round(metric.compute(), 6)
        0.333333
    """

    def __init__(
        self,
        variant: str = "b",
        output_transform: Callable[[Any], Any] = as_it_is,
        check_compute_fn: bool = True,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
    ) -> None:
        if variant not in ("b", "c"):
            raise InvalidArgument(
                f"variant must be 'b' or 'c', got {variant!r}{did_you_mean(str(variant), 'bc')}"
            )
        function = partial(_kendall, variant=variant)
        super().__init__(function, output_transform, check_compute_fn, device, skip_unrolling)


def _spearman(y_pred: Tensor, y: Tensor) -> float:
    if not _are_ordered(y_pred, y):
        return math.nan
    x, y = (ranks - ranks.mean() for ranks in (average_ranks(y_pred), average_ranks(y)))
    return float(x @ y / (x.square().sum() * y.square().sum()).sqrt())


def _kendall(y_pred: Tensor, y: Tensor, variant: str) -> float:
    if not _are_ordered(y_pred, y):
        return math.nan
    n = len(y)
    (x, x_counts), (y, y_counts) = groups(y_pred), groups(y)
    both = x * len(y_counts) + y
    pairs = n * (n - 1) // 2
    x_ties, y_ties = _ties(x_counts), _ties(y_counts)
    both_ties = _ties(groups(both)[1])
    # In the order of x, and of y among equal x, what is still out of order in y is discordant.
    discordant = inversions(y[both.argsort()])
    difference = pairs - x_ties - y_ties + both_ties - 2 * discordant
    if variant == "b":
        return difference / math.sqrt(pairs - x_ties) / math.sqrt(pairs - y_ties)
    least = min(len(x_counts), len(y_counts))
    return 2 * difference / (n**2 * (least - 1) / least)


def _are_ordered(*variables: Tensor) -> bool:
    """Return whether no number is NaN, and not all of a variable are equal."""
    return not any(bool((x == x[:1]).all() | x.isnan().any()) for x in variables)


def _ties(counts: Tensor) -> int:
    """Return how many pairs there are within groups of these sizes."""
    return int((counts * (counts - 1) // 2).sum())
