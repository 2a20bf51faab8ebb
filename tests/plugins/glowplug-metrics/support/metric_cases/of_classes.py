"""Metrics of predicted classes and labels, and of scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from glowplug_metrics import (
    ROC_AUC,
    AveragePrecision,
    ClassificationReport,
    CohenKappa,
    ConfusionMatrix,
    DiceCoefficient,
    Fbeta,
    IoU,
    JaccardIndex,
    MatthewsCorrCoef,
    MeanAveragePrecision,
    MultiLabelConfusionMatrix,
    Precision,
    PrecisionRecallCurve,
    Recall,
    RocCurve,
    TopKCategoricalAccuracy,
    mIoU,
)
from metric_cases.case import (
    Case,
    Examples,
    binary,
    class_maps,
    guesses,
    label_scores,
    score,
    scores,
    zeros_and_ones,
)


def counting(make: Callable[[], Any], draw: Callable[..., Examples]) -> Case:
    """A metric of the greatest score or of labels, for which NaN is a score as others."""
    return Case(make, draw, nan=False)


def all_classes(generator: torch.Generator, n: int) -> Examples:
    """Scores of three classes, and class numbers, each of which there is."""
    y_pred, y = scores(generator, n)
    y[:3] = torch.arange(3)[:n]
    return y_pred, y


def of_matrix(metric: Callable[..., Any], **kwargs: Any) -> Callable[[], Any]:
    return lambda: metric(ConfusionMatrix(3), **kwargs)


CASES = {
    "precision": counting(Precision, class_maps),
    "precision, binary": counting(Precision, binary),
    "precision, both classes": counting(lambda: Precision(average=None), binary),
    "precision, weighted": counting(lambda: Precision(average="weighted"), scores),
    "precision, micro": counting(lambda: Precision(average="micro"), class_maps),
    "precision, samples": counting(
        lambda: Precision(average="samples", is_multilabel=True), zeros_and_ones
    ),
    "recall": counting(lambda: Recall(average="macro"), scores),
    "recall, multilabel": counting(lambda: Recall(is_multilabel=True), zeros_and_ones),
    "fbeta": counting(lambda: Fbeta(2), scores),
    "fbeta of metrics": counting(lambda: Fbeta(0.5, False, Precision(), Recall()), class_maps),
    "classification report": counting(lambda: ClassificationReport(output_dict=True), class_maps),
    "top k": counting(lambda: TopKCategoricalAccuracy(k=2), class_maps),
    "confusion matrix": counting(lambda: ConfusionMatrix(3), class_maps),
    "confusion matrix, recall": counting(lambda: ConfusionMatrix(3, average="recall"), scores),
    "multilabel confusion matrix": counting(lambda: MultiLabelConfusionMatrix(3), zeros_and_ones),
    "iou": counting(of_matrix(IoU), class_maps),
    "jaccard index": counting(of_matrix(JaccardIndex, ignore_index=0), class_maps),
    "miou": counting(of_matrix(mIoU), scores),
    "dice coefficient": counting(of_matrix(DiceCoefficient), class_maps),
    "matthews": counting(MatthewsCorrCoef, guesses),
    "kappa": counting(CohenKappa, guesses),
    "kappa of known classes": counting(
        lambda: CohenKappa(weights="linear", num_classes=4), guesses
    ),
    "precision-recall curve": counting(PrecisionRecallCurve, score),
    "roc curve": counting(RocCurve, score),
    "average precision": Case(AveragePrecision, score),
    "average precision, multilabel": Case(AveragePrecision, label_scores),
    "average precision, samples": counting(
        lambda: AveragePrecision(average="samples"), label_scores
    ),
    "roc auc": Case(ROC_AUC, score),
    "roc auc, classes": Case(lambda: ROC_AUC(average="weighted"), all_classes),
    "mean average precision": Case(lambda: MeanAveragePrecision(), scores),
    "mean average precision, recalls": Case(
        lambda: MeanAveragePrecision([0.25, 0.5, 1.0], "micro", is_multilabel=True), label_scores
    ),
}
