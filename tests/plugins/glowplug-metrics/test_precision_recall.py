"""Precision, recall, F beta and the report of them, against scikit-learn."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from class_examples import drawn, drawn_scores, last, same, value_of
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import (
    classification_report,
    fbeta_score,
    jaccard_score,
    precision_score,
    recall_score,
)
from torch import Tensor

from glowplug.errors import InvalidArgument, InvalidType
from glowplug_metrics import (
    AveragedMetric,
    ClassificationReport,
    Fbeta,
    NotComputableError,
    Precision,
    Recall,
)

A = torch.tensor
SEEDS = st.integers(0, 2**31)
SIZES = st.integers(1, 8)
PLACES = st.lists(st.integers(1, 3), max_size=2).map(tuple)
AVERAGES = st.sampled_from(["micro", "macro", "weighted"])
SCORES = {
    Precision: precision_score,
    Recall: recall_score,
    lambda **kwargs: Fbeta(2, **kwargs): lambda *args, **kwargs: fbeta_score(
        *args, beta=2, **kwargs
    ),
}
METRICS = pytest.mark.parametrize(("make", "score"), SCORES.items(), ids=["P", "R", "F2"])


@METRICS
@given(seed=SEEDS, n=SIZES, places=PLACES, column=st.booleans())
def test_binary_is_what_scikit_learn_says_of_the_positive_class(
    make: Any, score: Any, seed: int, n: int, places: tuple[int, ...], column: bool
) -> None:
    y_pred, y = drawn(seed, (n, *places)), drawn(seed + 1, (n, *places))
    value = value_of(make(average=False), y_pred.unsqueeze(1) if column else y_pred, y)
    same(value, score(y.reshape(-1), y_pred.reshape(-1), zero_division=0))


@METRICS
@given(seed=SEEDS, n=SIZES, average=st.one_of(AVERAGES, st.none()))
def test_binary_averages_are_what_scikit_learn_says_of_both_classes(
    make: Any, score: Any, seed: int, n: int, average: str | None
) -> None:
    y_pred, y = drawn(seed, (n,)), drawn(seed + 1, (n,))
    expected = score(y, y_pred, average=average, labels=[0, 1], zero_division=0)
    same(value_of(make(average=average), y_pred, y), expected)


@METRICS
@given(
    seed=SEEDS,
    n=SIZES,
    classes=st.integers(2, 5),
    places=PLACES,
    average=st.one_of(AVERAGES, st.none()),
)
def test_multiclass_is_what_scikit_learn_says_of_the_largest_scores(
    make: Any,
    score: Any,
    seed: int,
    n: int,
    classes: int,
    places: tuple[int, ...],
    average: str | None,
) -> None:
    y_pred = drawn_scores(seed, (n, classes, *places))
    y = drawn(seed, (n, *places), classes + 2) - 1  # two numbers of no class among them
    expected = score(
        y.reshape(-1),
        last(y_pred).argmax(dim=1),
        average=average,
        labels=range(classes),
        zero_division=0,
    )
    same(value_of(make(average=average), y_pred, y), expected)


@METRICS
@given(
    seed=SEEDS,
    n=SIZES,
    labels=st.integers(2, 4),
    places=PLACES,
    average=st.one_of(AVERAGES, st.sampled_from(["samples", None])),
)
def test_multilabel_is_what_scikit_learn_says(
    make: Any,
    score: Any,
    seed: int,
    n: int,
    labels: int,
    places: tuple[int, ...],
    average: str | None,
) -> None:
    y_pred, y = (drawn(s, (n, labels, *places)) for s in (seed, seed + 1))
    expected = score(last(y).numpy(), last(y_pred).numpy(), average=average, zero_division=0)
    same(value_of(make(average=average, is_multilabel=True), y_pred, y), expected)


@pytest.mark.parametrize("make", [Precision, Recall])
def test_true_is_another_name_of_macro(make: Any) -> None:
    y_pred, y = drawn_scores(0, (9, 3)), drawn(0, (9,), 3)
    values = [value_of(make(average=average), y_pred, y) for average in (True, "macro")]
    assert values[0] == values[1]


@pytest.mark.parametrize("make", [Precision, Recall])
@pytest.mark.parametrize("average", ["mean", 0, 1, 0.5, "Macro"])
def test_another_average_is_an_error_that_lists_the_known_ones(make: Any, average: Any) -> None:
    with pytest.raises(InvalidArgument, match="average must be True, False, None or one of macro"):
        make(average=average)


def test_a_misspelt_average_is_told_its_near_name() -> None:
    with pytest.raises(InvalidArgument, match="did you mean 'weighted'"):
        Precision(average="weightd")


@pytest.mark.parametrize("examples", [(A([1, 0]), A([1, 1])), (torch.eye(2), A([0, 1]))])
def test_samples_are_for_labels_alone(examples: tuple[Tensor, Tensor]) -> None:
    with pytest.raises(InvalidArgument, match="average='samples' is for multilabel predictions"):
        Recall(average="samples").update(examples)


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.float16, torch.float64])
def test_zeros_and_ones_may_be_of_any_real_types(dtype: torch.dtype) -> None:
    value = value_of(Precision(), A([1, 0, 1], dtype=dtype), A([1, 1, 0], dtype=torch.int32))
    assert value == 0.5


def test_many_predictions_in_half_precision_are_counted_exactly() -> None:
    ones = torch.ones(70_000, dtype=torch.float16)
    assert value_of(Recall(), ones, ones) == 1.0


@pytest.mark.parametrize("y", [A([0.0, 0.5]), A([0.0, torch.nan])])
def test_targets_that_are_no_whole_numbers_are_refused(y: Tensor) -> None:
    with pytest.raises(InvalidArgument, match="expected y of class numbers, which are whole"):
        Precision().update((torch.eye(2), y))


def test_scores_in_place_of_zeros_and_ones_are_an_error_that_says_what_to_do() -> None:
    with pytest.raises(InvalidArgument, match=r"y_pred of 0 and 1 alone .*threshold"):
        Precision().update((A([0.3, 0.9]), A([0, 1])))


@pytest.mark.parametrize("make", [Precision, Recall, lambda: Fbeta(1), ClassificationReport])
def test_nothing_taken_in_is_not_computable(make: Any) -> None:
    with pytest.raises(NotComputableError, match="has taken in no example"):
        make().compute()


def test_a_new_ratio_of_the_counts_is_a_metric_of_a_few_lines() -> None:
    class Jaccard(AveragedMetric):
        def ratio(self, counts: Any) -> Tensor:
            value: Tensor = counts.right / (counts.predicted + counts.actual - counts.right)
            return value

    y_pred, y = drawn_scores(0, (30, 3)), drawn(0, (30,), 3)
    expected = jaccard_score(y, y_pred.argmax(1), average="macro")
    same(value_of(Jaccard(average=True), y_pred, y), expected)


@pytest.mark.parametrize("beta", [0.5, 1, 3])
@pytest.mark.parametrize("average", [True, False])
def test_f_beta_of_two_metrics_is_that_of_their_counts(beta: float, average: bool) -> None:
    y_pred, y = drawn_scores(0, (20, 4)), drawn(0, (20,), 4)
    given = Fbeta(beta, average, Precision(), Recall())
    same(value_of(given, y_pred, y), value_of(Fbeta(beta, average), y_pred, y))


@pytest.mark.parametrize("one", ["precision", "recall"])
def test_the_other_metric_takes_in_what_the_given_one_does(one: str) -> None:
    metrics: dict[str, Any] = {"precision": Precision, "recall": Recall}
    given = metrics[one](lambda output: (output["guess"], output["label"]), is_multilabel=True)
    y_pred, y = drawn(0, (9, 3)), drawn(1, (9, 3))
    f1 = Fbeta(1, **{one: given})
    f1.feed({"guess": y_pred, "label": y})
    same(f1.compute(), fbeta_score(y.numpy(), y_pred.numpy(), beta=1, average="macro"))


def test_f_beta_of_binary_predictions_is_that_of_the_positive_class() -> None:
    y_pred, y = A([1, 0, 1, 1]), A([1, 1, 0, 1])
    assert value_of(Fbeta(1), y_pred, y) == pytest.approx(2 / 3)
    assert value_of(Fbeta(1, average=False), y_pred, y) == pytest.approx(2 / 3)


@pytest.mark.parametrize("beta", [0, -1, float("inf"), "1", True])
@pytest.mark.parametrize("make", [Fbeta, ClassificationReport])
def test_beta_must_be_a_positive_number(make: Any, beta: Any) -> None:
    with pytest.raises(InvalidArgument, match="beta must be a positive number"):
        make(beta)


@pytest.mark.parametrize("arguments", [{"device": "cpu"}, {"output_transform": id}])
def test_arguments_beside_a_metric_that_has_them_are_refused(arguments: Any) -> None:
    with pytest.raises(InvalidArgument, match="are those of the precision and the recall"):
        Fbeta(1, precision=Precision(), **arguments)


@pytest.mark.parametrize("average", [True, None, "micro"])
def test_an_averaged_metric_makes_no_f_beta(average: Any) -> None:
    with pytest.raises(InvalidArgument, match="precision must have average=False"):
        Fbeta(1, precision=Precision(average=average))


def test_an_average_by_name_needs_the_counts() -> None:
    with pytest.raises(InvalidArgument, match="average must be True or False with a precision"):
        Fbeta(1, "micro", precision=Precision())


def test_a_recall_is_no_precision() -> None:
    recall: Any = Recall()
    with pytest.raises(InvalidType, match="precision must be a Precision"):
        Fbeta(1, precision=recall)


@pytest.mark.parametrize("is_multilabel", [False, True])
@given(seed=SEEDS, n=SIZES)
def test_the_report_is_that_of_scikit_learn(is_multilabel: bool, seed: int, n: int) -> None:
    y_pred = drawn(seed, (n, 3)) if is_multilabel else drawn_scores(seed, (n, 3))
    y = drawn(seed + 1, (n, 3)) if is_multilabel else drawn(seed, (n,), 3)
    guess = y_pred if is_multilabel else y_pred.argmax(1)
    expected = classification_report(
        y.numpy(), guess.numpy(), labels=range(3), output_dict=True, zero_division=0
    )
    report = value_of(
        ClassificationReport(output_dict=True, is_multilabel=is_multilabel), y_pred, y
    )
    assert list(report) == ["0", "1", "2", "macro avg"]
    for name, row in report.items():
        assert row == pytest.approx({key: expected[name][key] for key in row})


def test_the_report_of_binary_predictions_has_a_row_for_each_class() -> None:
    y_pred, y = A([1, 0, 1, 1]), A([1, 0, 0, 1])
    expected = classification_report(y, y_pred, output_dict=True)
    report = value_of(ClassificationReport(output_dict=True), y_pred, y)
    for name in ("0", "1", "macro avg"):
        assert report[name]["f1-score"] == pytest.approx(expected[name]["f1-score"])


def test_the_report_is_a_text_in_json_if_not_told_otherwise() -> None:
    report = json.loads(value_of(ClassificationReport(2, labels=["a", "b"]), A([1]), A([1])))
    assert list(report) == ["a", "b", "macro avg"]
    assert report["b"] == {"precision": 1.0, "recall": 1.0, "f2-score": 1.0}


@pytest.mark.parametrize("labels", [["a", "a"], ["a", "macro avg"]])
def test_labels_must_be_told_apart(labels: list[str]) -> None:
    with pytest.raises(InvalidArgument, match="labels must be different names"):
        ClassificationReport(labels=labels)


def test_there_must_be_a_label_for_each_class() -> None:
    with pytest.raises(InvalidArgument, match="expected as many classes as there are labels, 2"):
        ClassificationReport(labels=["a", "b"]).update((torch.eye(3), A([0, 1, 2])))


def test_the_rows_of_a_report_are_among_the_metrics_of_an_engine(final: Any) -> None:
    outputs = [(A([1, 0]), A([1, 0]))]
    metrics = final(ClassificationReport(output_dict=True), outputs)
    assert metrics["1"] == metrics["m"]["1"]
