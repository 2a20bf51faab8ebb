"""Coefficients made of moments: correlation and determination.

Owns: the two quotients, and what they are where a variable is constant.
Must not know: how moments are merged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from glowplug_metrics.arguments import not_negative
from glowplug_metrics.forms import check_single_numbers
from glowplug_metrics.metric import CPU
from glowplug_metrics.moments import MomentsMetric
from glowplug_metrics.outputs import as_it_is
from glowplug_metrics.precision import paired
from glowplug_metrics.results import ResultMode


class PearsonCorrelation(MomentsMetric):
    r"""The correlation of predictions and targets.

    .. math:: r = \frac{\sum_{i=1}^{n} (\hat{y}_i - \bar{\hat{y}}) (y_i - \bar{y})}
        {\sqrt{\sum_{i=1}^{n} (\hat{y}_i - \bar{\hat{y}})^2 \sum_{i=1}^{n} (y_i - \bar{y})^2}}

    Shapes: ``y_pred`` and ``y`` of shape ``(N,)`` or ``(N, 1)``. From -1 to 1; larger is better.
    NaN stays in the value, and infinity makes it NaN.

    The value does not depend on units: pytorch-ignite divides by ``eps`` wherever the product of
    the standard deviations is smaller, and sums squares from which digits cancel.

    Args:
        eps: what is divided by where all predictions or all targets are equal, so that the value is
            0; with an ``eps`` of 0 it is NaN, as SciPy's.
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`.

    Raises:
        InvalidArgument: when ``eps`` is negative; on the first update, for other shapes.
        InvalidType: for an output that is not two tensors.

    Source:
        K. Pearson, "Note on Regression and Inheritance in the Case of Two Parents", 1895; SciPy's
        ``pearsonr``.

    Example:
        >>> metric = PearsonCorrelation()
        >>> metric.update((torch.tensor([1.0, 2.0, 3.0]), torch.tensor([2.0, 9.0, 5.0])))
        >>> round(metric.compute(), 4)
        0.4271
    """

    variables = 2

    def __init__(
        self,
        eps: float = 1e-08,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
    ) -> None:
        super().__init__(output_transform, device=device)
        self._eps = not_negative("eps", eps)

    def check(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse what is not one number for each example."""
        check_single_numbers(self, y_pred, y)

    def columns(self, y_pred: Tensor, y: Tensor) -> Tensor:
        """Return predictions and targets."""
        if y_pred.dtype != y.dtype:  # never made one type of: both widen without a loss
            y_pred, y = y_pred.to(self.wide), y.to(self.wide)
        return torch.stack((y_pred.flatten(), y.flatten())).to(self.wide)

    def of_moments(self, states: dict[str, Any]) -> Tensor:
        """Return the coefficient."""
        products: Tensor = states["products"]
        squares = products.diagonal()
        scale = torch.where((squares == 0).any(), self._eps, squares.sqrt().prod())
        # Rounding may bring it beyond 1.
        return (products[0, 1] / scale).clamp(-1, 1)


class R2Score(MomentsMetric):
    r"""The share of the targets' variance that the predictions explain.

    .. math:: R^2 = 1 - \frac{\sum_{i=1}^{n} (y_i - \hat{y}_i)^2}{\sum_{i=1}^{n} (y_i - \bar{y})^2}

    Shapes: ``y_pred`` and ``y`` of shape ``(N,)`` or ``(N, 1)``. From minus infinity to 1; larger
    is better, and 0 is what predicting the mean of all targets comes to. Where all targets are
    equal it is 1 if they are predicted exactly and 0 if not; for a single example it is NaN. NaN
    stays in the value; infinity among the predictions makes it minus infinity, among the targets
    NaN.

    pytorch-ignite sums squares from which digits cancel, and its value for equal targets is an
    error or a large negative number.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.
        metrics_result_mode: as for `Metric`.

    Raises:
        InvalidArgument: on the first update, for other shapes.
        InvalidType: for an output that is not two tensors.

    Source:
        scikit-learn's ``r2_score``, which gives the same.

    Example:
        >>> metric = R2Score()
        >>> metric.update((torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0, 2.0, 6.0])))
        >>> round(metric.compute(), 4)
        0.3571
    """

    variables = 1
    residual: Tensor

    def __init__(
        self,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
        metrics_result_mode: ResultMode | str = "both",
    ) -> None:
        super().__init__(output_transform, device, skip_unrolling, metrics_result_mode)
        self.add_state("residual", torch.zeros((), dtype=torch.float64), reduce="sum")

    def check(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse what is not one number for each example."""
        check_single_numbers(self, y_pred, y)

    def columns(self, y_pred: Tensor, y: Tensor) -> Tensor:
        """Return the targets."""
        return y.flatten().to(self.wide).unsqueeze(0)

    def accumulate(self, y_pred: Tensor, y: Tensor) -> None:
        """Merge the moments of the targets, and add the squared errors."""
        y_pred, y = paired(y_pred, y, self.wide)
        super().accumulate(y_pred, y)
        errors = y.sub(y_pred).flatten().to(self.wide)
        self.add("residual", errors.dot(errors))

    def of_moments(self, states: dict[str, Any]) -> Tensor:
        """Return the share."""
        residual: Tensor = states["residual"]
        if states["count"] < 2:
            return torch.full_like(residual, torch.nan)
        squares: Tensor = states["products"][0, 0]
        of_equal = torch.where(residual.isfinite(), (residual == 0).to(residual), -residual)
        return torch.where(squares == 0, of_equal, 1 - residual / squares)
