"""Errors of predicted numbers: absolute, squared, and as the noise of a signal.

Owns: the means of absolute and of squared errors, and what is made of these.
Must not know: how errors are paired and gathered.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from glowplug_metrics.arguments import positive
from glowplug_metrics.elementwise import DifferenceMean
from glowplug_metrics.forms import check_rows
from glowplug_metrics.means import MeanMetric
from glowplug_metrics.metric import CPU
from glowplug_metrics.outputs import as_it_is
from glowplug_metrics.precision import paired
from glowplug_metrics.predictions import PredictionMetric
from glowplug_metrics.rows import PIECE, row_sums


class MeanAbsoluteError(DifferenceMean):
    r"""The mean of the absolute errors.

    .. math:: \frac{1}{n} \sum_{i=1}^{n} |y_i - \hat{y}_i|

    Shapes and precision: as for `DifferenceMean`, with n the number of all places. From 0 to
    infinity; smaller is better. NaN and infinity stay in the value.

    pytorch-ignite divides by N alone, so that its value for ``(N, D)`` is D times the mean.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.
        metrics_result_mode: as for `Metric`.

    Raises:
        InvalidArgument: on the first update, for other shapes.
        InvalidType: for an output that is not two tensors.

    Source:
        scikit-learn's ``mean_absolute_error``, which gives the same.

    Example:
        >>> metric = MeanAbsoluteError()
        >>> metric.update((torch.tensor([1.0, 2.0]), torch.tensor([2.0, 5.0])))
        >>> metric.compute()
        2.0
    """

    def errors_of(self, differences: Tensor) -> Tensor:
        """Return the absolute errors."""
        return differences.abs()


class MeanSquaredError(DifferenceMean):
    r"""The mean of the squared errors.

    .. math:: \frac{1}{n} \sum_{i=1}^{n} (y_i - \hat{y}_i)^2

    Shapes and precision: as for `DifferenceMean`, with n the number of all places. From 0 to
    infinity; smaller is better. NaN and infinity stay in the value.

    pytorch-ignite divides by N alone, so that its value for ``(N, D)`` is D times the mean.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.
        metrics_result_mode: as for `Metric`.

    Raises:
        InvalidArgument: on the first update, for other shapes.
        InvalidType: for an output that is not two tensors.

    Source:
        scikit-learn's ``mean_squared_error``, which gives the same.

    Example:
        >>> metric = MeanSquaredError()
        >>> metric.update((torch.tensor([1.0, 2.0]), torch.tensor([2.0, 5.0])))
        >>> metric.compute()
        5.0
    """

    def errors_of(self, differences: Tensor) -> Tensor:
        """Return the squared errors, which float32 might not hold."""
        return differences.to(self.wide).square()


class RootMeanSquaredError(MeanSquaredError):
    r"""The root of the mean of the squared errors.

    .. math:: \sqrt{\frac{1}{n} \sum_{i=1}^{n} (y_i - \hat{y}_i)^2}

    Shapes and precision: as for `DifferenceMean`, with n the number of all places. From 0 to
    infinity; smaller is better. NaN and infinity stay in the value.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.
        metrics_result_mode: as for `Metric`.

    Raises:
        InvalidArgument: on the first update, for other shapes.
        InvalidType: for an output that is not two tensors.

    Source:
        scikit-learn's ``root_mean_squared_error``, which gives the same for one output.

    Example:
        >>> metric = RootMeanSquaredError()
        >>> metric.update((torch.tensor([1.0, 2.0]), torch.tensor([8.0, 3.0])))
        >>> metric.compute()
        5.0
    """

    def value(self) -> Tensor:
        """Return the root in float64, on the device of the outputs."""
        return super().value().sqrt()


class PSNR(PredictionMetric, MeanMetric):
    r"""The peak signal-to-noise ratio of images in decibels, its mean over the images.

    .. math:: \frac{1}{N} \sum_{i=1}^{N} 10 \log_{10} \frac{R^2}{\mathrm{MSE}_i}

    with the range R of the data and the mean squared error of the i-th image. Shapes: ``y_pred``
    and ``y`` of one shape ``(N, D, ...)``, N images. Larger is better, up to infinity: an image
    that is predicted exactly makes the mean infinite. NaN stays in the value. The errors of images
    of float32 or less are worked out in float32, all others in float64.

    Args:
        data_range: the largest value that a place can have less the smallest: 255 for bytes.
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.

    Raises:
        InvalidArgument: when ``data_range`` is no positive number; on the first update, for other
            shapes.
        InvalidType: for an output that is not two tensors.

    Source:
        A. Horé and D. Ziou, "Image quality metrics: PSNR vs. SSIM", ICPR 2010; scikit-image's
        ``peak_signal_noise_ratio`` of each image.

    Example:
        >>> metric = PSNR(data_range=1.0)
        >>> metric.update((torch.full((1, 2, 2), 0.6), torch.full((1, 2, 2), 0.5)))
        >>> round(metric.compute(), 3)
        20.0
    """

    joins = True
    piece = 2 * PIECE  # of float32, as images are

    def __init__(
        self,
        data_range: float,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
    ) -> None:
        super().__init__(output_transform, device=device, skip_unrolling=skip_unrolling)
        self._peak = 20 * math.log10(positive("data_range", data_range))

    def check(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse what is not images beside images."""
        check_rows(self, y_pred, y)

    def accumulate(self, y_pred: Tensor, y: Tensor) -> None:
        """Add the ratio of each image."""
        y_pred, y = paired(y_pred, y, self.wide)
        errors = y.sub(y_pred).flatten(1)
        noise = row_sums(errors.square_()).div_(errors.shape[1])
        self.add("total", noise.log10_().sum(dtype=self.wide), -10)
        self.count += len(noise)

    def value(self) -> Tensor:
        """Return the mean in float64, on the device of the outputs."""
        return super().value() + self._peak
