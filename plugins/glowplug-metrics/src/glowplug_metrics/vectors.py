"""How near predicted vectors are to their targets.

Owns: the mean of a distance and of a similarity.
Must not know: how means are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from glowplug_metrics.arguments import not_negative, positive
from glowplug_metrics.forms import check_rows
from glowplug_metrics.means import MeanMetric
from glowplug_metrics.metric import CPU
from glowplug_metrics.outputs import as_it_is
from glowplug_metrics.precision import paired
from glowplug_metrics.predictions import PredictionMetric
from glowplug_metrics.rows import row_sums


class MeanPairwiseDistance(PredictionMetric, MeanMetric):
    r"""The mean distance of predicted vectors from their targets.

    .. math:: \frac{1}{n} \sum_{i=1}^{n} \| \hat{y}_i - y_i + \varepsilon \|_p

    Shapes: ``y_pred`` and ``y`` of one shape ``(N, ..., D)``: n vectors along the last dimension.
    From 0 to infinity; smaller is better. NaN and infinity stay in the value. Distances of vectors
    of float32 or less are worked out in float32, all others in float64.

    Args:
        p: which norm: 1, 2, any positive number, infinity.
        eps: what is added to each difference, as in ``torch.nn.PairwiseDistance``; 0 gives the
            distance itself.
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.

    Raises:
        InvalidArgument: when ``p`` is not positive or ``eps`` is negative; on the first update,
            for other shapes.
        InvalidType: for an output that is not two tensors.

    Source:
        ``torch.nn.PairwiseDistance``.

    Example:
        >>> metric = MeanPairwiseDistance(eps=0)
        >>> metric.update((torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0]])))
        >>> metric.compute()
        5.0
    """

    joins = True

    def __init__(
        self,
        p: float = 2,
        eps: float = 1e-06,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
    ) -> None:
        super().__init__(output_transform, device=device, skip_unrolling=skip_unrolling)
        self._p = positive("p", p, infinite=True)
        self._eps = not_negative("eps", eps)

    def check(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse what is not vectors beside vectors."""
        check_rows(self, y_pred, y)

    def accumulate(self, y_pred: Tensor, y: Tensor) -> None:
        """Add the distances of a batch."""
        y_pred, y = paired(y_pred, y, self.wide)
        gaps = y_pred.sub(y).add_(self._eps)
        if self._p == 2:
            distances = row_sums(gaps.square_()).sqrt_()
        else:
            distances = torch.linalg.vector_norm(gaps, self._p, dim=-1)
        self.add("total", distances.sum(dtype=self.wide))
        self.count += distances.numel()


class CosineSimilarity(PredictionMetric, MeanMetric):
    r"""The mean cosine of the angle between predicted vectors and their targets.

    .. math:: \frac{1}{N} \sum_{i=1}^{N}
        \frac{\hat{y}_i \cdot y_i}{\max(\|\hat{y}_i\|, \varepsilon) \max(\|y_i\|, \varepsilon)}

    Shapes: ``y_pred`` and ``y`` of one shape ``(N, D, ...)``, N vectors: further dimensions count
    as one with D. From -1 to 1; larger is better. NaN stays in the value, and infinity in a vector
    makes it NaN.

    Vectors of float32 or less are worked out in float32, all others in float64. In float16, an
    ``eps`` of 1e-8 would be 0.

    Args:
        eps: the least length that is divided by, so that a vector of zeros has the similarity 0.
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.

    Raises:
        InvalidArgument: when ``eps`` is negative; on the first update, for other shapes.
        InvalidType: for an output that is not two tensors.

    Source:
        ``torch.nn.CosineSimilarity``.

    Example:
        >>> metric = CosineSimilarity()
        >>> metric.update((torch.tensor([[1.0, 0.0]]), torch.tensor([[3.0, 4.0]])))
        >>> round(metric.compute(), 6)
        0.6
    """

    joins = True

    def __init__(
        self,
        eps: float = 1e-08,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
    ) -> None:
        super().__init__(output_transform, device=device, skip_unrolling=skip_unrolling)
        self._eps = not_negative("eps", eps)

    def check(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse what is not vectors beside vectors."""
        check_rows(self, y_pred, y)

    def accumulate(self, y_pred: Tensor, y: Tensor) -> None:
        """Add the similarities of a batch."""
        y_pred, y = paired(y_pred, y, self.wide)
        y_pred, y = y_pred.flatten(1), y.flatten(1)
        products = row_sums(y_pred * y)
        for part in (y_pred, y):
            products /= row_sums(part.square()).sqrt_().clamp_(min=self._eps)
        self.add("total", products.sum(dtype=self.wide))
        self.count += len(products)
