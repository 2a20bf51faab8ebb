from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from glowplug_loggers.scalars import leaves, to_host, to_scalars

NUMBERS = st.integers(-5, 5) | st.floats(allow_nan=False, width=32) | st.booleans()
VECTORS = st.lists(st.floats(allow_nan=False, width=32), max_size=4)
ARRAYS = (
    VECTORS.map(lambda v: torch.tensor(v, dtype=torch.float32))
    | VECTORS.map(lambda v: torch.tensor(v, dtype=torch.float64))
    | VECTORS.map(np.array)
    | st.integers(-9, 9).map(torch.tensor)
)
NESTED = st.recursive(
    NUMBERS | ARRAYS | st.none() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text("abc", min_size=1, max_size=2) | st.integers(0, 3), inner)
    ),
    max_leaves=8,
)


def slow_model(path: tuple[str, ...], value: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every number, one at a time."""
    if isinstance(value, (torch.Tensor, np.ndarray)):
        value = value.tolist()
    if isinstance(value, dict):
        for key in value:
            yield from slow_model((*path, str(key)), value[key])
    elif isinstance(value, (list, tuple)):
        for index in range(len(value)):
            yield from slow_model((*path, str(index)), value[index])
    elif isinstance(value, (int, float)):
        yield path, value


class Joins(TorchDispatchMode):
    """Records how many tensors are joined at a time, and lets none be fetched on its own."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch has no type for it
        self.sizes: list[int] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        assert func is not torch.ops.aten._local_scalar_dense.default
        if func is torch.ops.aten.cat.default:
            self.sizes.append(len(args[0]))
        return func(*args, **(kwargs or {}))


@given(NESTED)
def test_nested_values_become_the_numbers_that_a_slow_walk_finds(value: Any) -> None:
    found = to_scalars([(("x",), value)], skipped=lambda path, value: None)
    assert found == dict(slow_model(("x",), value))


@given(NESTED)
def test_what_is_neither_logged_nor_empty_is_told(value: Any) -> None:
    told: list[tuple[str, ...]] = []
    found = to_scalars([(("x",), value)], skipped=lambda path, value: told.append(path))
    arrays = {path for path, leaf in leaves(("x",), value) if hasattr(leaf, "tolist")}
    others = {path for path, _ in leaves(("x",), value)} - arrays
    assert {path for path in others if path not in found} == set(told)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_nan_and_infinities_are_numbers(value: float) -> None:
    found = to_scalars([(("x",), torch.tensor(value))], skipped=lambda path, value: None)
    assert repr(found) == repr({("x",): value})


def test_an_array_of_two_dimensions_is_told_whole() -> None:
    told = []
    to_scalars([(("x",), torch.ones(1, 2))], skipped=lambda path, value: told.append(path))
    assert told == [("x",)]


def test_texts_are_kept_where_they_are_asked_for() -> None:
    found = to_scalars([(("x",), "on")], texts=True, skipped=lambda path, value: None)
    assert found == {("x",): "on"}


def test_a_tensor_with_a_gradient_and_one_of_low_precision_are_fetched() -> None:
    arrays = [torch.tensor(2.0, requires_grad=True), torch.tensor([0.5], dtype=torch.bfloat16)]
    assert to_host(arrays) == [2.0, [0.5]]


def test_whole_numbers_beyond_float_precision_stay_exact() -> None:
    arrays = [torch.tensor(2**62 + 1), torch.tensor(0.5)]
    assert to_host(arrays) == [2**62 + 1, 0.5]


def test_tensors_of_one_kind_are_joined_before_they_are_fetched() -> None:
    joins: Any = Joins()
    with joins:
        to_host([torch.tensor(float(n)) for n in range(5)] + [torch.tensor([1, 2])])
    assert joins.sizes == [5]
