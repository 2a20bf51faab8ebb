"""Metrics of how often each class was predicted, was the target, and both.

Owns: these counts, for binary, multiclass and multilabel predictions, and averages of them.
Must not know: what ratio of the counts a metric is.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from glowplug.errors import InvalidArgument
from glowplug_metrics.classification.averages import Average, average_from, weighted_mean
from glowplug_metrics.classification.counting import classes_counted, largest
from glowplug_metrics.classification.kinds import Kind, KindMetric
from glowplug_metrics.means import refuse_nothing
from glowplug_metrics.metric import CPU
from glowplug_metrics.outputs import as_it_is
from glowplug_metrics.results import as_numbers
from glowplug_metrics.states import has_float64, in_float64


class Counts(NamedTuple):
    """How often each class was right, predicted and the target: three tensors of one shape."""

    right: Tensor
    predicted: Tensor
    actual: Tensor


class ClassCountsMetric(KindMetric):
    """The base of metrics that are made of how often each class was predicted and was the target.

    Shapes, with ``...`` for any further dimensions, each place of which is a prediction:

    - binary: ``y_pred`` and ``y`` of shape ``(N, ...)``, or ``y_pred`` of ``(N, 1, ...)``; both
      hold 0 and 1 alone.
    - multiclass: ``y_pred`` of shape ``(N, C, ...)``, C at least 2, any scores: the largest is the
      prediction (NaN counts as the largest, as in ``torch.argmax``); ``y`` of shape ``(N, ...)``,
      class numbers. A number outside ``0..C-1`` is the target of no class: a prediction beside it
      is wrong.
    - multilabel: both of shape ``(N, C, ...)``, C at least 2, 0 and 1 alone.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output; a threshold belongs here:
            ``lambda output: (output[0].round(), output[1])``.
        is_multilabel: whether ``(N, C, ...)`` in both are labels of N examples.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.
        **kwargs: as for `Metric`.

    Raises:
        InvalidArgument: on the first update, for other shapes or values.
        InvalidType: for an output that is not two tensors.

    Attributes:
        counts: of each of C classes, how often it was predicted rightly, predicted, and the target:
            ``(3, C)``; of binary predictions the positive class alone, ``(3, 1)``.
        count: how many predictions there were.

    Example:
        >>> class MissedClasses(ClassCountsMetric):
        ...     def value(self):
        ...         right, predicted, actual = self.class_counts()
        ...         return ((right == 0) & (actual > 0)).sum()
        >>> metric = MissedClasses()
        >>> metric.update((torch.tensor([[0.1, 0.9], [0.2, 0.8]]), torch.tensor([0, 1])))
        >>> metric.compute()
        1
    """

    joins = True
    counts: Tensor
    count: int

    def __init__(
        self,
        output_transform: Callable[[Any], Any] = as_it_is,
        is_multilabel: bool = False,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            output_transform, device, skip_unrolling, is_multilabel=is_multilabel, **kwargs
        )
        self.add_state("counts", torch.zeros((3, 1), dtype=torch.int64), "sum", grows=True)
        self.add_state("count", 0, reduce="sum")

    def accumulate(self, y_pred: Tensor, y: Tensor) -> None:
        """Count the classes of a batch."""
        if self.kind(y_pred, y) is Kind.MULTICLASS:
            predicted = largest(y_pred).reshape(-1)
            counts = classes_counted(predicted, y.reshape(-1), y_pred.shape[1])
            self.count += len(predicted)
        else:
            y_pred, y = self.flat(y_pred, y)
            y = y.to(y_pred.dtype)
            three = torch.stack((y_pred * y, y_pred, y))
            counts = three.sum(dim=1, dtype=torch.int64).view(3, -1)
            self.count += len(y)
        self.counts = self.counts + counts

    def class_counts(self, *, both: bool = True) -> Counts:
        """Return the counts of each class of all ranks, where float64 is at hand.

        Args:
            both: whether those of binary predictions are of both classes, not of the positive one
                alone.

        Raises:
            NotComputableError: when nothing was taken in.
        """
        states = self.reduced()
        n = states["count"]
        refuse_nothing(self, n)
        counts = states["counts"]
        right, predicted, actual = counts if has_float64(counts.device) else counts.cpu()
        if len(actual) > 1 or not both:
            return Counts(right, predicted, actual)
        neither = n - predicted - actual + right
        pairs = ((neither, right), (n - predicted, predicted), (n - actual, actual))
        return Counts(*map(torch.cat, pairs))

    @abstractmethod
    def value(self) -> Any:
        """Return what the counts give, as tensors."""

    def compute(self) -> Any:
        """Return what the counts give: a number, or a tensor of one for each class.

        Raises:
            NotComputableError: when nothing was taken in.
        """
        return as_numbers(self.value())


class AveragedMetric(ClassCountsMetric):
    """The base of metrics that are a ratio of the counts of a class, averaged over the classes.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output.
        average: False for one value of each class, of binary predictions that of the positive
            class; None alike, of binary predictions those of both classes; True or ``"macro"`` for
            the mean over the classes; ``"micro"`` for the ratio of what the classes count together;
            ``"weighted"`` for the mean by how often each class is a target; ``"samples"``, of
            labels, for the mean of the ratio in each example.
        is_multilabel: as for `ClassCountsMetric`.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.

    Raises:
        InvalidArgument: for another average; on the first update, for other shapes or values.
        InvalidType: for an output that is not two tensors.

    Attributes:
        total: with ``"samples"``, the sum of the ratios of the examples.

    Example:
        >>> class Jaccard(AveragedMetric):
        ...     def ratio(self, counts):
        ...         return counts.right / (counts.predicted + counts.actual - counts.right)
        >>> metric = Jaccard(average=True)
        >>> metric.update((torch.tensor([1, 0, 1, 1]), torch.tensor([1, 0, 0, 1])))
        >>> round(metric.compute(), 3)
        0.583
    """

    total: Tensor

    def __init__(
        self,
        output_transform: Callable[[Any], Any] = as_it_is,
        average: bool | str | None = False,
        is_multilabel: bool = False,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
    ) -> None:
        self._average = average_from(average)
        super().__init__(output_transform, is_multilabel, device, skip_unrolling)
        self.add_state("total", torch.zeros((), dtype=torch.float64), reduce="sum")

    @abstractmethod
    def ratio(self, counts: Counts) -> Tensor:
        """Return the ratio, for counts of any shape, in `wide`."""

    def check(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse what does not fit together, and samples that have no labels."""
        super().check(y_pred, y)
        kind = self.kind(y_pred, y)
        if self._average is Average.SAMPLES and kind is not Kind.MULTILABEL:
            raise InvalidArgument(
                f"{type(self).__name__}: average='samples' is for multilabel predictions, got "
                f"{kind.value} ones; is_multilabel=True says that they have labels"
            )

    def accumulate(self, y_pred: Tensor, y: Tensor) -> None:
        """Count the classes of a batch, or add the ratios of its examples."""
        if self._average is not Average.SAMPLES:
            super().accumulate(y_pred, y)
            return
        y = y.to(y_pred.dtype)
        three = torch.stack((y_pred * y, y_pred, y))
        counts = Counts(*three.sum(dim=2, dtype=self.wide))
        self.add("total", self.ratio(counts).sum())
        self.count += counts.actual.numel()

    def value(self) -> Tensor:
        """Return the ratios, averaged, on the device of the outputs."""
        if self._average is Average.SAMPLES:
            states = self.reduced()
            refuse_nothing(self, states["count"])
            mean: Tensor = in_float64(states["total"]) / states["count"]
            return mean
        whole = self.class_counts(both=self._average is not Average.POSITIVE)
        counts = Counts(*map(in_float64, whole))
        if self._average is Average.MICRO:
            return self.ratio(Counts(*(part.sum() for part in counts)))
        ratios = self.ratio(counts)
        if self._average is Average.MACRO:
            return ratios.mean()
        if self._average is Average.WEIGHTED:
            return weighted_mean(ratios, counts.actual)
        return ratios if len(ratios) > 1 else ratios.squeeze(0)
