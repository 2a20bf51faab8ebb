"""Medians of errors.

Owns: the errors of which the median is taken.
Must not know: how pairs are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from glowplug_metrics.metric import CPU
from glowplug_metrics.order import true_median
from glowplug_metrics.outputs import as_it_is
from glowplug_metrics.regression.pairs import PairsMetric, absolute_errors, relative_errors
from glowplug_metrics.states import in_float64


class MedianAbsoluteError(PairsMetric):
    r"""The median of the absolute errors.

    .. math:: \mathrm{median}_{i=1}^{n} \, |y_i - \hat{y}_i|

    Shapes: ``y_pred`` and ``y`` of shape ``(N,)`` or ``(N, 1)``; all are kept. From 0 to infinity;
    smaller is better. NaN and infinity stay in the value: a single NaN makes it NaN.

    The median of an even number of errors is the mean of the two in the middle; pytorch-ignite
    takes the lower one.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: where the pairs are kept.

    Raises:
        InvalidArgument: on the first update, for other shapes.
        InvalidType: for an output that is not two tensors.

    Source:
        A. Botchkarev, https://arxiv.org/abs/1809.03006; scikit-learn's ``median_absolute_error``.

    Example:
        >>> metric = MedianAbsoluteError()
        >>> metric.update((torch.tensor([1.0, 2.0]), torch.tensor([2.0, 5.0])))
        >>> metric.compute()
        2.0
    """

    def __init__(
        self,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
    ) -> None:
        super().__init__(_absolute, output_transform, check_compute_fn=False, device=device)


class MedianAbsolutePercentageError(PairsMetric):
    r"""The median of the absolute errors in percent of their targets.

    .. math:: 100 \cdot \mathrm{median}_{i=1}^{n} \, \frac{|y_i - \hat{y}_i|}{|y_i|}

    Shapes: ``y_pred`` and ``y`` of shape ``(N,)`` or ``(N, 1)``; all are kept. From 0 to infinity;
    smaller is better. A target of 0 is an infinite error, and NaN where the prediction is 0 too. A
    single NaN makes the value NaN.

    The median of an even number of errors is the mean of the two in the middle; pytorch-ignite
    takes the lower one.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: where the pairs are kept.

    Raises:
        InvalidArgument: on the first update, for other shapes.
        InvalidType: for an output that is not two tensors.

    Source:
        A. Botchkarev, https://arxiv.org/abs/1809.03006.

    Example:
        >>> metric = MedianAbsolutePercentageError()
        >>> metric.update((torch.tensor([1.0, 3.0]), torch.tensor([2.0, 4.0])))
        >>> metric.compute()
        37.5
    """

    def __init__(
        self,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
    ) -> None:
        super().__init__(_percentage, output_transform, check_compute_fn=False, device=device)


class MedianRelativeAbsoluteError(PairsMetric):
    r"""The median of the absolute errors, each divided by that of the mean target.

    .. math:: \mathrm{median}_{i=1}^{n} \, \frac{|y_i - \hat{y}_i|}{|y_i - \bar{y}|}

    Shapes: ``y_pred`` and ``y`` of shape ``(N,)`` or ``(N, 1)``; all are kept. From 0 to infinity;
    smaller is better, and 1 is what predicting the mean of all targets comes to. A target that is
    the mean is an infinite error, and NaN where it is predicted. A single NaN makes the value NaN.

    The median of an even number of errors is the mean of the two in the middle; pytorch-ignite
    takes the lower one.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: where the pairs are kept.

    Raises:
        InvalidArgument: on the first update, for other shapes.
        InvalidType: for an output that is not two tensors.

    Source:
        A. Botchkarev, https://arxiv.org/abs/1809.03006.

    Example:
        >>> metric = MedianRelativeAbsoluteError()
        >>> metric.update((torch.tensor([1.0, 2.0]), torch.tensor([2.0, 6.0])))
        >>> metric.compute()
        1.25
    """

    def __init__(
        self,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
    ) -> None:
        super().__init__(_relative, output_transform, check_compute_fn=False, device=device)


def _absolute(y_pred: Tensor, y: Tensor) -> Tensor:
    return true_median(absolute_errors(y_pred, y))


def _percentage(y_pred: Tensor, y: Tensor) -> Tensor:
    return 100 * true_median(absolute_errors(y_pred, y) / in_float64(y).abs())


def _relative(y_pred: Tensor, y: Tensor) -> Tensor:
    return true_median(relative_errors(y_pred, y))
