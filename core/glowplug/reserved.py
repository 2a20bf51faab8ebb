"""The names of glowplug's own components.

Owns: which distribution of glowplug's repository offers which component.
Must not know: what is installed.

A bare name in this table always means glowplug's own component, whoever else offers one of that
name; and asking for one that is not installed names the package to install. A test holds the table
equal to the entry points in the repository.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from glowplug.components import Kind

_OFFERED: Mapping[str, Mapping[Kind, tuple[str, ...]]] = {
    "glowplug-budgets": {
        Kind.HANDLER: ("handler-budget",),
    },
    "glowplug-checkpoint": {
        Kind.HANDLER: (
            "checkpoint",
            "model-checkpoint",
            "resume",
        ),
        Kind.EVENTS: ("checkpoint",),
        Kind.COMMAND: ("ckpt",),
    },
    "glowplug-handlers": {
        Kind.HANDLER: (
            "basic-time-profiler",
            "early-stopping",
            "ema-handler",
            "epoch-output-store",
            "fastai-lr-finder",
            "graceful-stop",
            "gradient-norms",
            "handlers-time-profiler",
            "layer-freezing",
            "out-of-memory-report",
            "stochastic-weight-averaging",
            "straggler-guard",
            "terminate-on-nan",
            "time-limit",
            "timer",
            "weight-norms",
        ),
        Kind.LOGGER: ("fb-research-logger",),
    },
    "glowplug-metrics": {
        Kind.METRIC: (
            "accuracy",
            "average",
            "average-precision",
            "bleu",
            "calinski-harabasz-score",
            "canberra-metric",
            "character-error-rate",
            "classification-report",
            "cohen-kappa",
            "common-object-detection-metrics",
            "confusion-matrix",
            "cosine-similarity",
            "davies-bouldin-score",
            "demographic-parity-difference",
            "dice-coefficient",
            "entropy",
            "epoch-metric",
            "fbeta",
            "fid",
            "fractional-absolute-error",
            "fractional-bias",
            "frequency",
            "geometric-average",
            "geometric-mean-absolute-error",
            "geometric-mean-relative-absolute-error",
            "gpu-info",
            "hit-rate",
            "hsic",
            "inception-score",
            "iou",
            "jaccard-index",
            "js-divergence",
            "kendall-rank-correlation",
            "kl-divergence",
            "loss",
            "manhattan-distance",
            "matthews-corr-coef",
            "maximum-absolute-error",
            "maximum-mean-discrepancy",
            "mean-absolute-error",
            "mean-absolute-relative-error",
            "mean-average-precision",
            "mean-error",
            "mean-normalized-bias",
            "mean-pairwise-distance",
            "mean-squared-error",
            "median-absolute-error",
            "median-absolute-percentage-error",
            "median-relative-absolute-error",
            "metric-group",
            "metrics-lambda",
            "miou",
            "multi-label-confusion-matrix",
            "mutual-information",
            "ndcg",
            "object-detection-avg-precision-recall",
            "pearson-correlation",
            "perplexity",
            "precision",
            "precision-recall-curve",
            "psnr",
            "r2-score",
            "recall",
            "roc-auc",
            "roc-curve",
            "root-mean-squared-error",
            "rouge",
            "rouge-l",
            "rouge-n",
            "running-average",
            "selection-rate",
            "silhouette-score",
            "spearman-rank-correlation",
            "ssim",
            "subgroup-accuracy-difference",
            "subgroup-difference",
            "subgroup-metric",
            "top-k-categorical-accuracy",
            "torch-metric",
            "variable-accumulation",
            "wave-hedges-distance",
        ),
    },
    "glowplug-schedulers": {
        Kind.SCHEDULER: (
            "batch-size-scheduler",
            "concat-scheduler",
            "cosine-annealing-scheduler",
            "exp-state-scheduler",
            "lambda-state-scheduler",
            "linear-cyclical-scheduler",
            "lr-scheduler",
            "lr-scheduler-with-warmup",
            "multi-step-state-scheduler",
            "param-group-scheduler",
            "piecewise-linear",
            "piecewise-linear-state-scheduler",
            "reduce-lr-on-plateau-scheduler",
            "step-state-scheduler",
        ),
    },
    "glowplug-supervised": {
        Kind.TRAINER: (
            "deterministic-engine",
            "supervised-evaluator",
            "supervised-tbptt-trainer",
            "supervised-trainer",
        ),
        Kind.EVENTS: (
            "step",
            "tbptt",
        ),
    },
    "glowplug-tensorboard": {
        Kind.LOGGER: ("tensorboard-logger",),
        Kind.HANDLER: (
            "tensorboard-grads-hist-handler",
            "tensorboard-grads-scalar-handler",
            "tensorboard-optimizer-params-handler",
            "tensorboard-output-handler",
            "tensorboard-weights-hist-handler",
            "tensorboard-weights-scalar-handler",
        ),
    },
    "glowplug-tqdm": {
        Kind.LOGGER: ("progress-bar",),
    },
    "glowplug-trace": {
        Kind.HANDLER: ("trace",),
    },
}

RESERVED: Mapping[tuple[Kind, str], str] = MappingProxyType(
    {
        (kind, name): distribution
        for distribution, kinds in _OFFERED.items()
        for kind, names in kinds.items()
        for name in names
    }
)


def distributions(name: str, kinds: Iterable[Kind]) -> tuple[str, ...]:
    """Return which of glowplug's own distributions offer ``name``.

    Args:
        name: a component's bare name.
        kinds: the kinds it may be of.

    Returns:
        Names of distributions, without repetition.
    """
    owners = (RESERVED.get((kind, name)) for kind in kinds)
    return tuple(dict.fromkeys(owner for owner in owners if owner))
