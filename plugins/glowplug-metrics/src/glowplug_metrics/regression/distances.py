"""Distances between all predictions and all targets.

Owns: what is summed over the pairs, and the greatest error.
Must not know: how sums are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from glowplug_metrics.elementwise import ElementwiseSum, ratio
from glowplug_metrics.forms import check_one_shape
from glowplug_metrics.mean_errors import MeanAbsoluteError
from glowplug_metrics.means import refuse_nothing
from glowplug_metrics.metric import CPU
from glowplug_metrics.outputs import as_it_is
from glowplug_metrics.predictions import PredictionMetric
from glowplug_metrics.results import ResultMode, as_numbers


class ManhattanDistance(ElementwiseSum, MeanAbsoluteError):
    r"""The sum of the absolute errors.

    .. math:: \sum_{i=1}^{n} |y_i - \hat{y}_i|

    Shapes and precision: as for `DifferenceMean`. From 0 to infinity; smaller is better. NaN and
    infinity stay in the value.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.
        metrics_result_mode: as for `Metric`.

    Raises:
        InvalidArgument: on the first update, for other shapes.
        InvalidType: for an output that is not two tensors.

    Source:
        A. Botchkarev, "Performance Metrics (Error Measures) in Machine Learning Regression,
        Forecasting and Prognostics", 2018, https://arxiv.org/abs/1809.03006; SciPy's ``cityblock``.

    Example:
        >>> metric = ManhattanDistance()
        >>> metric.update((torch.tensor([1.0, 2.0]), torch.tensor([2.0, 5.0])))
        >>> metric.compute()
        4.0
    """


class CanberraMetric(ElementwiseSum):
    r"""The sum of the absolute errors, each divided by the sizes of the two numbers.

    .. math:: \sum_{i=1}^{n} \frac{|y_i - \hat{y}_i|}{|y_i| + |\hat{y}_i|}

    where a pair of zeros adds 0. Shapes: as for `ElementwiseMean`. From 0 to n; smaller is better.
    NaN stays in the value, and infinity makes it NaN.

    pytorch-ignite adds a small number to each divisor, which changes the value of small numbers.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.
        metrics_result_mode: as for `Metric`.

    Raises:
        InvalidArgument: on the first update, for other shapes.
        InvalidType: for an output that is not two tensors.

    Source:
        A. Botchkarev, https://arxiv.org/abs/1809.03006; SciPy's ``canberra``.

    Example:
        >>> metric = CanberraMetric()
        >>> metric.update((torch.tensor([1.0, 0.0]), torch.tensor([3.0, 0.0])))
        >>> metric.compute()
        0.5
    """

    def errors(self, y_pred: Tensor, y: Tensor) -> Tensor:
        """Return the absolute errors as shares of the sizes."""
        return ratio((y - y_pred).abs_(), y.abs() + y_pred.abs())


class WaveHedgesDistance(ElementwiseSum):
    r"""The sum of the absolute errors, each divided by the larger of the two numbers.

    .. math:: \sum_{i=1}^{n} \frac{|y_i - \hat{y}_i|}{\max(y_i, \hat{y}_i)}

    where an error of 0 adds 0. It is meant for numbers that are not negative: from 0 to n; smaller
    is better. A pair of negative numbers subtracts, and one of 0 and a negative number makes the
    value infinite. Shapes: as for `ElementwiseMean`. NaN stays in the value, and infinity makes it
    NaN.

    pytorch-ignite adds a small number to each divisor, which makes a large finite value where this
    one is infinite.

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
        >>> metric = WaveHedgesDistance()
        >>> metric.update((torch.tensor([1.0, 3.0]), torch.tensor([2.0, 3.0])))
        >>> metric.compute()
        0.5
    """

    def errors(self, y_pred: Tensor, y: Tensor) -> Tensor:
        """Return the absolute errors as shares of the larger number."""
        return ratio((y - y_pred).abs_(), torch.maximum(y, y_pred))


class MaximumAbsoluteError(PredictionMetric):
    r"""The greatest absolute error.

    .. math:: \max_{i=1}^{n} |y_i - \hat{y}_i|

    Shapes: as for `ElementwiseMean`. From 0 to infinity; smaller is better. NaN and infinity stay
    in the value.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.
        metrics_result_mode: as for `Metric`.

    Raises:
        InvalidArgument: on the first update, for other shapes.
        InvalidType: for an output that is not two tensors.

    Source:
        A. Botchkarev, https://arxiv.org/abs/1809.03006; scikit-learn's ``max_error``.

    Example:
        >>> metric = MaximumAbsoluteError()
        >>> metric.update((torch.tensor([1.0, 2.0]), torch.tensor([2.0, 5.0])))
        >>> metric.compute()
        3.0
    """

    single_valued = True
    joins = True
    count: int
    largest: Tensor

    def __init__(
        self,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
        metrics_result_mode: ResultMode | str = "both",
    ) -> None:
        super().__init__(output_transform, device, skip_unrolling, metrics_result_mode)
        self.add_state("count", 0, reduce="sum")
        self.add_state("largest", torch.zeros((), dtype=torch.float64), reduce="max")

    def check(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse what cannot be paired."""
        check_one_shape(self, y_pred, y)

    def accumulate(self, y_pred: Tensor, y: Tensor) -> None:
        """Keep the greatest error so far."""
        if y.numel() == 0:
            return
        errors = y.reshape(y_pred.shape).to(self.wide) - y_pred.to(self.wide)
        self.largest = torch.maximum(self.largest, errors.abs_().amax())
        self.count += errors.numel()

    def value(self) -> Tensor:
        """Return the greatest error, on the device of the outputs."""
        states = self.reduced()
        refuse_nothing(self, states["count"])
        largest: Tensor = states["largest"]
        return largest

    def compute(self) -> Any:
        """Return the greatest error as a number.

        Raises:
            NotComputableError: when nothing was taken in.
        """
        return as_numbers(self.value())
