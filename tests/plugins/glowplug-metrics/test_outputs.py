from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from glowplug.errors import InvalidArgument, InvalidType
from glowplug_metrics import Accuracy, Average, Loss, Metric
from glowplug_metrics.outputs import unrolled

Final = Callable[..., dict[str, Any]]
A = torch.tensor


class Heap(Metric):
    """All that it was updated with."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.outputs: list[Any] = []

    def update(self, output: Any) -> None:
        self.outputs.append(output)

    def compute(self) -> list[Any]:
        return list(self.outputs)


class Whole(Heap):
    required_output_keys = None


class Three(Heap):
    required_output_keys = ("a", "b", "c")


@pytest.mark.parametrize("output", [3, "text", A([1.0]), (1, 2), (A([1]), A([2])), None])
def test_an_output_is_taken_as_it_is(final: Final, output: Any) -> None:
    assert final(Heap(), [output])["m"] == [output]


def test_a_transform_comes_first(final: Final) -> None:
    assert final(Heap(lambda output: output["x"] + 1), [{"x": 1}])["m"] == [2]


def test_a_mapping_gives_its_values_in_the_order_of_the_keys(final: Final) -> None:
    assert final(Heap(), [{"y": 2, "extra": 0, "y_pred": 1}])["m"] == [(1, 2)]
    assert final(Three(), [{"c": 3, "b": 2, "a": 1}])["m"] == [(1, 2, 3)]


def test_a_mapping_is_taken_whole_where_no_keys_are_required(final: Final) -> None:
    assert final(Whole(), [{"a": 1}])["m"] == [{"a": 1}]


def test_a_key_that_is_missing_is_named(final: Final) -> None:
    with pytest.raises(InvalidArgument, match=r"\['y_pred', 'y'\], got \['y', 'z'\].*'y_pred'"):
        final(Accuracy(), [{"y": 2, "z": 3}])


def test_an_optional_key_is_picked_where_it_is_there(final: Final) -> None:
    batch = {"y_pred": A([1.0, 3.0]), "y": A([0.0, 0.0])}
    loss = Loss(torch.nn.functional.mse_loss)
    assert final(loss, [batch])["m"] == 5.0
    assert final(loss, [{**batch, "criterion_kwargs": {"reduction": "sum"}}])["m"] == 10.0


def test_lists_of_examples_are_taken_in_one_by_one(final: Final) -> None:
    taken = final(Heap(), [([1, 2.5], [A([3]), True])])["m"]
    assert [[part.tolist() for part in example] for example in taken] == [
        [[1], [[3]]],
        [[2.5], [True]],
    ]


def test_lists_in_a_mapping_are_taken_in_one_by_one(final: Final) -> None:
    assert final(Accuracy(), [{"y_pred": [1, 0, 0], "y": [1, 1, 0]}])["m"] == 2 / 3


@given(parts=st.integers(2, 4), length=st.integers(0, 5))
def test_unrolling_turns_columns_into_rows(parts: int, length: int) -> None:
    columns = [[10 * part + row for row in range(length)] for part in range(parts)]
    rows = [[10 * part + row for part in range(parts)] for row in range(length)]
    assert [[part.item() for part in row] for row in unrolled(columns) or []] == rows


@pytest.mark.parametrize(
    "output",
    [(), ([1, 2],), (["a"], ["b"]), ([1], A([1])), ([{"a": 1}], [1]), ([[1]], [[2]])],
    ids=["empty", "one list", "words", "a list and a tensor", "mappings", "nested lists"],
)
def test_other_lists_are_taken_whole(final: Final, output: Any) -> None:
    assert final(Heap(), [output])["m"] == [output]


def test_lists_are_taken_whole_on_request(final: Final) -> None:
    assert final(Heap(skip_unrolling=True), [([1, 2], [3, 4])])["m"] == [([1, 2], [3, 4])]


def test_lists_of_different_lengths_are_an_error(final: Final) -> None:
    with pytest.raises(InvalidArgument, match=r"equally long, got lengths \[2, 1\]"):
        final(Heap(), [([1, 2], [3])])


def test_what_is_taken_in_keeps_no_graph(final: Final) -> None:
    weight = A(2.0, requires_grad=True)
    average = Average(lambda output: output * weight)
    assert final(average, [A(1.0), A(2.0)])["m"] == 3.0
    assert not average.accumulator.requires_grad


def test_a_transform_that_cannot_be_called_is_refused() -> None:
    with pytest.raises(InvalidType, match="output_transform must be callable, got 3 of type int"):
        Heap(3)


def test_a_device_that_torch_does_not_know_is_refused() -> None:
    with pytest.raises(InvalidArgument, match=r"device must be .* got 'gpu'"):
        Heap(device="gpu")
