"""Errors as fractions of the mean of prediction and target.

Owns: what is averaged over the pairs.
Must not know: how means are kept.
"""

from __future__ import annotations

from torch import Tensor

from glowplug_metrics.elementwise import ElementwiseMean, ratio


class FractionalAbsoluteError(ElementwiseMean):
    r"""The mean of the absolute errors, each divided by the mean size of the two numbers.

    .. math:: \frac{1}{n} \sum_{i=1}^{n} \frac{2 \, |y_i - \hat{y}_i|}{|y_i| + |\hat{y}_i|}

    where a pair of zeros counts as an error of 0; pytorch-ignite's value is NaN then. Shapes: as
    for `ElementwiseMean`. From 0 to 2; smaller is better. NaN stays in the value, and infinity
    makes it NaN.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.
        metrics_result_mode: as for `Metric`.

    Raises:
        InvalidArgument: on the first update, for other shapes.
        InvalidType: for an output that is not two tensors.

    Source:
        A. Botchkarev, https://arxiv.org/abs/1809.03006.

    Example:
        >>> import torch
        >>> metric = FractionalAbsoluteError()
        >>> metric.update((torch.tensor([1.0, 0.0]), torch.tensor([3.0, 0.0])))
        >>> metric.compute()
        0.5
    """

    def errors(self, y_pred: Tensor, y: Tensor) -> Tensor:
        """Return the absolute errors as shares of the mean sizes."""
        return ratio((y - y_pred).abs_(), (y.abs() + y_pred.abs()) / 2)


class FractionalBias(ElementwiseMean):
    r"""The mean of the errors, each divided by the mean of the two numbers.

    .. math:: \frac{1}{n} \sum_{i=1}^{n} \frac{2 \, (y_i - \hat{y}_i)}{y_i + \hat{y}_i}

    where an error of 0 counts as 0. For numbers that are not negative from -2 to 2, where 0 is
    best, and a positive value tells of predictions that are too small. A pair whose sum is 0 makes
    the value infinite; pytorch-ignite's is a large finite number then. Shapes: as for
    `ElementwiseMean`. NaN stays in the value, and infinity makes it NaN.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.
        metrics_result_mode: as for `Metric`.

    Raises:
        InvalidArgument: on the first update, for other shapes.
        InvalidType: for an output that is not two tensors.

    Source:
        A. Botchkarev, https://arxiv.org/abs/1809.03006.

    Example:
        >>> import torch
        >>> metric = FractionalBias()
        >>> metric.update((torch.tensor([1.0, 2.0]), torch.tensor([3.0, 2.0])))
        >>> metric.compute()
        0.5
    """

    def errors(self, y_pred: Tensor, y: Tensor) -> Tensor:
        """Return the errors as shares of the means."""
        return ratio(y - y_pred, (y + y_pred) / 2)
