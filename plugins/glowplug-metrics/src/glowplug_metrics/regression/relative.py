"""Errors with their sign, and errors as shares of the targets.

Owns: what is averaged over the pairs, and that no target may be 0 where it divides.
Must not know: how means are kept.
"""

from __future__ import annotations

from torch import Tensor

from glowplug_metrics.elementwise import DifferenceMean, ElementwiseMean


class MeanError(DifferenceMean):
    r"""The mean of the errors: the bias of the predictions.

    .. math:: \frac{1}{n} \sum_{i=1}^{n} (y_i - \hat{y}_i)

    Shapes and precision: as for `DifferenceMean`. From minus infinity to infinity, where 0 is best,
    and a positive value tells of predictions that are too small. NaN and infinity stay in the
    value.

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
        >>> metric = MeanError()
        >>> metric.update((torch.tensor([1.0, 2.0]), torch.tensor([2.0, 5.0])))
        >>> metric.compute()
        2.0
    """

    def errors_of(self, differences: Tensor) -> Tensor:
        """Return the errors as they are."""
        return differences


class MeanNormalizedBias(ElementwiseMean):
    r"""The mean of the errors, each divided by its target.

    .. math:: \frac{1}{n} \sum_{i=1}^{n} \frac{y_i - \hat{y}_i}{y_i}

    Shapes: as for `ElementwiseMean`. From minus infinity to infinity, where 0 is best, and for
    positive targets a positive value tells of predictions that are too small. NaN and infinity stay
    in the value. A target of 0 is refused on the first update; later ones, of which nothing is
    asked, make the value infinite, or NaN where the prediction is 0 too.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.
        metrics_result_mode: as for `Metric`.

    Raises:
        InvalidArgument: on the first update, for other shapes or a target of 0.
        InvalidType: for an output that is not two tensors.

    Source:
        A. Botchkarev, https://arxiv.org/abs/1809.03006.

    Example:
        >>> import torch
        >>> metric = MeanNormalizedBias()
        >>> metric.update((torch.tensor([1.0, 4.0]), torch.tensor([2.0, 4.0])))
        >>> metric.compute()
        0.25
    """

    def check_ranges(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse targets of 0."""
        if (y == 0).any():
            self.refuse("y without zeros, by which it divides", y_pred, y)

    def errors(self, y_pred: Tensor, y: Tensor) -> Tensor:
        """Return the errors as shares of the targets."""
        return (y - y_pred) / y


class MeanAbsoluteRelativeError(MeanNormalizedBias):
    r"""The mean of the absolute errors, each divided by the size of its target.

    .. math:: \frac{1}{n} \sum_{i=1}^{n} \frac{|y_i - \hat{y}_i|}{|y_i|}

    Shapes: as for `ElementwiseMean`. From 0 to infinity; smaller is better. NaN and infinity stay
    in the value. A target of 0 is refused on the first update; later ones, of which nothing is
    asked, make the value infinite, or NaN where the prediction is 0 too.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.
        metrics_result_mode: as for `Metric`.

    Raises:
        InvalidArgument: on the first update, for other shapes or a target of 0.
        InvalidType: for an output that is not two tensors.

    Source:
        A. Botchkarev, https://arxiv.org/abs/1809.03006; scikit-learn's
        ``mean_absolute_percentage_error``, but for targets of 0.

    Example:
        >>> import torch
        >>> metric = MeanAbsoluteRelativeError()
        >>> metric.update((torch.tensor([1.0, 6.0]), torch.tensor([2.0, 4.0])))
        >>> metric.compute()
        0.5
    """

    def errors(self, y_pred: Tensor, y: Tensor) -> Tensor:
        """Return the absolute errors as shares of the targets' sizes."""
        return super().errors(y_pred, y).abs_()
