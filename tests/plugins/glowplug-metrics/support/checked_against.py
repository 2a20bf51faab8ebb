"""What every metric is checked against: something that is not our own arithmetic.

Owns: the list, which the reference shows.
Must not know: how the checks are made; that they are is held by tests/docs/test_metric_table.py.

A name is the function or class of a library that a test calls and compares with the metric.
`Test` stands for a test that needs no library, and names it.
"""

from __future__ import annotations

from typing import NamedTuple


class Test(NamedTuple):
    """A comparison with something that no library has.

    Args:
        what: what is compared with.
        name: the module and the name of the test.
    """

    what: str
    name: str


FORMULA = Test("the formula in NumPy", "test_regression.test_the_value_is_what_the_reference_says")
PARITY = "pytorch-ignite"
"""The metric of the same name there, on the same batches."""

CHECKED: dict[str, tuple[str | Test, ...]] = {
    "Accuracy": ("sklearn.metrics.accuracy_score", PARITY),
    "Average": ("statistics.fmean", PARITY),
    "AveragePrecision": ("sklearn.metrics.average_precision_score",),
    "Bleu": (
        "nltk.translate.bleu_score.corpus_bleu",
        "nltk.translate.bleu_score.sentence_bleu",
        PARITY,
    ),
    "CalinskiHarabaszScore": ("sklearn.metrics.calinski_harabasz_score",),
    "CanberraMetric": ("scipy.spatial.distance.canberra", PARITY),
    "CharacterErrorRate": ("jiwer.process_characters", PARITY),
    "ClassificationReport": ("sklearn.metrics.classification_report", PARITY),
    "CohenKappa": ("sklearn.metrics.cohen_kappa_score",),
    "CommonObjectDetectionMetrics": ("pycocotools.cocoeval.COCOeval",),
    "ConfusionMatrix": ("sklearn.metrics.confusion_matrix", PARITY),
    "CosineSimilarity": ("scipy.spatial.distance.cosine", PARITY),
    "DaviesBouldinScore": ("sklearn.metrics.davies_bouldin_score",),
    "DemographicParityDifference": ("fairlearn.metrics.demographic_parity_difference", PARITY),
    "DiceCoefficient": ("sklearn.metrics.f1_score", PARITY),
    "Entropy": ("scipy.stats.entropy", PARITY),
    "EpochMetric": ("sklearn.metrics.roc_auc_score", PARITY),
    "FID": ("scipy.linalg.sqrtm",),
    "Fbeta": ("sklearn.metrics.fbeta_score", PARITY),
    "FractionalAbsoluteError": (FORMULA, PARITY),
    "FractionalBias": (FORMULA, PARITY),
    "Frequency": (
        Test(
            "a clock that the test sets",
            "test_of_runs.test_the_frequency_is_of_the_epoch_so_far",
        ),
    ),
    "GeometricAverage": ("statistics.geometric_mean", PARITY),
    "GeometricMeanAbsoluteError": ("scipy.stats.gmean", PARITY),
    "GeometricMeanRelativeAbsoluteError": ("scipy.stats.gmean", PARITY),
    "GpuInfo": ("torch.cuda.mem_get_info",),
    "HSIC": (
        Test(
            "the paper's sum over quadruples, in NumPy",
            "test_vectors.test_hsic_is_the_mean_over_quadruples_of_each_batch",
        ),
        PARITY,
    ),
    "HitRate": ("torchmetrics.functional.retrieval.retrieval_hit_rate", PARITY),
    "InceptionScore": ("scipy.stats.entropy", PARITY),
    "IoU": ("sklearn.metrics.jaccard_score", PARITY),
    "JSDivergence": ("scipy.special.rel_entr", PARITY),
    "JaccardIndex": ("sklearn.metrics.jaccard_score", PARITY),
    "KLDivergence": ("scipy.stats.entropy", PARITY),
    "KendallRankCorrelation": ("scipy.stats.kendalltau",),
    "Loss": ("torch.nn.functional.cross_entropy", PARITY),
    "ManhattanDistance": ("scipy.spatial.distance.cityblock", PARITY),
    "MatthewsCorrCoef": ("sklearn.metrics.matthews_corrcoef",),
    "MaximumAbsoluteError": ("sklearn.metrics.max_error", PARITY),
    "MaximumMeanDiscrepancy": (
        Test(
            "the paper's mean kernels, in NumPy",
            "test_vectors.test_the_discrepancy_is_the_root_of_the_mean_over_batches",
        ),
        PARITY,
    ),
    "MeanAbsoluteError": ("sklearn.metrics.mean_absolute_error", PARITY),
    "MeanAbsoluteRelativeError": ("sklearn.metrics.mean_absolute_percentage_error", PARITY),
    "MeanAveragePrecision": ("sklearn.metrics.average_precision_score", PARITY),
    "MeanError": (FORMULA, PARITY),
    "MeanNormalizedBias": (FORMULA, PARITY),
    "MeanPairwiseDistance": ("scipy.spatial.distance.minkowski", PARITY),
    "MeanSquaredError": ("sklearn.metrics.mean_squared_error", PARITY),
    "MedianAbsoluteError": ("sklearn.metrics.median_absolute_error", PARITY),
    "MedianAbsolutePercentageError": (FORMULA, PARITY),
    "MedianRelativeAbsoluteError": (FORMULA, PARITY),
    "MetricGroup": (PARITY,),
    "MetricsLambda": (
        Test(
            "the same expression of the values",
            "test_composition.test_an_expression_of_metrics_has_the_value_of_the_expression",
        ),
        PARITY,
    ),
    "MultiLabelConfusionMatrix": ("sklearn.metrics.multilabel_confusion_matrix", PARITY),
    "MutualInformation": ("scipy.stats.entropy", PARITY),
    "NDCG": ("sklearn.metrics.ndcg_score", PARITY),
    "ObjectDetectionAvgPrecisionRecall": ("pycocotools.cocoeval.COCOeval",),
    "PSNR": ("skimage.metrics.peak_signal_noise_ratio", PARITY),
    "PearsonCorrelation": ("scipy.stats.pearsonr", PARITY),
    "Perplexity": ("torchmetrics.functional.text.perplexity", PARITY),
    "Precision": ("sklearn.metrics.precision_score", PARITY),
    "PrecisionRecallCurve": ("sklearn.metrics.precision_recall_curve",),
    "R2Score": ("sklearn.metrics.r2_score", PARITY),
    "ROC_AUC": ("sklearn.metrics.roc_auc_score",),
    "Recall": ("sklearn.metrics.recall_score", PARITY),
    "RocCurve": ("sklearn.metrics.roc_curve",),
    "RootMeanSquaredError": ("sklearn.metrics.root_mean_squared_error", PARITY),
    "Rouge": ("rouge_score.rouge_scorer.RougeScorer", PARITY),
    "RougeL": ("rouge_score.rouge_scorer.RougeScorer", PARITY),
    "RougeN": ("rouge_score.rouge_scorer.RougeScorer", PARITY),
    "RunningAverage": ("scipy.signal.lfilter",),
    "SSIM": ("skimage.metrics.structural_similarity",),
    "SelectionRate": ("fairlearn.metrics.selection_rate", PARITY),
    "SilhouetteScore": ("sklearn.metrics.silhouette_score",),
    "SpearmanRankCorrelation": ("scipy.stats.spearmanr",),
    "SubgroupAccuracyDifference": ("fairlearn.metrics.MetricFrame", PARITY),
    "SubgroupDifference": ("fairlearn.metrics.MetricFrame", PARITY),
    "SubgroupMetric": ("fairlearn.metrics.MetricFrame", PARITY),
    "TopKCategoricalAccuracy": ("sklearn.metrics.top_k_accuracy_score", PARITY),
    "TorchMetric": ("torchmetrics.classification.MulticlassAccuracy",),
    "VariableAccumulation": (PARITY,),
    "WaveHedgesDistance": (FORMULA, PARITY),
    "mIoU": ("sklearn.metrics.jaccard_score", PARITY),
}
"""By the name of the class."""
