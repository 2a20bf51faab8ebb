"""What every threshold of a score comes to.

Owns: the precision-recall curve and the ROC curve, and their drawings.
Must not know: how scores are kept, or how they are sorted.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from glowplug_metrics.classification.columns import ScoresMetric
from glowplug_metrics.classification.ranked import precision_recall, roc
from glowplug_metrics.libraries import library
from glowplug_metrics.metric import CPU
from glowplug_metrics.outputs import as_it_is


class CurveMetric(ScoresMetric):
    """The base of curves over the thresholds of one score.

    Args:
        *args: as for `EpochMetric`.
    """

    def _fits(self, shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
        return False

    def forms(self) -> str:
        """Return what `check` lets pass, in words."""
        return "y_pred and y of shape (N,) or (N, 1)"

    @abstractmethod
    def points(self) -> tuple[tuple[str, Tensor], tuple[str, Tensor]]:
        """Return the two axes of the drawing, each a label and its values."""

    def plot(self, ax: Any = None, **line: Any) -> Any:
        """Draw the curve of what was gathered.

        Args:
            ax: Matplotlib axes; None makes a figure.
            **line: as for ``Axes.plot``: ``label="validation"``, ``color="k"``.

        Returns:
            The axes.

        Raises:
            MissingLibrary: where Matplotlib is not installed.
            NotComputableError: when nothing was taken in.
        """
        (x_label, x), (y_label, y) = self.points()
        if ax is None:
            pyplot = library(
                "matplotlib.pyplot", "glowplug-metrics[plot]", f"{type(self).__name__}.plot"
            )
            ax = pyplot.subplots()[1]
        ax.plot(x.tolist(), y.tolist(), **line)
        ax.set(xlabel=x_label, ylabel=y_label, xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        return ax


class PrecisionRecallCurve(CurveMetric):
    r"""Precision and recall of choosing the examples that have at least a score, for every score.

    .. math:: P_k = \frac{\mathrm{TP}_k}{\mathrm{TP}_k + \mathrm{FP}_k}, \quad
        R_k = \frac{\mathrm{TP}_k}{\mathrm{TP}_k + \mathrm{FN}_k}

    Shapes: ``y_pred`` and ``y`` of ``(N,)`` or ``(N, 1)``; ``y_pred`` holds any scores, ``y`` 0 and
    1, or -1 and 1. The value is ``(precision, recall, thresholds)``, of K different scores tensors
    ``(K + 1,)``, ``(K + 1,)`` and ``(K,)`` in float64, from the least threshold on; the last
    precision is 1 and the last recall 0. Both from 0 to 1; a curve nearer to the upper right is
    better. Without positive examples all other recalls are 1. Where a score is NaN, precision and
    recall are; infinite scores are the first and the last.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output, such as
            ``lambda output: (output[0].sigmoid(), output[1])``.
        check_compute_fn: as for `EpochMetric`.
        device: where the outputs are kept, as for `EpochMetric`.
        skip_unrolling: as for `Metric`.

    Raises:
        InvalidArgument: on the first update, for other shapes or targets.
        InvalidType: for an output that is not two tensors.

    Source:
        scikit-learn's ``precision_recall_curve``, which gives the same.

    Example:
        >>> curve = PrecisionRecallCurve()
        >>> curve.update((torch.tensor([0.9, 0.1]), torch.tensor([1, 0])))
        >>> precision, recall, thresholds = curve.compute()
        >>> precision.tolist(), recall.tolist()
        ([0.5, 1.0, 1.0], [1.0, 1.0, 0.0])
    """

    def __init__(
        self,
        output_transform: Callable[[Any], Any] = as_it_is,
        check_compute_fn: bool = False,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
    ) -> None:
        super().__init__(
            _precision_recall, output_transform, check_compute_fn, device, skip_unrolling
        )

    def points(self) -> tuple[tuple[str, Tensor], tuple[str, Tensor]]:
        """Return recall and precision."""
        precision, recall, _ = self.compute()
        return ("recall", recall), ("precision", precision)


class RocCurve(CurveMetric):
    r"""False and true positive rates of choosing the examples that have at least a score.

    .. math:: \mathrm{FPR}_k = \frac{\mathrm{FP}_k}{\mathrm{FP}_k + \mathrm{TN}_k}, \quad
        \mathrm{TPR}_k = \frac{\mathrm{TP}_k}{\mathrm{TP}_k + \mathrm{FN}_k}

    Shapes: ``y_pred`` and ``y`` of ``(N,)`` or ``(N, 1)``; ``y_pred`` holds any scores, ``y`` 0 and
    1, or -1 and 1. The value is ``(fpr, tpr, thresholds)``, three tensors of one length in float64,
    from the greatest threshold on, which is infinite; scores on a straight line between two others
    are left out. Both from 0 to 1; a curve nearer to the upper left is better. The false positive
    rates are NaN where all examples are positive, the true ones where none is, both where a score
    is NaN.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output, such as
            ``lambda output: (output[0].sigmoid(), output[1])``.
        check_compute_fn: as for `EpochMetric`.
        device: where the outputs are kept, as for `EpochMetric`.
        skip_unrolling: as for `Metric`.

    Raises:
        InvalidArgument: on the first update, for other shapes or targets.
        InvalidType: for an output that is not two tensors.

    Source:
        scikit-learn's ``roc_curve``, which gives the same.

    Example:
        >>> curve = RocCurve()
        >>> curve.update((torch.tensor([0.9, 0.1]), torch.tensor([1, 0])))
        >>> fpr, tpr, thresholds = curve.compute()
        >>> fpr.tolist(), tpr.tolist()
        ([0.0, 0.0, 1.0], [0.0, 1.0, 1.0])
    """

    def __init__(
        self,
        output_transform: Callable[[Any], Any] = as_it_is,
        check_compute_fn: bool = False,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
    ) -> None:
        super().__init__(_roc, output_transform, check_compute_fn, device, skip_unrolling)

    def points(self) -> tuple[tuple[str, Tensor], tuple[str, Tensor]]:
        """Return the two rates."""
        false, true, _ = self.compute()
        return ("false positive rate", false), ("true positive rate", true)


def _precision_recall(y_pred: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return precision_recall(y_pred, y == 1)


def _roc(y_pred: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return roc(y_pred, y == 1)
