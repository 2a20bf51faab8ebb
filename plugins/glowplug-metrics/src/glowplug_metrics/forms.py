"""The forms of predictions and targets that many metrics share.

Owns: which shapes fit together, and how the errors about them are worded.
Must not know: what a metric makes of the values.
"""

from __future__ import annotations

from torch import Tensor

from glowplug_metrics.predictions import PredictionMetric


def check_one_shape(metric: PredictionMetric, y_pred: Tensor, y: Tensor) -> None:
    """Refuse what is not two tensors of real numbers, of one shape but for a last 1.

    Raises:
        InvalidArgument: for other shapes or complex numbers.
    """
    _check_real(metric, y_pred, y)
    if _without_last_one(y_pred) != _without_last_one(y):
        metric.refuse(
            "y_pred and y of one shape (N, ...), where one of them may have a further 1 at its end",
            y_pred,
            y,
        )


def check_single_numbers(metric: PredictionMetric, y_pred: Tensor, y: Tensor) -> None:
    """Refuse what is not one real number for each example.

    Raises:
        InvalidArgument: for other shapes or complex numbers.
    """
    _check_real(metric, y_pred, y)
    flat = [_without_last_one(tensor) for tensor in (y_pred, y)]
    if flat[0] != flat[1] or len(flat[0]) != 1:
        metric.refuse("y_pred and y of shape (N,) or (N, 1)", y_pred, y)


def check_rows(metric: PredictionMetric, y_pred: Tensor, y: Tensor) -> None:
    """Refuse what is not two tensors of real numbers, of one shape of two dimensions or more.

    Raises:
        InvalidArgument: for other shapes or complex numbers.
    """
    _check_real(metric, y_pred, y)
    if y_pred.shape != y.shape or y.ndim < 2:
        metric.refuse("y_pred and y of one shape (N, D, ...)", y_pred, y)


def _check_real(metric: PredictionMetric, y_pred: Tensor, y: Tensor) -> None:
    if y_pred.is_complex() or y.is_complex():
        metric.refuse("real numbers", y_pred, y)


def _without_last_one(tensor: Tensor) -> tuple[int, ...]:
    shape = tuple(tensor.shape)
    return shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape
