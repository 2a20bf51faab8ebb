"""The schedulers of torch, as handlers."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.optim import lr_scheduler as of_torch

from glowplug import Engine, Events
from glowplug_schedulers import LRScheduler, ScheduleWarning

Make = Callable[..., torch.optim.Optimizer]
KINDS: dict[str, Callable[[Any], of_torch.LRScheduler]] = {
    "StepLR": lambda own: of_torch.StepLR(own, step_size=3, gamma=0.5),
    "MultiStepLR": lambda own: of_torch.MultiStepLR(own, [2, 5], gamma=0.5),
    "ExponentialLR": lambda own: of_torch.ExponentialLR(own, gamma=0.9),
    "LambdaLR": lambda own: of_torch.LambdaLR(own, lambda epoch: 1 / (1 + epoch)),
    "MultiplicativeLR": lambda own: of_torch.MultiplicativeLR(own, lambda epoch: 0.9),
    "PolynomialLR": lambda own: of_torch.PolynomialLR(own, total_iters=5),
    "CosineAnnealingLR": lambda own: of_torch.CosineAnnealingLR(own, T_max=4),
    "CosineAnnealingWarmRestarts": lambda own: of_torch.CosineAnnealingWarmRestarts(own, 3, 2),
    "LinearLR": lambda own: of_torch.LinearLR(own, 0.1, 1.0, total_iters=5),
    "CyclicLR": lambda own: of_torch.CyclicLR(own, 0.1, 1.0, 3, mode="triangular2"),
    "OneCycleLR": lambda own: of_torch.OneCycleLR(own, max_lr=1.0, total_steps=20),
    "SequentialLR": lambda own: of_torch.SequentialLR(
        own,
        [of_torch.ConstantLR(own, 0.1, total_iters=3), of_torch.ExponentialLR(own, 0.9)],
        milestones=[3],
    ),
    "ChainedScheduler": lambda own: of_torch.ChainedScheduler(
        [of_torch.ConstantLR(own, 0.1, total_iters=3), of_torch.ExponentialLR(own, 0.9)]
    ),
}


def seen(own: torch.optim.Optimizer) -> list[tuple[float, float]]:
    """Return learning rate and momentum of each group."""
    return [(float(group["lr"]), group["momentum"]) for group in own.param_groups]


def by_hand(make: Any, own: torch.optim.Optimizer, events: int) -> list[Any]:
    """Return what is seen where torch's scheduler steps after each step of the optimizer."""
    scheduler, rows = make(own), []
    for _ in range(events):
        rows.append(seen(own))
        own.step()
        scheduler.step()
    return rows


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_each_iteration_has_the_learning_rates_of_torch(make: Any, optimizer: Make) -> None:
    own, rows = optimizer(groups=2, momentum=0.9), []

    def step(engine: Engine[Any, Any], batch: Any) -> None:
        rows.append(seen(own))
        own.step()

    engine = Engine(step)
    LRScheduler(make(own)).attach(engine)
    engine.run(range(12))
    assert rows == by_hand(make, optimizer(groups=2, momentum=0.9), 12)


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_a_simulation_is_what_comes_and_disturbs_nothing(make: Any, optimizer: Make) -> None:
    own = optimizer(groups=2, momentum=0.9)
    scheduler = make(own)
    before = str(scheduler.state_dict()), str(own.state_dict())
    rows = LRScheduler.simulate_values(12, scheduler)
    assert (str(scheduler.state_dict()), str(own.state_dict())) == before
    expected = by_hand(make, optimizer(groups=2, momentum=0.9), 12)
    assert rows == [[n, *(lr for lr, _ in row)] for n, row in enumerate(expected)]


def run_with(
    make: Any, own: torch.optim.Optimizer, saved: Any = None, stop: int = 12
) -> tuple[list[Any], Any]:
    """Return what is seen to an iteration, and what is saved after it, by way of a file."""
    rows: list[Any] = []

    def step(engine: Engine[Any, Any], batch: Any) -> None:
        rows.append(seen(own))
        own.step()

    engine, scheduler = Engine(step), LRScheduler(make(own))
    scheduler.attach(engine)
    parts: tuple[Any, ...] = (engine, own, scheduler)
    for part, state in zip(parts, saved or (), strict=False):
        part.load_state_dict(state)
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=stop), engine.interrupt)
    engine.run(range(12))
    file = io.BytesIO()
    torch.save([part.state_dict() for part in parts], file)
    file.seek(0)
    return rows, torch.load(file, weights_only=True)


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_a_run_goes_on_with_the_very_learning_rates_of_torch(make: Any, optimizer: Make) -> None:
    whole, _ = run_with(make, optimizer(momentum=0.9))
    for stop in range(1, 12):
        first, saved = run_with(make, optimizer(momentum=0.9), stop=stop)
        rest, _ = run_with(make, optimizer(momentum=0.9), saved)
        assert first + rest == whole, stop


def test_a_simulation_goes_on_from_where_the_scheduler_stands(optimizer: Make) -> None:
    own = optimizer(lr=1.0)
    scheduler = of_torch.ExponentialLR(own, gamma=0.5)
    own.step()
    scheduler.step()
    assert LRScheduler.simulate_values(2, scheduler) == [[0, 0.5], [1, 0.25]]


def test_two_schedulers_of_torch_can_be_chained(optimizer: Make) -> None:
    own, rates = optimizer(lr=1.0), []
    engine: Engine[Any, Any] = Engine(lambda engine, batch: rates.append(own.param_groups[0]["lr"]))
    LRScheduler(of_torch.ExponentialLR(own, gamma=0.5)).attach(engine)
    LRScheduler(of_torch.StepLR(own, step_size=2, gamma=0.1)).attach(engine)
    engine.run(range(4))
    assert rates == pytest.approx([1.0, 0.5, 0.025, 0.0125])


def test_torch_does_not_warn_of_a_value_that_is_not_skipped(optimizer: Make) -> None:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: None)  # no optimizer steps
    LRScheduler(of_torch.ExponentialLR(optimizer(), gamma=0.5)).attach(engine)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        engine.run(range(3))


def test_the_legacy_form_steps_at_the_first_event_and_says_so(optimizer: Make) -> None:
    own, rates = optimizer(lr=1.0), []
    engine: Engine[Any, Any] = Engine(lambda engine, batch: rates.append(own.param_groups[0]["lr"]))
    with pytest.warns(ScheduleWarning, match="attach it after the optimizer's step"):
        scheduler = LRScheduler(of_torch.ExponentialLR(own, gamma=0.5), use_legacy=True)
    scheduler.attach(engine, Events.ITERATION_COMPLETED)
    engine.run(range(3))
    assert rates == [1.0, 0.5, 0.25]


def test_a_learning_rate_that_is_a_tensor_stays_one(optimizer: Make, values: Any) -> None:
    own = optimizer(lr=torch.tensor(1.0), kind=torch.optim.Adam, capturable=True)
    kept = own.param_groups[0]["lr"]
    scheduler = LRScheduler(of_torch.ExponentialLR(own, gamma=0.5))
    values(scheduler, 3)
    assert own.param_groups[0]["lr"] is kept
    assert kept.item() == 0.25


def test_history_holds_numbers_where_the_learning_rate_is_a_tensor(optimizer: Make) -> None:
    own = optimizer(lr=torch.tensor(1.0), kind=torch.optim.Adam, capturable=True)
    engine: Engine[Any, Any] = Engine(lambda engine, batch: None)
    LRScheduler(of_torch.ExponentialLR(own, gamma=0.5), save_history=True).attach(engine)
    assert engine.run(range(2)).param_history == {"lr": [[1.0], [0.5]]}
