"""Metrics and their arithmetic for glowplug.

Owns: the public names of this distribution.
Must not know: models, loggers, or who reads ``engine.state.metrics``.
"""

from __future__ import annotations

from glowplug_metrics.accumulation import Average, GeometricAverage, VariableAccumulation
from glowplug_metrics.accuracy import Accuracy
from glowplug_metrics.classification.agreement import CohenKappa, MatthewsCorrCoef
from glowplug_metrics.classification.areas import ROC_AUC, AveragePrecision, MeanAveragePrecision
from glowplug_metrics.classification.class_counts import AveragedMetric, ClassCountsMetric
from glowplug_metrics.classification.confusion import ConfusionMatrix, MultiLabelConfusionMatrix
from glowplug_metrics.classification.curves import PrecisionRecallCurve, RocCurve
from glowplug_metrics.classification.fbeta import Fbeta
from glowplug_metrics.classification.overlap import DiceCoefficient, IoU, JaccardIndex, mIoU
from glowplug_metrics.classification.precision_recall import Precision, Recall
from glowplug_metrics.classification.report import ClassificationReport
from glowplug_metrics.classification.top_k import TopKCategoricalAccuracy
from glowplug_metrics.detection.average_precision import (
    CommonObjectDetectionMetrics,
    ObjectDetectionAvgPrecisionRecall,
)
from glowplug_metrics.detection.boxes import coco_tensor_list_to_dict_list
from glowplug_metrics.divergences import (
    Entropy,
    JSDivergence,
    KLDivergence,
    MutualInformation,
    ScoresMean,
)
from glowplug_metrics.elementwise import DifferenceMean, ElementwiseMean, ElementwiseSum
from glowplug_metrics.epoch_metric import EpochMetric
from glowplug_metrics.errors import (
    EpochMetricWarning,
    MissingLibrary,
    NoDevice,
    NotComputableError,
)
from glowplug_metrics.frequency import Frequency
from glowplug_metrics.gpu_info import GpuInfo, GpuReading
from glowplug_metrics.group import MetricGroup
from glowplug_metrics.kernels import HSIC, MaximumMeanDiscrepancy
from glowplug_metrics.loss import Loss
from glowplug_metrics.mean_errors import (
    PSNR,
    MeanAbsoluteError,
    MeanSquaredError,
    RootMeanSquaredError,
)
from glowplug_metrics.means import MeanMetric
from glowplug_metrics.metric import Metric, MetricsLambda
from glowplug_metrics.moments import MomentsMetric
from glowplug_metrics.nlp import (
    Bleu,
    CharacterErrorRate,
    Perplexity,
    Rouge,
    RougeL,
    RougeN,
    SentencesMetric,
)
from glowplug_metrics.predictions import PredictionMetric
from glowplug_metrics.recommendation import NDCG, HitRate, TopKMetric
from glowplug_metrics.results import ResultMode
from glowplug_metrics.running_average import RunningAverage
from glowplug_metrics.states import Reduction
from glowplug_metrics.torch_metric import TorchMetric, attach
from glowplug_metrics.usage import (
    BatchFiltered,
    BatchWise,
    EpochWise,
    MetricUsage,
    RunningBatchWise,
    RunningEpochWise,
    SingleEpochRunningBatchWise,
)
from glowplug_metrics.vectors import CosineSimilarity, MeanPairwiseDistance
from glowplug_metrics.vision.frechet import FID
from glowplug_metrics.vision.inception_score import InceptionScore
from glowplug_metrics.vision.structural_similarity import SSIM

__all__ = [
    "FID",
    "HSIC",
    "NDCG",
    "PSNR",
    "ROC_AUC",
    "SSIM",
    "Accuracy",
    "Average",
    "AveragePrecision",
    "AveragedMetric",
    "BatchFiltered",
    "BatchWise",
    "Bleu",
    "CharacterErrorRate",
    "ClassCountsMetric",
    "ClassificationReport",
    "CohenKappa",
    "CommonObjectDetectionMetrics",
    "ConfusionMatrix",
    "CosineSimilarity",
    "DiceCoefficient",
    "DifferenceMean",
    "ElementwiseMean",
    "ElementwiseSum",
    "Entropy",
    "EpochMetric",
    "EpochMetricWarning",
    "EpochWise",
    "Fbeta",
    "Frequency",
    "GeometricAverage",
    "GpuInfo",
    "GpuReading",
    "HitRate",
    "InceptionScore",
    "IoU",
    "JSDivergence",
    "JaccardIndex",
    "KLDivergence",
    "Loss",
    "MatthewsCorrCoef",
    "MaximumMeanDiscrepancy",
    "MeanAbsoluteError",
    "MeanAveragePrecision",
    "MeanMetric",
    "MeanPairwiseDistance",
    "MeanSquaredError",
    "Metric",
    "MetricGroup",
    "MetricUsage",
    "MetricsLambda",
    "MissingLibrary",
    "MomentsMetric",
    "MultiLabelConfusionMatrix",
    "MutualInformation",
    "NoDevice",
    "NotComputableError",
    "ObjectDetectionAvgPrecisionRecall",
    "Perplexity",
    "Precision",
    "PrecisionRecallCurve",
    "PredictionMetric",
    "Recall",
    "Reduction",
    "ResultMode",
    "RocCurve",
    "RootMeanSquaredError",
    "Rouge",
    "RougeL",
    "RougeN",
    "RunningAverage",
    "RunningBatchWise",
    "RunningEpochWise",
    "ScoresMean",
    "SentencesMetric",
    "SingleEpochRunningBatchWise",
    "TopKCategoricalAccuracy",
    "TopKMetric",
    "TorchMetric",
    "VariableAccumulation",
    "attach",
    "coco_tensor_list_to_dict_list",
    "mIoU",
]
