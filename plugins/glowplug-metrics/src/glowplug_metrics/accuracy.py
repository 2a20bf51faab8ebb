"""How often the prediction is the target.

Owns: what counts as one prediction, and when it is right.
Must not know: how counts are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, ClassVar

import torch
from torch import Tensor

from glowplug_metrics.means import MeanMetric
from glowplug_metrics.metric import CPU
from glowplug_metrics.outputs import as_it_is
from glowplug_metrics.predictions import PredictionMetric


class _Kind(Enum):
    """What the predictions are, told by the shapes of the first batch."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    MULTILABEL = "multilabel"


class Accuracy(PredictionMetric, MeanMetric):
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

    Which it is, the first batch after a reset tells. From 0 to 1; larger is better.

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

    total_dtype: ClassVar[torch.dtype] = torch.int64

    def __init__(
        self,
        output_transform: Callable[[Any], Any] = as_it_is,
        is_multilabel: bool = False,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
    ) -> None:
        super().__init__(output_transform, device=device, skip_unrolling=skip_unrolling)
        self._is_multilabel = is_multilabel
        self._kind = _Kind.BINARY

    def check(self, y_pred: Tensor, y: Tensor) -> None:
        """Tell the kind from the shapes."""
        shape, target = tuple(y_pred.shape), tuple(y.shape)
        if y_pred.is_complex() or y.is_complex():
            self.refuse("real numbers", y_pred, y)
        if self._is_multilabel:
            if shape != target or len(shape) < 2 or shape[1] < 2:
                self.refuse("y_pred and y of shape (N, C, ...), C >= 2", y_pred, y)
            self._kind = _Kind.MULTILABEL
        elif shape == target or (shape[1:2] == (1,) and shape[:1] + shape[2:] == target):
            self._kind = _Kind.BINARY
        elif len(shape) > 1 and shape[:1] + shape[2:] == target:
            self._kind = _Kind.MULTICLASS
        else:
            self.refuse(
                "y_pred of shape (N, C, ...) and y of shape (N, ...), or both of shape (N, ...)",
                y_pred,
                y,
            )

    def check_ranges(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse values other than 0 and 1 where the kind asks for these."""
        if self._kind is _Kind.MULTICLASS:
            return
        for name, values in (("y_pred", y_pred), ("y", y)):
            if not ((values == 0) | (values == 1)).all():
                self.refuse(
                    f"{name} of 0 and 1 alone ({self._kind.value}; a threshold in output_transform "
                    "makes them of scores)",
                    y_pred,
                    y,
                )

    def accumulate(self, y_pred: Tensor, y: Tensor) -> None:
        """Count the right ones."""
        if self._kind is _Kind.MULTICLASS:
            right = y_pred.argmax(dim=1) == y
        elif self._kind is _Kind.MULTILABEL:
            right = (y_pred == y).all(dim=1)
        else:
            right = (y_pred if y_pred.ndim == y.ndim else y_pred.squeeze(1)) == y
        self.add("total", right.sum())
        self.count += right.numel()
