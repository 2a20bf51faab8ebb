"""How often the prediction is the target.

Owns: what counts as one prediction, and when it is right.
Must not know: how counts are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor

from glowplug_metrics.classification.counting import largest
from glowplug_metrics.classification.kinds import Kind, KindMetric
from glowplug_metrics.means import MeanMetric
from glowplug_metrics.metric import CPU
from glowplug_metrics.outputs import as_it_is


class Accuracy(KindMetric, MeanMetric):
    r"""The share of predictions that are right.

    .. math:: \frac{1}{n} \sum_{i=1}^{n} [\hat{y}_i = y_i]

    Shapes, with ``...`` for any further dimensions, each place of which is a prediction:

    - binary: ``y_pred`` and ``y`` of shape ``(N, ...)``, or ``y_pred`` of ``(N, 1, ...)``; both
      hold 0 and 1 alone.
    - multiclass: ``y_pred`` of shape ``(N, C, ...)``, C at least 2, any scores: the largest is the
      prediction (NaN counts as the largest, as in ``torch.argmax``); ``y`` of shape ``(N, ...)``,
      class numbers. A number outside ``0..C-1`` is never right, so a padding label lowers the
      value.
    - multilabel: both of shape ``(N, C, ...)``, C at least 2, 0 and 1 alone. A prediction is right
      when all its C labels are.

    From 0 to 1; larger is better.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output; a threshold belongs here:
            ``lambda output: (output[0].round(), output[1])``.
        is_multilabel: whether 0 and 1 in ``(N, C, ...)`` are labels of N examples.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.

    Raises:
        InvalidArgument: on the first update, for other shapes or values.
        InvalidType: for an output that is not two tensors.

    Source:
        scikit-learn's ``accuracy_score``, which gives the same for labels.

    Example:
        >>> accuracy = Accuracy()
        >>> accuracy.update((torch.tensor([[0.1, 0.9], [0.8, 0.2]]), torch.tensor([1, 1])))
        >>> accuracy.compute()
        0.5
    """

    joins = True
    total_dtype: ClassVar[torch.dtype] = torch.int64

    def __init__(
        self,
        output_transform: Callable[[Any], Any] = as_it_is,
        is_multilabel: bool = False,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
    ) -> None:
        super().__init__(output_transform, device, skip_unrolling, is_multilabel=is_multilabel)

    def accumulate(self, y_pred: Tensor, y: Tensor) -> None:
        """Count the right ones."""
        kind = self.kind(y_pred, y)
        if kind is Kind.MULTICLASS:
            wrong = largest(y_pred) != y
        elif kind is Kind.MULTILABEL:
            wrong = (y_pred != y).any(dim=1)  # less than half the time of ``all`` of the equal
        else:
            wrong = (y_pred if y_pred.ndim == y.ndim else y_pred.squeeze(1)) != y
        self.add("total", wrong.numel() - wrong.sum())
        self.count += wrong.numel()
