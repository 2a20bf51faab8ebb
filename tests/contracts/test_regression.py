"""The contracts of the metrics of predicted numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from scipy import stats
from sklearn import metrics

from glowplug import Engine
from glowplug.testing import MetricContract
from glowplug_metrics import MeanAbsoluteError, MeanSquaredError, RootMeanSquaredError, regression

P = np.array([1.0, 3.0, 3.0, 5.0, 4.0, 4.0, 5.0, 9.0])
Y = np.array([2.0, 2.0, 4.0, 4.0, 2.0, 8.0, 6.0, 8.0])
ERRORS = np.abs(Y - P)
RELATIVE = ERRORS / np.abs(Y - Y.mean())


class OfNumbers(MetricContract):
    """What takes in predicted numbers and their targets needs an output that has both."""

    needs = ("y_pred", "y")

    def data(self) -> Iterable[Any]:
        return list(zip(torch.tensor(P).split(2), torch.tensor(Y).split(2), strict=True))

    def engine_without(self) -> Engine[Any, Any]:
        return Engine(lambda engine, batch: {"loss": 1.0})


class TestMeanAbsoluteError(OfNumbers):
    component = "mean-absolute-error"
    expected = float(metrics.mean_absolute_error(Y, P))

    def make(self) -> MeanAbsoluteError:
        return MeanAbsoluteError()


class TestMeanSquaredError(OfNumbers):
    component = "mean-squared-error"
    expected = float(metrics.mean_squared_error(Y, P))

    def make(self) -> MeanSquaredError:
        return MeanSquaredError()


class TestRootMeanSquaredError(OfNumbers):
    component = "root-mean-squared-error"
    expected = float(metrics.mean_squared_error(Y, P)) ** 0.5

    def make(self) -> RootMeanSquaredError:
        return RootMeanSquaredError()


class TestCanberraMetric(OfNumbers):
    component = "canberra-metric"
    expected = float((ERRORS / (Y + P)).sum())

    def make(self) -> regression.CanberraMetric:
        return regression.CanberraMetric()


class TestFractionalAbsoluteError(OfNumbers):
    component = "fractional-absolute-error"
    expected = float((2 * ERRORS / (Y + P)).mean())

    def make(self) -> regression.FractionalAbsoluteError:
        return regression.FractionalAbsoluteError()


class TestFractionalBias(OfNumbers):
    component = "fractional-bias"
    expected = float((2 * (Y - P) / (Y + P)).mean())

    def make(self) -> regression.FractionalBias:
        return regression.FractionalBias()


class TestGeometricMeanAbsoluteError(OfNumbers):
    component = "geometric-mean-absolute-error"
    expected = float(stats.gmean(ERRORS))

    def make(self) -> regression.GeometricMeanAbsoluteError:
        return regression.GeometricMeanAbsoluteError()


class TestGeometricMeanRelativeAbsoluteError(OfNumbers):
    component = "geometric-mean-relative-absolute-error"
    expected = float(stats.gmean(RELATIVE))

    def make(self) -> regression.GeometricMeanRelativeAbsoluteError:
        return regression.GeometricMeanRelativeAbsoluteError()


class TestKendallRankCorrelation(OfNumbers):
    component = "kendall-rank-correlation"
    expected = float(stats.kendalltau(P, Y).statistic)

    def make(self) -> regression.KendallRankCorrelation:
        return regression.KendallRankCorrelation()


class TestManhattanDistance(OfNumbers):
    component = "manhattan-distance"
    expected = 12.0

    def make(self) -> regression.ManhattanDistance:
        return regression.ManhattanDistance()


class TestMaximumAbsoluteError(OfNumbers):
    component = "maximum-absolute-error"
    expected = float(metrics.max_error(Y, P))

    def make(self) -> regression.MaximumAbsoluteError:
        return regression.MaximumAbsoluteError()


class TestMeanAbsoluteRelativeError(OfNumbers):
    component = "mean-absolute-relative-error"
    expected = float(metrics.mean_absolute_percentage_error(Y, P))

    def make(self) -> regression.MeanAbsoluteRelativeError:
        return regression.MeanAbsoluteRelativeError()


class TestMeanError(OfNumbers):
    component = "mean-error"
    expected = 0.25

    def make(self) -> regression.MeanError:
        return regression.MeanError()


class TestMeanNormalizedBias(OfNumbers):
    component = "mean-normalized-bias"
    expected = float(((Y - P) / Y).mean())

    def make(self) -> regression.MeanNormalizedBias:
        return regression.MeanNormalizedBias()


class TestMedianAbsoluteError(OfNumbers):
    component = "median-absolute-error"
    expected = float(metrics.median_absolute_error(Y, P))

    def make(self) -> regression.MedianAbsoluteError:
        return regression.MedianAbsoluteError()


class TestMedianAbsolutePercentageError(OfNumbers):
    component = "median-absolute-percentage-error"
    expected = 100 * float(np.median(ERRORS / Y))

    def make(self) -> regression.MedianAbsolutePercentageError:
        return regression.MedianAbsolutePercentageError()


class TestMedianRelativeAbsoluteError(OfNumbers):
    component = "median-relative-absolute-error"
    expected = float(np.median(RELATIVE))

    def make(self) -> regression.MedianRelativeAbsoluteError:
        return regression.MedianRelativeAbsoluteError()


class TestPearsonCorrelation(OfNumbers):
    component = "pearson-correlation"
    expected = float(stats.pearsonr(P, Y).statistic)

    def make(self) -> regression.PearsonCorrelation:
        return regression.PearsonCorrelation()


class TestR2Score(OfNumbers):
    component = "r2-score"
    expected = float(metrics.r2_score(Y, P))

    def make(self) -> regression.R2Score:
        return regression.R2Score()


class TestSpearmanRankCorrelation(OfNumbers):
    component = "spearman-rank-correlation"
    expected = float(stats.spearmanr(P, Y).statistic)

    def make(self) -> regression.SpearmanRankCorrelation:
        return regression.SpearmanRankCorrelation()


class TestWaveHedgesDistance(OfNumbers):
    component = "wave-hedges-distance"
    expected = float((ERRORS / np.maximum(P, Y)).sum())

    def make(self) -> regression.WaveHedgesDistance:
        return regression.WaveHedgesDistance()
