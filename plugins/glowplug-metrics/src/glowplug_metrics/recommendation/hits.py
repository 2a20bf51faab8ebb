"""For how many users the first items have a relevant one.

Owns: finding the place of the first relevant item.
Must not know: how means are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from glowplug_metrics.metric import CPU
from glowplug_metrics.outputs import as_it_is
from glowplug_metrics.recommendation.top_k import TopKMetric


class HitRate(TopKMetric):
    r"""The share of users who have a relevant item among their first k.

    .. math:: \mathrm{HR}@k = \frac{1}{N} \sum_{i=1}^{N} [r_i \le k]

    with the rank :math:`r_i` of the first relevant item of the i-th user. Shapes: ``y_pred`` of
    shape ``(N, I)``, scores of I items for N users, and ``y`` of the same shape, 1 for a relevant
    item and 0 for another. The value is a list, one number for each k in the order of their size;
    from 0 to 1; larger is better. Among equal scores items keep their order; NaN counts as the
    highest score. A k beyond I takes all items.

    pytorch-ignite takes other numbers than 0 and 1 in ``y``, none of which is relevant, and fails
    for a k beyond I.

    Args:
        top_k: one k or several.
        ignore_zero_hits: leave users out who have no relevant item; they count 0 otherwise.
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.

    Raises:
        InvalidArgument: when ``top_k`` holds something else than positive whole numbers; on the
            first update, for other shapes or values.
        InvalidType: for an output that is not two tensors.

    Source:
        M. Deshpande and G. Karypis, "Item-Based Top-N Recommendation Algorithms", 2004.

    Example:
        >>> metric = HitRate([1, 2])
        >>> y_pred = torch.tensor([[0.9, 0.5, 0.1], [0.3, 0.2, 0.8]])
        >>> metric.update((y_pred, torch.tensor([[0, 1, 1], [0, 0, 1]])))
        >>> metric.compute()
        [0.5, 1.0]
    """

    def __init__(
        self,
        top_k: int | Sequence[int] = 1,
        ignore_zero_hits: bool = True,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
    ) -> None:
        super().__init__(top_k, ignore_zero_hits, output_transform, device, skip_unrolling)

    def check_ranges(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse values in ``y`` other than 0 and 1."""
        if not ((y == 0) | (y == 1)).all():
            self.refuse("y of 0 and 1 alone, 1 for a relevant item", y_pred, y)

    def relevant(self, y: Tensor) -> Tensor:
        """Return where ``y`` is 1."""
        return y == 1

    def worth(self, y_pred: Tensor, y: Tensor) -> Tensor:
        """Return whether a user has a relevant item among the first k."""
        # Without sorting: the place of the best relevant item is how many stand before it.
        relevant = self.relevant(y)
        best = y_pred.masked_fill(~relevant, -torch.inf).amax(dim=1, keepdim=True)
        equal = y_pred == best
        place = (equal & relevant).to(torch.uint8).argmax(dim=1, keepdim=True)
        places = torch.arange(y.shape[1], device=y.device)
        before = ((y_pred > best) | (equal & (places < place))).sum(dim=1, keepdim=True)
        hits = [before < k for k in self._top_k]
        return torch.cat(hits, dim=1) & relevant.any(dim=1, keepdim=True)
