"""How often the target is among the k classes of the largest scores.

Owns: which scores are the k largest, ties included.
Must not know: how counts are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor

from glowplug_metrics.arguments import whole_number
from glowplug_metrics.classification.kinds import check_class_numbers
from glowplug_metrics.means import MeanMetric
from glowplug_metrics.metric import CPU
from glowplug_metrics.outputs import as_it_is
from glowplug_metrics.predictions import PredictionMetric


class TopKCategoricalAccuracy(PredictionMetric, MeanMetric):
    r"""The share of examples whose target is among the k classes of the largest scores.

    .. math:: \frac{1}{n} \sum_{i=1}^{n} [y_i \in \operatorname{top}_k(\hat{y}_i)]

    Shapes: ``y_pred`` of ``(N, C, ...)``, any scores, C at least k; ``y`` of ``(N, ...)``, class
    numbers. From 0 to 1; larger is better. Of equal scores those of greater class numbers come
    first, so that scores that are all the same do not make every target right. NaN counts as larger
    than any score, and a target whose own score is NaN is never right. Neither is one outside
    ``0..C-1``.

    Args:
        k: how many classes, at least 1.
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.

    Raises:
        InvalidArgument: when ``k`` is no positive whole number; on the first update, for other
            shapes, or targets that are no whole numbers.
        InvalidType: for an output that is not two tensors.

    Source:
        scikit-learn's ``top_k_accuracy_score``, which gives the same.

    Example:
        >>> metric = TopKCategoricalAccuracy(k=2)
        >>> y_pred = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]])
        >>> metric.update((y_pred, torch.tensor([1, 0])))
        >>> metric.compute()
        0.5
    """

    joins = True
    total_dtype: ClassVar[torch.dtype] = torch.int64

    def __init__(
        self,
        k: int = 5,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
    ) -> None:
        self._k = whole_number("k", k, least=1)
        super().__init__(output_transform, device, skip_unrolling)

    def check(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse what is not k scores or more for each target."""
        shape, target = tuple(y_pred.shape), tuple(y.shape)
        fits = len(shape) > 1 and shape[:1] + shape[2:] == target and shape[1] >= self._k
        if not fits or y_pred.is_complex() or y.is_complex():
            self.refuse(
                f"y_pred of shape (N, C, ...), real numbers, with C >= k = {self._k}, and y of "
                "shape (N, ...)",
                y_pred,
                y,
            )

    def check_ranges(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse targets that are no whole numbers."""
        check_class_numbers(self, y_pred, y)

    def accumulate(self, y_pred: Tensor, y: Tensor) -> None:
        """Count the targets before which fewer than k classes come."""
        last = y_pred.shape[1] - 1
        target = y.unsqueeze(1).to(torch.int64)
        inside = target.clamp(0, last)
        own = y_pred.gather(1, inside)
        # Itself and what comes after it: not the opposite of what comes before, for NaN is neither.
        numbers = torch.arange(last + 1, device=y.device).view(-1, *[1] * (y_pred.ndim - 2))
        behind = torch.where(numbers <= inside, y_pred <= own, y_pred < own)
        right = (behind.sum(dim=1, keepdim=True) > last + 1 - self._k) & (inside == target)
        self.add("total", right.sum())
        self.count += right.numel()
