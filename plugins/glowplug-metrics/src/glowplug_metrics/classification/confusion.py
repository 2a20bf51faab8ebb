"""Which class was predicted for which.

Owns: the confusion matrix of classes, those of labels, and their normalisation.
Must not know: what is made of them.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

import torch
from torch import Tensor

from glowplug.errors import InvalidArgument, did_you_mean
from glowplug_metrics.arguments import whole_number
from glowplug_metrics.classification.averages import share
from glowplug_metrics.classification.class_counts import ClassCountsMetric
from glowplug_metrics.classification.counting import largest, pairs_counted
from glowplug_metrics.classification.kinds import check_class_numbers
from glowplug_metrics.means import refuse_nothing
from glowplug_metrics.metric import CPU
from glowplug_metrics.outputs import as_it_is
from glowplug_metrics.predictions import PredictionMetric
from glowplug_metrics.states import in_float64


class Normalization(Enum):
    """What the numbers of a confusion matrix are shares of.

    Example:
        >>> Normalization("recall") is Normalization.RECALL
        True
    """

    COUNTS = None
    """They are counts."""
    SAMPLES = "samples"
    """Of all examples."""
    RECALL = "recall"
    """Of the examples of a class: each row has the sum 1."""
    PRECISION = "precision"
    """Of the predictions of a class: each column has the sum 1."""


class ConfusionMatrix(PredictionMetric):
    r"""How often each class was predicted for each: targets in rows, predictions in columns.

    .. math:: M_{ij} = \sum_{k=1}^{n} [y_k = i] \, [\hat{y}_k = j]

    Shapes: ``y_pred`` of ``(N, C, ...)``, any scores: the largest is the prediction (NaN counts as
    the largest, as in ``torch.argmax``); ``y`` of ``(N, ...)``, class numbers. The value is
    ``(C, C)``. A place whose target is outside ``0..C-1`` is left out, so that 255 or -100 may mark
    what is not to be judged. Counts from 0 on, shares from 0 to 1; larger on the diagonal and
    smaller off it is better.

    For two classes and one score, let ``output_transform`` make two columns of it:
    ``torch.nn.functional.one_hot((y_pred > 0.5).long(), 2)``.

    Args:
        num_classes: C, at least 2.
        average: what the counts are divided by: ``"samples"``, ``"recall"`` or ``"precision"`` as
            for `normalize`, None by nothing.
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`; here, lists are taken whole, and so refused, if not told
            otherwise.

    Raises:
        InvalidArgument: for less than 2 classes or another average; on the first update, for other
            shapes or targets that are no whole numbers.
        InvalidType: for an output that is not two tensors.

    Attributes:
        num_classes: C.
        average: the average.

    Source:
        scikit-learn's ``confusion_matrix`` with ``labels=range(C)``, which gives the same.

    Example:
        >>> matrix = ConfusionMatrix(num_classes=2)
        >>> y_pred = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]])
        >>> matrix.update((y_pred, torch.tensor([0, 1, 0])))
        >>> matrix.compute()
        tensor([[1, 1],
                [0, 1]])
    """

    single_valued = True
    joins = True
    confusion: Tensor
    count: int

    def __init__(
        self,
        num_classes: int,
        average: Normalization | str | None = None,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
        skip_unrolling: bool = True,
    ) -> None:
        self._num_classes = whole_number("num_classes", num_classes, least=2)
        self._average = _normalization_from(average)
        super().__init__(output_transform, device, skip_unrolling)
        matrix = torch.zeros((num_classes, num_classes), dtype=torch.int64)
        self.add_state("confusion", matrix, reduce="sum")
        self.add_state("count", 0, reduce="sum")

    @property
    def num_classes(self) -> int:
        """How many classes there are."""
        return self._num_classes

    @property
    def average(self) -> str | None:
        """What the counts are divided by."""
        name: str | None = self._average.value
        return name

    def check(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse what is not C scores for each target."""
        if y_pred.is_complex() or y.is_complex():
            self.refuse("real numbers", y_pred, y)
        shape, target = tuple(y_pred.shape), tuple(y.shape)
        if shape[1:2] != (self._num_classes,) or shape[:1] + shape[2:] != target:
            self.refuse(
                "y_pred of shape (N, C, ...) and y of shape (N, ...), with C = num_classes = "
                f"{self._num_classes}",
                y_pred,
                y,
            )

    def check_ranges(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse targets that are no whole numbers."""
        check_class_numbers(self, y_pred, y)

    def accumulate(self, y_pred: Tensor, y: Tensor) -> None:
        """Count the pairs of a batch."""
        predicted = largest(y_pred).reshape(-1)
        self.confusion = self.confusion + pairs_counted(predicted, y.reshape(-1), self._num_classes)
        self.count += predicted.numel()

    def compute(self) -> Tensor:
        """Return the matrix, in int64, or in float64 where it is normalised.

        Raises:
            NotComputableError: when nothing was taken in.
        """
        states = self.reduced()
        refuse_nothing(self, states["count"])
        return self.normalize(states["confusion"], self._average)

    @staticmethod
    def normalize(matrix: Tensor, average: Normalization | str | None) -> Tensor:
        """Return a confusion matrix as shares; where there is nothing to share, 0.

        Args:
            matrix: ``(C, C)``, targets in rows.
            average: ``"samples"`` divides by the sum of all, ``"recall"`` each row by its sum,
                ``"precision"`` each column by its sum; None returns the matrix.

        Returns:
            A tensor ``(C, C)`` in float64.

        Raises:
            InvalidArgument: for another average.

        Example:
            >>> ConfusionMatrix.normalize(torch.tensor([[3, 1], [0, 0]]), "recall")
            tensor([[0.7500, 0.2500],
                    [0.0000, 0.0000]], dtype=torch.float64)
        """
        average = _normalization_from(average)
        if average is Normalization.COUNTS:
            return matrix
        matrix = in_float64(matrix)
        if average is Normalization.SAMPLES:
            return share(matrix, matrix.sum())
        along = 1 if average is Normalization.RECALL else 0
        return share(matrix, matrix.sum(dim=along, keepdim=True))


class MultiLabelConfusionMatrix(ClassCountsMetric):
    r"""A confusion matrix for each label: ``[[TN, FP], [FN, TP]]``.

    .. math:: M_c = \begin{pmatrix} \mathrm{TN}_c & \mathrm{FP}_c \\
        \mathrm{FN}_c & \mathrm{TP}_c \end{pmatrix}

    Shapes: ``y_pred`` and ``y`` of ``(N, C, ...)``, 0 and 1 alone, of any real type. The value is
    ``(C, 2, 2)``. Counts from 0 on, shares from 0 to 1; larger on the diagonals is better.

    Args:
        num_classes: C, at least 2.
        output_transform: makes ``(y_pred, y)`` of the step's output; a threshold belongs here.
        device: as for `Metric`.
        normalized: whether the counts of each label are divided by their sum.
        skip_unrolling: as for `Metric`.

    Raises:
        InvalidArgument: for less than 2 classes; on the first update, for other shapes or values.
        InvalidType: for an output that is not two tensors.

    Source:
        scikit-learn's ``multilabel_confusion_matrix``, which gives the same.

    Example:
        >>> matrices = MultiLabelConfusionMatrix(num_classes=2)
        >>> y_pred, y = torch.tensor([[1, 0], [1, 1]]), torch.tensor([[1, 1], [0, 1]])
        >>> matrices.update((y_pred, y))
        >>> matrices.compute()
        tensor([[[0, 1],
                 [0, 1]],
        <BLANKLINE>
                [[0, 0],
                 [1, 1]]])
    """

    single_valued = True

    def __init__(
        self,
        num_classes: int,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
        normalized: bool = False,
        skip_unrolling: bool = False,
    ) -> None:
        self._num_classes = whole_number("num_classes", num_classes, least=2)
        self._normalized = normalized
        super().__init__(output_transform, True, device, skip_unrolling)

    def check(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse what is not C labels for each example."""
        super().check(y_pred, y)
        if y.shape[1] != self._num_classes:
            self.refuse(
                f"y_pred and y of shape (N, C, ...), with C = num_classes = {self._num_classes}",
                y_pred,
                y,
            )

    def value(self) -> Tensor:
        """Return the matrices, in int64, or in float64 where they are normalised."""
        states = self.reduced()
        count = states["count"]
        refuse_nothing(self, count)
        right, predicted, actual = states["counts"]
        flat = (count - predicted - actual + right, predicted - right, actual - right, right)
        matrices = torch.stack(flat, dim=1).view(-1, 2, 2)
        return in_float64(matrices) / count if self._normalized else matrices


def _normalization_from(average: Normalization | str | None) -> Normalization:
    try:
        return Normalization(average)
    except ValueError:
        names = [member.value for member in Normalization if member.value]
        raise InvalidArgument(
            f"average must be None or one of {', '.join(names)}, got {average!r}"
            f"{did_you_mean(str(average), names)}"
        ) from None
