"""The contracts of the metrics."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import reduce
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from glowplug import Engine
from glowplug.testing import MetricContract
from glowplug_metrics import (
    Accuracy,
    Average,
    EpochMetric,
    GeometricAverage,
    Loss,
    MetricGroup,
    MetricsLambda,
    RunningAverage,
    VariableAccumulation,
)

# of two batches in a row: 4 of 4 right, 4 of 4, 2 of 4, 2 of 4
LABELS = ([1, 1, 1, 1], [0, 0, 0, 0], [0, 1, 0, 1], [1, 1, 1, 1])
GUESSES = ([1, 1, 1, 1], [0, 0, 0, 0], [1, 1, 1, 1], [0, 1, 0, 1])


def largest_error(y_pred: Tensor, y: Tensor) -> float:
    """A function for EpochMetric that can be pickled."""
    return float((y_pred - y).abs().max())


def running(average: float, value: float) -> float:
    """The average of the past, of which half stays."""
    return 0.5 * average + 0.5 * value


class OfPredictions(MetricContract):
    """What takes in predictions and targets needs an output that has both."""

    needs = ("y_pred", "y")

    def data(self) -> Iterable[Any]:
        pairs = zip(GUESSES, LABELS, strict=True)
        return [(torch.tensor(guess), torch.tensor(label)) for guess, label in pairs]

    def engine_without(self) -> Engine[Any, Any]:
        return Engine(lambda engine, batch: {"loss": 1.0})


class OfNumbers(OfPredictions):
    """The same of floating point numbers."""

    def data(self) -> Iterable[Any]:
        return [(guess.float(), label.float()) for guess, label in super().data()]


class TestAccuracy(OfPredictions):
    component = "accuracy"
    expected = 0.75

    def make(self) -> Accuracy:
        return Accuracy()


class TestLoss(OfNumbers):
    component = "loss"
    expected = 0.25  # 4 of 16 are wrong by 1

    def make(self) -> Loss:
        return Loss(nn.functional.mse_loss)


class TestEpochMetric(OfNumbers):
    component = "epoch-metric"
    expected = 1.0

    def make(self) -> EpochMetric:
        return EpochMetric(largest_error)


class TestAverage(MetricContract):
    component = "average"
    expected = (0.5 + 2.0 + 1.0 + 4.0) / 4

    def make(self) -> Average:
        return Average()


class TestGeometricAverage(MetricContract):
    component = "geometric-average"
    expected = math.sqrt(2)  # the fourth root of 0.5 * 2 * 1 * 4

    def make(self) -> GeometricAverage:
        return GeometricAverage()


class TestVariableAccumulation(MetricContract):
    component = "variable-accumulation"
    expected = (0.5, 4)

    def make(self) -> VariableAccumulation:
        return VariableAccumulation(torch.fmin, initial=math.inf, reduce="min")

    def step(self, engine: Engine[Any, Any], batch: float) -> Tensor:
        return torch.tensor(batch)


class TestRunningAverage(MetricContract):
    component = "running-average"
    expected: ClassVar[Any] = reduce(running, (0.5, 2.0, 1.0, 4.0) * 3)  # in three epochs

    def make(self) -> RunningAverage:
        return RunningAverage(alpha=0.5, output_transform=float)


class TestRunningAverageOfAMetric(TestRunningAverage):
    # what follows each iteration stays a tensor, so that nobody waits for it
    expected = torch.tensor(TestRunningAverage.expected, dtype=torch.float64)

    def make(self) -> RunningAverage:
        return RunningAverage(Average(), alpha=0.5)


class TestMetricsLambda(MetricContract):
    component = "metrics-lambda"
    expected = 1.875 / math.sqrt(2)

    def make(self) -> MetricsLambda:
        ratio: MetricsLambda = Average() / GeometricAverage()
        return ratio


class TestMetricGroup(MetricContract):
    component = "metric-group"
    expected: ClassVar[Any] = {"mean": 1.875, "smallest": (0.5, 4)}

    def make(self) -> MetricGroup:
        smallest = VariableAccumulation(torch.fmin, initial=math.inf, reduce="min")
        return MetricGroup({"mean": Average(), "smallest": smallest})

    def step(self, engine: Engine[Any, Any], batch: float) -> Tensor:
        return torch.tensor(batch)
