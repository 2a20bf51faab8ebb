"""Geometric means of errors.

Owns: the logarithms that are averaged.
Must not know: how means and pairs are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from glowplug_metrics.elementwise import DifferenceMean
from glowplug_metrics.metric import CPU
from glowplug_metrics.outputs import as_it_is
from glowplug_metrics.regression.pairs import PairsMetric, relative_errors
from glowplug_metrics.results import ResultMode


class GeometricMeanAbsoluteError(DifferenceMean):
    r"""The geometric mean of the absolute errors.

    .. math:: \exp\left(\frac{1}{n} \sum_{i=1}^{n} \ln |y_i - \hat{y}_i|\right)

    Shapes and precision: as for `DifferenceMean`. From 0 to infinity; smaller is better. One error
    of 0 makes it 0. NaN and infinity stay in the value; both an error of 0 and one of infinity make
    NaN.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.
        metrics_result_mode: as for `Metric`.

    Raises:
        InvalidArgument: on the first update, for other shapes.
        InvalidType: for an output that is not two tensors.

    Source:
        A. Botchkarev, https://arxiv.org/abs/1809.03006; SciPy's ``gmean`` of the errors.

    Example:
        >>> metric = GeometricMeanAbsoluteError()
        >>> metric.update((torch.tensor([1.0, 2.0]), torch.tensor([2.0, 6.0])))
        >>> round(metric.compute(), 6)
        2.0
    """

    def errors_of(self, differences: Tensor) -> Tensor:
        """Return the logarithms of the absolute errors."""
        return differences.to(self.wide).abs().log_()

    def value(self) -> Tensor:
        """Return the geometric mean in float64, on the device of the outputs."""
        return super().value().exp()


class GeometricMeanRelativeAbsoluteError(PairsMetric):
    r"""The geometric mean of the absolute errors, each divided by that of the mean target.

    .. math:: \exp\left(\frac{1}{n} \sum_{i=1}^{n}
        \ln \frac{|y_i - \hat{y}_i|}{|y_i - \bar{y}|}\right)

    Shapes: ``y_pred`` and ``y`` of shape ``(N,)`` or ``(N, 1)``; all are kept. From 0 to infinity;
    smaller is better, and 1 is what predicting the mean of all targets comes to. One error of 0
    makes it 0, one target that is the mean makes it infinite, both together NaN. NaN stays in the
    value, and infinity makes it NaN.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: where the pairs are kept.
        skip_unrolling: as for `Metric`.
        metrics_result_mode: as for `Metric`.

    Raises:
        InvalidArgument: on the first update, for other shapes.
        InvalidType: for an output that is not two tensors.

    Source:
        A. Botchkarev, https://arxiv.org/abs/1809.03006.

    Example:
        >>> metric = GeometricMeanRelativeAbsoluteError()
        >>> metric.update((torch.tensor([1.0, 2.0]), torch.tensor([1.5, 3.5])))
        >>> round(metric.compute(), 4)
        0.866
    """

    def __init__(
        self,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
        metrics_result_mode: ResultMode | str = "both",
    ) -> None:
        super().__init__(
            _geometric_mean_relative_error,
            output_transform,
            check_compute_fn=False,
            device=device,
            skip_unrolling=skip_unrolling,
            metrics_result_mode=metrics_result_mode,
        )


def _geometric_mean_relative_error(y_pred: Tensor, y: Tensor) -> Tensor:
    return relative_errors(y_pred, y).log().mean().exp()
