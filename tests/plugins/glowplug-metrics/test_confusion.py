"""Confusion matrices, what is made of them, and agreement, against scikit-learn."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from class_examples import drawn, drawn_scores, last, same, value_of
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import (
    cohen_kappa_score,
    confusion_matrix,
    f1_score,
    jaccard_score,
    matthews_corrcoef,
    multilabel_confusion_matrix,
    top_k_accuracy_score,
)
from torch import Tensor

from glowplug.errors import InvalidArgument, InvalidType
from glowplug_metrics import (
    CohenKappa,
    ConfusionMatrix,
    DiceCoefficient,
    IoU,
    JaccardIndex,
    MatthewsCorrCoef,
    MultiLabelConfusionMatrix,
    NotComputableError,
    TopKCategoricalAccuracy,
    mIoU,
)
from glowplug_metrics.classification.counting import classes_counted

A = torch.tensor
SEEDS = st.integers(0, 2**31)
SIZES = st.integers(1, 8)
PLACES = st.lists(st.integers(1, 3), max_size=2).map(tuple)
OVERLAPS = [IoU, JaccardIndex, DiceCoefficient, mIoU]


@pytest.mark.parametrize(
    ("average", "normalize"),
    [(None, None), ("samples", "all"), ("recall", "true"), ("precision", "pred")],
)
@given(seed=SEEDS, n=SIZES, classes=st.integers(2, 5), places=PLACES)
def test_the_matrix_is_that_of_scikit_learn(
    average: str | None,
    normalize: str | None,
    seed: int,
    n: int,
    classes: int,
    places: tuple[int, ...],
) -> None:
    y_pred, y = drawn_scores(seed, (n, classes, *places)), drawn(seed, (n, *places), classes)
    guess = last(y_pred).argmax(dim=1)
    expected = confusion_matrix(y.reshape(-1), guess, labels=range(classes), normalize=normalize)
    same(value_of(ConfusionMatrix(classes, average), y_pred, y), expected)


def test_a_place_whose_target_is_no_class_is_left_out() -> None:
    y_pred, y = torch.eye(3), A([0, -100, 255])
    assert value_of(ConfusionMatrix(3), y_pred, y).tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 0]]


def test_a_matrix_of_places_all_left_out_is_zero() -> None:
    y_pred, y = torch.eye(2), A([-1, -1])
    for average in (None, "samples", "recall", "precision"):
        assert value_of(ConfusionMatrix(2, average), y_pred, y).tolist() == [[0, 0], [0, 0]]


def test_lists_are_taken_apart_where_that_is_asked_for() -> None:
    matrix = ConfusionMatrix(2, skip_unrolling=False)
    matrix.feed(([A([0.9, 0.1]), A([0.2, 0.8])], [0, 0]))
    assert matrix.compute().tolist() == [[1, 1], [0, 0]]


@pytest.mark.parametrize(
    ("y_pred_shape", "shape"), [((4,), (4,)), ((4, 2), (4,)), ((4, 3), (4, 1)), ((4, 3, 2), (4, 3))]
)
def test_other_shapes_are_an_error_that_names_the_number_of_classes(
    y_pred_shape: tuple[int, ...], shape: tuple[int, ...]
) -> None:
    with pytest.raises(InvalidArgument, match=r"\(N, C, ...\) .* with C = num_classes = 3"):
        ConfusionMatrix(3).update((torch.zeros(y_pred_shape), torch.zeros(shape)))


@pytest.mark.parametrize("make", [ConfusionMatrix, MultiLabelConfusionMatrix])
@pytest.mark.parametrize("num_classes", [1, 0, -2, 2.0, "3", True, None])
def test_the_number_of_classes_is_a_whole_one_from_2_on(make: Any, num_classes: Any) -> None:
    with pytest.raises(InvalidArgument, match="num_classes must be a whole number, 2 or more"):
        make(num_classes)


def test_a_misspelt_average_is_told_its_near_name() -> None:
    with pytest.raises(InvalidArgument, match="did you mean 'recall'"):
        ConfusionMatrix(2, "recal")


@pytest.mark.parametrize("normalized", [False, True])
@given(seed=SEEDS, n=SIZES, labels=st.integers(2, 4), places=PLACES)
def test_the_matrices_of_labels_are_those_of_scikit_learn(
    normalized: bool, seed: int, n: int, labels: int, places: tuple[int, ...]
) -> None:
    y_pred, y = (drawn(s, (n, labels, *places)) for s in (seed, seed + 1))
    expected = torch.as_tensor(multilabel_confusion_matrix(last(y).numpy(), last(y_pred).numpy()))
    if normalized:
        expected = expected / expected.sum(dim=(1, 2), keepdim=True).double()
    same(value_of(MultiLabelConfusionMatrix(labels, normalized=normalized), y_pred, y), expected)


def test_another_number_of_labels_is_an_error() -> None:
    with pytest.raises(InvalidArgument, match="with C = num_classes = 4"):
        MultiLabelConfusionMatrix(4).update((torch.eye(3), torch.eye(3)))


@given(seed=SEEDS, n=SIZES, classes=st.integers(2, 4), average=st.sampled_from([None, "samples"]))
def test_overlaps_are_what_scikit_learn_says(
    seed: int, n: int, classes: int, average: str | None
) -> None:
    y_pred, y = drawn_scores(seed, (n, classes)), drawn(seed, (n,), classes)
    guess, known = y_pred.argmax(dim=1), {"labels": range(classes), "zero_division": 0}
    jaccard = jaccard_score(y, guess, average=None, **known)
    expected = {
        IoU: jaccard,
        JaccardIndex: jaccard,
        mIoU: jaccard.mean(),
        DiceCoefficient: f1_score(y, guess, average=None, **known),
    }
    for make, wanted in expected.items():
        same(value_of(make(ConfusionMatrix(classes, average)), y_pred, y), wanted)


@pytest.mark.parametrize("make", OVERLAPS)
def test_an_ignored_class_is_left_out_of_the_value_alone(make: Any) -> None:
    y_pred, y = drawn_scores(0, (20, 3)), drawn(0, (20,), 3)
    whole = value_of(IoU(ConfusionMatrix(3)), y_pred, y)
    dice = value_of(DiceCoefficient(ConfusionMatrix(3)), y_pred, y)
    expected = {mIoU: whole[[0, 2]].mean(), DiceCoefficient: dice[[0, 2]]}
    value = value_of(make(ConfusionMatrix(3), ignore_index=1), y_pred, y)
    same(value, expected.get(make, whole[[0, 2]]))


@pytest.mark.parametrize("make", OVERLAPS)
@pytest.mark.parametrize("ignore_index", [3, -1, 1.0, True, "0"])
def test_only_a_class_can_be_ignored(make: Any, ignore_index: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"ignore_index must be one of the classes 0\.\.2"):
        make(ConfusionMatrix(3), ignore_index)


@pytest.mark.parametrize("make", OVERLAPS)
def test_overlaps_need_counts(make: Any) -> None:
    with pytest.raises(InvalidArgument, match="needs a ConfusionMatrix with average=None"):
        make(ConfusionMatrix(3, "recall"))
    with pytest.raises(InvalidType, match="is made of a ConfusionMatrix, got 3 of type int"):
        make(3)


@given(seed=SEEDS, n=SIZES, classes=st.integers(3, 6), k=st.integers(1, 5))
def test_top_k_is_what_scikit_learn_says_ties_included(
    seed: int, n: int, classes: int, k: int
) -> None:
    k = min(k, classes - 1)
    y_pred, y = drawn(seed, (n, classes), 4).float(), drawn(seed, (n,), classes)
    expected = top_k_accuracy_score(y, y_pred, k=k, labels=range(classes))
    same(value_of(TopKCategoricalAccuracy(k), y_pred, y), expected)


def test_with_as_many_places_as_classes_every_target_is_among_them() -> None:
    assert value_of(TopKCategoricalAccuracy(2), torch.eye(2), A([1, 0])) == 1.0


def test_a_target_without_a_score_is_not_among_the_largest() -> None:
    y_pred = A([[torch.nan, 1.0, 0.0], [torch.nan, 1.0, 0.0], [0.0, 2.0, 1.0]])
    assert value_of(TopKCategoricalAccuracy(2), y_pred, A([0, 1, -100])) == pytest.approx(1 / 3)


def test_places_of_an_image_are_examples() -> None:
    y_pred, y = drawn_scores(0, (2, 4, 3, 5)), drawn(0, (2, 3, 5), 4)
    flat = value_of(TopKCategoricalAccuracy(2), last(y_pred), y.reshape(-1))
    assert value_of(TopKCategoricalAccuracy(2), y_pred, y) == flat


def test_fewer_classes_than_places_are_an_error() -> None:
    with pytest.raises(InvalidArgument, match="with C >= k = 5"):
        TopKCategoricalAccuracy().update((torch.eye(3), A([0, 1, 2])))


@pytest.mark.parametrize("k", [0, -1, 1.0, True])
def test_k_is_a_positive_whole_number(k: Any) -> None:
    with pytest.raises(InvalidArgument, match="k must be a whole number, 1 or more"):
        TopKCategoricalAccuracy(k)


@pytest.mark.filterwarnings("ignore:A single label was found")  # scikit-learn: of one class
@given(seed=SEEDS, n=SIZES, classes=st.integers(1, 4))
def test_the_matthews_correlation_is_that_of_scikit_learn(seed: int, n: int, classes: int) -> None:
    y_pred, y = (drawn(s, (n,), classes) for s in (seed, seed + 1))
    same(value_of(MatthewsCorrCoef(), y_pred * 7 - 3, y * 7 - 3), matthews_corrcoef(y, y_pred))


@pytest.mark.parametrize("weights", [None, "linear", "quadratic"])
@given(seed=SEEDS, n=SIZES, classes=st.integers(2, 5))
def test_kappa_is_that_of_scikit_learn(
    weights: str | None, seed: int, n: int, classes: int
) -> None:
    y_pred, y = (drawn(s, (n + 2,), classes) for s in (seed, seed + 1))
    y_pred[:2], y[:2] = A([0, 1]), A([1, 1])  # of one class alone there is no kappa
    same(
        value_of(CohenKappa(weights=weights), y_pred, y),
        cohen_kappa_score(y, y_pred, weights=weights),
    )
    expected = cohen_kappa_score(y, y_pred, weights=weights, labels=range(classes))
    same(value_of(CohenKappa(weights=weights, num_classes=classes), y_pred, y), expected)


@pytest.mark.parametrize("num_classes", [None, 2])
def test_of_one_class_alone_there_is_no_kappa(num_classes: int | None) -> None:
    same(value_of(CohenKappa(num_classes=num_classes), A([1, 1]), A([1, 1])), torch.nan)


@pytest.mark.parametrize("y", [A([0, 2]), A([-1, 0])])
def test_kappa_does_not_lose_what_is_no_class(y: Tensor) -> None:
    metric = CohenKappa(num_classes=2)
    metric.update((A([0, 1]), y))
    with pytest.raises(InvalidArgument, match=r"expected classes 0\.\.1 .* 1 of 2 pairs had"):
        metric.compute()


def test_misspelt_weights_are_told_their_near_name() -> None:
    with pytest.raises(InvalidArgument, match=r"weights must be None or .* did you mean 'linear'"):
        CohenKappa(weights="linaer")


@pytest.mark.parametrize("make", [MatthewsCorrCoef, CohenKappa])
def test_agreement_is_of_class_numbers(make: Any) -> None:
    with pytest.raises(InvalidArgument, match="y_pred of class numbers, which are whole"):
        make().update((A([0.5, 1.0]), A([0, 1])))
    with pytest.raises(InvalidArgument, match="expected y_pred and y of shape"):
        make().update((torch.eye(2), A([0, 1])))


@pytest.mark.parametrize(
    "make",
    [
        MatthewsCorrCoef,
        CohenKappa,
        lambda: CohenKappa(num_classes=3),
        lambda: ConfusionMatrix(3),
        lambda: IoU(ConfusionMatrix(3)),
        lambda: MultiLabelConfusionMatrix(3),
        TopKCategoricalAccuracy,
    ],
)
def test_nothing_taken_in_is_not_computable(make: Any) -> None:
    with pytest.raises(NotComputableError, match="has taken in no example"):
        make().compute()


@given(
    pairs=st.lists(st.tuples(st.integers(0, 2), st.integers(-2, 4)), max_size=30),
    classes=st.sampled_from([3, 9]),
)
def test_classes_are_counted_alike_whether_they_are_few_or_many(
    pairs: list[tuple[int, int]], classes: int
) -> None:
    predicted, y = torch.tensor([*pairs, (0, -1)]).T
    expected = [
        [
            sum(c == p == t for p, t in pairs),
            sum(c == p for p, _ in [*pairs, (0, -1)]),
            sum(c == t for _, t in pairs),
        ]
        for c in range(classes)
    ]
    assert classes_counted(predicted, y, classes).T.tolist() == expected
