"""How far predicted classes and targets agree beyond chance.

Owns: the Matthews correlation coefficient and Cohen's kappa.
Must not know: how examples are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Any

import torch
from torch import Tensor

from glowplug.errors import InvalidArgument, did_you_mean
from glowplug_metrics.arguments import whole_number
from glowplug_metrics.classification.counting import counted, pairs_counted, places
from glowplug_metrics.epoch_metric import EpochMetric
from glowplug_metrics.forms import check_single_numbers
from glowplug_metrics.means import refuse_nothing
from glowplug_metrics.metric import CPU
from glowplug_metrics.outputs import as_it_is
from glowplug_metrics.states import in_float64


class AgreementMetric(EpochMetric):
    """The base of metrics of two sequences of class numbers.

    Args:
        *args: as for `EpochMetric`.
        **kwargs: as for `EpochMetric`.
    """

    single_valued = True

    def check(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse what is not one class for each example."""
        check_single_numbers(self, y_pred, y)

    def check_ranges(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse numbers that are not whole, and try the function, if that is wanted."""
        for name, classes in (("y_pred", y_pred), ("y", y)):
            if classes.is_floating_point() and not (classes == classes.trunc()).all():
                self.refuse(
                    f"{name} of class numbers, which are whole (output_transform makes them of "
                    "scores: output[0].argmax(1))",
                    y_pred,
                    y,
                )
        super().check_ranges(y_pred, y)


class MatthewsCorrCoef(AgreementMetric):
    r"""The Matthews correlation coefficient of predicted classes and targets.

    .. math:: \frac{s \, n - \sum_c p_c t_c}
        {\sqrt{n^2 - \sum_c p_c^2} \, \sqrt{n^2 - \sum_c t_c^2}}

    with s right predictions of n, and class c predicted :math:`p_c` times and :math:`t_c` times the
    target. Shapes: ``y_pred`` and ``y`` of ``(N,)`` or ``(N, 1)``, class numbers, any whole ones.
    From -1 to 1 for two classes; larger is better; 0 is chance. 0 where one class alone was
    predicted, or was the target.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output:
            ``lambda output: (output[0].argmax(1), output[1])``.
        check_compute_fn: as for `EpochMetric`.
        device: where the outputs are kept, as for `EpochMetric`.
        skip_unrolling: as for `Metric`.

    Raises:
        InvalidArgument: on the first update, for other shapes or numbers that are not whole.
        InvalidType: for an output that is not two tensors.

    Source:
        J. Gorodkin, "Comparing two K-category assignments by a K-category correlation coefficient",
        2004; scikit-learn's ``matthews_corrcoef``, which gives the same.

    Example:
        >>> metric = MatthewsCorrCoef()
        >>> metric.update((torch.tensor([1, 0, 1, 1]), torch.tensor([1, 0, 0, 1])))
        >>> round(metric.compute(), 3)
        0.577
    """

    def __init__(
        self,
        output_transform: Callable[[Any], Any] = as_it_is,
        check_compute_fn: bool = False,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
    ) -> None:
        super().__init__(_matthews, output_transform, check_compute_fn, device, skip_unrolling)


class Weights(Enum):
    """How far a disagreement counts.

    Example:
        >>> Weights("linear") is Weights.LINEAR
        True
    """

    NONE = None
    """All alike."""
    LINEAR = "linear"
    """By how far the classes are apart."""
    QUADRATIC = "quadratic"
    """By the square of this."""


class CohenKappa(AgreementMetric):
    r"""Cohen's kappa: how far predictions and targets agree, beyond what chance explains.

    .. math:: \kappa = 1 - \frac{\sum_{ij} w_{ij} M_{ij}}{\sum_{ij} w_{ij} t_i p_j / n}

    with the confusion matrix M, class i the target :math:`t_i` times and class j predicted
    :math:`p_j` times, and weights :math:`w_{ij}` of 1 off the diagonal, or :math:`|i - j|`, or
    :math:`(i - j)^2`. Shapes: ``y_pred`` and ``y`` of ``(N,)`` or ``(N, 1)``, class numbers. From
    -1 to 1; larger is better; 0 is chance. NaN where all predictions and all targets are of one
    class.

    Without ``num_classes`` all outputs are kept, and i and j are the places of the classes that
    appear, in their order. With it they are the class numbers, and nothing is kept but the
    confusion matrix, where the outputs are.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output:
            ``lambda output: (output[0].argmax(1), output[1])``.
        weights: None, ``"linear"`` or ``"quadratic"``.
        check_compute_fn: as for `EpochMetric`.
        device: where the outputs are kept, as for `EpochMetric`.
        skip_unrolling: as for `Metric`.
        num_classes: how many classes there are, at least 2, from 0 on.

    Raises:
        InvalidArgument: for other weights, or less than 2 classes; on the first update, for other
            shapes or numbers that are not whole; when it is computed, for numbers that are no
            class.
        InvalidType: for an output that is not two tensors.

    Source:
        J. Cohen, "A coefficient of agreement for nominal scales", 1960; scikit-learn's
        ``cohen_kappa_score``, with ``labels=range(num_classes)`` where it is given, which gives the
        same.

    Example:
        >>> metric = CohenKappa()
        >>> metric.update((torch.tensor([1, 0, 1, 1]), torch.tensor([1, 0, 0, 1])))
        >>> metric.compute()
        0.5
    """

    confusion: Tensor
    count: int

    def __init__(
        self,
        output_transform: Callable[[Any], Any] = as_it_is,
        weights: Weights | str | None = None,
        check_compute_fn: bool = False,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
        num_classes: int | None = None,
    ) -> None:
        try:
            self._weights = Weights(weights)
        except ValueError:
            names = [member.value for member in Weights if member.value]
            raise InvalidArgument(
                f"weights must be None or one of {', '.join(names)}, got {weights!r}"
                f"{did_you_mean(str(weights), names)}"
            ) from None
        if num_classes is not None:
            whole_number("num_classes", num_classes, least=2)
        self._num_classes = num_classes
        of_rows = partial(_kappa_of_rows, weights=self._weights)
        super().__init__(of_rows, output_transform, check_compute_fn, device, skip_unrolling)
        shape = (num_classes or 0,) * 2
        self.add_state("confusion", torch.zeros(shape, dtype=torch.int64), reduce="sum")
        self.add_state("count", 0, reduce="sum")

    def accumulate(self, y_pred: Tensor, y: Tensor) -> None:
        """Keep both, or count their pairs where the number of classes is known."""
        if self._num_classes is None:
            super().accumulate(y_pred, y)
            return
        self.confusion = self.confusion + _pairs_within(y_pred, y, self._num_classes)
        self.count += y.numel()

    def compute(self) -> Any:
        """Return kappa.

        Raises:
            NotComputableError: when nothing was taken in.
            InvalidArgument: when there were numbers outside of ``num_classes``.
        """
        if self._num_classes is None:
            return super().compute()
        states = self.reduced()
        refuse_nothing(self, states["count"])
        lost = states["count"] - int(states["confusion"].sum())
        if lost:
            raise InvalidArgument(
                f"CohenKappa expected classes 0..{self._num_classes - 1} (num_classes="
                f"{self._num_classes}); {lost} of {states['count']} pairs had another number"
            )
        return _kappa(in_float64(states["confusion"]), self._weights)


def _numbered(y_pred: Tensor, y: Tensor) -> tuple[Tensor, Tensor, int]:
    """Return the places of both among the classes that appear, and how many these are."""
    classes, numbers = torch.cat((y_pred.double(), y.double())).unique(return_inverse=True)
    return numbers[: len(y_pred)], numbers[len(y_pred) :], len(classes)


def _matthews(y_pred: Tensor, y: Tensor) -> float:
    y_pred, y, classes = _numbered(y_pred, y)
    predicted, actual = (in_float64(counted(numbers, classes)) for numbers in (y_pred, y))
    n = len(y)
    right = int((y_pred == y).sum())
    spread = (n * n - predicted @ predicted) * (n * n - actual @ actual)
    if spread == 0:
        return 0.0
    return float((right * n - predicted @ actual) / spread.sqrt())


def _pairs_within(y_pred: Tensor, y: Tensor, classes: int) -> Tensor:
    """Return the confusion matrix, without the pairs of which one number is no class."""
    width = classes + 2
    actual, predicted = (places(numbers.reshape(-1), classes) for numbers in (y, y_pred))
    pairs = torch.add(predicted, actual, alpha=width)
    return counted(pairs, width * width).view(width, width)[1:-1, 1:-1]


def _kappa_of_rows(y_pred: Tensor, y: Tensor, weights: Weights) -> float:
    y_pred, y, classes = _numbered(y_pred, y)
    return _kappa(in_float64(pairs_counted(y_pred, y, classes)), weights)


def _kappa(confusion: Tensor, weights: Weights) -> float:
    """Return kappa of a confusion matrix in float64."""
    predicted, actual = confusion.sum(dim=0), confusion.sum(dim=1)
    numbers = torch.arange(len(confusion), device=confusion.device, dtype=confusion.dtype)
    apart = (numbers - numbers.unsqueeze(1)).abs()
    if weights is Weights.NONE:
        apart = (apart > 0).to(confusion.dtype)
    elif weights is Weights.QUADRATIC:
        apart = apart.square()
    by_chance = actual @ apart @ predicted / confusion.sum()
    return float(1 - (apart * confusion).sum() / by_chance)
