"""The scheduler that goes on straight lines from milestone to milestone."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.optim.lr_scheduler import LinearLR

from glowplug_schedulers import PiecewiseLinear

Make = Callable[..., torch.optim.Optimizer]
CORNERS = st.lists(
    st.tuples(st.integers(0, 40), st.floats(-5, 5)),
    min_size=1,
    max_size=6,
    unique_by=lambda c: c[0],
).map(sorted)


def simulated(milestones: Any, events: int) -> list[float]:
    """Return the values of the first events."""
    rows = PiecewiseLinear.simulate_values(events, param_name="lr", milestones_values=milestones)
    return [value for _, value in rows]


@given(st.floats(0.01, 1.0), st.floats(0.01, 1.0), st.integers(1, 30))
def test_a_straight_line_is_the_one_of_torch(start: float, end: float, length: int) -> None:
    own = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2.0)
    linear, expected = LinearLR(own, start, end, total_iters=length), []
    for _ in range(40):
        expected.append(own.param_groups[0]["lr"])
        own.step()
        linear.step()
    values = simulated([(0, 2.0 * start), (length, 2.0 * end)], 40)
    assert values == pytest.approx(expected, rel=1e-9)


@given(CORNERS)
def test_a_milestone_has_its_value(milestones: list[tuple[int, float]]) -> None:
    values = simulated(milestones, 41)
    assert all(values[event] == value for event, value in milestones)


@given(CORNERS)
def test_between_two_milestones_the_steps_are_equal(milestones: list[tuple[int, float]]) -> None:
    values = simulated(milestones, 41)
    for (began, _), (ends, _) in pairwise(milestones):
        between = values[began : ends + 1]
        steps = [after - before for before, after in pairwise(between)]
        assert steps == pytest.approx([steps[0]] * len(steps), abs=1e-9)


@given(CORNERS)
def test_before_the_first_and_after_the_last_milestone_nothing_moves(
    milestones: list[tuple[int, float]],
) -> None:
    values = simulated(milestones, 50)
    (first, begins), (last, ends) = milestones[0], milestones[-1]
    assert values[: first + 1] == [begins] * (first + 1)
    assert values[last:] == [ends] * (50 - last)


def test_two_milestones_at_one_event_are_a_jump(optimizer: Make, values: Any) -> None:
    scheduler = PiecewiseLinear(optimizer(), "lr", [(2, 0.5), (2, 1.0), (6, 0.0)])
    assert values(scheduler, 7) == [0.5, 0.5, 1.0, 0.75, 0.5, 0.25, 0.0]


def test_a_single_milestone_is_a_constant(optimizer: Make, values: Any) -> None:
    assert values(PiecewiseLinear(optimizer(), "lr", [(3, 0.5)]), 5) == [0.5] * 5


def test_one_group_is_scheduled_and_the_others_are_let_be(optimizer: Make, values: Any) -> None:
    own = optimizer(groups=2)
    scheduler = PiecewiseLinear(own, "lr", [(0, 1.0), (2, 2.0)], param_group_index=1)
    assert values(scheduler, 3, group=1) == [1.0, 1.5, 2.0]
    assert own.param_groups[0]["lr"] == 0.1


def test_all_groups_get_the_value(optimizer: Make, values: Any) -> None:
    own = optimizer(groups=3)
    values(PiecewiseLinear(own, "lr", [(0, 1.0), (2, 2.0)]), 2)
    assert [group["lr"] for group in own.param_groups] == [1.5, 1.5, 1.5]


def test_a_group_that_is_added_later_is_scheduled_too(optimizer: Make, values: Any) -> None:
    own = optimizer()
    scheduler = PiecewiseLinear(own, "lr", [(0, 1.0), (2, 2.0)])
    own.add_param_group({"params": [torch.nn.Parameter(torch.zeros(1))]})
    values(scheduler, 2)
    assert own.param_groups[1]["lr"] == 1.5


def test_a_learning_rate_that_is_a_tensor_is_set_in_place(optimizer: Make, values: Any) -> None:
    rate = torch.tensor(0.1)
    own = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=rate, capturable=True)
    kept = own.param_groups[0]["lr"]
    values(PiecewiseLinear(own, "lr", [(0, 1.0), (2, 2.0)]), 2)
    assert own.param_groups[0]["lr"] is kept
    assert kept.item() == 1.5


def test_what_an_optimizer_loads_is_scheduled_from_then_on(optimizer: Make, values: Any) -> None:
    own = optimizer()
    scheduler = PiecewiseLinear(own, "lr", [(0, 1.0), (9, 10.0)])
    values(scheduler, 1)
    own.load_state_dict(optimizer().state_dict())  # it makes new groups
    assert values(scheduler, 2) == [2.0, 3.0]


def test_anything_with_groups_of_parameters_will_do(values: Any) -> None:
    class Groups:
        param_groups = ({"temperature": 1.0},)

    scheduler = PiecewiseLinear(Groups(), "temperature", [(0, 3.0), (1, 4.0)])
    assert values(scheduler, 2, param="temperature") == [3.0, 4.0]
