"""Binary, multiclass and multilabel predictions: which they are, and what may stand in them.

Owns: telling the kind from the shapes, and the checks of each kind.
Must not know: what is counted or kept of the predictions.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from torch import Tensor

from glowplug_metrics.predictions import PredictionMetric


class Kind(Enum):
    """What predictions are, told by their shapes."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    MULTILABEL = "multilabel"


class KindMetric(PredictionMetric):
    """The base of metrics that take binary, multiclass and multilabel predictions.

    Args:
        *args: as for `Metric`.
        is_multilabel: whether ``(N, C, ...)`` in both are labels of N examples.
        **kwargs: as for `Metric`.
    """

    def __init__(self, *args: Any, is_multilabel: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_multilabel = is_multilabel

    def kind(self, y_pred: Tensor, y: Tensor) -> Kind:
        """Return what predictions are that fit together."""
        if self._is_multilabel:
            return Kind.MULTILABEL
        one_score = y_pred.ndim == y.ndim or y_pred.shape[1] == 1
        return Kind.BINARY if one_score else Kind.MULTICLASS

    def check(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse what does not fit together."""
        shape, target = tuple(y_pred.shape), tuple(y.shape)
        if y_pred.is_complex() or y.is_complex():
            self.refuse("real numbers", y_pred, y)
        if self._is_multilabel:
            if shape != target or len(shape) < 2 or shape[1] < 2:
                self.refuse("y_pred and y of shape (N, C, ...), C >= 2", y_pred, y)
        elif shape != target and (len(shape) < 2 or shape[:1] + shape[2:] != target):
            self.refuse(
                "y_pred of shape (N, C, ...) and y of shape (N, ...), or both of shape (N, ...)",
                y_pred,
                y,
            )

    def check_ranges(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse values other than 0 and 1, or other than class numbers, as the kind asks."""
        kind = self.kind(y_pred, y)
        if kind is Kind.MULTICLASS:
            check_class_numbers(self, y_pred, y)
            return
        for name, values in (("y_pred", y_pred), ("y", y)):
            if not ((values == 0) | (values == 1)).all():
                self.refuse(
                    f"{name} of 0 and 1 alone ({kind.value}; a threshold in output_transform "
                    "makes them of scores)",
                    y_pred,
                    y,
                )

    def flat(self, y_pred: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return both with every place as an example: ``(M,)``, or ``(M, C)`` where classes are."""
        kind = self.kind(y_pred, y)
        if kind is Kind.BINARY:
            return y_pred.reshape(-1), y.reshape(-1)
        return as_rows(y_pred), as_rows(y) if kind is Kind.MULTILABEL else y.reshape(-1)


def check_class_numbers(metric: PredictionMetric, y_pred: Tensor, y: Tensor) -> None:
    """Refuse targets that are no whole numbers; waits for the device where they are floating.

    Raises:
        InvalidArgument: for 0.5, NaN and the like.
    """
    if y.is_floating_point() and not (y == y.trunc()).all():
        metric.refuse("y of class numbers, which are whole", y_pred, y)


def as_rows(tensor: Tensor) -> Tensor:
    """Return ``(N, C, ...)`` as ``(N * ..., C)``.

    Example:
        >>> import torch
        >>> as_rows(torch.zeros(2, 3, 4, 5)).shape
        torch.Size([40, 3])
    """
    return tensor if tensor.ndim == 2 else tensor.movedim(1, -1).reshape(-1, tensor.shape[1])
