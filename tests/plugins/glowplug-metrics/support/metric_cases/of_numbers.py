"""Metrics of predicted numbers, vectors and distributions."""

from __future__ import annotations

import glowplug_metrics as m
from glowplug_metrics import regression as r
from metric_cases.case import Case, maps, numbers, ties, vectors

ROUNDED = 1e-6
"""What differences that are rounded to float32 may cost."""
CASES = {
    "mean absolute error": Case(m.MeanAbsoluteError, vectors, rounding=ROUNDED),
    "mean squared error": Case(m.MeanSquaredError, numbers, rounding=ROUNDED),
    "root mean squared error": Case(m.RootMeanSquaredError, maps, rounding=ROUNDED),
    "mean pairwise distance": Case(m.MeanPairwiseDistance, vectors, rounding=ROUNDED),
    "cosine similarity": Case(m.CosineSimilarity, maps, rounding=ROUNDED),
    "psnr": Case(lambda: m.PSNR(data_range=6.0), maps, rounding=ROUNDED),
    "entropy": Case(m.Entropy, maps),
    "mutual information": Case(m.MutualInformation, maps, close=1e-4),
    "kl divergence": Case(m.KLDivergence, maps),
    "js divergence": Case(m.JSDivergence, maps, close=1e-4),
    "hsic": Case(m.HSIC, vectors, splits=False, close=1e-3),
    "maximum mean discrepancy": Case(m.MaximumMeanDiscrepancy, vectors, splits=False, close=1e-3),
    "canberra metric": Case(r.CanberraMetric, numbers),
    "fractional absolute error": Case(r.FractionalAbsoluteError, numbers),
    "fractional bias": Case(r.FractionalBias, numbers, close=1e-3),
    "geometric mean absolute error": Case(r.GeometricMeanAbsoluteError, numbers, rounding=ROUNDED),
    "geometric mean relative absolute error": Case(r.GeometricMeanRelativeAbsoluteError, numbers),
    "kendall rank correlation": Case(r.KendallRankCorrelation, ties),
    "kendall rank correlation, variant c": Case(lambda: r.KendallRankCorrelation("c"), ties),
    "manhattan distance": Case(r.ManhattanDistance, numbers, rounding=ROUNDED),
    "maximum absolute error": Case(r.MaximumAbsoluteError, vectors),
    "mean absolute relative error": Case(r.MeanAbsoluteRelativeError, numbers),
    "mean error": Case(r.MeanError, numbers, close=1e-3, rounding=ROUNDED),
    "mean normalized bias": Case(r.MeanNormalizedBias, numbers, close=1e-3),
    "median absolute error": Case(r.MedianAbsoluteError, numbers),
    "median absolute percentage error": Case(r.MedianAbsolutePercentageError, numbers),
    "median relative absolute error": Case(r.MedianRelativeAbsoluteError, numbers),
    "pearson correlation": Case(r.PearsonCorrelation, numbers, close=1e-3),
    "pearson correlation of ties": Case(r.PearsonCorrelation, ties, close=1e-3),
    "r2 score": Case(r.R2Score, numbers, rounding=ROUNDED),
    "spearman rank correlation": Case(r.SpearmanRankCorrelation, ties),
    "wave hedges distance": Case(r.WaveHedgesDistance, numbers),
}
