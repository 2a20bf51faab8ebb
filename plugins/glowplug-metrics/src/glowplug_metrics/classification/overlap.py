"""How far predicted regions and their targets overlap, class by class.

Owns: what is made of a confusion matrix for that.
Must not know: how the matrix is gathered.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from glowplug.errors import InvalidArgument, InvalidType
from glowplug_metrics.classification.averages import share
from glowplug_metrics.classification.confusion import ConfusionMatrix
from glowplug_metrics.metric import MetricsLambda
from glowplug_metrics.states import in_float64


class IoU(MetricsLambda):
    r"""The intersection over the union of the places of each class.

    .. math:: \mathrm{IoU}_c = \frac{\mathrm{TP}_c}{\mathrm{TP}_c + \mathrm{FP}_c + \mathrm{FN}_c}

    Shapes: those of the `ConfusionMatrix`; the value is ``(C,)``, or ``(C - 1,)`` where a class is
    ignored. From 0 to 1; larger is better. 0 for a class that was neither predicted nor a target.

    Args:
        cm: a confusion matrix, whose ``average`` is None or ``"samples"``.
        ignore_index: a class that the value leaves out. It stays in the matrix: where it was taken
            for another class, that class is wrong.

    Raises:
        InvalidType: when ``cm`` is no `ConfusionMatrix`.
        InvalidArgument: when it has another average, or ``ignore_index`` is no class of it.

    Source:
        P. Jaccard, "The Distribution of the Flora in the Alpine Zone", 1912; scikit-learn's
        ``jaccard_score`` with ``average=None, zero_division=0``, which gives the same.

    Example:
        >>> import torch
        >>> iou = IoU(ConfusionMatrix(num_classes=2))
        >>> iou.update((torch.tensor([[0.9, 0.1], [0.4, 0.6]]), torch.tensor([0, 0])))
        >>> iou.compute()
        tensor([0.5000, 0.0000], dtype=torch.float64)
    """

    single_valued = True

    def __init__(self, cm: ConfusionMatrix, ignore_index: int | None = None) -> None:
        kept = _kept_classes(type(self).__name__, cm, ignore_index)
        super().__init__(_iou, cm, kept)


class mIoU(MetricsLambda):  # noqa: N801 - the name that the field uses
    r"""The mean over the classes of the intersection over the union.

    .. math:: \frac{1}{C} \sum_{c=1}^{C} \mathrm{IoU}_c

    Shapes: those of the `ConfusionMatrix`. From 0 to 1; larger is better. A class that was neither
    predicted nor a target counts as 0.

    Args:
        cm: a confusion matrix, whose ``average`` is None or ``"samples"``.
        ignore_index: a class that the mean leaves out, as for `IoU`.

    Raises:
        InvalidType: when ``cm`` is no `ConfusionMatrix`.
        InvalidArgument: when it has another average, or ``ignore_index`` is no class of it.

    Source:
        scikit-learn's ``jaccard_score`` with ``average="macro", labels=range(C),
        zero_division=0``, which gives the same.

    Example:
        >>> import torch
        >>> miou = mIoU(ConfusionMatrix(num_classes=2))
        >>> miou.update((torch.tensor([[0.9, 0.1], [0.4, 0.6]]), torch.tensor([0, 0])))
        >>> miou.compute()
        0.25
    """

    single_valued = True

    def __init__(self, cm: ConfusionMatrix, ignore_index: int | None = None) -> None:
        kept = _kept_classes(type(self).__name__, cm, ignore_index)
        super().__init__(_mean_iou, cm, kept)


class JaccardIndex(IoU):
    r"""The Jaccard index of each class: another name of `IoU`.

    .. math:: J_c = \frac{\mathrm{TP}_c}{\mathrm{TP}_c + \mathrm{FP}_c + \mathrm{FN}_c}

    Shapes: those of the `ConfusionMatrix`; the value is ``(C,)``, or ``(C - 1,)`` where a class is
    ignored. From 0 to 1; larger is better. 0 for a class that was neither predicted nor a target.

    Args:
        cm: a confusion matrix, whose ``average`` is None or ``"samples"``.
        ignore_index: a class that the value leaves out, as for `IoU`.

    Raises:
        InvalidType: when ``cm`` is no `ConfusionMatrix`.
        InvalidArgument: when it has another average, or ``ignore_index`` is no class of it.

    Source:
        P. Jaccard, "The Distribution of the Flora in the Alpine Zone", 1912; scikit-learn's
        ``jaccard_score`` with ``average=None, zero_division=0``, which gives the same.

    Example:
        >>> import torch
        >>> jaccard = JaccardIndex(ConfusionMatrix(num_classes=2))
        >>> jaccard.update((torch.tensor([[0.9, 0.1], [0.4, 0.6]]), torch.tensor([0, 0])))
        >>> jaccard.compute()
        tensor([0.5000, 0.0000], dtype=torch.float64)
    """


class DiceCoefficient(MetricsLambda):
    r"""The Dice coefficient of each class, which is its F1.

    .. math:: D_c = \frac{2 \, \mathrm{TP}_c}{2 \, \mathrm{TP}_c + \mathrm{FP}_c + \mathrm{FN}_c}

    Shapes: those of the `ConfusionMatrix`; the value is ``(C,)``, or ``(C - 1,)`` where a class is
    ignored. From 0 to 1; larger is better. 0 for a class that was neither predicted nor a target.

    Args:
        cm: a confusion matrix, whose ``average`` is None or ``"samples"``.
        ignore_index: a class that the value leaves out, as for `IoU`.

    Raises:
        InvalidType: when ``cm`` is no `ConfusionMatrix`.
        InvalidArgument: when it has another average, or ``ignore_index`` is no class of it.

    Source:
        L. R. Dice, "Measures of the Amount of Ecologic Association Between Species", 1945;
        scikit-learn's ``f1_score`` with ``average=None, zero_division=0``, which gives the same.

    Example:
        >>> import torch
        >>> dice = DiceCoefficient(ConfusionMatrix(num_classes=2))
        >>> dice.update((torch.tensor([[0.9, 0.1], [0.4, 0.6]]), torch.tensor([0, 0])))
        >>> dice.compute()
        tensor([0.6667, 0.0000], dtype=torch.float64)
    """

    single_valued = True

    def __init__(self, cm: ConfusionMatrix, ignore_index: int | None = None) -> None:
        kept = _kept_classes(type(self).__name__, cm, ignore_index)
        super().__init__(_dice, cm, kept)


def _kept_classes(name: str, cm: Any, ignore_index: int | None) -> list[int]:
    if not isinstance(cm, ConfusionMatrix):
        raise InvalidType(
            f"{name} is made of a ConfusionMatrix, got {cm!r} of type {type(cm).__name__}"
        )
    if cm.average not in (None, "samples"):
        raise InvalidArgument(
            f"{name} needs a ConfusionMatrix with average=None or 'samples', got "
            f"average={cm.average!r}, whose rows or columns are no longer counts"
        )
    classes = range(cm.num_classes)
    number = isinstance(ignore_index, int) and not isinstance(ignore_index, bool)
    if ignore_index is not None and not (number and ignore_index in classes):
        raise InvalidArgument(
            f"ignore_index must be one of the classes 0..{cm.num_classes - 1}, got "
            f"{ignore_index!r} of type {type(ignore_index).__name__}"
        )
    return [number for number in classes if number != ignore_index]


def _overlap(matrix: Tensor, kept: list[int]) -> tuple[Tensor, Tensor]:
    """Return the intersection of each kept class, and the sum of its two sides."""
    matrix = in_float64(matrix)
    right = matrix.diagonal()
    return right[kept], (matrix.sum(dim=0) + matrix.sum(dim=1))[kept]


def _iou(matrix: Tensor, kept: list[int]) -> Tensor:
    right, sides = _overlap(matrix, kept)
    return share(right, sides - right)


def _mean_iou(matrix: Tensor, kept: list[int]) -> float:
    return float(_iou(matrix, kept).mean())


def _dice(matrix: Tensor, kept: list[int]) -> Tensor:
    right, sides = _overlap(matrix, kept)
    return share(2 * right, sides)
