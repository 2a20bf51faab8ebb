"""What an update of a metric costs, beside the same metric of two libraries.

    python docs/benchmarks/metrics.py

Owns: the table "metrics" in this folder's README.
Must not know: how any of them works inside.

Twenty metrics take in the same batch again and again, in one process, in turns, on one thread of
the CPU: 32 examples and 4,096. Only updates are measured. torchmetrics is asked not to validate its
arguments each time, where it can be. A library that is not installed is left out.
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any

import torch
from side_by_side import machine, optional, ratio, table, take_turns
from torch import Tensor, nn

import glowplug_metrics as ours
from glowplug_metrics import regression

ignite = optional("ignite.metrics")
ignite_regression = optional("ignite.metrics.regression")
torchmetrics = optional("torchmetrics")
classes = optional("torchmetrics.classification")
images = optional("torchmetrics.image")
texts = optional("torchmetrics.text")

SIZES = (32, 4096)
C = 10
"""Classes, labels, or numbers in a row."""

draws = torch.Generator().manual_seed(0)


def scores(n: int) -> tuple[Tensor, Tensor]:
    """Return the scores of classes, and class numbers."""
    return torch.randn(n, C, generator=draws), torch.randint(C, (n,), generator=draws)


def labels(n: int) -> tuple[Tensor, Tensor]:
    """Return ones and zeros, guessed and true."""
    one, other = torch.randint(2, (2, n, C), generator=draws)
    return one, other


def chances(n: int) -> tuple[Tensor, Tensor]:
    """Return a probability for each example, and whether it came true."""
    return torch.rand(n, generator=draws), torch.randint(2, (n,), generator=draws)


def numbers(n: int) -> tuple[Tensor, Tensor]:
    """Return a number for each example, predicted and true."""
    one, other = torch.randn(2, n, generator=draws)
    return one, other


def rows(n: int) -> tuple[Tensor, Tensor]:
    """Return a vector for each example, predicted and true."""
    one, other = torch.randn(2, n, C, generator=draws)
    return one, other


def pictures(n: int) -> tuple[Tensor, Tensor]:
    """Return small images, predicted and true."""
    one, other = torch.rand(2, n, 1, 12, 12, generator=draws)
    return one, other


def words(n: int) -> tuple[Tensor, Tensor]:
    """Return the scores of C words at each of C places, in either order, and the words."""
    return torch.randn(n, C, C, generator=draws), torch.randint(C, (n, C), generator=draws)


@dataclass(frozen=True)
class Row:
    """One metric of the table, as each library makes it.

    Args:
        draw: makes the batch of a size.
        glowplug: makes the metric.
        ignite: the same of pytorch-ignite.
        torchmetrics: the same of torchmetrics, None where it has none.
        valued: whether the value is counted in, since one of the libraries, and not all of them,
            puts off all of its work until then.
    """

    draw: Callable[[int], tuple[Tensor, Tensor]]
    glowplug: Callable[[], Any]
    ignite: Callable[[], Any]
    torchmetrics: Callable[[], Any] | None = None
    valued: bool = False


fast: dict[str, Any] = {"validate_args": False}
loss = nn.functional.cross_entropy

ROWS: dict[str, Row] = {
    "accuracy": Row(
        scores,
        ours.Accuracy,
        lambda: ignite.Accuracy(),
        lambda: classes.MulticlassAccuracy(C, average="micro", **fast),
    ),
    "accuracy, multi-label": Row(
        labels,
        lambda: ours.Accuracy(is_multilabel=True),
        lambda: ignite.Accuracy(is_multilabel=True),
        lambda: classes.MultilabelExactMatch(C, **fast),
    ),
    "accuracy of the first five": Row(
        scores,
        ours.TopKCategoricalAccuracy,
        lambda: ignite.TopKCategoricalAccuracy(),
        lambda: classes.MulticlassAccuracy(C, top_k=5, average="micro", **fast),
    ),
    "precision": Row(
        scores,
        lambda: ours.Precision(average="macro"),
        lambda: ignite.Precision(average="macro"),
        lambda: classes.MulticlassPrecision(C, **fast),
    ),
    "recall": Row(
        scores,
        lambda: ours.Recall(average="macro"),
        lambda: ignite.Recall(average="macro"),
        lambda: classes.MulticlassRecall(C, **fast),
    ),
    "confusion matrix": Row(
        scores,
        lambda: ours.ConfusionMatrix(C),
        lambda: ignite.ConfusionMatrix(C),
        lambda: classes.MulticlassConfusionMatrix(C, **fast),
    ),
    "confusion matrix, multi-label": Row(
        labels,
        lambda: ours.MultiLabelConfusionMatrix(C),
        lambda: ignite.MultiLabelConfusionMatrix(C),
        lambda: classes.MultilabelConfusionMatrix(C, **fast),
    ),
    "area under the ROC curve": Row(
        chances,
        ours.ROC_AUC,
        lambda: ignite.ROC_AUC(),
        lambda: classes.BinaryAUROC(**fast),
    ),
    "average precision": Row(
        chances,
        ours.AveragePrecision,
        lambda: ignite.AveragePrecision(),
        lambda: classes.BinaryAveragePrecision(**fast),
    ),
    "loss": Row(scores, lambda: ours.Loss(loss), lambda: ignite.Loss(loss)),
    "mean absolute error": Row(
        numbers,
        ours.MeanAbsoluteError,
        lambda: ignite.MeanAbsoluteError(),
        lambda: torchmetrics.MeanAbsoluteError(),
    ),
    "mean squared error": Row(
        numbers,
        ours.MeanSquaredError,
        lambda: ignite.MeanSquaredError(),
        lambda: torchmetrics.MeanSquaredError(),
    ),
    "mean pairwise distance": Row(
        rows, ours.MeanPairwiseDistance, lambda: ignite.MeanPairwiseDistance()
    ),
    "cosine similarity": Row(
        rows,
        ours.CosineSimilarity,
        lambda: ignite.CosineSimilarity(),
        lambda: torchmetrics.CosineSimilarity(reduction="mean"),
        valued=True,
    ),
    "Kullback-Leibler divergence": Row(rows, ours.KLDivergence, lambda: ignite.KLDivergence()),
    "Pearson correlation": Row(
        numbers,
        regression.PearsonCorrelation,
        lambda: ignite_regression.PearsonCorrelation(),
        lambda: torchmetrics.PearsonCorrCoef(),
    ),
    "R2 score": Row(
        numbers,
        regression.R2Score,
        lambda: ignite_regression.R2Score(),
        lambda: torchmetrics.R2Score(),
    ),
    "peak signal-to-noise ratio": Row(
        pictures,
        lambda: ours.PSNR(1.0),
        lambda: ignite.PSNR(1.0),
        lambda: images.PeakSignalNoiseRatio(data_range=1.0, dim=(1, 2, 3)),
    ),
    "structural similarity": Row(
        pictures,
        lambda: ours.SSIM(1.0),
        lambda: ignite.SSIM(1.0),
        lambda: images.StructuralSimilarityIndexMeasure(data_range=1.0),
    ),
    "perplexity": Row(
        words, ours.Perplexity, lambda: ignite.Perplexity(), lambda: texts.Perplexity()
    ),
}


def updates(metric: Any, arguments: Sequence[Any], seconds: float, valued: bool) -> float:
    """Return the seconds of an update, of as many as are done in some seconds after a first one.

    What updates of ours put off, to do it for several of them together, is counted in. Where the
    value is, it is that of a pass of 256 batches.
    """
    settle = getattr(metric, "accumulate_waiting", lambda: None)
    if valued:
        settle = metric.compute
    most = 256 if valued else math.inf
    metric.reset()
    metric.update(*arguments)
    settle()
    number = 0
    began = perf_counter()
    while number == 0 or (number < most and perf_counter() - began < seconds):
        metric.update(*arguments)
        number += 1
    settle()
    return (perf_counter() - began) / number


def measure(size: int, seconds: float, repeats: int) -> dict[str, dict[str, list[float]]]:
    """Return the seconds of an update, by metric and library."""
    costs = {}
    for name, row in ROWS.items():
        batch = row.draw(size)
        ways = {"glowplug": partial(updates, row.glowplug(), (batch,), seconds, row.valued)}
        if ignite:
            ways["pytorch-ignite"] = partial(updates, row.ignite(), (batch,), seconds, row.valued)
        if torchmetrics and row.torchmetrics:
            ways["torchmetrics"] = partial(updates, row.torchmetrics(), batch, seconds, row.valued)
        costs[name] = take_turns(ways, repeats)
    return costs


def others() -> list[str]:
    """Return the names of the libraries that take part."""
    names = {"pytorch-ignite": ignite, "torchmetrics": torchmetrics}
    return [name for name, module in names.items() if module]


def to_the_faster(costs: dict[str, list[float]]) -> float | None:
    """Return our cost to that of the fastest other library, None where there is no other."""
    theirs = [one for name, one in costs.items() if name != "glowplug"]
    return max((ratio(costs["glowplug"], to=one) for one in theirs), default=None)


def report(size: int, costs: dict[str, dict[str, list[float]]]) -> str:
    """Return the table of one size: median microseconds, and the median ratio."""
    head = [f"an update with {size} examples", "glowplug, µs"]
    head += [f"{name}, µs" for name in others()] + ["to the faster"]
    body = []
    for name, by_library in costs.items():
        medians = {one: f"{statistics.median(c) * 1e6:.1f}" for one, c in by_library.items()}
        to_others = to_the_faster(by_library)
        shown = "" if to_others is None else f"{to_others:.2f}"
        body.append([name, *(medians.get(one, "") for one in ("glowplug", *others())), shown])
    if others():
        middle = f"{statistics.median(ratios(costs)):.2f}"
        body.append(["the median of all ratios", *[""] * (len(others()) + 1), middle])
    return table(head, body)


def ratios(costs: dict[str, dict[str, list[float]]]) -> list[float]:
    """Return our cost to that of the fastest other library, of every metric that has another."""
    all_of_them = map(to_the_faster, costs.values())
    return [one for one in all_of_them if one is not None]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=0.005, help="of each measurement")
    parser.add_argument("--repeats", type=int, default=7, help="rounds, each of every contestant")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    print(
        f"{machine()}, torch {torch.__version__} on 1 thread; medians of {asked.repeats} rounds\n"
    )
    found: list[float] = []
    for size in SIZES:
        costs = measure(size, asked.seconds, asked.repeats)
        print(report(size, costs), "\n")
        found += ratios(costs)
    if found:
        print(f"The median of all {len(found)} ratios: {statistics.median(found):.2f}.")


if __name__ == "__main__":
    main()
