"""How many of the predicted are right, and how many of the right are predicted.

Owns: precision and recall as ratios of the counts of a class.
Must not know: how the counts are gathered and averaged.
"""

from __future__ import annotations

from torch import Tensor

from glowplug_metrics.classification.averages import share
from glowplug_metrics.classification.class_counts import AveragedMetric, Counts


class Precision(AveragedMetric):
    r"""The share of the predictions of a class that are right.

    .. math:: P_c = \frac{\mathrm{TP}_c}{\mathrm{TP}_c + \mathrm{FP}_c}

    Shapes: as for `ClassCountsMetric`. From 0 to 1; larger is better. A class that is never
    predicted has the precision 0, and counts so in averages, whether it was a target or not.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output; a threshold belongs here:
            ``lambda output: (output[0].round(), output[1])``.
        average: as for `AveragedMetric`: False or None for a value of each class, True,
            ``"micro"``, ``"macro"``, ``"weighted"`` or ``"samples"`` for one of all.
        is_multilabel: whether ``(N, C, ...)`` in both are labels of N examples.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.

    Raises:
        InvalidArgument: for another average; on the first update, for other shapes or values.
        InvalidType: for an output that is not two tensors.

    Source:
        scikit-learn's ``precision_score`` with ``labels=range(C)`` and ``zero_division=0``, which
        gives the same.

    Example:
        >>> import torch
        >>> y_pred = torch.tensor([[0.9, 0.1, 0.0], [0.2, 0.7, 0.1], [0.4, 0.5, 0.1]])
        >>> y = torch.tensor([0, 1, 0])
        >>> of_each_class, mean = Precision(), Precision(average="macro")
        >>> of_each_class.update((y_pred, y)), mean.update((y_pred, y))
        (None, None)
        >>> of_each_class.compute(), mean.compute()
        (tensor([1.0000, 0.5000, 0.0000], dtype=torch.float64), 0.5)
    """

    def ratio(self, counts: Counts) -> Tensor:
        """Return the precision."""
        return share(counts.right, counts.predicted)


class Recall(AveragedMetric):
    r"""The share of the targets of a class that are predicted.

    .. math:: R_c = \frac{\mathrm{TP}_c}{\mathrm{TP}_c + \mathrm{FN}_c}

    Shapes: as for `ClassCountsMetric`. From 0 to 1; larger is better. A class that is never a
    target has the recall 0, and counts so in averages.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output; a threshold belongs here:
            ``lambda output: (output[0].round(), output[1])``.
        average: as for `AveragedMetric`: False or None for a value of each class, True,
            ``"micro"``, ``"macro"``, ``"weighted"`` or ``"samples"`` for one of all.
        is_multilabel: whether ``(N, C, ...)`` in both are labels of N examples.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.

    Raises:
        InvalidArgument: for another average; on the first update, for other shapes or values.
        InvalidType: for an output that is not two tensors.

    Source:
        scikit-learn's ``recall_score`` with ``labels=range(C)`` and ``zero_division=0``, which
        gives the same.

    Example:
        >>> import torch
        >>> recall = Recall()
        >>> recall.update((torch.tensor([1, 0, 1, 0]), torch.tensor([1, 1, 0, 1])))
        >>> round(recall.compute(), 3)
        0.333
    """

    def ratio(self, counts: Counts) -> Tensor:
        """Return the recall."""
        return share(counts.right, counts.actual)
