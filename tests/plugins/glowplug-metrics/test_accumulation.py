from __future__ import annotations

import math
import operator
import statistics
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from glowplug.errors import InvalidType
from glowplug_metrics import (
    Average,
    GeometricAverage,
    Metric,
    NotComputableError,
    VariableAccumulation,
)

A = torch.tensor
NUMBERS = st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=10)
DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int32, torch.bool]


def after(metric: Metric, *outputs: Any) -> Any:
    for output in outputs:
        metric.update(output)
    return metric.compute()


@given(NUMBERS)
def test_the_average_of_numbers_is_their_mean(numbers: list[float]) -> None:
    assert after(Average(), *numbers) == pytest.approx(statistics.fmean(numbers))
    assert after(Average(), *map(A, numbers)) == pytest.approx(statistics.fmean(numbers))


@given(st.lists(st.floats(0.125, 1e3, width=32), min_size=1, max_size=10))
def test_the_geometric_average_of_numbers_is_their_geometric_mean(numbers: list[float]) -> None:
    expected = pytest.approx(statistics.geometric_mean(numbers))
    assert after(GeometricAverage(), *numbers) == expected
    assert after(GeometricAverage(), *map(A, numbers)) == expected


@given(rows=st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_rows_are_averaged_place_by_place(rows: list[int]) -> None:
    values = torch.rand(sum(rows), 3, dtype=torch.float64)
    assert torch.allclose(after(Average(), *values.split(rows)), values.mean(0))
    assert torch.allclose(
        after(GeometricAverage(), *values.split(rows)), values.log().mean(0).exp()
    )


def test_a_vector_is_one_example() -> None:
    assert after(Average(), A([1.0, 2.0]), A([3.0, 6.0])).tolist() == [2.0, 4.0]


def test_rows_of_any_shape_are_examples() -> None:
    assert after(Average(), torch.ones(4, 3, 2), torch.zeros(2, 3, 2)).shape == (3, 2)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (2,), (3, 2)])
def test_every_dtype_is_averaged_in_float64(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    metric = Average()
    after(metric, torch.ones(shape, dtype=dtype), torch.zeros(shape, dtype=dtype))
    assert metric.value().dtype == torch.float64
    assert (metric.value() == 0.5).all()


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int64, int])
def test_numbers_of_every_kind_are_averaged(kind: type) -> None:
    assert after(Average(), kind(1), A(2.0), kind(6)) == 3.0
    assert after(GeometricAverage(), kind(1), kind(9)) == pytest.approx(3.0)


def test_plain_truth_values_are_averaged() -> None:
    assert after(Average(), True, False, True, True) == 0.75


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_nan_and_infinity_stay_in_the_mean(value: float) -> None:
    assert after(Average(), 1.0, value, A(2.0)) == pytest.approx(value, nan_ok=True)


def test_zero_makes_the_geometric_average_zero_and_less_makes_it_nan() -> None:
    assert after(GeometricAverage(), 0.0, 3.0) == 0.0
    assert math.isnan(after(GeometricAverage(), -1.0, 3.0))


def test_an_operation_gathers_what_it_returns() -> None:
    assert after(VariableAccumulation(operator.add), 1.0, A(2.0), 3) == (6.0, 3)
    assert after(VariableAccumulation(lambda a, x: a * 10 + x), 1, 2, 3) == (123.0, 3)


def test_an_operation_is_given_whole_tensors_in_float64() -> None:
    seen: list[torch.Tensor] = []
    metric = VariableAccumulation(lambda a, x: seen.append(x) or a)  # type: ignore[func-returns-value]  # None, so a
    assert after(metric, torch.ones(4, 3, dtype=torch.float16)) == (0.0, 4)
    assert (seen[0].shape, seen[0].dtype) == ((4, 3), torch.float64)


def test_an_accumulation_can_begin_elsewhere() -> None:
    assert after(VariableAccumulation(max, initial=-math.inf, reduce="max"), -3.0, -5.0) == (
        -3.0,
        2,
    )


def test_an_accumulation_of_nothing_is_where_it_began() -> None:
    assert VariableAccumulation(max, initial=2.0).compute() == (2.0, 0)


@pytest.mark.parametrize("kind", [Average, GeometricAverage])
def test_an_average_of_nothing_is_not_computable(kind: type[Metric]) -> None:
    with pytest.raises(NotComputableError, match=f"{kind.__name__} has taken in no example"):
        kind().compute()


@pytest.mark.parametrize("output", ["x", (1, 2), [1.0], None, {"a": 1}])
def test_what_is_no_variable_is_refused(output: Any) -> None:
    with pytest.raises(InvalidType, match="Average expected a number or a tensor, got"):
        Average().update(output)


def test_an_operation_that_cannot_be_called_is_refused() -> None:
    with pytest.raises(InvalidType, match="op must be callable, got 3 of type int"):
        VariableAccumulation(3)  # type: ignore[arg-type]  # that is what is tested


def test_the_outputs_are_left_as_they_are() -> None:
    first = torch.ones(2, dtype=torch.float64)
    metric = Average()
    after(metric, first, first)
    metric.accumulator.add_(1)
    assert first.tolist() == [1.0, 1.0]
