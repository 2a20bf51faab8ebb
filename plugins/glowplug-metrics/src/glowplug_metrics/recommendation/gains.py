"""How near rankings are to the best that there is, told by gains that lose worth down the list.

Owns: gains, discounts, and the ratio of what was reached to what could be.
Must not know: how means are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

import torch
from torch import Tensor

from glowplug_metrics.arguments import member, not_negative
from glowplug_metrics.metric import CPU
from glowplug_metrics.outputs import as_it_is
from glowplug_metrics.recommendation.top_k import TopKMetric


class _Gain(Enum):
    """What an item of a relevance is worth."""

    EXPONENTIAL = "exp_rank"
    LINEAR = "linear_rank"


class NDCG(TopKMetric):
    r"""The normalized discounted cumulative gain of the first k items, its mean over the users.

    .. math:: \mathrm{NDCG}@k = \frac{1}{N} \sum_{i=1}^{N}
        \frac{\mathrm{DCG}_i@k}{\mathrm{IDCG}_i@k}, \quad
        \mathrm{DCG}@k = \sum_{j=1}^{k} \frac{g(y_{(j)})}{\log_2 (j + 1)}, \quad
        g(y) = 2^y - 1

    with the relevance :math:`y_{(j)}` of the j-th item in the order of the scores, and the IDCG of
    the best order. Shapes: ``y_pred`` of shape ``(N, I)``, scores of I items for N users, and ``y``
    of the same shape, how relevant each is: 0 or more. The value is a list, one number for each k
    in the order of their size; from 0 to 1; larger is better. Among equal scores items keep their
    order; NaN counts as the highest score. A k beyond I takes all items. A relevance that is NaN
    makes the value NaN, and so does infinity, but where its item is not among the first k: 0.

    Gains are worked out in float64: pytorch-ignite's are infinite for a relevance of 128. It takes
    negative relevances too, for which the ratio means nothing.

    Args:
        top_k: one k or several.
        ignore_zero_hits: leave users out who have no relevant item; they count 0 otherwise.
        relevance_threshold: how relevant an item must be at the least; others gain nothing.
        gain_function: what a relevance is worth: ``"exp_rank"``, :math:`2^y - 1`, or
            ``"linear_rank"``, y itself.
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.

    Raises:
        InvalidArgument: when ``top_k`` holds something else than positive whole numbers, when
            the threshold is not 0 or more, or for another gain function; on the first update, for
            other shapes or values.
        InvalidType: for an output that is not two tensors.

    Source:
        K. Järvelin and J. Kekäläinen, "Cumulated Gain-Based Evaluation of IR Techniques", 2002;
        scikit-learn's ``ndcg_score`` is the same with ``"linear_rank"`` where no scores are equal.

    Example:
        >>> metric = NDCG([1, 3])
        >>> metric.update((torch.tensor([[0.9, 0.5, 0.1]]), torch.tensor([[0, 3, 1]])))
        >>> [round(value, 4) for value in metric.compute()]
        [0.0, 0.6443]
    """

    def __init__(
        self,
        top_k: int | Sequence[int],
        ignore_zero_hits: bool = True,
        relevance_threshold: float = 1.0,
        gain_function: str = "exp_rank",
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
    ) -> None:
        super().__init__(top_k, ignore_zero_hits, output_transform, device, skip_unrolling)
        self._threshold = not_negative("relevance_threshold", relevance_threshold)
        self._gain = member("gain_function", gain_function, _Gain)

    def check_ranges(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse negative relevances."""
        if (y < 0).any():
            self.refuse("y of relevances, 0 or more", y_pred, y)

    def relevant(self, y: Tensor) -> Tensor:
        """Return where the threshold is reached, which NaN is not below."""
        return (y < self._threshold).logical_not()

    def worth(self, y_pred: Tensor, y: Tensor) -> Tensor:
        """Return the ratio of each user for each k, 0 where there is nothing to gain."""
        gains = y.to(self.wide)
        if self._gain is _Gain.EXPONENTIAL:
            gains = torch.exp2(gains) - 1
        gains = gains.masked_fill(~self.relevant(y), 0.0)
        longest = min(self._top_k[-1], y.shape[1])
        order = y_pred.argsort(dim=1, descending=True, stable=True)[:, :longest]
        reached = self._sums(gains.gather(1, order))
        best = self._sums(gains.topk(longest, dim=1).values)
        ratios: Tensor = torch.where(best == 0, best, reached / best)
        return ratios

    def _sums(self, gains: Tensor) -> Tensor:
        """Return the discounted sums of the first k gains, for each k."""
        longest = gains.shape[1]
        ranks = torch.arange(2, longest + 2, dtype=gains.dtype, device=gains.device)
        sums = (gains / ranks.log2()).cumsum(dim=1)
        return torch.stack([sums[:, min(k, longest) - 1] for k in self._top_k], dim=1)
