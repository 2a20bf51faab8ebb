"""Metrics that need every pair of a prediction and a target at once.

Owns: the form of the pairs, and the errors between them in float64.
Must not know: what is made of them.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from glowplug_metrics.epoch_metric import EpochMetric
from glowplug_metrics.forms import check_single_numbers
from glowplug_metrics.results import as_numbers
from glowplug_metrics.states import in_float64


class PairsMetric(EpochMetric):
    """The base of metrics that are a function of all pairs ``(N,)``.

    Args:
        *args: as for `EpochMetric`.
        **kwargs: as for `EpochMetric`.

    Example:
        >>> import torch
        >>> metric = PairsMetric(lambda y_pred, y: (y - y_pred).abs().std())
        >>> metric.update((torch.tensor([[1.0], [1.0]]), torch.tensor([1.0, 1.0])))
        >>> metric.compute()
        0.0
    """

    single_valued = True

    def check(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse what is not one number for each example."""
        check_single_numbers(self, y_pred, y)

    def compute(self) -> Any:
        """Return the function's value as a number.

        Raises:
            NotComputableError: when nothing was taken in.
        """
        return as_numbers(super().compute())


def absolute_errors(y_pred: Tensor, y: Tensor) -> Tensor:
    """Return the absolute errors ``(N,)`` in float64."""
    return (in_float64(y) - in_float64(y_pred)).abs()


def relative_errors(y_pred: Tensor, y: Tensor) -> Tensor:
    """Return the absolute errors ``(N,)``, each as a share of that which the mean target makes."""
    wide = in_float64(y)
    return absolute_errors(y_pred, y) / (wide - wide.mean()).abs()
