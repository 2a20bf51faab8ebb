"""Precision, recall and F beta of each class at a glance.

Owns: how the report is laid out.
Must not know: how the counts are gathered.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

import torch
from torch import Tensor

from glowplug.errors import InvalidArgument
from glowplug_metrics.arguments import positive
from glowplug_metrics.classification.averages import share
from glowplug_metrics.classification.class_counts import ClassCountsMetric
from glowplug_metrics.classification.kinds import Kind
from glowplug_metrics.metric import CPU
from glowplug_metrics.outputs import as_it_is
from glowplug_metrics.results import ResultMode

MEAN: Final = "macro avg"


class ClassificationReport(ClassCountsMetric):
    r"""Precision, recall and F beta of each class, and their means over the classes.

    .. math:: P_c = \frac{\mathrm{TP}_c}{\mathrm{TP}_c + \mathrm{FP}_c}, \quad
        R_c = \frac{\mathrm{TP}_c}{\mathrm{TP}_c + \mathrm{FN}_c}, \quad
        F_{\beta,c} = (1 + \beta^2) \frac{P_c R_c}{\beta^2 P_c + R_c}

    Shapes: as for `ClassCountsMetric`. All from 0 to 1; larger is better; 0 of 0 is 0. The value is
    ``{"0": {"precision": ..., "recall": ..., "f1-score": ...}, ..., "macro avg": {...}}``, with a
    row for each of the two classes of binary predictions.

    Args:
        beta: how many times as much recall weighs as precision; any positive number.
        output_dict: whether the value is a dictionary; otherwise it is this, as a text in JSON.
        output_transform: makes ``(y_pred, y)`` of the step's output; a threshold belongs here.
        device: as for `Metric`.
        is_multilabel: whether ``(N, C, ...)`` in both are labels of N examples.
        labels: names of the classes, in place of their numbers.
        metrics_result_mode: as for `Metric`.

    Raises:
        InvalidArgument: for a ``beta`` that is not positive, or labels of which two are one; on the
            first update, for other shapes, values or another number of classes than of labels.
        InvalidType: for an output that is not two tensors.

    Source:
        scikit-learn's ``classification_report`` with ``labels=range(C)`` and ``zero_division=0``,
        whose numbers are the same.

    Example:
        >>> report = ClassificationReport(output_dict=True, labels=["cat", "dog"])
        >>> report.update((torch.tensor([1, 0, 1, 1]), torch.tensor([1, 0, 0, 1])))
        >>> value = report.compute()
        >>> list(value), value["cat"]["recall"]
        (['cat', 'dog', 'macro avg'], 0.5)
    """

    def __init__(
        self,
        beta: float = 1,
        output_dict: bool = False,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
        is_multilabel: bool = False,
        labels: Sequence[str] | None = None,
        metrics_result_mode: ResultMode | str = "both",
    ) -> None:
        self._beta = positive("beta", beta)
        if labels is not None and len({*labels, MEAN}) != len(labels) + 1:
            raise InvalidArgument(
                f"labels must be different names, none of them {MEAN!r}, got {list(labels)}"
            )
        self._labels = labels
        self._as_dict = output_dict
        super().__init__(
            output_transform, is_multilabel, device, metrics_result_mode=metrics_result_mode
        )

    def check(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse what does not fit together, and another number of classes than of labels."""
        super().check(y_pred, y)
        classes = 2 if self.kind(y_pred, y) is Kind.BINARY else y_pred.shape[1]
        if self._labels is not None and len(self._labels) != classes:
            self.refuse(f"as many classes as there are labels, {len(self._labels)}", y_pred, y)

    def value(self) -> dict[str, dict[str, float]]:
        """Return the report as a dictionary."""
        right, predicted, actual = self.class_counts()
        square = self._beta**2
        columns = {
            "precision": share(right, predicted),
            "recall": share(right, actual),
            f"f{self._beta:g}-score": share(right * (1 + square), actual * square + predicted),
        }
        names = self._labels or [str(number) for number in range(len(actual))]
        rows = torch.stack(list(columns.values()), dim=1)
        return {
            str(name): dict(zip(columns, row, strict=True))
            for name, row in zip(
                [*names, MEAN], [*rows.tolist(), rows.mean(0).tolist()], strict=True
            )
        }

    def compute(self) -> Any:
        """Return the report, as a dictionary or as a text.

        Raises:
            NotComputableError: when nothing was taken in.
        """
        report = self.value()
        return report if self._as_dict else json.dumps(report)
