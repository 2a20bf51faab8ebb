"""Metrics that are a mean, or a sum, of one number for each pair of a prediction and a target.

Owns: pairing predictions with targets, and gathering what a metric makes of the pairs.
Must not know: any particular error.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from glowplug_metrics.forms import check_one_shape
from glowplug_metrics.means import MeanMetric, refuse_nothing
from glowplug_metrics.metric import CPU
from glowplug_metrics.outputs import as_it_is
from glowplug_metrics.precision import paired
from glowplug_metrics.predictions import PredictionMetric
from glowplug_metrics.results import ResultMode
from glowplug_metrics.states import in_float64


class ElementwiseMean(PredictionMetric, MeanMetric):
    """The base of metrics that are the mean of an error over all pairs.

    Shapes: ``y_pred`` and ``y`` of one shape ``(N, ...)``, each place of which is a pair; one of
    the two may have a further 1 at its end, as in ``(N, 1)`` beside ``(N,)``. Any real types:
    errors are worked out in float64. NaN and infinity stay in the value.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.
        metrics_result_mode: as for `Metric`.

    Raises:
        InvalidArgument: on the first update, for other shapes.
        InvalidType: for an output that is not two tensors.

    Example:
        >>> class MeanCubicError(ElementwiseMean):
        ...     def errors(self, y_pred, y):
        ...         return (y - y_pred) ** 3
        >>> metric = MeanCubicError()
        >>> metric.update((torch.tensor([0.0, 1.0]), torch.tensor([2.0, 1.0])))
        >>> metric.compute()
        4.0
    """

    joins = True

    def __init__(
        self,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
        metrics_result_mode: ResultMode | str = "both",
    ) -> None:
        super().__init__(output_transform, device, skip_unrolling, metrics_result_mode)

    @abstractmethod
    def errors(self, y_pred: Tensor, y: Tensor) -> Tensor:
        """Return what is summed, for predictions and targets of one shape in float64."""

    def check(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse what cannot be paired."""
        check_one_shape(self, y_pred, y)

    def accumulate(self, y_pred: Tensor, y: Tensor) -> None:
        """Add the errors of a batch."""
        self.gather(self.errors(*self.paired(y_pred, y)))

    def paired(self, y_pred: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return both in one shape, in float64."""
        return paired(y_pred.to(self.wide), y, self.wide)

    def gather(self, errors: Tensor) -> None:
        """Add errors to those of before."""
        self.add("total", errors.sum(dtype=self.wide))
        self.count += errors.numel()


class DifferenceMean(ElementwiseMean):
    """The base of metrics that are the mean of an error which ``y - y_pred`` alone decides.

    Shapes: as for `ElementwiseMean`. Differences of numbers of float32 or less are taken in
    float32, all others in float64; what is made of them is summed in float64.

    Of a small batch its differences wait, which `errors_of` is given later: it does not come to
    ``accumulate``, so a metric overrides `errors_of`, or `kept`.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.
        metrics_result_mode: as for `Metric`.

    Raises:
        InvalidArgument: on the first update, for other shapes than those of `ElementwiseMean`.
        InvalidType: for an output that is not two tensors.

    Attributes:
        waiting_differences: those of small batches, until there are enough to be worth a sum.

    Example:
        >>> class MeanLogCosh(DifferenceMean):
        ...     def errors_of(self, differences):
        ...         return differences.to(self.wide).cosh().log()
        >>> metric = MeanLogCosh()
        >>> metric.update((torch.tensor([0.0, 1.0]), torch.tensor([2.0, 1.0])))
        >>> round(metric.compute(), 4)
        0.6625
    """

    waits_in = ("waiting_differences",)
    waiting_differences: list[Tensor]

    @abstractmethod
    def errors_of(self, differences: Tensor) -> Tensor:
        """Return what is summed; ``differences`` are not to be changed."""

    def errors(self, y_pred: Tensor, y: Tensor) -> Tensor:
        """Return what is summed, for predictions and targets of one shape and type."""
        return self.errors_of(y - y_pred)

    def paired(self, y_pred: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return both in one shape, in float32 where that holds all their digits."""
        return paired(y_pred, y, self.wide)

    def kept(self, y_pred: Tensor, y: Tensor) -> tuple[Tensor, ...]:
        """Return the differences of a batch."""
        y_pred, y = self.paired(y_pred, y)
        differences = y - y_pred
        return (differences.detach() if differences.requires_grad else differences,)

    def accumulate_kept(self, *kept: Tensor) -> None:
        """Add the errors that some differences come to."""
        (differences,) = kept
        self.gather(self.errors_of(differences))


class ElementwiseSum(ElementwiseMean):
    """The base of metrics that are the sum of an error over all pairs.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.
        metrics_result_mode: as for `Metric`.

    Raises:
        InvalidArgument: on the first update, for other shapes than those of `ElementwiseMean`.
        InvalidType: for an output that is not two tensors.

    Example:
        >>> class SumOfSquares(ElementwiseSum):
        ...     def errors(self, y_pred, y):
        ...         return (y - y_pred).square()
        >>> metric = SumOfSquares()
        >>> metric.update((torch.tensor([0.0, 1.0]), torch.tensor([2.0, 0.0])))
        >>> metric.compute()
        5.0
    """

    def value(self) -> Tensor:
        """Return the sum in float64, on the device of the outputs."""
        states = self.reduced()
        refuse_nothing(self, states["count"])
        return in_float64(states["total"])


def ratio(errors: Tensor, scale: Tensor) -> Tensor:
    """Return ``errors / scale``, and 0 where both are 0.

    Args:
        errors: ``(...)``
        scale: ``(...)``

    Returns:
        A tensor ``(...)``.

    Example:
        >>> ratio(torch.tensor([1.0, 0.0, 1.0]), torch.tensor([2.0, 0.0, 0.0]))
        tensor([0.5000, 0.0000,    inf])
    """
    return torch.where(errors == 0, errors, errors / scale)
