"""How far apart the values of a metric in different groups are.

Owns: the greatest difference, and the metrics that it is usually taken of.
Must not know: how examples come to the metrics of their groups.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from glowplug.errors import InvalidType
from glowplug_metrics.accuracy import Accuracy
from glowplug_metrics.errors import NotComputableError
from glowplug_metrics.fairness.selection import SelectionRate
from glowplug_metrics.fairness.subgroups import SubgroupMetric
from glowplug_metrics.metric import CPU, Metric
from glowplug_metrics.outputs import as_it_is


class SubgroupDifference(SubgroupMetric):
    r"""The greatest difference of a metric's value between two groups of the examples.

    .. math:: \max_{g, h} |m_g - m_h|

    with the value :math:`m_g` in the group g, over those groups that have examples; the greatest
    number of it, where a value is a tensor. The form of the output, and where group labels are best
    kept, `SubgroupMetric` says. From 0 upwards; smaller is better. NaN where a value is.

    Args:
        base_metric: a metric whose value is a number or a tensor of one shape.
        groups: the groups.
        output_transform: makes ``(y_pred, y, group_labels)`` of the step's output.
        device: as for `Metric`.

    Raises:
        InvalidType: when ``base_metric`` is no metric, or for an output of another form; when
            computed, for values that are no numbers or tensors.
        InvalidArgument: for no groups, or one that is named twice; on the first update, when there
            are not N labels.

    Source:
        S. Verma and J. Rubin, "Fairness Definitions Explained", 2018; fairlearn's
        ``MetricFrame(...).difference()``.

    Example:
        >>> from glowplug_metrics import MeanAbsoluteError
        >>> metric = SubgroupDifference(MeanAbsoluteError(), groups=[0, 1])
        >>> y_pred, y = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0, 3.0, 6.0])
        >>> metric.update((y_pred, y, torch.tensor([0, 0, 1])))
        >>> metric.compute()
        2.5
    """

    single_valued = True

    def __init__(
        self,
        base_metric: Metric,
        groups: Iterable[Any],
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
    ) -> None:
        super().__init__(base_metric, groups, output_transform, device)

    def _further_names(self) -> Iterable[Any]:
        return ()

    def compute(self) -> float:
        """Return the difference as a number.

        Raises:
            NotComputableError: when there were not examples of at least two groups.
            InvalidType: when the metric's values are no numbers or tensors.
        """
        values = super().compute()
        if len(values) < 2:
            raise NotComputableError(
                f"{type(self).__name__} has taken in examples of {list(values)} alone, and a "
                "difference is between two groups"
            )
        for value in values.values():
            if not isinstance(value, (Tensor, int, float)):
                raise InvalidType(
                    f"{type(self).__name__} takes differences of numbers and tensors; the metric's "
                    f"value is {value!r} of type {type(value).__name__}"
                )
        stacked = torch.stack(
            [torch.as_tensor(value, dtype=torch.float64) for value in values.values()]
        )
        return float((stacked.amax(dim=0) - stacked.amin(dim=0)).max())


class SubgroupAccuracyDifference(SubgroupDifference):
    r"""The greatest difference of the accuracy between two groups of the examples.

    .. math:: \max_{g, h} \left| P(\hat{y} = y \mid g) - P(\hat{y} = y \mid h) \right|

    over those groups that have examples. ``y_pred`` and ``y`` are of the shapes that `Accuracy`
    takes, and the third part of the output is the group of each example, as `SubgroupMetric` says.
    From 0 to 1; smaller is better.

    Args:
        groups: the groups.
        is_multilabel: whether 0 and 1 in ``(N, C, ...)`` are labels of N examples.
        output_transform: makes ``(y_pred, y, group_labels)`` of the step's output.
        device: as for `Metric`.

    Raises:
        InvalidArgument: for no groups, or one that is named twice; on the first update, for other
            shapes or values.
        InvalidType: for an output of another form.

    Source:
        "Overall accuracy equality" in S. Verma and J. Rubin, "Fairness Definitions Explained",
        2018.

    Example:
        >>> metric = SubgroupAccuracyDifference(groups=[0, 1])
        >>> y_pred, y = torch.tensor([1, 0, 1, 1]), torch.tensor([1, 0, 1, 0])
        >>> metric.update((y_pred, y, torch.tensor([0, 0, 1, 1])))
        >>> metric.compute()
        0.5
    """

    def __init__(
        self,
        groups: Iterable[Any],
        is_multilabel: bool = False,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
    ) -> None:
        super().__init__(Accuracy(is_multilabel=is_multilabel), groups, output_transform, device)


class DemographicParityDifference(SubgroupDifference):
    r"""The greatest difference of how often a class is predicted between two groups.

    .. math:: \max_{c, g, h} \left| P(\hat{y} = c \mid g) - P(\hat{y} = c \mid h) \right|

    over those groups that have examples. ``y_pred`` and ``y`` are of the shapes that
    `SelectionRate` takes, and the third part of the output is the group of each example, as
    `SubgroupMetric` says; targets are not looked at. From 0 to 1; smaller is better.

    Args:
        groups: the groups.
        is_multilabel: whether 0 and 1 in ``(N, C, ...)`` are labels of N examples.
        output_transform: makes ``(y_pred, y, group_labels)`` of the step's output.
        device: as for `Metric`.

    Raises:
        InvalidArgument: for no groups, or one that is named twice; on the first update, for other
            shapes or values.
        InvalidType: for an output of another form.

    Source:
        "Group fairness" in S. Verma and J. Rubin, "Fairness Definitions Explained", 2018;
        fairlearn's ``demographic_parity_difference``, for binary predictions.

    Example:
        >>> metric = DemographicParityDifference(groups=["a", "b"])
        >>> y_pred, y = torch.tensor([1, 0, 1, 1]), torch.tensor([1, 0, 1, 0])
        >>> metric.update((y_pred, y, ["a", "a", "b", "b"]))
        >>> metric.compute()
        0.5
    """

    def __init__(
        self,
        groups: Iterable[Any],
        is_multilabel: bool = False,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
    ) -> None:
        base = SelectionRate(is_multilabel=is_multilabel)
        super().__init__(base, groups, output_transform, device)
