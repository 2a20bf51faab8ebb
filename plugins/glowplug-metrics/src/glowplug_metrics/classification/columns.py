"""Scores kept for all classes at once, one column of scores for each class.

Owns: telling binary, multilabel and multiclass scores apart, and averages over the columns.
Must not know: what is made of a column.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

from glowplug_metrics.classification.averages import Average, weighted_mean
from glowplug_metrics.classification.kinds import check_class_numbers
from glowplug_metrics.epoch_metric import EpochMetric
from glowplug_metrics.predictions import PredictionMetric
from glowplug_metrics.results import as_numbers

Area: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""Makes one number of scores and of which are positive, both ``(..., N)``: ``(...)``."""


class ScoresMetric(EpochMetric):
    """The base of metrics that keep scores, and which examples are positive, until the end.

    Args:
        *args: as for `EpochMetric`.
        **kwargs: as for `EpochMetric`.
    """

    single_valued = True

    def check(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse what is neither one score for each target nor a row of scores."""
        if y_pred.is_complex() or y.is_complex():
            self.refuse("real numbers", y_pred, y)
        shape, target = form(y_pred), form(y)
        binary = shape == target and len(shape) == 1
        if not binary and not (self._fits(shape, target)):
            self.refuse(self.forms(), y_pred, y)

    def _fits(self, shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
        """Return whether scores that are not binary are taken in this form."""
        return len(shape) == 2 and target in (shape, shape[:1])

    def forms(self) -> str:
        """Return what `check` lets pass, in words."""
        return (
            "y_pred and y of shape (N,) (binary), y_pred of shape (N, C) and y of shape (N,) "
            "(multiclass), or both of shape (N, C) (multilabel)"
        )

    def check_ranges(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse targets that are not of the kind, and try the function, if that is wanted."""
        if len(form(y_pred)) > len(form(y)):
            check_class_numbers(self, y_pred, y)
        else:
            check_positives(self, y_pred, y)
        super().check_ranges(y_pred, y)


def form(tensor: Tensor) -> tuple[int, ...]:
    """Return a shape, ``(N, 1)`` as ``(N,)``.

    Example:
        >>> form(torch.zeros(4, 1)), form(torch.zeros(4, 3))
        ((4,), (4, 3))
    """
    shape = tuple(tensor.shape)
    return shape[:1] if len(shape) == 2 and shape[1] == 1 else shape


def check_positives(metric: PredictionMetric, y_pred: Tensor, y: Tensor) -> None:
    """Refuse targets other than 1 for positive and 0 or -1 for negative examples; waits.

    Raises:
        InvalidArgument: for others, or for both 0 and -1.
    """
    positive = y == 1
    if not (positive | (y == 0)).all() and not (positive | (y == -1)).all():
        metric.refuse("y of 0 and 1 alone, or of -1 and 1 alone", y_pred, y)


def by_class(y_pred: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Return the scores of each class, and which examples are of it.

    Args:
        y_pred: ``(N,)`` or ``(N, C)``
        y: ``(N,)`` or ``(N, C)``

    Returns:
        Two tensors ``(N,)`` of binary scores, ``(C, N)`` of others.

    Example:
        >>> by_class(torch.zeros(2, 3), torch.tensor([2, 0]))[1].long()
        tensor([[0, 1],
                [0, 0],
                [1, 0]])
    """
    if y_pred.ndim == 1:
        return y_pred, y == 1
    if y.ndim == 2:
        return y_pred.T, y.T == 1
    return y_pred.T, y == torch.arange(y_pred.shape[1], device=y.device).unsqueeze(1)


def over_classes(area: Area, average: Average, y_pred: Tensor, y: Tensor) -> float | Tensor:
    """Return the area of binary scores, or those of all classes, averaged.

    Args:
        area: what is made of the scores of a class.
        average: how one comes of those of all classes.
        y_pred: ``(N,)`` or ``(N, C)``
        y: ``(N,)`` or ``(N, C)``

    Returns:
        A number, or a tensor ``(C,)`` where nothing is averaged.

    Example:
        >>> of_class = lambda scores, positive: positive.double().mean(-1)
        >>> over_classes(of_class, Average.CLASSES, torch.zeros(2, 2), torch.tensor([1, 1]))
        tensor([0., 1.], dtype=torch.float64)
    """
    scores, positive = by_class(y_pred, y)
    if average is Average.MICRO:
        scores, positive = scores.reshape(-1), positive.reshape(-1)
    elif average is Average.SAMPLES and scores.ndim == 2:
        scores, positive = scores.T, positive.T
    areas = area(scores, positive)
    if average is Average.WEIGHTED and areas.ndim:
        areas = weighted_mean(areas, positive.sum(dim=-1).to(areas.device))
    elif average in (Average.MACRO, Average.SAMPLES):
        areas = areas.mean()
    number: float | Tensor = as_numbers(areas)
    return number
