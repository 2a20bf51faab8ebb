"""Metrics of predicted numbers, beyond the mean absolute and squared errors.

Owns: the public names of this package.
Must not know: how any of them is worked out.
"""

from __future__ import annotations

from glowplug_metrics.regression.coefficients import PearsonCorrelation, R2Score
from glowplug_metrics.regression.distances import (
    CanberraMetric,
    ManhattanDistance,
    MaximumAbsoluteError,
    WaveHedgesDistance,
)
from glowplug_metrics.regression.fractions import FractionalAbsoluteError, FractionalBias
from glowplug_metrics.regression.geometric import (
    GeometricMeanAbsoluteError,
    GeometricMeanRelativeAbsoluteError,
)
from glowplug_metrics.regression.medians import (
    MedianAbsoluteError,
    MedianAbsolutePercentageError,
    MedianRelativeAbsoluteError,
)
from glowplug_metrics.regression.rank_correlations import (
    KendallRankCorrelation,
    SpearmanRankCorrelation,
)
from glowplug_metrics.regression.relative import (
    MeanAbsoluteRelativeError,
    MeanError,
    MeanNormalizedBias,
)

__all__ = [
    "CanberraMetric",
    "FractionalAbsoluteError",
    "FractionalBias",
    "GeometricMeanAbsoluteError",
    "GeometricMeanRelativeAbsoluteError",
    "KendallRankCorrelation",
    "ManhattanDistance",
    "MaximumAbsoluteError",
    "MeanAbsoluteRelativeError",
    "MeanError",
    "MeanNormalizedBias",
    "MedianAbsoluteError",
    "MedianAbsolutePercentageError",
    "MedianRelativeAbsoluteError",
    "PearsonCorrelation",
    "R2Score",
    "SpearmanRankCorrelation",
    "WaveHedgesDistance",
]
