"""Metrics of pytorch-ignite and of glowplug have the same values, where none is said to differ.

Owns: one comparison of each metric for which pytorch-ignite needs no further library.
Must not know: the departures, which have a file of their own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import pytest
import torch
from parity.metric_libraries import OURS, THEIRS, of
from torch import Tensor
from torch.nn.functional import cross_entropy

Draw: TypeAlias = Callable[[torch.Generator, int], Any]
SIZES = (5, 7, 4)


def numbers(generator: torch.Generator, n: int) -> Any:
    """Two numbers for each example, from 0.5 to 1.5."""
    return tuple(0.5 + torch.rand(2, n, generator=generator))


def vectors(generator: torch.Generator, n: int) -> Any:
    """Two vectors for each example."""
    return tuple(torch.randn(2, n, 4, generator=generator))


def scores(generator: torch.Generator, n: int) -> Any:
    """Scores of three classes, and class numbers."""
    return torch.randn(n, 3, generator=generator), torch.randint(3, (n,), generator=generator)


def labels(generator: torch.Generator, n: int) -> Any:
    """Three labels for each example, twice."""
    return tuple(torch.randint(2, (2, n, 3), generator=generator))


def images(generator: torch.Generator, n: int) -> Any:
    """Two images for each example."""
    return tuple(torch.rand(2, n, 2, 6, 7, generator=generator))


def groups(generator: torch.Generator, n: int) -> Any:
    """Scores of three classes, class numbers, and groups."""
    return *scores(generator, n), torch.arange(n) % 3


def items(generator: torch.Generator, n: int) -> Any:
    """Scores of six items, and what they are worth."""
    return torch.randn(n, 6, generator=generator), torch.randint(3, (n, 6), generator=generator)


def hits(generator: torch.Generator, n: int) -> Any:
    """Scores of six items, and which of them are relevant."""
    y_pred, y = items(generator, n)
    return y_pred, y.clamp(max=1)


def tokens(generator: torch.Generator, n: int) -> Any:
    """Scores of five tokens at three places, and tokens."""
    return torch.randn(n, 5, 3, generator=generator), torch.randint(5, (n, 3), generator=generator)


def texts(generator: torch.Generator, n: int) -> Any:
    """Sentences of four words, and two references of each."""
    drawn = torch.randint(4, (n, 3, 9), generator=generator)
    words = [[["abcd"[word] for word in line] for line in lines] for lines in drawn.tolist()]
    return [lines[0] for lines in words], [lines[1:] for lines in words]


def spellings(generator: torch.Generator, n: int) -> Any:
    """Texts, and what they should have been."""
    guessed, meant = texts(generator, n)
    return ["".join(line) for line in guessed], ["".join(lines[0]) for lines in meant]


def rows(generator: torch.Generator, n: int) -> Tensor:
    """Three probabilities for each example."""
    return torch.rand(n, 3, generator=generator).softmax(dim=1)


AGREE: Mapping[str, tuple[Draw, Callable[..., Any]]] = {
    "Accuracy": (scores, lambda the: the.Accuracy()),
    "Average": (rows, lambda the: the.Average()),
    "Bleu": (texts, lambda the: the.Bleu(ngram=2, smooth="smooth1")),
    "CanberraMetric": (numbers, lambda the: the.CanberraMetric()),
    "CharacterErrorRate": (spellings, lambda the: the.CharacterErrorRate()),
    "ClassificationReport": (scores, lambda the: the.ClassificationReport(output_dict=True)),
    "ConfusionMatrix": (scores, lambda the: the.ConfusionMatrix(3, average="recall")),
    "CosineSimilarity": (vectors, lambda the: the.CosineSimilarity()),
    "DemographicParityDifference": (
        groups,
        lambda the: the.DemographicParityDifference(range(3)),
    ),
    "DiceCoefficient": (scores, lambda the: the.DiceCoefficient(the.ConfusionMatrix(3))),
    "Entropy": (vectors, lambda the: the.Entropy()),
    "EpochMetric": (vectors, lambda the: the.EpochMetric(lambda x, y: (x - y).amax().item())),
    "Fbeta": (scores, lambda the: the.Fbeta(2, average=False)),
    "FractionalAbsoluteError": (numbers, lambda the: the.FractionalAbsoluteError()),
    "FractionalBias": (numbers, lambda the: the.FractionalBias()),
    "GeometricAverage": (rows, lambda the: the.GeometricAverage()),
    "GeometricMeanAbsoluteError": (numbers, lambda the: the.GeometricMeanAbsoluteError()),
    "GeometricMeanRelativeAbsoluteError": (
        numbers,
        lambda the: the.GeometricMeanRelativeAbsoluteError(),
    ),
    "HSIC": (vectors, lambda the: the.HSIC(1.0, 2.0)),
    "HitRate": (hits, lambda the: the.HitRate([1, 3])),
    "InceptionScore": (rows, lambda the: the.InceptionScore(num_features=3)),
    "IoU": (scores, lambda the: the.IoU(the.ConfusionMatrix(3))),
    "JSDivergence": (vectors, lambda the: the.JSDivergence()),
    "JaccardIndex": (scores, lambda the: the.JaccardIndex(the.ConfusionMatrix(3))),
    "KLDivergence": (vectors, lambda the: the.KLDivergence()),
    "Loss": (scores, lambda the: the.Loss(cross_entropy)),
    "ManhattanDistance": (numbers, lambda the: the.ManhattanDistance()),
    "MaximumAbsoluteError": (numbers, lambda the: the.MaximumAbsoluteError()),
    "MaximumMeanDiscrepancy": (vectors, lambda the: the.MaximumMeanDiscrepancy()),
    "MeanAbsoluteError": (numbers, lambda the: the.MeanAbsoluteError()),
    "MeanAbsoluteRelativeError": (numbers, lambda the: the.MeanAbsoluteRelativeError()),
    "MeanAveragePrecision": (scores, lambda the: the.MeanAveragePrecision([0.25, 0.5, 1.0])),
    "MeanError": (numbers, lambda the: the.MeanError()),
    "MeanNormalizedBias": (numbers, lambda the: the.MeanNormalizedBias()),
    "MeanPairwiseDistance": (vectors, lambda the: the.MeanPairwiseDistance()),
    "MeanSquaredError": (numbers, lambda the: the.MeanSquaredError()),
    "MedianAbsoluteError": (numbers, lambda the: the.MedianAbsoluteError()),
    "MedianAbsolutePercentageError": (numbers, lambda the: the.MedianAbsolutePercentageError()),
    "MedianRelativeAbsoluteError": (numbers, lambda the: the.MedianRelativeAbsoluteError()),
    "MetricGroup": (scores, lambda the: the.MetricGroup({"a": the.Accuracy(), "r": the.Recall()})),
    "MetricsLambda": (scores, lambda the: 1 - the.Accuracy() * the.Recall()[0]),
    "MultiLabelConfusionMatrix": (labels, lambda the: the.MultiLabelConfusionMatrix(3)),
    "MutualInformation": (vectors, lambda the: the.MutualInformation()),
    "NDCG": (items, lambda the: the.NDCG([1, 3])),
    "PSNR": (images, lambda the: the.PSNR(1.0)),
    "PearsonCorrelation": (numbers, lambda the: the.PearsonCorrelation()),
    "Perplexity": (tokens, lambda the: the.Perplexity()),
    "Precision": (scores, lambda the: the.Precision(average="weighted")),
    "R2Score": (numbers, lambda the: the.R2Score()),
    "Recall": (labels, lambda the: the.Recall(average="samples", is_multilabel=True)),
    "RootMeanSquaredError": (numbers, lambda the: the.RootMeanSquaredError()),
    "Rouge": (texts, lambda the: the.Rouge(multiref="best")),
    "RougeL": (texts, lambda the: the.RougeL(alpha=0.5)),
    "RougeN": (texts, lambda the: the.RougeN(ngram=2)),
    "SelectionRate": (scores, lambda the: the.SelectionRate()),
    "SubgroupAccuracyDifference": (groups, lambda the: the.SubgroupAccuracyDifference(range(3))),
    "SubgroupDifference": (groups, lambda the: the.SubgroupDifference(the.Accuracy(), range(3))),
    "SubgroupMetric": (groups, lambda the: the.SubgroupMetric(the.Accuracy(), range(3))),
    "TopKCategoricalAccuracy": (scores, lambda the: the.TopKCategoricalAccuracy(2)),
    "VariableAccumulation": (rows, lambda the: the.VariableAccumulation(lambda a, x: a + x.sum(0))),
    "WaveHedgesDistance": (numbers, lambda the: the.WaveHedgesDistance()),
    "mIoU": (scores, lambda the: the.mIoU(the.ConfusionMatrix(3))),
}


def flat(value: Any) -> Iterator[float]:
    """Yield the numbers in a tensor, a mapping or a sequence, in their order."""
    if isinstance(value, Mapping):
        value = list(value.values())
    elif isinstance(value, Tensor):
        value = value.double().tolist()
    if isinstance(value, list | tuple):
        for part in value:
            yield from flat(part)
    else:
        yield float(value)


# pytorch-ignite indexes tensors by lists and turns lists of arrays into tensors, both of which warn
@pytest.mark.filterwarnings("ignore:Using a non-tuple sequence")
@pytest.mark.filterwarnings("ignore:Creating a tensor from a list")
@pytest.mark.parametrize("name", AGREE)
def test_a_metric_has_the_value_that_it_has_there(name: str) -> None:
    draw, make = AGREE[name]
    generator = torch.Generator().manual_seed(0)
    batches = [draw(generator, n) for n in SIZES]
    ours, theirs = (list(flat(of(make(lib), *batches))) for lib in (OURS, THEIRS))
    assert ours == pytest.approx(theirs, rel=1e-4, abs=1e-6)
    assert not any(map(math.isnan, ours))
