"""Which outputs end a run, what is said of them, and how often the device is waited for."""

from __future__ import annotations

import logging
import math
from collections import namedtuple
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from glowplug import Engine, Events
from glowplug.errors import InvalidType
from glowplug_handlers import TerminateOnNan

NAN, INF = math.nan, math.inf
Pair = namedtuple("Pair", "loss logits")


@dataclass
class Output:
    loss: Any
    name: str = "output"


def iterations(output: Any, **given: Any) -> int:
    """Return how many of three iterations with this output are run."""
    engine: Engine[Any, Any] = Engine(lambda engine, batch: output)
    engine.add_event_handler(Events.ITERATION_COMPLETED, TerminateOnNan(**given))
    return engine.run([1, 2, 3]).iteration


@pytest.mark.parametrize(
    "output",
    [
        NAN,
        INF,
        -INF,
        complex(0, NAN),
        Decimal("NaN"),
        np.float32("inf"),
        np.array([1.0, NAN]),
        torch.tensor(NAN),
        torch.tensor(-INF, requires_grad=True),
        torch.tensor([1.0, NAN, 2.0]),
        torch.tensor([1.0, INF], dtype=torch.float16),
        torch.tensor([complex(1, INF), 0j]),
        torch.tensor([1.0, NAN]).to(torch.float8_e5m2),
        torch.tensor([[0.0, NAN], [0.0, 0.0]]).to_sparse(),
        {"loss": 0.5, "parts": [torch.ones(2), torch.tensor([INF])]},
        (1.0, [2.0, {"deep": NAN}]),
        Pair(1.0, torch.tensor([NAN])),
        Output(NAN),
        [None, "text", NAN],
    ],
    ids=repr,
)
def test_nan_and_infinity_end_the_run_wherever_they_are(output: Any) -> None:
    assert iterations(output) == 1


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta")  # torch's, once
def test_of_a_tensor_in_sparse_rows_the_values_are_looked_at() -> None:
    dense = torch.tensor([[0.0, 1.0], [0.0, NAN]])
    assert iterations(dense.to_sparse_csr()) == 1
    assert iterations(dense.nan_to_num().to_sparse_csr()) == 3


@pytest.mark.parametrize(
    "output",
    [
        0.0,
        10**400,
        True,
        Fraction(10**400, 3),
        None,
        "nan",
        b"nan",
        np.array(["nan"]),
        np.array([1.0]),
        torch.tensor([1, 2]),
        torch.tensor(True),
        torch.tensor([]),
        torch.full((1000,), torch.finfo(torch.float32).max),
        torch.full((1000,), 65504.0, dtype=torch.float16),
        torch.tensor([complex(1e308, 1e308)], dtype=torch.complex128).expand(2),
        {"loss": torch.tensor(1.0), "none": None, "empty": [], "name": "x"},
        Output(1.0),
    ],
    ids=repr,
)
def test_finite_numbers_and_what_holds_none_do_not(output: Any) -> None:
    assert iterations(output) == 3


@settings(deadline=None)
@given(st.lists(st.lists(st.floats(width=32), max_size=4), max_size=4))
def test_many_tensors_are_judged_as_their_numbers_are(numbers: list[list[float]]) -> None:
    output = [torch.tensor(row, dtype=torch.float32) for row in numbers]
    finite = all(math.isfinite(x) for row in numbers for x in row)
    assert iterations(output) == (3 if finite else 1)


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (NAN, "output of iteration 1 (epoch 1) is nan: the run ends"),
        (torch.tensor(-INF), "output of iteration 1 (epoch 1) is -inf"),
        ({"a": 1.0, "b": [2.0, INF]}, "output['b'][1] of iteration 1 (epoch 1) is inf"),
        (Pair(1.0, torch.full((2, 3), NAN)), "output.logits of iteration 1 (epoch 1) holds NaN or"),
        (Output(torch.full((2, 3), NAN)), "(Tensor of shape (2, 3)): the run ends"),
    ],
    ids=repr,
)
def test_the_log_says_which_entry_in_which_iteration(
    output: Any, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        iterations(output)
    assert said in caplog.text


def test_the_transform_picks_what_is_looked_at() -> None:
    output = {"loss": 1.0, "mask": [-INF]}
    assert iterations(output) == 1
    assert iterations(output, output_transform=lambda output: output["loss"]) == 3


def test_an_output_that_cannot_be_looked_into_is_an_error_that_says_where() -> None:
    with pytest.raises(InvalidType, match=r"output\['x'\] is of type object.* output_transform"):
        iterations({"loss": 1.0, "x": object()})


def test_a_transform_that_cannot_be_called_is_refused() -> None:
    wrong: Any = "loss"
    with pytest.raises(InvalidType, match=r"must be callable as f\(output\), got 'loss'"):
        TerminateOnNan(wrong)


def test_an_engine_has_it_by_its_name() -> None:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: NAN, handlers=["terminate-on-nan"])
    assert engine.run(range(5)).iteration == 1


def test_with_a_filter_it_looks_now_and_then() -> None:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: NAN)
    TerminateOnNan().attach(engine, Events.ITERATION_COMPLETED(every=4))
    assert engine.run(range(20)).iteration == 4


class Fetched(TorchDispatchMode):
    """Counts the numbers that are fetched from tensors, each of which waits for the device."""

    count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += func is torch.ops.aten._local_scalar_dense.default
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("tensors", [1, 2, 50])
def test_of_all_tensors_together_one_number_is_fetched(tensors: int) -> None:
    output = {str(i): torch.ones(i + 1) for i in range(tensors)}
    engine: Engine[Any, Any] = Engine(lambda engine, batch: output)
    TerminateOnNan().attach(engine)
    with Fetched() as fetched:  # type: ignore[no-untyped-call]  # torch has no type for it
        engine.run([1])
    assert fetched.count == 1
