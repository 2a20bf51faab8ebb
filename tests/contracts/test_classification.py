"""The contracts of the metrics of predicted classes and of scores."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from sklearn import metrics
from torch import Tensor

import glowplug_metrics as m
from glowplug import Engine
from glowplug.testing import MetricContract

SCORES = np.array(
    [
        [0.7, 0.2, 0.1],
        [0.3, 0.4, 0.3],
        [0.1, 0.2, 0.7],
        [0.5, 0.2, 0.3],
        [0.6, 0.3, 0.1],
        [0.2, 0.7, 0.1],
        [0.1, 0.5, 0.4],
        [0.3, 0.1, 0.6],
    ]
)
Y = np.array([0, 1, 2, 1, 0, 1, 2, 2])
GUESS = SCORES.argmax(1)
LABELS, TRUE_LABELS = (SCORES > 0.25).astype(int), np.eye(3, dtype=int)[Y]
SCORE, POSITIVE = SCORES[:, 1], TRUE_LABELS[:, 1]
IOU = metrics.jaccard_score(Y, GUESS, average=None)


def tensors(*arrays: np.ndarray[Any, Any]) -> tuple[Tensor, ...]:
    return tuple(torch.tensor(array.copy()) for array in arrays)


def report() -> dict[str, Any]:
    whole = metrics.classification_report(Y, GUESS, output_dict=True)
    names = ("precision", "recall", "f1-score")
    rows = ("0", "1", "2", "macro avg")
    return {row: {name: float(whole[row][name]) for name in names} for row in rows}


class OfClasses(MetricContract):
    """What takes in predictions and targets needs an output that has both."""

    needs = ("y_pred", "y")
    y_pred, y = SCORES, Y

    def data(self) -> Iterable[Any]:
        return list(zip(*(part.split(2) for part in tensors(self.y_pred, self.y)), strict=True))

    def engine_without(self) -> Engine[Any, Any]:
        return Engine(lambda engine, batch: {"loss": 1.0})


class OfLabels(OfClasses):
    """The same of three labels for each example."""

    y_pred, y = LABELS, TRUE_LABELS


class OfGuesses(OfClasses):
    """The same of class numbers."""

    y_pred = GUESS


class OfScores(OfClasses):
    """The same of a score for each example."""

    y_pred, y = SCORE, POSITIVE


class TestPrecision(OfClasses):
    component = "precision"
    expected = tensors(metrics.precision_score(Y, GUESS, average=None))[0]

    def make(self) -> m.Precision:
        return m.Precision()


class TestRecall(OfLabels):
    component = "recall"
    expected = float(metrics.recall_score(TRUE_LABELS, LABELS, average="samples"))

    def make(self) -> m.Recall:
        return m.Recall(average="samples", is_multilabel=True)


class TestFbeta(OfClasses):
    component = "fbeta"
    expected = float(metrics.fbeta_score(Y, GUESS, beta=2, average="macro"))

    def make(self) -> m.Fbeta:
        return m.Fbeta(2)


class TestFbetaOfMetrics(TestFbeta):
    def make(self) -> m.Fbeta:
        return m.Fbeta(2, precision=m.Precision(), recall=m.Recall())


class TestClassificationReport(OfClasses):
    component = "classification-report"
    expected = report()
    leaves = ("0", "1", "2", "macro avg")

    def make(self) -> m.ClassificationReport:
        return m.ClassificationReport(output_dict=True)


class TestTopKCategoricalAccuracy(OfClasses):
    component = "top-k-categorical-accuracy"
    expected = float(metrics.top_k_accuracy_score(Y, SCORES, k=2))

    def make(self) -> m.TopKCategoricalAccuracy:
        return m.TopKCategoricalAccuracy(k=2)


class TestConfusionMatrix(OfClasses):
    component = "confusion-matrix"
    expected = tensors(metrics.confusion_matrix(Y, GUESS))[0]

    def make(self) -> m.ConfusionMatrix:
        return m.ConfusionMatrix(3)


class TestMultiLabelConfusionMatrix(OfLabels):
    component = "multi-label-confusion-matrix"
    expected = tensors(metrics.multilabel_confusion_matrix(TRUE_LABELS, LABELS))[0]

    def make(self) -> m.MultiLabelConfusionMatrix:
        return m.MultiLabelConfusionMatrix(3)


class TestIoU(OfClasses):
    component = "iou"
    expected = tensors(IOU)[0]

    def make(self) -> m.IoU:
        return m.IoU(m.ConfusionMatrix(3))


class TestMeanIoU(OfClasses):
    component = "miou"
    expected = float(IOU.mean())

    def make(self) -> m.mIoU:
        return m.mIoU(m.ConfusionMatrix(3))


class TestJaccardIndex(OfClasses):
    component = "jaccard-index"
    expected = tensors(IOU[1:])[0]

    def make(self) -> m.JaccardIndex:
        return m.JaccardIndex(m.ConfusionMatrix(3), ignore_index=0)


class TestDiceCoefficient(OfClasses):
    component = "dice-coefficient"
    expected = tensors(metrics.f1_score(Y, GUESS, average=None))[0]

    def make(self) -> m.DiceCoefficient:
        return m.DiceCoefficient(m.ConfusionMatrix(3))


class TestMatthewsCorrCoef(OfGuesses):
    component = "matthews-corr-coef"
    expected = float(metrics.matthews_corrcoef(Y, GUESS))

    def make(self) -> m.MatthewsCorrCoef:
        return m.MatthewsCorrCoef()


class TestCohenKappa(OfGuesses):
    component = "cohen-kappa"
    expected = float(metrics.cohen_kappa_score(Y, GUESS, weights="quadratic"))

    def make(self) -> m.CohenKappa:
        return m.CohenKappa(weights="quadratic")


class TestCohenKappaOfKnownClasses(TestCohenKappa):
    def make(self) -> m.CohenKappa:
        return m.CohenKappa(weights="quadratic", num_classes=3)


class TestPrecisionRecallCurve(OfScores):
    component = "precision-recall-curve"
    expected = tensors(*metrics.precision_recall_curve(POSITIVE, SCORE))

    def make(self) -> m.PrecisionRecallCurve:
        return m.PrecisionRecallCurve()


class TestRocCurve(OfScores):
    component = "roc-curve"
    expected = tensors(*metrics.roc_curve(POSITIVE, SCORE))

    def make(self) -> m.RocCurve:
        return m.RocCurve()


class TestAveragePrecision(OfScores):
    component = "average-precision"
    expected = float(metrics.average_precision_score(POSITIVE, SCORE))

    def make(self) -> m.AveragePrecision:
        return m.AveragePrecision()


class TestMeanAveragePrecision(OfClasses):
    component = "mean-average-precision"
    expected = float(metrics.average_precision_score(TRUE_LABELS, SCORES))

    def make(self) -> m.MeanAveragePrecision:
        return m.MeanAveragePrecision()


class TestRocAuc(OfClasses):
    component = "roc-auc"
    expected = float(metrics.roc_auc_score(Y, SCORES, multi_class="ovr"))

    def make(self) -> m.ROC_AUC:
        return m.ROC_AUC()
