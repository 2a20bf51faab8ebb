from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from glowplug.errors import InvalidArgument, InvalidType
from glowplug_metrics import Accuracy, Average, Loss, Metric, Reduction
from glowplug_metrics.accumulator import Accumulator
from glowplug_metrics.states import add_pair

DEFAULTS: dict[str, tuple[Any, str | None]] = {
    "total": (torch.zeros((), dtype=torch.float64), "sum"),
    "count": (0, "sum"),
    "least": (torch.tensor(torch.inf), "min"),
    "most": (-math.inf, "max"),
    "rows": ([], "cat"),
    "last": (None, None),
}


@pytest.fixture
def states() -> Accumulator:
    accumulator = Accumulator("cpu")
    for name, (default, reduce) in DEFAULTS.items():
        accumulator.add_state(name, default, reduce)
    return accumulator


def change(states: Any) -> None:
    states.add("total", torch.tensor(2.5))
    states.count += 3
    states.least = torch.minimum(states.least, torch.tensor(-1.0))
    states.most = max(states.most, 7.0)
    states.rows.append(torch.tensor([1, 2]))
    states.last = torch.tensor([4.0])


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return repr(one) == repr(other)


def test_a_state_begins_as_its_default(states: Any) -> None:
    assert same(states.state_dict(), {name: default for name, (default, _) in DEFAULTS.items()})


def test_a_reset_gives_the_defaults_back(states: Any) -> None:
    begun = states.state_dict()
    change(states)
    assert not same(states.state_dict(), begun)
    states.reset()
    assert same(states.state_dict(), begun)


def test_what_is_changed_in_place_does_not_change_the_default(states: Any) -> None:
    states.total += 5
    states.reset()
    assert states.total == 0


def test_a_saved_state_is_not_changed_by_later_updates(states: Any) -> None:
    change(states)
    saved = states.state_dict()
    before = repr(saved)
    states.total.add_(1)
    states.last.add_(1)
    states.rows[0].add_(1)
    states.rows.append(torch.tensor([5]))
    assert repr(saved) == before


def test_a_loaded_state_does_not_change_what_it_was_loaded_from(states: Any) -> None:
    change(states)
    saved = states.state_dict()
    before = repr(saved)
    states.load_state_dict(saved)
    assert same(states.state_dict(), saved)
    states.total.add_(1)
    states.rows[0].add_(1)
    states.last.add_(1)
    assert repr(saved) == before


def test_all_problems_of_a_state_dict_are_told_and_nothing_is_changed(states: Any) -> None:
    change(states)
    saved = states.state_dict()
    broken = {**saved, "rows": 3, "total": "x", "extra": 1}
    del broken["count"]
    with pytest.raises(InvalidArgument, match=r"no 'count'.*unknown 'extra'.*'total'.*'rows'"):
        states.load_state_dict(broken)
    assert same(states.state_dict(), saved)


def test_a_state_dict_that_is_no_mapping_is_refused(states: Accumulator) -> None:
    with pytest.raises(InvalidType, match=r"loads a mapping .* got 3 of type int"):
        states.load_state_dict(3)  # type: ignore[arg-type]  # that is what is tested


@pytest.mark.parametrize("name", ["total", "update", "no name", "reset"])
def test_a_name_that_is_taken_or_none_is_refused(name: str) -> None:
    average = Average()
    average.add_state("total", 0)
    with pytest.raises(InvalidArgument, match="a state needs a new attribute's name"):
        average.add_state(name, 0)


@pytest.mark.parametrize(
    ("default", "reduce", "error", "says"),
    [
        (0, "add", InvalidArgument, "reduce must be one of sum, min, max"),
        (0, "cat", InvalidArgument, "a list, and only a list"),
        ([], "sum", InvalidArgument, "a list, and only a list"),
        (None, "sum", InvalidArgument, "begins as None"),
        ("x", None, InvalidType, "begins as a tensor, a number"),
        ([1], "cat", InvalidType, "an empty list"),
    ],
)
def test_a_declaration_that_makes_no_sense_is_refused(
    default: Any, reduce: Any, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        Accumulator("cpu").add_state("new", default, reduce)


def test_a_reduction_can_be_given_as_a_member(states: Accumulator) -> None:
    states.add_state("more", 0, Reduction.MAX)
    assert states.state_dict()["more"] == 0


def test_states_follow_the_outputs_to_their_device(states: Any) -> None:
    states.follow(torch.device("meta"))
    assert states.total.device.type == states.least.device.type == "meta"
    states.reset()
    assert states.total.device.type == "meta"


def test_lists_stay_on_the_metrics_own_device() -> None:
    metric = Accumulator("cpu")
    metric.add_state("rows", [], "cat")
    metric.rows.append(torch.ones(1))  # type: ignore[attr-defined]  # declared in the line above
    metric.follow(torch.device("meta"))
    assert metric.state_dict()["rows"][0].device.type == "cpu"


def test_a_long_sum_of_float32_loses_nothing() -> None:
    average = Average()
    average.update(torch.tensor(16777216.0))
    for _ in range(100):
        average.update(torch.tensor(1.0))
    assert average.compute() == (16777216.0 + 100) / 101


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=60))
def test_a_pair_of_float32_sums_as_float64_does(numbers: list[float]) -> None:
    pair = torch.zeros(2)
    for number in numbers:
        pair = add_pair(pair, torch.tensor(number))
    exact = math.fsum(numbers)
    assert pair.double().sum().item() == pytest.approx(exact, rel=1e-12, abs=1e-6)


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_a_pair_keeps_infinity_and_nan(value: float) -> None:
    total = add_pair(add_pair(torch.zeros(2), value), 1.0).double().sum().item()
    assert total == pytest.approx(value, nan_ok=True)


@pytest.mark.usefixtures("without_float64")
@pytest.mark.parametrize(
    ("make", "output"),
    [
        (Average, torch.tensor(0.1)),
        (Average, 0.1),
        (Average, torch.full((3,), 0.1)),
        (Average, torch.full((2, 3), 0.1)),
        (lambda: Loss(lambda p, y: p.mean()), (torch.full((2,), 0.1), torch.zeros(2))),
    ],
    ids=["tensor", "number", "vector", "rows", "loss"],
)
def test_sums_without_float64_lose_nothing_either(make: Any, output: Any) -> None:
    metric: Metric = make()
    for _ in range(3000):
        metric.update(output)
    middle = metric.state_dict()
    metric.update(output)
    tenth = torch.tensor(0.1).double()  # what 0.1 is in float32
    torch.testing.assert_close(
        torch.as_tensor(metric.compute()).double(),
        tenth.expand(torch.as_tensor(metric.compute()).shape),
        rtol=1e-9,
        atol=0,
    )
    metric.load_state_dict(middle)
    assert same(metric.state_dict(), middle)


@pytest.mark.usefixtures("without_float64")
def test_counting_without_float64_is_exact() -> None:
    accuracy = Accuracy()
    accuracy.update((torch.tensor([1, 0]), torch.tensor([1, 1])))
    assert accuracy.compute() == 0.5
