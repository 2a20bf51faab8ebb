from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score
from torch import Tensor

from glowplug.errors import InvalidArgument, InvalidType
from glowplug_metrics import Accuracy, NotComputableError

A = torch.tensor
SEEDS = st.integers(0, 2**31)
SIZES = st.integers(1, 6)
PLACES = st.lists(st.integers(1, 3), max_size=2).map(tuple)


def accuracy_of(y_pred: Tensor, y: Tensor, **kwargs: Any) -> float:
    metric = Accuracy(**kwargs)
    metric.update((y_pred, y))
    value = metric.compute()
    assert isinstance(value, float)
    return value


def drawn(seed: int, shape: tuple[int, ...], classes: int = 2) -> Tensor:
    return torch.randint(classes, shape, generator=torch.Generator().manual_seed(seed))


def last(tensor: Tensor) -> Tensor:
    """(N, C, ...) as (N * ..., C)."""
    return tensor.movedim(1, -1).reshape(-1, tensor.shape[1])


@given(seed=SEEDS, n=SIZES, places=PLACES, column=st.booleans())
def test_binary_is_what_scikit_learn_says(
    seed: int, n: int, places: tuple[int, ...], column: bool
) -> None:
    y_pred, y = drawn(seed, (n, *places)), drawn(seed + 1, (n, *places))
    expected = accuracy_score(y.reshape(-1), y_pred.reshape(-1))
    assert accuracy_of(y_pred.unsqueeze(1) if column else y_pred, y) == pytest.approx(expected)


@given(seed=SEEDS, n=SIZES, classes=st.integers(2, 5), places=PLACES)
def test_multiclass_is_what_scikit_learn_says_of_the_largest_scores(
    seed: int, n: int, classes: int, places: tuple[int, ...]
) -> None:
    generator = torch.Generator().manual_seed(seed)
    y_pred = torch.randn((n, classes, *places), generator=generator)
    y = drawn(seed, (n, *places), classes)
    expected = accuracy_score(y.reshape(-1), last(y_pred).argmax(dim=1))
    assert accuracy_of(y_pred, y) == pytest.approx(expected)


@given(seed=SEEDS, n=SIZES, labels=st.integers(2, 4), places=PLACES)
def test_multilabel_is_what_scikit_learn_says_of_whole_rows(
    seed: int, n: int, labels: int, places: tuple[int, ...]
) -> None:
    y_pred, y = drawn(seed, (n, labels, *places)), drawn(seed + 1, (n, labels, *places))
    expected = accuracy_score(last(y).numpy(), last(y_pred).numpy())
    assert accuracy_of(y_pred, y, is_multilabel=True) == pytest.approx(expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_scores_may_be_of_any_floating_type(dtype: torch.dtype) -> None:
    y_pred = A([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]], dtype=dtype)
    assert accuracy_of(y_pred, A([1, 0, 0])) == pytest.approx(2 / 3)
    assert accuracy_of(y_pred.round()[:, 1], A([1, 0, 0])) == pytest.approx(2 / 3)


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int32, torch.float32])
def test_targets_may_be_of_any_real_type(dtype: torch.dtype) -> None:
    assert accuracy_of(A([1, 0, 1]), A([1, 1, 1], dtype=dtype)) == pytest.approx(2 / 3)


def test_one_prediction_may_come_without_a_batch() -> None:
    assert accuracy_of(A(1), A(1)) == 1.0


def test_a_label_that_is_no_class_is_never_right() -> None:
    assert accuracy_of(A([[0.0, 1.0], [0.0, 1.0]]), A([1, -100])) == 0.5


def test_nan_is_the_largest_score() -> None:
    assert accuracy_of(A([[torch.nan, 1.0], [torch.inf, torch.nan]]), A([0, 1])) == 1.0


@pytest.mark.parametrize(
    ("pred_shape", "shape"),
    [((4,), (4, 1)), ((4, 3), (4, 1)), ((4, 3), (5,)), ((4, 3), (4, 2)), ((4, 3, 5), (4, 6))],
)
def test_shapes_that_do_not_fit_are_an_error_that_shows_them(
    pred_shape: tuple[int, ...], shape: tuple[int, ...]
) -> None:
    with pytest.raises(
        InvalidArgument, match=r"Accuracy expected y_pred of shape \(N, C, \.\.\."
    ) as e:
        accuracy_of(torch.zeros(pred_shape), torch.zeros(shape))
    assert f"{pred_shape}" in str(e.value)
    assert f"{shape}" in str(e.value)


@pytest.mark.parametrize(("pred_shape", "shape"), [((4,), (4,)), ((4, 1), (4, 1)), ((4, 3), (4,))])
def test_labels_need_a_dimension_of_their_own(
    pred_shape: tuple[int, ...], shape: tuple[int, ...]
) -> None:
    with pytest.raises(InvalidArgument, match=r"expected y_pred and y of shape \(N, C, \.\.\.\)"):
        accuracy_of(torch.zeros(pred_shape), torch.zeros(shape), is_multilabel=True)


def test_scores_in_place_of_zeros_and_ones_are_an_error_that_says_what_to_do() -> None:
    with pytest.raises(InvalidArgument, match=r"y_pred of 0 and 1 alone .*threshold"):
        accuracy_of(A([0.3, 0.9]), A([0, 1]))


def test_classes_in_place_of_zeros_and_ones_are_an_error() -> None:
    with pytest.raises(InvalidArgument, match="expected y of 0 and 1 alone"):
        accuracy_of(A([0, 1]), A([0, 2]))


def test_complex_numbers_are_refused() -> None:
    with pytest.raises(InvalidArgument, match="expected real numbers"):
        accuracy_of(A([1j]), A([1]))


@pytest.mark.parametrize("output", [A([1]), (A([1]),), ([1], A([1])), (A([1]), A([1]), 1), "text"])
def test_an_output_that_is_not_two_tensors_is_refused(output: Any) -> None:
    with pytest.raises(InvalidType, match="Accuracy expected two tensors"):
        Accuracy().update(output)


def test_a_refused_update_leaves_nothing_behind() -> None:
    metric = Accuracy()
    with pytest.raises(InvalidArgument, match="alone"):
        metric.update((A([3]), A([1])))
    metric.update((A([1, 0]), A([1, 1])))
    assert metric.compute() == 0.5


def test_a_reset_lets_another_kind_come() -> None:
    metric = Accuracy()
    metric.update((A([1, 0]), A([1, 1])))
    metric.reset()
    metric.update((A([[0.0, 1.0]]), A([1])))
    assert metric.compute() == 1.0


def test_forms_are_checked_again_after_a_reset() -> None:
    metric = Accuracy()
    metric.update((A([1, 0]), A([1, 1])))
    metric.reset()
    with pytest.raises(InvalidArgument, match="got y_pred of shape"):
        metric.update((A([1, 0]), A([[1], [1]])))


def test_nothing_taken_in_is_not_computable() -> None:
    with pytest.raises(NotComputableError, match="Accuracy has taken in no example"):
        Accuracy().compute()


def test_batches_without_examples_are_not_computable() -> None:
    with pytest.raises(NotComputableError, match="Accuracy has taken in no example"):
        accuracy_of(torch.zeros(0, 3), torch.zeros(0))
