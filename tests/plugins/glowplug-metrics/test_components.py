from __future__ import annotations

import importlib
import inspect
import re
from importlib.metadata import distribution
from typing import Any

import pytest

from glowplug import component
from glowplug_metrics import Metric

MOST = "output_transform=..., device=cpu, skip_unrolling=False"
ALL = f"{MOST}, metrics_result_mode=both"
# A default of ``...`` is a function.
KNOWN = """
Metric(ALL)
MetricUsage(started, completed, iteration_completed)
Accuracy(output_transform=..., is_multilabel=False, device=cpu, skip_unrolling=False)
Loss(loss_fn, output_transform=..., batch_size=len, device=cpu, skip_unrolling=False)
MetricGroup(metrics, output_transform=..., skip_unrolling=False)
MetricsLambda(f, *args, skip_unrolling=False, metrics_result_mode=both, **kwargs)
Average(MOST)
GeometricAverage(MOST)
VariableAccumulation(op, MOST)
EpochMetric(compute_fn, output_transform=..., check_compute_fn=True, device=cpu,
    skip_unrolling=False)
RunningAverage(src=None, alpha=0.98, output_transform=None, epoch_bound=None, device=None,
    skip_unrolling=False)
MeanAbsoluteError(ALL)
MeanSquaredError(ALL)
RootMeanSquaredError(ALL)
MeanPairwiseDistance(p=2, eps=1e-06, MOST)
CosineSimilarity(eps=1e-08, MOST)
PSNR(data_range, MOST)
Entropy(ALL)
KLDivergence(ALL)
JSDivergence(ALL)
MutualInformation(ALL)
HSIC(sigma_x=-1, sigma_y=-1, ignore_invalid_batch=True, MOST)
MaximumMeanDiscrepancy(var=1.0, MOST)
MatthewsCorrCoef(output_transform=..., check_compute_fn=False, device=cpu, skip_unrolling=False)
ConfusionMatrix(num_classes, average=None, output_transform=..., device=cpu, skip_unrolling=True)
ClassificationReport(beta=1, output_dict=False, output_transform=..., device=cpu,
    is_multilabel=False, labels=None, metrics_result_mode=both)
TopKCategoricalAccuracy(k=5, MOST)
DiceCoefficient(cm, ignore_index=None)
IoU(cm, ignore_index=None)
mIoU(cm, ignore_index=None)
JaccardIndex(cm, ignore_index=None)
Fbeta(beta, average=True, precision=None, recall=None, output_transform=None, device=None)
MultiLabelConfusionMatrix(num_classes, output_transform=..., device=cpu, normalized=False,
    skip_unrolling=False)
Precision(output_transform=..., average=False, is_multilabel=False, device=cpu,
    skip_unrolling=False)
Recall(output_transform=..., average=False, is_multilabel=False, device=cpu, skip_unrolling=False)
AveragePrecision(output_transform=..., check_compute_fn=False, device=cpu, skip_unrolling=False)
CohenKappa(output_transform=..., weights=None, check_compute_fn=False, device=cpu,
    skip_unrolling=False, num_classes=None)
PrecisionRecallCurve(output_transform=..., check_compute_fn=False, device=cpu,
    skip_unrolling=False)
RocCurve(output_transform=..., check_compute_fn=False, device=cpu, skip_unrolling=False)
ROC_AUC(output_transform=..., check_compute_fn=False, device=cpu, skip_unrolling=False)
MeanAveragePrecision(rec_thresholds=None, class_mean=macro, is_multilabel=False, MOST)
regression.CanberraMetric(ALL)
regression.FractionalAbsoluteError(ALL)
regression.FractionalBias(ALL)
regression.GeometricMeanAbsoluteError(ALL)
regression.GeometricMeanRelativeAbsoluteError(ALL)
regression.KendallRankCorrelation(variant=b, output_transform=..., check_compute_fn=True,
    device=cpu, skip_unrolling=False)
regression.ManhattanDistance(ALL)
regression.MaximumAbsoluteError(ALL)
regression.MeanAbsoluteRelativeError(ALL)
regression.MeanError(ALL)
regression.MeanNormalizedBias(ALL)
regression.MedianAbsoluteError(output_transform=..., device=cpu)
regression.MedianAbsolutePercentageError(output_transform=..., device=cpu)
regression.MedianRelativeAbsoluteError(output_transform=..., device=cpu)
regression.PearsonCorrelation(eps=1e-08, output_transform=..., device=cpu)
regression.R2Score(ALL)
regression.SpearmanRankCorrelation(output_transform=..., check_compute_fn=True, device=cpu,
    skip_unrolling=False)
regression.WaveHedgesDistance(ALL)
Bleu(ngram=4, smooth=no_smooth, output_transform=..., device=cpu, average=macro)
CharacterErrorRate(MOST)
Rouge(variants=None, multiref=average, alpha=0, output_transform=..., device=cpu)
RougeN(ngram=4, multiref=average, alpha=0, output_transform=..., device=cpu)
RougeL(multiref=average, alpha=0, output_transform=..., device=cpu)
Perplexity(output_transform=..., device=cpu, ignore_index=-100)
HitRate(top_k=1, ignore_zero_hits=True, MOST)
NDCG(top_k, ignore_zero_hits=True, relevance_threshold=1.0, gain_function=exp_rank, MOST)
clustering.CalinskiHarabaszScore(output_transform=..., check_compute_fn=True, device=cpu,
    skip_unrolling=False)
clustering.DaviesBouldinScore(output_transform=..., check_compute_fn=True, device=cpu,
    skip_unrolling=False)
clustering.SilhouetteScore(output_transform=..., check_compute_fn=True, device=cpu,
    skip_unrolling=False, silhouette_kwargs=None)
fairness.SubgroupAccuracyDifference(groups, is_multilabel=False, output_transform=..., device=cpu)
fairness.SubgroupDifference(base_metric, groups, output_transform=..., device=cpu)
fairness.SubgroupMetric(base_metric, groups, output_transform=..., device=cpu)
fairness.DemographicParityDifference(groups, is_multilabel=False, output_transform=..., device=cpu)
fairness.SelectionRate(output_transform=..., is_multilabel=False, device=cpu, skip_unrolling=False)
FID(num_features=None, feature_extractor=None, output_transform=..., device=cpu)
InceptionScore(num_features=None, feature_extractor=None, output_transform=..., device=cpu)
SSIM(data_range, kernel_size=11, sigma=1.5, k1=0.01, k2=0.03, gaussian=True,
    output_transform=..., device=cpu, skip_unrolling=False, ndims=2)
ObjectDetectionAvgPrecisionRecall(iou_thresholds=None, rec_thresholds=None, num_classes=80,
    max_detections_per_image_per_class=100, area_range=all, MOST)
CommonObjectDetectionMetrics(num_classes=80, output_transform=..., device=cpu, skip_unrolling=True)
coco_tensor_list_to_dict_list(output)
Frequency(MOST)
GpuInfo()
"""
OFFERED = {
    entry.name: entry
    for entry in distribution("glowplug-metrics").entry_points
    if entry.group == "glowplug.metrics"
}
PACKAGES = sorted({entry.module for entry in OFFERED.values()})


@pytest.mark.parametrize("name", OFFERED)
def test_a_component_is_found_by_the_name_of_its_class(name: str) -> None:
    found = component("metric", name)
    assert found is OFFERED[name].load()
    assert found.__name__.replace("_", "").lower() == name.replace("-", "")


# what they come to, and what is better, is a matter of what they are given
OF_OTHERS = {"epoch-metric", "metric-group", "metrics-lambda", "subgroup-metric"}
OF_OTHERS |= {"torch-metric", "variable-accumulation"}


@pytest.mark.parametrize("name", sorted(OFFERED.keys() - OF_OTHERS))
def test_a_docstring_says_what_is_better_and_has_its_source_and_an_example(name: str) -> None:
    said = OFFERED[name].load().__doc__
    assert re.search(r"\b(better|best)\b", said)
    assert "Source:" in said
    assert "Example:" in said


def readable(parameter: inspect.Parameter) -> str:
    """Return a parameter as the list of known ones writes it."""
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        return str(parameter).partition(":")[0]
    if parameter.default is parameter.empty:
        return parameter.name
    default = "..." if inspect.isfunction(parameter.default) else parameter.default
    if parameter.default is len:
        default = "len"
    return f"{parameter.name}={default}"


def lines(known: str) -> list[str]:
    known = known.replace(",\n    ", ", ").replace("ALL", ALL).replace("MOST", MOST)
    return known.strip().splitlines()


@pytest.mark.parametrize("known", lines(KNOWN))
def test_the_parameters_that_users_know_are_there_in_their_order(known: str) -> None:
    name, _, listed = known.removesuffix(")").partition("(")
    package, _, public = f"glowplug_metrics.{name}".rpartition(".")
    target = getattr(importlib.import_module(package), public)
    parameters = inspect.signature(target).parameters.values()
    shown = [readable(p) for p in parameters if p.kind is not p.KEYWORD_ONLY or p.name in listed]
    assert ", ".join(shown) == listed


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_metric_is_a_component(package: str) -> None:
    module = importlib.import_module(package)
    public = [getattr(module, name) for name in module.__all__]
    offered = [entry.load() for entry in OFFERED.values()]
    assert [cls for cls in public if is_complete(cls) and cls not in offered] == []


def is_complete(public: Any) -> bool:
    """Return whether a public name is a metric, and not a base for others."""
    metric = inspect.isclass(public) and issubclass(public, Metric)
    return metric and not inspect.isabstract(public)
