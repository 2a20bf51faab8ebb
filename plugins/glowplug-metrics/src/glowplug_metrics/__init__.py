"""Metrics and their arithmetic for glowplug.

Owns: the public names of this distribution.
Must not know: models, loggers, or who reads ``engine.state.metrics``.
"""

from __future__ import annotations

from glowplug_metrics.accumulation import Average, GeometricAverage, VariableAccumulation
from glowplug_metrics.accuracy import Accuracy
from glowplug_metrics.epoch_metric import EpochMetric
from glowplug_metrics.errors import EpochMetricWarning, NotComputableError
from glowplug_metrics.group import MetricGroup
from glowplug_metrics.loss import Loss
from glowplug_metrics.means import MeanMetric
from glowplug_metrics.metric import Metric, MetricsLambda
from glowplug_metrics.predictions import PredictionMetric
from glowplug_metrics.results import ResultMode
from glowplug_metrics.running_average import RunningAverage
from glowplug_metrics.states import Reduction
from glowplug_metrics.usage import (
    BatchFiltered,
    BatchWise,
    EpochWise,
    MetricUsage,
    RunningBatchWise,
    RunningEpochWise,
    SingleEpochRunningBatchWise,
)

__all__ = [
    "Accuracy",
    "Average",
    "BatchFiltered",
    "BatchWise",
    "EpochMetric",
    "EpochMetricWarning",
    "EpochWise",
    "GeometricAverage",
    "Loss",
    "MeanMetric",
    "Metric",
    "MetricGroup",
    "MetricUsage",
    "MetricsLambda",
    "NotComputableError",
    "PredictionMetric",
    "Reduction",
    "ResultMode",
    "RunningAverage",
    "RunningBatchWise",
    "RunningEpochWise",
    "SingleEpochRunningBatchWise",
    "VariableAccumulation",
]
