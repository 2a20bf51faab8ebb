"""Metrics of how a run goes, and those that come from elsewhere."""

from __future__ import annotations

import torch
from torch import Tensor
from torchmetrics import Metric as Theirs
from torchmetrics import MetricCollection
from torchmetrics.aggregation import CatMetric
from torchmetrics.classification import MulticlassAccuracy, MulticlassF1Score

import glowplug_metrics as m
from metric_cases.case import Case, rows, scores


class Clock:
    """Stands still, but for the seconds that the work takes."""

    def __init__(self) -> None:
        self.now = torch.zeros((), dtype=torch.float64)

    def __call__(self) -> Tensor:
        return self.now

    def work(self, output: Tensor) -> Tensor:
        """Return how much was done, which takes the time that the second column says."""
        done, seconds = output.double().unbind(1)
        self.now = self.now + (seconds * 64).round().sum() / 64  # loses no digit
        return done.sum()


def frequency() -> m.Frequency:
    clock = Clock()
    return m.Frequency(clock.work, clock=clock)  # type: ignore[arg-type]  # a tensor tells time too


def accuracy() -> MulticlassAccuracy:
    return MulticlassAccuracy(3, average="micro", validate_args=False)


def collection() -> MetricCollection:
    f1 = MulticlassF1Score(3, validate_args=False)
    return MetricCollection([MulticlassAccuracy(3, validate_args=False), f1])


def composition() -> Theirs:
    return accuracy() + MulticlassF1Score(3, validate_args=False)


CASES = {
    "frequency": Case(frequency, rows, shares=False),
    "of torchmetrics": Case(
        lambda: m.TorchMetric(accuracy()), scores, exact=False, nan=False, emptiness=False
    ),
    "of torchmetrics, a collection": Case(
        lambda: m.TorchMetric(collection()), scores, exact=False, nan=False, emptiness=False
    ),
    "of torchmetrics, a composition": Case(
        lambda: m.TorchMetric(composition()), scores, exact=False, nan=False, emptiness=False
    ),
    "of torchmetrics, everything": Case(
        lambda: m.TorchMetric(CatMetric(nan_strategy="disable").set_dtype(torch.float64)),
        rows,
        reorders=False,
        exact=False,
        nan=False,
    ),
}
