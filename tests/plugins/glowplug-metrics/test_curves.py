"""Curves over thresholds, the areas beneath them, and their drawings, against scikit-learn."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot
from matplotlib.figure import Figure
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)
from torch import Tensor
from torch.nn.functional import one_hot

from glowplug.errors import InvalidArgument, InvalidType
from glowplug_metrics import (
    ROC_AUC,
    AveragePrecision,
    MeanAveragePrecision,
    Metric,
    MissingLibrary,
    NotComputableError,
    PrecisionRecallCurve,
    RocCurve,
)

A = torch.tensor
SEEDS = st.integers(0, 2**31)
SIZES = st.integers(2, 12)
LEVELS = st.sampled_from([2, 4, 1000])  # of scores: few of them make many ties
AVERAGES = st.sampled_from(["macro", "micro", "weighted", None])
CURVES = {PrecisionRecallCurve: precision_recall_curve, RocCurve: roc_curve}
AREAS = {AveragePrecision: average_precision_score, ROC_AUC: roc_auc_score}
OF_CURVES = pytest.mark.parametrize(("make", "curve"), CURVES.items(), ids=["PR", "ROC"])
OF_AREAS = pytest.mark.parametrize(("make", "score"), AREAS.items(), ids=["AP", "AUC"])


def value_of(metric: Metric, *examples: Tensor) -> Any:
    metric.update(examples)
    return metric.compute()


def drawn_scores(seed: int, shape: tuple[int, ...], levels: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(levels, shape, generator=generator).double() / levels


def drawn_targets(seed: int, shape: tuple[int, ...], classes: int = 2) -> Tensor:
    """Targets among which there is each class, in each column."""
    y = torch.randint(classes, shape, generator=torch.Generator().manual_seed(seed))
    y[:classes] = torch.arange(classes).view(-1, *[1] * (len(shape) - 1))
    return y


def same(value: Any, expected: Any) -> None:
    wide = (torch.as_tensor(tensor, dtype=torch.float64) for tensor in (value, expected))
    torch.testing.assert_close(*wide, rtol=1e-9, atol=1e-12, equal_nan=True)


@OF_CURVES
@given(seed=SEEDS, n=SIZES, levels=LEVELS, column=st.booleans(), low=st.sampled_from([0, -1]))
def test_a_curve_is_that_of_scikit_learn(
    make: Any, curve: Any, seed: int, n: int, levels: int, column: bool, low: int
) -> None:
    y_pred, y = drawn_scores(seed, (n,), levels), drawn_targets(seed + 1, (n,))
    y[y == 0] = low
    value = value_of(make(), y_pred.unsqueeze(1) if column else y_pred, y)
    for mine, wanted in zip(value, curve(y, y_pred), strict=True):
        same(mine, wanted.copy())


@OF_AREAS
@given(seed=SEEDS, n=SIZES, levels=LEVELS)
def test_an_area_is_that_of_scikit_learn(
    make: Any, score: Any, seed: int, n: int, levels: int
) -> None:
    y_pred, y = drawn_scores(seed, (n,), levels), drawn_targets(seed + 1, (n,))
    same(value_of(make(), y_pred, y), score(y, y_pred))


@OF_AREAS
@given(seed=SEEDS, n=SIZES, levels=LEVELS, labels=st.integers(2, 4), average=AVERAGES)
def test_an_area_of_labels_is_that_of_scikit_learn(
    make: Any, score: Any, seed: int, n: int, levels: int, labels: int, average: str | None
) -> None:
    y_pred, y = drawn_scores(seed, (n, labels), levels), drawn_targets(seed + 1, (n, labels))
    expected = score(y.numpy(), y_pred.numpy(), average=average)
    same(value_of(make(average=average), y_pred, y), expected)


@OF_AREAS
@given(seed=SEEDS, n=SIZES, levels=LEVELS)
def test_an_area_over_samples_is_that_of_scikit_learn(
    make: Any, score: Any, seed: int, n: int, levels: int
) -> None:
    y_pred, y = drawn_scores(seed, (n, 4), levels), drawn_targets(seed + 1, (n, 4))
    y[:, :2] = A([0, 1])
    expected = score(y.numpy(), y_pred.numpy(), average="samples")
    same(value_of(make(average="samples"), y_pred, y), expected)


@OF_AREAS
@given(seed=SEEDS, n=SIZES, levels=LEVELS, average=AVERAGES)
def test_an_area_of_classes_is_that_of_each_against_the_rest(
    make: Any, score: Any, seed: int, n: int, levels: int, average: str | None
) -> None:
    y_pred, y = drawn_scores(seed, (n + 1, 3), levels), drawn_targets(seed + 1, (n + 1,), 3)
    expected = score(one_hot(y, 3).numpy(), y_pred.numpy(), average=average)
    same(value_of(make(average=average), y_pred, y), expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.int32, torch.bool])
def test_scores_may_be_of_any_real_type(dtype: torch.dtype) -> None:
    y_pred, y = A([0.0, 1.0, 1.0, 0.0]).to(dtype), A([0, 1, 0, 0])
    assert value_of(ROC_AUC(), y_pred, y) == pytest.approx(roc_auc_score(y, y_pred.float()))


def test_without_positive_examples_precision_is_0_and_the_area_under_rates_is_nan() -> None:
    y_pred, y = A([0.1, 0.9, 0.9]), A([0, 0, 0])
    precision, recall, _ = value_of(PrecisionRecallCurve(), y_pred, y)
    same(precision, [0.0, 0.0, 1.0])
    same(recall, [1.0, 1.0, 0.0])
    same(value_of(AveragePrecision(), y_pred, y), 0.0)
    same(value_of(ROC_AUC(), y_pred, y), torch.nan)


@pytest.mark.parametrize(("only", "lost"), [(0, 1), (1, 0)])
def test_the_rates_of_a_class_that_there_is_not_are_nan(only: int, lost: int) -> None:
    rates = value_of(RocCurve(), A([0.1, 0.9]), A([only, only]))
    assert rates[lost].isnan().all() or rates[lost][1:].isnan().all()
    assert not rates[1 - lost].isnan().any()


def test_one_example_makes_a_curve() -> None:
    precision, recall, thresholds = value_of(PrecisionRecallCurve(), A([0.3]), A([1]))
    assert (precision.tolist(), recall.tolist(), len(thresholds)) == ([1.0, 1.0], [1.0, 0.0], 1)
    assert value_of(RocCurve(), A([0.3]), A([1]))[1].tolist() == [0.0, 1.0]


@pytest.mark.parametrize("make", CURVES)
def test_a_score_that_is_nan_makes_the_curve_nan(make: Any) -> None:
    first, second, _ = value_of(make(), A([0.1, torch.nan, 0.9]), A([0, 1, 1]))
    assert (first[:-1].isnan().all(), second[1:-1].isnan().all()) == (True, True)


@pytest.mark.parametrize("make", AREAS)
def test_infinite_scores_are_the_first_and_the_last(make: Any) -> None:
    y = A([1, 0, 1, 0])
    infinite, finite = A([torch.inf, 0.1, 0.2, -torch.inf]), A([0.3, 0.1, 0.2, 0.0])
    assert value_of(make(), infinite, y) == value_of(make(), finite, y) == 1.0


@pytest.mark.parametrize("make", [*CURVES, *AREAS])
@pytest.mark.parametrize("y", [A([0, 2]), A([-1, 0]), A([0.5, 1.0])])
def test_targets_that_are_neither_positive_nor_negative_are_refused(make: Any, y: Tensor) -> None:
    with pytest.raises(InvalidArgument, match="expected y of 0 and 1 alone, or of -1 and 1 alone"):
        make().update((A([0.1, 0.2]), y))


@pytest.mark.parametrize("make", CURVES)
def test_a_curve_is_of_one_score(make: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"expected y_pred and y of shape \(N,\) or \(N, 1\)"):
        make().update((torch.eye(2), torch.eye(2)))


@pytest.mark.parametrize("make", AREAS)
@pytest.mark.parametrize(
    "shapes", [((3,), (4,)), ((3, 2), (3, 3)), ((3,), (3, 2)), ((3, 2, 2),) * 2]
)
def test_other_shapes_are_an_error_that_lists_the_known_ones(make: Any, shapes: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"\(binary\), .* \(multiclass\), or .*\(multilabel"):
        make().update(tuple(map(torch.zeros, shapes)))


def test_samples_are_for_labels_alone() -> None:
    with pytest.raises(InvalidArgument, match="AveragePrecision expected"):
        AveragePrecision(average="samples").update((torch.eye(2), A([0, 1])))


@given(seed=SEEDS, n=SIZES, levels=LEVELS, average=AVERAGES, labels=st.booleans())
def test_the_mean_average_precision_is_that_of_scikit_learn(
    seed: int, n: int, levels: int, average: str | None, labels: bool
) -> None:
    y_pred = drawn_scores(seed, (n + 1, 3), levels)
    y = drawn_targets(seed + 1, (n + 1, 3) if labels else (n + 1,), 2 if labels else 3)
    positive = y if labels else one_hot(y, 3)
    expected = average_precision_score(positive.numpy(), y_pred.numpy(), average=average)
    metric = MeanAveragePrecision(class_mean=average, is_multilabel=labels)
    same(value_of(metric, y_pred, y), expected)


@pytest.mark.parametrize("labels", [False, True])
def test_places_of_an_image_are_examples(labels: bool) -> None:
    y_pred = drawn_scores(0, (4, 3, 5), 9)
    y = drawn_targets(1, (4, 3, 5)) if labels else drawn_targets(1, (4, 5), 3)
    rows = [tensor.movedim(1, -1).reshape(-1, 3) for tensor in (y_pred, y)] if labels else []
    flat = rows or [y_pred.movedim(1, -1).reshape(-1, 3), y.reshape(-1)]
    values = [
        value_of(MeanAveragePrecision(is_multilabel=labels), *pair) for pair in (flat, (y_pred, y))
    ]
    assert values[0] == values[1]


def precisions_at(y_pred: Tensor, y: Tensor, recalls: list[float]) -> float:
    """Work out slowly the precision of the greatest threshold that reaches each recall."""
    area, before = 0.0, 0.0
    for recall in sorted(recalls):
        for threshold in sorted(set(y_pred.tolist()), reverse=True):
            right = int(y[y_pred >= threshold].sum())
            if right / int(y.sum()) >= recall:
                area += (recall - before) * right / int((y_pred >= threshold).sum())
                break
        before = recall
    return area


@given(
    seed=SEEDS,
    n=SIZES,
    levels=LEVELS,
    recalls=st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 2 / 3, 0.9, 1.0]), min_size=1),
)
def test_at_given_recalls_the_precision_is_that_of_the_threshold_that_reaches_it(
    seed: int, n: int, levels: int, recalls: list[float]
) -> None:
    y_pred, y = drawn_scores(seed, (n,), levels), drawn_targets(seed + 1, (n,))
    value = value_of(MeanAveragePrecision(recalls), y_pred, y)
    assert value == pytest.approx(precisions_at(y_pred, y, recalls))


def test_at_given_recalls_nothing_positive_has_the_precision_0() -> None:
    assert value_of(MeanAveragePrecision([0.5]), A([0.1, 0.2]), A([0, 0])) == 0.0


@pytest.mark.parametrize("recalls", [[], [1.5], [-0.1, 0.5], [[0.5]], [float("nan")]])
def test_recalls_are_from_0_to_1(recalls: Any) -> None:
    with pytest.raises(InvalidArgument, match="rec_thresholds must be one or more numbers"):
        MeanAveragePrecision(recalls)


def test_recalls_are_numbers() -> None:
    recalls: Any = ["high"]
    with pytest.raises(InvalidType, match="rec_thresholds must be a sequence of numbers"):
        MeanAveragePrecision(recalls)


@pytest.mark.parametrize("class_mean", ["samples", True, "makro"])
def test_another_mean_of_classes_is_an_error(class_mean: Any) -> None:
    with pytest.raises(InvalidArgument, match="class_mean must be None or one of macro, micro"):
        MeanAveragePrecision(class_mean=class_mean)


@pytest.mark.parametrize("make", [*CURVES, *AREAS, MeanAveragePrecision])
def test_nothing_taken_in_is_not_computable(make: Any) -> None:
    with pytest.raises(NotComputableError, match="has taken in no example"):
        make().compute()


@pytest.mark.parametrize(
    ("make", "labels"),
    [
        (PrecisionRecallCurve, ("recall", "precision")),
        (RocCurve, ("false positive rate", "true positive rate")),
    ],
)
def test_a_curve_is_drawn_on_axes(make: Any, labels: tuple[str, str]) -> None:
    metric = make()
    metric.update((A([0.1, 0.4, 0.4, 0.9]), A([0, 1, 0, 1])))
    ax = metric.plot(Figure().subplots(), label="mine")
    (line,) = ax.get_lines()
    assert (ax.get_xlabel(), ax.get_ylabel(), line.get_label()) == (*labels, "mine")
    drawn = line.get_xdata(), line.get_ydata()
    for values, (_, wanted) in zip(drawn, metric.points(), strict=True):
        same(values, wanted)


def test_a_curve_makes_axes_where_there_are_none() -> None:
    pyplot.switch_backend("agg")
    curve = RocCurve()
    curve.update((A([0.1, 0.9]), A([0, 1])))
    ax = curve.plot()
    assert pyplot.gcf().axes == [ax]
    pyplot.close()


def test_without_matplotlib_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    curve = RocCurve()
    curve.update((A([0.1, 0.9]), A([0, 1])))
    with pytest.raises(MissingLibrary, match=r"RocCurve.plot needs .*'glowplug-metrics\[plot\]'"):
        curve.plot()


def test_a_curve_of_nothing_is_not_drawn() -> None:
    with pytest.raises(NotComputableError, match="has taken in no example"):
        RocCurve().plot()
