"""Accuracies, averages, losses, and what is made of metrics."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import cross_entropy

from glowplug_metrics import (
    Accuracy,
    Average,
    EpochMetric,
    GeometricAverage,
    Loss,
    MetricGroup,
    RunningAverage,
    VariableAccumulation,
)
from metric_cases.case import Case, rows, scores, zeros_and_ones


def squared(y_pred: Tensor, y: Tensor) -> Tensor:
    return (y_pred.sum(1) - y).square().mean()


CASES = {
    "accuracy": Case(Accuracy, scores, nan=False),
    "accuracy, binary": Case(Accuracy, zeros_and_ones, nan=False),
    "accuracy, multilabel": Case(lambda: Accuracy(is_multilabel=True), zeros_and_ones, nan=False),
    # the loss function itself computes in the precision of what it is given, NaN for nothing
    "loss": Case(lambda: Loss(cross_entropy), scores, exact=False, emptiness=False),
    "average": Case(Average, rows),
    "geometric average": Case(GeometricAverage, rows),
    "accumulation": Case(lambda: VariableAccumulation(lambda a, x: a + x.sum(0)), rows, nan=False),
    "epoch metric": Case(lambda: EpochMetric(squared, check_compute_fn=False), scores, exact=False),
    "lambda": Case(
        lambda: (Accuracy() + 1) * Loss(cross_entropy), scores, exact=False, emptiness=False
    ),
    "group": Case(
        lambda: MetricGroup({"a": Accuracy(), "l": Loss(cross_entropy)}),
        scores,
        exact=False,
        nan=False,
        emptiness=False,
    ),
    "running average": Case(
        lambda: RunningAverage(Accuracy(), alpha=0.7),
        scores,
        splits=False,
        reorders=False,
        nan=False,
        emptiness=False,
    ),
    "running average of outputs": Case(
        lambda: RunningAverage(output_transform=lambda output: output.mean(0), alpha=0.7),
        rows,
        splits=False,
        reorders=False,
        exact=False,
        emptiness=False,
        nan=False,
    ),
}
