from __future__ import annotations

import inspect
from typing import Any

import pytest

import glowplug_metrics
from glowplug import component

COMPONENTS = {
    "accuracy": "Accuracy",
    "average": "Average",
    "epoch-metric": "EpochMetric",
    "geometric-average": "GeometricAverage",
    "loss": "Loss",
    "metric-group": "MetricGroup",
    "metrics-lambda": "MetricsLambda",
    "running-average": "RunningAverage",
    "variable-accumulation": "VariableAccumulation",
}
AVERAGES = {"output_transform": ..., "device": "cpu", "skip_unrolling": False}
KNOWN: dict[str, dict[str, Any]] = {
    "Metric": {**AVERAGES, "metrics_result_mode": "both"},
    "MetricUsage": {"started": None, "completed": None, "iteration_completed": None},
    "Accuracy": {
        "output_transform": ...,
        "is_multilabel": False,
        "device": "cpu",
        "skip_unrolling": False,
    },
    "Loss": {
        "loss_fn": None,
        "output_transform": ...,
        "batch_size": ...,
        "device": "cpu",
        "skip_unrolling": False,
    },
    "MetricGroup": {"metrics": None, "output_transform": ..., "skip_unrolling": False},
    "Average": AVERAGES,
    "GeometricAverage": AVERAGES,
    "VariableAccumulation": {"op": None, **AVERAGES},
    "EpochMetric": {
        "compute_fn": None,
        "output_transform": ...,
        "check_compute_fn": True,
        "device": "cpu",
        "skip_unrolling": False,
    },
    "RunningAverage": {
        "src": "None",
        "alpha": 0.98,
        "output_transform": "None",
        "epoch_bound": "None",
        "device": "None",
        "skip_unrolling": False,
    },
}


@pytest.mark.parametrize(("name", "public"), COMPONENTS.items())
def test_a_component_is_found_by_its_name(name: str, public: str) -> None:
    assert component("metric", name) is getattr(glowplug_metrics, public)


@pytest.mark.parametrize(("name", "known"), KNOWN.items())
def test_the_parameters_that_users_know_are_there_in_their_order(
    name: str, known: dict[str, Any]
) -> None:
    """A default of ``...`` is a function, None means that there is none."""
    parameters = inspect.signature(getattr(glowplug_metrics, name)).parameters.values()
    positional = [p for p in parameters if p.kind is not p.KEYWORD_ONLY]
    assert [parameter.name for parameter in positional] == list(known)
    for parameter, default in zip(positional, known.values(), strict=True):
        if default is ...:
            assert callable(parameter.default)
        elif default is None:
            assert parameter.default is parameter.empty
        else:
            assert str(parameter.default) == str(default)


def test_every_public_metric_is_a_component() -> None:
    public = [getattr(glowplug_metrics, name) for name in glowplug_metrics.__all__]
    metrics = {m.__name__ for m in public if issubclass(m, glowplug_metrics.Metric)}
    assert metrics - {"Metric", "MeanMetric", "PredictionMetric"} == set(COMPONENTS.values())
