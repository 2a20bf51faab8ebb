"""Precision and recall in one number.

Owns: the weighted harmonic mean, from counts or from two metrics.
Must not know: how counts are gathered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from glowplug.errors import InvalidArgument, InvalidType
from glowplug_metrics.arguments import positive
from glowplug_metrics.classification.averages import Average, share
from glowplug_metrics.classification.class_counts import AveragedMetric, Counts
from glowplug_metrics.classification.precision_recall import Precision, Recall
from glowplug_metrics.metric import CPU, MetricsLambda
from glowplug_metrics.outputs import as_it_is
from glowplug_metrics.results import as_numbers


class Fbeta(MetricsLambda):
    r"""The weighted harmonic mean of precision and recall.

    .. math:: F_\beta = (1 + \beta^2) \frac{P R}{\beta^2 P + R}

    Shapes: as for `ClassCountsMetric`. From 0 to 1; larger is better. 0 where precision and recall
    both are.

    Args:
        beta: how many times as much recall weighs as precision; any positive number.
        average: True for the mean over the classes, of binary predictions the value of the positive
            class; False for a value of each class. Where neither ``precision`` nor ``recall`` is
            given, any average that `Precision` has: ``"micro"``, ``"weighted"`` and so on.
        precision: a `Precision` that takes in the outputs, with ``average=False``.
        recall: a `Recall` alike. Where one of the two is given alone, the other is made after it.
        output_transform: makes ``(y_pred, y)`` of the step's output; only where neither
            ``precision`` nor ``recall`` is given, which have their own.
        device: as for `Metric`; likewise.
        is_multilabel: whether ``(N, C, ...)`` in both are labels of N examples; likewise.

    Raises:
        InvalidArgument: for a ``beta`` that is not positive, for another average, and for metrics
            that are averaged or come with arguments of their own.
        InvalidType: for a ``precision`` or ``recall`` of another type.

    Source:
        C. J. van Rijsbergen, Information Retrieval, 1979; scikit-learn's ``fbeta_score`` with
        ``labels=range(C)`` and ``zero_division=0``, which gives the same.

    Example:
        >>> f1 = Fbeta(1)
        >>> f1.update((torch.tensor([1, 0, 1, 1]), torch.tensor([1, 1, 0, 1])))
        >>> round(f1.compute(), 3)
        0.667
    """

    single_valued = True

    def __init__(
        self,
        beta: float,
        average: bool | str | None = True,
        precision: Precision | None = None,
        recall: Recall | None = None,
        output_transform: Callable[[Any], Any] | None = None,
        device: str | torch.device | None = None,
        *,
        is_multilabel: bool = False,
    ) -> None:
        square = positive("beta", beta) ** 2
        if precision is None and recall is None:
            # True is the mean over classes, but of binary predictions the positive class alone.
            inside = False if average is True else average
            transform = as_it_is if output_transform is None else output_transform
            counts = _FbetaOfCounts(
                square, transform, inside, is_multilabel, CPU if device is None else device
            )
            super().__init__(_averaged, counts, average is True)
            return
        if output_transform is not None or device is not None or is_multilabel:
            raise InvalidArgument(
                "Fbeta: output_transform, device and is_multilabel are those of the precision and "
                "the recall that are given; leave them out"
            )
        if not isinstance(average, bool):
            raise InvalidArgument(
                "Fbeta: average must be True or False with a precision or a recall, got "
                f"{average!r}"
            )
        for name, metric, kind in (("precision", precision, Precision), ("recall", recall, Recall)):
            _check_unaveraged(name, metric, kind)
        precision = _like(Precision, recall) if precision is None else precision
        recall = _like(Recall, precision) if recall is None else recall
        super().__init__(_harmonic, precision, recall, square, average)


class _FbetaOfCounts(AveragedMetric):
    """The same, of counts that were gathered once for both."""

    def __init__(self, square: float, *args: Any) -> None:
        super().__init__(*args)
        self._square = square

    def ratio(self, counts: Counts) -> Tensor:
        """Return F beta."""
        whole = counts.actual * self._square + counts.predicted
        return share(counts.right * (1 + self._square), whole)


def _averaged(values: Any, mean: bool) -> Any:
    return as_numbers(values.mean()) if mean and isinstance(values, Tensor) else values


def _harmonic(precision: Any, recall: Any, square: float, mean: bool) -> Any:
    p, r = torch.as_tensor(precision), torch.as_tensor(recall)
    values = share((1 + square) * p * r, square * p + r)
    return as_numbers(values.mean() if mean else values)


def _check_unaveraged(name: str, metric: Any, kind: type[AveragedMetric]) -> None:
    if metric is None:
        return
    if not isinstance(metric, kind):
        raise InvalidType(
            f"Fbeta: {name} must be a {kind.__name__}, got {metric!r} of type "
            f"{type(metric).__name__}"
        )
    if metric._average is not Average.POSITIVE:
        raise InvalidArgument(
            f"Fbeta: {name} must have average=False, got average={metric._average.value!r}; "
            "Fbeta's own average says what becomes of the classes"
        )


def _like(kind: type[AveragedMetric], other: Any) -> Any:
    """Return a metric that takes in what another does, in the same form."""
    return kind(
        other._output_transform,
        is_multilabel=other._is_multilabel,
        device=other._device,
        skip_unrolling=other._skip_unrolling,
    )
