"""The scheduler that lowers a learning rate when a metric stops improving."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.optim.lr_scheduler import ReduceLROnPlateau

from glowplug import Engine, Events
from glowplug_schedulers import ReduceLROnPlateauScheduler

Make = Callable[..., torch.optim.Optimizer]
SETTINGS = st.fixed_dictionaries(
    {
        "mode": st.sampled_from(["min", "max"]),
        "factor": st.sampled_from([0.1, 0.5]),
        "patience": st.integers(0, 3),
        "cooldown": st.integers(0, 2),
        "min_lr": st.sampled_from([0.0, 0.01]),
    }
)


def evaluator_of(metrics: list[float]) -> Engine[Any, Any]:
    """Return an engine whose n-th run comes to the n-th loss."""
    engine: Engine[Any, Any] = Engine(lambda engine, batch: None)
    left = iter(metrics)
    engine.add_event_handler(
        Events.EPOCH_COMPLETED, lambda engine: engine.state.metrics.update(loss=next(left))
    )
    return engine


@given(SETTINGS, st.lists(st.floats(0, 1), min_size=1, max_size=25))
def test_the_learning_rates_are_those_of_torch(settings: Any, metrics: list[float]) -> None:
    own = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    torchs, expected = ReduceLROnPlateau(own, **settings), []
    for metric in metrics:
        torchs.step(metric)
        expected.append(own.param_groups[0]["lr"])
    rows = ReduceLROnPlateauScheduler.simulate_values(len(metrics), metrics, 1.0, **settings)
    assert rows == [[event, rate] for event, rate in enumerate(expected)]


def test_it_reads_the_metric_of_an_evaluator(optimizer: Make) -> None:
    own, evaluator, rates = optimizer(lr=1.0), evaluator_of([0.5, 0.5, 0.1, 0.2]), []
    scheduler = ReduceLROnPlateauScheduler(own, "loss", patience=0, factor=0.5)
    scheduler.attach(evaluator, Events.COMPLETED)
    for _ in range(4):
        evaluator.run([1])
        rates.append(own.param_groups[0]["lr"])
    assert rates == [1.0, 0.5, 0.5, 0.25]


def test_one_group_is_lowered_and_the_others_are_let_be(optimizer: Make) -> None:
    own, evaluator = optimizer(lr=1.0, groups=2), evaluator_of([0.5, 0.5])
    scheduler = ReduceLROnPlateauScheduler(
        own, "loss", param_group_index=1, patience=0, factor=0.5, min_lr=[1.5]
    )
    evaluator.add_event_handler(Events.COMPLETED, scheduler)
    evaluator.run([1])
    evaluator.run([1])
    assert [group["lr"] for group in own.param_groups] == [1.0, 1.5]


def test_the_history_is_the_trainers(optimizer: Make) -> None:
    trainer: Engine[Any, Any] = Engine(lambda engine, batch: None)
    own, evaluator = optimizer(lr=1.0, groups=2), evaluator_of([0.5, 0.5])
    scheduler = ReduceLROnPlateauScheduler(
        own, "loss", trainer=trainer, save_history=True, patience=0, factor=0.5
    )
    scheduler.attach(evaluator, Events.COMPLETED)
    trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda: evaluator.run([1]))
    trainer.run([1], max_epochs=2)
    assert trainer.state.param_history == {"lr": [[1.0, 2.0], [0.5, 1.0]]}
    assert not hasattr(evaluator.state, "param_history")


def test_what_others_do_to_the_learning_rate_is_lowered_from(optimizer: Make) -> None:
    own, evaluator = optimizer(lr=1.0), evaluator_of([0.5, 0.5])
    scheduler = ReduceLROnPlateauScheduler(own, "loss", patience=0, factor=0.5)
    evaluator.add_event_handler(Events.COMPLETED, scheduler)
    evaluator.run([1])
    own.param_groups[0]["lr"] = 0.2
    evaluator.run([1])
    assert own.param_groups[0]["lr"] == 0.1


def test_a_metric_that_is_not_there_is_named_with_the_near_one(optimizer: Make) -> None:
    evaluator = evaluator_of([0.5])
    scheduler = ReduceLROnPlateauScheduler(optimizer(), "los")
    evaluator.add_event_handler(Events.COMPLETED, scheduler)
    with pytest.raises(ValueError, match=r"no metric 'los'; did you mean 'loss'\? \(it has: loss"):
        evaluator.run([1])
    assert scheduler.event_index == 0


def test_a_metric_that_is_no_number_is_refused(optimizer: Make) -> None:
    scheduler = ReduceLROnPlateauScheduler(optimizer(), "loss")
    engine: Engine[Any, Any] = Engine(lambda engine, batch: None)
    engine.state.metrics["loss"] = [1.0]
    scheduler.attach(engine)
    with pytest.raises(TypeError, match=r"metric 'loss' must be a number, got \[1.0\]"):
        engine.run([1])


def test_a_metric_may_be_a_tensor(optimizer: Make) -> None:
    own = optimizer(lr=1.0)
    engine: Engine[Any, Any] = Engine(lambda engine, batch: None)
    engine.state.metrics["loss"] = torch.tensor(0.5)
    ReduceLROnPlateauScheduler(own, "loss", patience=0, factor=0.5).attach(engine)
    engine.run([1, 2])
    assert own.param_groups[0]["lr"] == 0.5


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"factor": 2.0}, "refuses that: Factor"),
        ({"mode": "least"}, "refuses that: mode least"),
        ({"patiense": 3}, "no such argument: .*patiense"),
        ({"min_lr": [0.1, 0.1]}, "refuses that: expected 1"),
    ],
)
def test_what_torch_refuses_is_refused_with_its_words(
    optimizer: Make, settings: Any, complaint: str
) -> None:
    with pytest.raises((ValueError, TypeError), match=f"ReduceLROnPlateau .*{complaint}"):
        ReduceLROnPlateauScheduler(optimizer(), "loss", **settings)
