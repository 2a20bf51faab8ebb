"""The schedulers of an attribute of the state."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.optim import lr_scheduler as of_torch

from glowplug import Engine, Events
from glowplug_schedulers import (
    ExpStateScheduler,
    LambdaStateScheduler,
    MultiStepStateScheduler,
    PiecewiseLinear,
    PiecewiseLinearStateScheduler,
    ScheduleWarning,
    StateParamScheduler,
    StepStateScheduler,
)

GAMMAS = st.floats(0.5, 1.5)


def echo() -> Engine[Any, Any]:
    """An engine whose output is its batch."""
    return Engine(lambda engine, batch: batch)


def rates(make: Any, events: int) -> list[float]:
    """Return the learning rates after each of some steps of a scheduler of torch."""
    own = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2.0)
    scheduler, found = make(own), []
    for _ in range(events):
        own.step()
        scheduler.step()
        found.append(own.param_groups[0]["lr"])
    return found


def simulated(kind: Any, events: int, **settings: Any) -> list[Any]:
    """Return the values of a scheduler's first events."""
    return [value for _, value in kind.simulate_values(events, **settings)]


def test_an_exponential_of_epochs_is_the_documented_one() -> None:
    engine, values = echo(), []
    scheduler = ExpStateScheduler(param_name="p", initial_value=1, gamma=0.9, create_new=True)
    scheduler.attach(engine, Events.EPOCH_COMPLETED)
    engine.add_event_handler(Events.EPOCH_COMPLETED, lambda: values.append(engine.state.p))
    engine.run([1, 2], max_epochs=4)
    assert values == pytest.approx([0.9, 0.81, 0.729, 0.6561])


@given(GAMMAS)
def test_an_exponential_is_the_one_of_torch(gamma: float) -> None:
    values = simulated(ExpStateScheduler, 20, initial_value=2.0, gamma=gamma)
    assert values == pytest.approx(rates(lambda own: of_torch.ExponentialLR(own, gamma), 20))


@given(GAMMAS, st.integers(1, 9))
def test_steps_are_those_of_torch(gamma: float, size: int) -> None:
    values = simulated(StepStateScheduler, 20, initial_value=2.0, gamma=gamma, step_size=size)
    assert values == pytest.approx(rates(lambda own: of_torch.StepLR(own, size, gamma), 20))


@given(GAMMAS, st.lists(st.integers(1, 20), min_size=1).map(sorted))
def test_steps_at_milestones_are_those_of_torch(gamma: float, milestones: list[int]) -> None:
    settings = {"initial_value": 2.0, "gamma": gamma, "milestones": milestones}
    expected = rates(lambda own: of_torch.MultiStepLR(own, milestones, gamma), 20)
    assert simulated(MultiStepStateScheduler, 20, **settings) == pytest.approx(expected)


def test_a_function_is_called_as_that_of_torch() -> None:
    def factor(event: int) -> float:
        return 1 / (1 + event)

    values = simulated(LambdaStateScheduler, 9, lambda_obj=factor)
    expected = rates(lambda own: of_torch.LambdaLR(own, factor), 9)
    assert [2.0 * value for value in values] == pytest.approx(expected)


@given(st.lists(st.tuples(st.integers(0, 20), st.floats(-5, 5)), min_size=1).map(sorted))
def test_lines_are_those_of_an_optimizers_parameter(milestones: list[Any]) -> None:
    values = simulated(PiecewiseLinearStateScheduler, 20, milestones_values=milestones)
    rows = PiecewiseLinear.simulate_values(21, param_name="lr", milestones_values=milestones)
    assert values == [value for _, value in rows][1:]


def test_a_new_attribute_is_there_before_its_first_value() -> None:
    engine = echo()
    ExpStateScheduler(1, 0.9, "p", create_new=True).attach(engine)
    assert engine.state.p is None


def test_an_attribute_that_is_there_is_kept_until_the_first_event() -> None:
    engine, seen = echo(), []
    engine.state.p = 7.0
    ExpStateScheduler(1, 0.5, "p").attach(engine, Events.EPOCH_COMPLETED)
    engine.add_event_handler(Events.EPOCH_STARTED, lambda: seen.append(engine.state.p))
    assert engine.run([1], max_epochs=2).p == 0.25
    assert seen == [7.0, 0.5]


def test_a_new_attribute_must_not_be_there() -> None:
    engine = echo()
    engine.state.p = 7.0
    with pytest.raises(ValueError, match="has an attribute 'p' already"):
        ExpStateScheduler(1, 0.5, "p", create_new=True).attach(engine)
    assert engine.state.p == 7.0
    assert not engine.listens(Events.ITERATION_COMPLETED)


def test_an_attribute_that_is_missing_is_made_with_a_warning_that_names_the_near_one() -> None:
    engine = echo()
    engine.state.dropout = 0.5
    with pytest.warns(ScheduleWarning, match="no attribute 'droput'; did you mean 'dropout'"):
        ExpStateScheduler(1, 0.5, "droput").attach(engine)
    assert engine.run([1]).droput == 0.5


@pytest.mark.parametrize("name", ["iteration", "epoch", "metrics", "_counters", "a b"])
def test_what_belongs_to_the_engine_is_not_scheduled(name: str) -> None:
    with pytest.raises(ValueError, match="param_name must be an attribute of your own"):
        ExpStateScheduler(1, 0.5, name)


def test_it_can_be_attached_again_once_it_is_removed() -> None:
    engine = echo()
    scheduler = ExpStateScheduler(1, 0.5, "p", create_new=True)
    scheduler.attach(engine).remove()
    scheduler.attach(engine)
    assert engine.run([1]).p == 0.5


def test_a_scheduler_moves_without_attach_too() -> None:
    engine = echo()
    engine.add_event_handler(Events.ITERATION_STARTED, ExpStateScheduler(1, 0.5, "p"))
    assert engine.run([1, 2]).p == 0.25


def test_a_schedule_of_ones_own_is_a_few_lines() -> None:
    class Countdown(StateParamScheduler):
        def get_param(self) -> int:
            return 10 - self.event_index

    engine = echo()
    Countdown("left", create_new=True).attach(engine)
    assert engine.run(range(4)).left == 6


def test_an_event_whose_function_fails_is_not_counted() -> None:
    engine = echo()
    scheduler = LambdaStateScheduler(lambda event: 1 / (event - 2), "p", create_new=True)
    scheduler.attach(engine)
    with pytest.raises(ZeroDivisionError, match="division"):
        engine.run([1, 2])
    assert scheduler.event_index == 1
