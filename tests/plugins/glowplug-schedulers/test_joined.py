"""Schedulers one after the other, beside each other, and after a warm-up."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.optim.lr_scheduler import ExponentialLR, OneCycleLR, StepLR

from glowplug import Engine
from glowplug_schedulers import (
    ConcatScheduler,
    CosineAnnealingScheduler,
    LinearCyclicalScheduler,
    LRScheduler,
    ParamGroupScheduler,
    PiecewiseLinear,
    create_lr_scheduler_with_warmup,
)

Make = Callable[..., torch.optim.Optimizer]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_each_scheduler_has_its_turn_from_its_first_value_on(durations: list[int]) -> None:
    own = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedulers = [
        PiecewiseLinear(own, "lr", [(0, 100.0 * n), (50, 100.0 * n + 50.0)])
        for n in range(len(durations) + 1)
    ]
    rows = ConcatScheduler.simulate_values(45, schedulers, durations)
    begins = [0, *accumulate(durations)]
    expected = []
    for event in range(45):
        turn = max(n for n, begin in enumerate(begins) if begin <= event)
        expected.append(100.0 * turn + event - begins[turn])
    assert [value for _, value in rows] == pytest.approx(expected)


def test_a_concatenation_can_be_part_of_another(optimizer: Make, values: Any) -> None:
    own = optimizer()
    flat = [PiecewiseLinear(own, "lr", [(0, float(n))]) for n in range(3)]
    inner = ConcatScheduler(flat[:2], [2])
    assert values(ConcatScheduler([inner, flat[2]], [3]), 5) == [0.0, 0.0, 1.0, 2.0, 2.0]


def test_a_scheduler_of_torch_goes_on_from_its_own_first_value(optimizer: Make) -> None:
    own = optimizer(lr=1.0)
    torchs = LRScheduler(ExponentialLR(own, gamma=0.5))
    high = PiecewiseLinear(own, "lr", [(0, 100.0)])
    rows = ConcatScheduler.simulate_values(5, [high, torchs], [2])
    assert [value for _, value in rows] == [100.0, 100.0, 1.0, 0.5, 0.25]


def test_groups_that_move_together_each_have_their_values(optimizer: Make, values: Any) -> None:
    own = optimizer(groups=2)
    one = LinearCyclicalScheduler(own, "lr", 1.0, 0.0, 4, param_group_index=0)
    other = CosineAnnealingScheduler(own, "lr", 2.0, 0.0, 4, param_group_index=1)
    together = ParamGroupScheduler([one, other])
    assert ParamGroupScheduler.simulate_values(3, [one, other]) == [
        [0, 1.0, 2.0],
        [1, 0.5, pytest.approx(1.7071067811865475)],
        [2, 0.0, pytest.approx(1.0)],
    ]
    engine: Engine[Any, Any] = Engine(lambda engine, batch: None)
    together.attach(engine)
    engine.run(range(3))
    assert [group["lr"] for group in own.param_groups] == pytest.approx([0.0, 1.0])


def test_schedulers_of_several_optimizers_can_move_together(optimizer: Make) -> None:
    first, second = optimizer(), optimizer(kind=torch.optim.Adam)
    schedulers = [PiecewiseLinear(own, "lr", [(0, 3.0)]) for own in (first, second)]
    ParamGroupScheduler(schedulers)(None)
    assert [own.param_groups[0]["lr"] for own in (first, second)] == [3.0, 3.0]


@pytest.mark.parametrize("duration", [2, 3, 7])
def test_a_warm_up_ends_at_the_first_value_of_torchs_scheduler(
    optimizer: Make, duration: int
) -> None:
    own = optimizer(lr=1.0)
    warm = create_lr_scheduler_with_warmup(StepLR(own, 2, 0.5), 0.0, duration)
    rows = ConcatScheduler.simulate_values(duration + 3, warm.schedulers, warm.durations)
    rising = [event / (duration - 1) for event in range(duration)]
    assert [value for _, value in rows] == pytest.approx([*rising, 1.0, 0.5, 0.5])


def test_each_group_warms_up_to_its_own_learning_rate(optimizer: Make) -> None:
    own, rows = optimizer(groups=2), [None] * 5
    following = ExponentialLR(own, gamma=0.5)
    create_lr_scheduler_with_warmup(following, 0.0, 3, output_simulated_values=rows)
    assert rows == [
        [0, 0.0, 0.0],
        [1, 0.05, 0.1],
        [2, 0.1, 0.2],
        [3, 0.05, 0.1],
        [4, 0.025, 0.05],
    ]


def test_a_warm_up_to_another_value_is_followed_by_the_first_of_each_group(
    optimizer: Make, values: Any
) -> None:
    following = ExponentialLR(optimizer(groups=2), gamma=0.5)
    warm = create_lr_scheduler_with_warmup(following, 0.0, 3, warmup_end_value=0.8)
    assert values(warm, 6, group=1) == pytest.approx([0.0, 0.4, 0.8, 0.2, 0.1, 0.05])


def test_a_warm_up_before_a_scheduler_of_ours_leaves_out_nothing(
    optimizer: Make, values: Any
) -> None:
    following = LinearCyclicalScheduler(optimizer(), "lr", 1.0, 0.0, 4)
    warm = create_lr_scheduler_with_warmup(following, 0.0, 3, warmup_end_value=1.0)
    assert values(warm, 6) == [0.0, 0.5, 1.0, 1.0, 0.5, 0.0]


def test_a_warm_up_of_one_group_leaves_the_others(optimizer: Make, values: Any) -> None:
    own = optimizer(groups=2)
    following = LinearCyclicalScheduler(own, "lr", 1.0, 0.0, 4, param_group_index=1)
    warm = create_lr_scheduler_with_warmup(following, 0.0, 3)
    assert values(warm, 4, group=1) == pytest.approx([0.0, 0.1, 0.2, 1.0])
    assert own.param_groups[0]["lr"] == 0.1


def test_a_warm_up_before_one_cycle_is_followed_by_all_of_it(optimizer: Make) -> None:
    own = optimizer(lr=1.0, momentum=0.9)
    cycle = OneCycleLR(own, max_lr=1.0, total_steps=10)
    alone = [rate for _, rate in LRScheduler.simulate_values(9, cycle)]
    rows: list[Any] = [None] * 12
    create_lr_scheduler_with_warmup(cycle, 0.0, 4, output_simulated_values=rows)
    assert [rate for _, rate in rows[3:]] == pytest.approx(alone)


def test_a_simulated_warm_up_disturbs_nothing(optimizer: Make) -> None:
    own = optimizer(groups=2)
    following = ExponentialLR(own, gamma=0.5)
    before = str(own.state_dict()), str(following.state_dict())
    create_lr_scheduler_with_warmup(following, 0.0, 3, output_simulated_values=[None] * 50)
    assert (str(own.state_dict()), str(following.state_dict())) == before
