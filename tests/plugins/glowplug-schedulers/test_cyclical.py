"""The schedulers that go to and fro between two values."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.optim.lr_scheduler import CosineAnnealingLR, CosineAnnealingWarmRestarts, CyclicLR

from glowplug_schedulers import (
    CosineAnnealingScheduler,
    CyclicalScheduler,
    LinearCyclicalScheduler,
)

LEVELS = st.floats(1e-4, 10.0)
Make = Callable[..., torch.optim.Optimizer]


def of_torch(scheduler: Any, events: int) -> list[float]:
    """Return the learning rates that a scheduler of torch sets."""
    rates = []
    for _ in range(events):
        rates.append(scheduler.optimizer.param_groups[0]["lr"])
        scheduler.optimizer.step()
        scheduler.step()
    return rates


def simulated(kind: Any, events: int, **settings: Any) -> list[float]:
    """Return the values of a scheduler's first events."""
    return [value for _, value in kind.simulate_values(events, param_name="lr", **settings)]


@given(LEVELS, LEVELS, st.integers(2, 30))
def test_half_a_cosine_is_the_one_of_torch(start: float, end: float, size: int) -> None:
    own = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=start)
    expected = of_torch(CosineAnnealingLR(own, T_max=size, eta_min=end), size)
    values = simulated(
        CosineAnnealingScheduler, size, start_value=start, end_value=end, cycle_size=size
    )
    assert values == pytest.approx(expected, rel=1e-9)


@given(LEVELS, LEVELS, st.integers(2, 9), st.integers(1, 3))
def test_warm_restarts_are_those_of_torch(start: float, end: float, size: int, mult: int) -> None:
    own = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=start)
    expected = of_torch(CosineAnnealingWarmRestarts(own, size, mult, eta_min=end), 60)
    settings = {"start_value": start, "end_value": end, "cycle_size": size, "cycle_mult": mult}
    assert simulated(CosineAnnealingScheduler, 60, **settings) == pytest.approx(expected, rel=1e-9)


@given(LEVELS, LEVELS, st.integers(1, 9))
def test_a_triangle_is_the_one_of_torch(low: float, high: float, half: int) -> None:
    own = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    cyclic = CyclicLR(own, low, high, step_size_up=half, cycle_momentum=False)
    values = simulated(
        LinearCyclicalScheduler, 40, start_value=low, end_value=high, cycle_size=2 * half
    )
    assert values == pytest.approx(of_torch(cyclic, 40), rel=1e-9)


def walked(events: int, monotonic: bool, settings: dict[str, Any]) -> list[float]:
    """Walk through the cycles of a linear scheduler one event after the other."""
    size, warmup = settings["cycle_size"], settings["warmup_duration"]
    start, end = settings["start_value"], settings["end_value"]
    values: list[float] = []
    while len(values) < events:
        peak = size if monotonic else size / 2
        left = [abs(i - peak) / peak for i in range(size)]
        values += [start * share + end * (1 - share) for share in left]
        following = start * settings["start_value_mult"]
        values += [end + (following - end) * i / warmup for i in range(warmup)]
        start, end = following, end * settings["end_value_mult"]
        size = max(2, int(size * settings["cycle_mult"]))
        warmup = int(warmup * settings["cycle_mult"])
    return values[:events]


@given(
    st.booleans(),
    st.fixed_dictionaries(
        {
            "start_value": LEVELS,
            "end_value": LEVELS,
            "cycle_size": st.integers(2, 12),
            "cycle_mult": st.sampled_from([1.0, 0.5, 1.1, 1.5, 2.0, 2, 0.01]),
            "start_value_mult": st.floats(0.8, 1.25),
            "end_value_mult": st.floats(0.8, 1.25),
            "warmup_duration": st.integers(0, 5),
        }
    ),
)
def test_cycles_of_all_kinds_are_those_of_a_slow_model(
    monotonic: bool, settings: dict[str, Any]
) -> None:
    settings["warmup_duration"] *= monotonic
    values = simulated(LinearCyclicalScheduler, 80, monotonic=monotonic, **settings)
    expected = walked(80, monotonic, settings)
    assert values == pytest.approx(expected, rel=1e-9, abs=1e-12 * max(expected))


def test_a_monotonic_cycle_jumps_back(optimizer: Make, values: Any) -> None:
    scheduler = LinearCyclicalScheduler(optimizer(), "lr", 1.0, 0.0, 4, monotonic=True)
    assert values(scheduler, 6) == [1.0, 0.75, 0.5, 0.25, 1.0, 0.75]


def test_a_warm_up_leads_to_the_next_cycle(optimizer: Make, values: Any) -> None:
    scheduler = CosineAnnealingScheduler(optimizer(), "lr", 1.0, 0.0, 2, warmup_duration=4)
    assert values(scheduler, 8) == pytest.approx([1.0, 0.5, 0.0, 0.25, 0.5, 0.75, 1.0, 0.5])


def test_an_odd_cycle_does_not_reach_its_end_value(optimizer: Make, values: Any) -> None:
    scheduler = LinearCyclicalScheduler(optimizer(), "lr", 1.0, 0.0, 5)
    assert values(scheduler, 6) == pytest.approx([1.0, 0.6, 0.2, 0.2, 0.6, 1.0])


def test_nothing_adds_up_over_a_million_events(optimizer: Make) -> None:
    scheduler = CosineAnnealingScheduler(optimizer(), "lr", 1.0, 0.0, 1000)
    scheduler.event_index = 10**9 + 250
    assert scheduler.get_param() == 0.5 + 0.5 * math.cos(math.pi * 0.25)


@pytest.mark.parametrize("mult", [1.0, 1.0001, 0.7, 2.0])
def test_an_event_far_on_is_found_at_once(optimizer: Make, mult: float) -> None:
    scheduler = LinearCyclicalScheduler(optimizer(), "lr", 1.0, 0.0, 100, cycle_mult=mult)
    scheduler.event_index = 10**9
    assert 0.0 <= scheduler.get_param() <= 1.0


def test_the_number_of_the_cycle_can_be_read(optimizer: Make, values: Any) -> None:
    scheduler = LinearCyclicalScheduler(optimizer(), "lr", 1.0, 0.0, 2, cycle_mult=2)
    values(scheduler, 2)
    assert (scheduler.cycle, scheduler.event_index) == (1, 2)
    values(scheduler, 4)
    assert (scheduler.cycle, scheduler.event_index) == (2, 6)


def test_a_cycle_of_ones_own_is_a_few_lines(optimizer: Make, values: Any) -> None:
    class Steps(CyclicalScheduler):
        def value_at(self, progress: float, start: float, end: float) -> float:
            return start if progress < 0.5 else end

    assert values(Steps(optimizer(), "lr", 1.0, 0.0, 4), 5) == [1.0, 1.0, 0.0, 0.0, 1.0]


def test_any_parameter_can_be_scheduled(optimizer: Make, values: Any) -> None:
    scheduler = LinearCyclicalScheduler(optimizer(momentum=0.9), "momentum", 0.9, 0.5, 2)
    assert values(scheduler, 3, param="momentum") == [0.9, 0.5, 0.9]
