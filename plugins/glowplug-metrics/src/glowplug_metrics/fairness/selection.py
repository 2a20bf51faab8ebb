"""How often each class is predicted.

Owns: the rate.
Must not know: how predictions are counted, and groups.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from glowplug_metrics.classification.class_counts import ClassCountsMetric
from glowplug_metrics.metric import CPU
from glowplug_metrics.outputs import as_it_is
from glowplug_metrics.states import in_float64


class SelectionRate(ClassCountsMetric):
    r"""The share of predictions that fall on each class.

    .. math:: \frac{1}{n} \sum_{i=1}^{n} [\hat{y}_i = c], \quad c = 0, \dots, C - 1

    Shapes: as for `ClassCountsMetric`. The value is a tensor ``(C,)``: the rates of both classes of
    binary predictions, of each label of multilabel ones. From 0 to 1 each; what is better, the task
    says. The targets are checked, and not looked at.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output; a threshold belongs here:
            ``lambda output: (output[0].round(), output[1])``.
        is_multilabel: whether 0 and 1 in ``(N, C, ...)`` are labels of N examples.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.

    Raises:
        InvalidArgument: on the first update, for other shapes or values.
        InvalidType: for an output that is not two tensors.

    Source:
        S. Verma and J. Rubin, "Fairness Definitions Explained", 2018; fairlearn's
        ``selection_rate``, which gives the rate of one class.

    Example:
        >>> metric = SelectionRate()
        >>> metric.update((torch.tensor([1, 0, 1, 1]), torch.tensor([1, 1, 0, 0])))
        >>> metric.compute()
        tensor([0.2500, 0.7500], dtype=torch.float64)
    """

    def __init__(
        self,
        output_transform: Callable[[Any], Any] = as_it_is,
        is_multilabel: bool = False,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
    ) -> None:
        super().__init__(output_transform, is_multilabel, device, skip_unrolling)

    def value(self) -> Tensor:
        """Return the rates ``(C,)`` in float64."""
        predicted = self.class_counts().predicted
        rates: Tensor = in_float64(predicted) / self.reduced()["count"]
        return rates
