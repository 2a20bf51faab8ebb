"""One number for how well scores rank positive examples before negative ones.

Owns: the areas beneath curves, of one class and averaged over classes.
Must not know: how scores are kept, or how they are sorted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from glowplug.errors import InvalidArgument, InvalidType, did_you_mean
from glowplug_metrics.classification.averages import Average, average_from
from glowplug_metrics.classification.columns import (
    Area,
    ScoresMetric,
    check_positives,
    over_classes,
)
from glowplug_metrics.classification.kinds import Kind, KindMetric, check_class_numbers
from glowplug_metrics.classification.ranked import average_precision, precision_at_recalls, roc_auc
from glowplug_metrics.epoch_metric import EpochMetric
from glowplug_metrics.metric import CPU
from glowplug_metrics.outputs import as_it_is


class AreaMetric(ScoresMetric):
    """The base of metrics that are an area for each class, averaged over the classes.

    Args:
        area: the area of the scores of a class.
        average: as for `AveragePrecision`.
        *args: as for `EpochMetric`, from the second on.
    """

    def __init__(self, area: Area, average: bool | str | None, *args: Any) -> None:
        self._average = average_from(average)
        super().__init__(partial(over_classes, area, self._average), *args)

    def _fits(self, shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
        labels = len(target) == 2 or self._average is not Average.SAMPLES
        return labels and super()._fits(shape, target)


class AveragePrecision(AreaMetric):
    r"""The precision, averaged over all thresholds by how far recall rises at each.

    .. math:: \mathrm{AP} = \sum_k (R_k - R_{k-1}) P_k

    with precision and recall of choosing the examples that have at least the k-th greatest score.
    Shapes: binary, ``y_pred`` and ``y`` of ``(N,)`` or ``(N, 1)``; multilabel, both of ``(N, C)``;
    multiclass, ``y_pred`` of ``(N, C)`` and ``y`` of ``(N,)``, class numbers, each class against
    the rest. ``y_pred`` holds any scores; ``y`` of binary and of multilabel examples 0 and 1, or -1
    and 1. From 0 to 1; larger is better. 0 for a class without positive examples; NaN where a score
    is NaN, while infinite scores are the first and the last.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output, such as
            ``lambda output: (output[0].sigmoid(), output[1])``.
        check_compute_fn: as for `EpochMetric`.
        device: where the outputs are kept, as for `EpochMetric`.
        skip_unrolling: as for `Metric`.
        average: over the classes, ``"macro"``, ``"micro"`` (all scores as those of one class),
            ``"weighted"`` (by positive examples), ``"samples"`` (over the examples, of labels);
            None for a value of each class.

    Raises:
        InvalidArgument: for another average; on the first update, for other shapes or targets.
        InvalidType: for an output that is not two tensors.

    Source:
        scikit-learn's ``average_precision_score``, which gives the same.

    Example:
        >>> metric = AveragePrecision()
        >>> metric.update((torch.tensor([0.9, 0.6, 0.1]), torch.tensor([1, 0, 1])))
        >>> round(metric.compute(), 3)
        0.833
    """

    def __init__(
        self,
        output_transform: Callable[[Any], Any] = as_it_is,
        check_compute_fn: bool = False,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
        *,
        average: bool | str | None = "macro",
    ) -> None:
        kept = (output_transform, check_compute_fn, device, skip_unrolling)
        super().__init__(average_precision, average, *kept)


class ROC_AUC(AreaMetric):  # noqa: N801 - the name that users know
    r"""The area under the curve of true against false positive rates.

    .. math:: \mathrm{AUC} = \frac{1}{PN} \sum_{i: y_i = 1} \sum_{j: y_j = 0}
        \left([s_i > s_j] + \tfrac{1}{2} [s_i = s_j]\right)

    for P positive and N negative examples with scores s. Shapes: binary, ``y_pred`` and ``y`` of
    ``(N,)`` or ``(N, 1)``; multilabel, both of ``(N, C)``; multiclass, ``y_pred`` of ``(N, C)`` and
    ``y`` of ``(N,)``, class numbers, each class against the rest. ``y_pred`` holds any scores;
    ``y`` of binary and of multilabel examples 0 and 1, or -1 and 1. From 0 to 1; larger is better;
    0.5 is chance. NaN for a class of which all examples are positive, or none is, and so in
    averages; NaN where a score is NaN, while infinite scores are the first and the last.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output, such as
            ``lambda output: (output[0].sigmoid(), output[1])``.
        check_compute_fn: as for `EpochMetric`.
        device: where the outputs are kept, as for `EpochMetric`.
        skip_unrolling: as for `Metric`.
        average: over the classes, as for `AveragePrecision`.

    Raises:
        InvalidArgument: for another average; on the first update, for other shapes or targets.
        InvalidType: for an output that is not two tensors.

    Source:
        scikit-learn's ``roc_auc_score``, for classes with ``multi_class="ovr"``, which gives the
        same.

    Example:
        >>> metric = ROC_AUC()
        >>> metric.update((torch.tensor([0.9, 0.6, 0.1]), torch.tensor([1, 0, 1])))
        >>> metric.compute()
        0.5
    """

    def __init__(
        self,
        output_transform: Callable[[Any], Any] = as_it_is,
        check_compute_fn: bool = False,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
        *,
        average: bool | str | None = "macro",
    ) -> None:
        kept = (output_transform, check_compute_fn, device, skip_unrolling)
        super().__init__(roc_auc, average, *kept)


class MeanAveragePrecision(KindMetric, EpochMetric):
    r"""The average precision of each class, and its mean over the classes.

    .. math:: \mathrm{mAP} = \frac{1}{C} \sum_{c=1}^{C} \sum_k (R_{c,k} - R_{c,k-1}) P_{c,k}

    over all thresholds k, or over the given recalls, each with the precision of the greatest
    threshold that reaches it. Shapes, with ``...`` for any further dimensions, each place of which
    is an example: binary, ``y_pred`` and ``y`` of one shape ``(N, ...)``; multiclass, ``y_pred`` of
    ``(N, C, ...)`` and ``y`` of ``(N, ...)``, class numbers, each class against the rest;
    multilabel, both of ``(N, C, ...)``. ``y_pred`` holds any scores; ``y`` of binary and multilabel
    examples 0 and 1. From 0 to 1; larger is better. 0 for a class without positive examples; NaN
    where a score is.

    Args:
        rec_thresholds: recalls from 0 to 1, in any order; None for all that there are.
        class_mean: ``"macro"``, the mean over the classes; ``"micro"``, all scores as those of one
            class; ``"weighted"``, the mean by positive examples; None for a value of each class.
        is_multilabel: whether ``(N, C, ...)`` in both are labels of N examples.
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: where the outputs are kept, as for `EpochMetric`.
        skip_unrolling: as for `Metric`.

    Raises:
        InvalidArgument: for recalls outside of 0 to 1 or none, or another mean; on the first
            update, for other shapes or targets.
        InvalidType: for recalls that are no sequence of numbers; for an output that is not two
            tensors.

    Source:
        scikit-learn's ``average_precision_score`` of each class, which gives the same where no
        recalls are given.

    Example:
        >>> metric = MeanAveragePrecision()
        >>> y_pred = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.1, 0.9]])
        >>> metric.update((y_pred, torch.tensor([0, 1, 0])))
        >>> round(metric.compute(), 3)
        0.667
    """

    single_valued = True

    def __init__(
        self,
        rec_thresholds: Sequence[float] | Tensor | None = None,
        class_mean: str | None = "macro",
        is_multilabel: bool = False,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
    ) -> None:
        average = _class_mean_from(class_mean)
        area: Area = average_precision
        if rec_thresholds is not None:
            area = partial(precision_at_recalls, recalls=_recalls_from(rec_thresholds))
        super().__init__(
            partial(over_classes, area, average),
            output_transform,
            False,
            device,
            skip_unrolling,
            is_multilabel=is_multilabel,
        )

    def check_ranges(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse targets that are not of the kind."""
        if self.kind(y_pred, y) is Kind.MULTICLASS:
            check_class_numbers(self, y_pred, y)
        else:
            check_positives(self, y_pred, y)

    def accumulate(self, y_pred: Tensor, y: Tensor) -> None:
        """Keep both, every place as an example."""
        super().accumulate(*self.flat(y_pred, y))


def _class_mean_from(class_mean: str | None) -> Average:
    known = ("macro", "micro", "weighted")
    if class_mean is None or class_mean in known:
        return average_from(class_mean)
    raise InvalidArgument(
        f"class_mean must be None or one of {', '.join(known)}, got {class_mean!r}"
        f"{did_you_mean(str(class_mean), known)}"
    )


def _recalls_from(thresholds: Sequence[float] | Tensor) -> Tensor:
    try:
        recalls = torch.as_tensor(thresholds, dtype=torch.float64, device="cpu")
    except (TypeError, ValueError, RuntimeError) as error:
        raise InvalidType(
            f"rec_thresholds must be a sequence of numbers, got {thresholds!r} of type "
            f"{type(thresholds).__name__}: {error}"
        ) from None
    if recalls.ndim != 1 or not len(recalls) or not ((recalls >= 0) & (recalls <= 1)).all():
        raise InvalidArgument(
            f"rec_thresholds must be one or more numbers from 0 to 1, got {thresholds!r}"
        )
    return recalls.sort().values
