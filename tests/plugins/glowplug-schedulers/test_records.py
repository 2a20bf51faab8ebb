"""Histories, simulations and plots."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import pytest
import torch
from matplotlib import pyplot
from torch.optim import lr_scheduler as of_torch

from glowplug import Engine, Events
from glowplug_schedulers import (
    BatchSizeScheduler,
    ConcatScheduler,
    CosineAnnealingScheduler,
    ExpStateScheduler,
    LambdaStateScheduler,
    LinearCyclicalScheduler,
    LRScheduler,
    MissingLibrary,
    MultiStepStateScheduler,
    ParamGroupScheduler,
    PiecewiseLinear,
    PiecewiseLinearStateScheduler,
    ReduceLROnPlateauScheduler,
    StepStateScheduler,
)

Make = Callable[..., torch.optim.Optimizer]
OWN = torch.optim.SGD([{"params": [torch.nn.Parameter(torch.zeros(1))]} for _ in range(2)], lr=1.0)
CYCLE = {"param_name": "lr", "start_value": 1.0, "end_value": 0.0, "cycle_size": 4}
PARTS = [LinearCyclicalScheduler(OWN, "lr", 1.0, 0.0, 4), PiecewiseLinear(OWN, "lr", [(0, 2.0)])]
EXP = {"initial_value": 1, "gamma": 0.9}
SIMULATIONS: list[tuple[Any, dict[str, Any], int]] = [
    (LinearCyclicalScheduler, CYCLE, 1),
    (CosineAnnealingScheduler, {**CYCLE, "optimizer": OWN, "param_group_index": 1}, 1),
    (PiecewiseLinear, {"param_name": "lr", "milestones_values": [(0, 1.0), (3, 2.0)]}, 1),
    (ConcatScheduler, {"schedulers": PARTS, "durations": [3]}, 2),
    (ParamGroupScheduler, {"schedulers": PARTS}, 2),
    (LRScheduler, {"lr_scheduler": of_torch.ExponentialLR(OWN, 0.5)}, 2),
    (ReduceLROnPlateauScheduler, {"metric_values": [0.5] * 6, "init_lr": 1.0}, 1),
    (BatchSizeScheduler, {"scheduler_fn": lambda event: 2 + event}, 1),
    (LambdaStateScheduler, {"param_name": "p", "lambda_obj": lambda event: event}, 1),
    (PiecewiseLinearStateScheduler, {"milestones_values": [(1, 0.0), (4, 1.0)]}, 1),
    (ExpStateScheduler, {"param_name": "p", "create_new": True, **EXP}, 1),
    (StepStateScheduler, {"step_size": 2, **EXP}, 1),
    (MultiStepStateScheduler, {"milestones": [2, 4], **EXP}, 1),
]
EVERY = pytest.mark.parametrize(
    ("kind", "settings", "columns"), SIMULATIONS, ids=[kind.__name__ for kind, *_ in SIMULATIONS]
)


@pytest.fixture
def _no_windows() -> Any:
    backend = mpl.get_backend()
    pyplot.switch_backend("agg")
    yield
    pyplot.close("all")
    pyplot.switch_backend(backend)


@EVERY
def test_a_simulation_has_a_row_an_event_and_disturbs_nothing(
    kind: Any, settings: Any, columns: int
) -> None:
    before = str(OWN.state_dict()), str([part.state_dict() for part in PARTS])
    dice = random.getstate(), torch.get_rng_state().tolist()
    rows = kind.simulate_values(6, **settings)
    assert [row[0] for row in rows] == list(range(6))
    assert {len(row) for row in rows} == {1 + columns}
    assert kind.simulate_values(6, **settings) == rows
    assert (str(OWN.state_dict()), str([part.state_dict() for part in PARTS])) == before
    assert (random.getstate(), torch.get_rng_state().tolist()) == dice


@EVERY
@pytest.mark.usefixtures("_no_windows")
def test_a_plot_draws_what_is_simulated(kind: Any, settings: Any, columns: int) -> None:
    axes = kind.plot_values(6, **settings)
    rows = kind.simulate_values(6, **settings)
    drawn = [list(line.get_ydata()) for line in axes.get_lines()]
    assert drawn == [[row[1 + column] for row in rows] for column in range(columns)]
    assert axes.get_title() == kind.__name__


def test_a_plot_without_matplotlib_is_an_error_that_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(MissingLibrary, match=r"pip install 'glowplug-schedulers\[plot\]'"):
        ExpStateScheduler.plot_values(3, **EXP)


def history(scheduler: Any, **run: Any) -> Any:
    """Return what a run of three iterations records."""
    engine: Engine[Any, Any] = Engine(lambda engine, batch: None)
    scheduler.attach(engine)
    return engine.run(range(3), **run).param_history


def test_each_event_is_recorded_with_the_value_of_each_group(optimizer: Make) -> None:
    own = optimizer(groups=2)
    scheduler = PiecewiseLinear(own, "lr", [(0, 0.0), (2, 1.0)], save_history=True)
    assert history(scheduler) == {"lr": [[0.0, 0.0], [0.5, 0.5], [1.0, 1.0]]}


def test_one_group_is_recorded_alone(optimizer: Make) -> None:
    scheduler = PiecewiseLinear(
        optimizer(groups=2), "lr", [(0, 0.0), (2, 1.0)], save_history=True, param_group_index=1
    )
    assert history(scheduler) == {"lr": [[0.0], [0.5], [1.0]]}


def test_schedulers_one_after_the_other_record_each_in_its_turn(optimizer: Make) -> None:
    own = optimizer()
    parts = [PiecewiseLinear(own, "lr", [(0, value)]) for value in (1.0, 2.0)]
    assert history(ConcatScheduler(parts, [2], save_history=True)) == {"lr": [[1.0], [1.0], [2.0]]}


def test_schedulers_that_move_together_record_under_their_names(optimizer: Make) -> None:
    own = optimizer(groups=2)
    parts = [
        PiecewiseLinear(own, "lr", [(0, float(index))], param_group_index=index)
        for index in range(2)
    ]
    scheduler = ParamGroupScheduler(parts, names=["head", "body"], save_history=True)
    assert history(scheduler) == {"head": [[0.0]] * 3, "body": [[1.0]] * 3}


def test_an_attribute_of_the_state_is_recorded_as_it_is() -> None:
    scheduler = ExpStateScheduler(1, 0.5, "p", save_history=True, create_new=True)
    assert history(scheduler) == {"p": [0.5, 0.25, 0.125]}


def test_nothing_is_recorded_unless_it_is_asked_for(optimizer: Make) -> None:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: None)
    PiecewiseLinear(optimizer(), "lr", [(0, 1.0)]).attach(engine)
    assert not hasattr(engine.run([1]), "param_history")


def test_a_firing_that_is_answered_already_is_not_recorded_again(optimizer: Make) -> None:
    scheduler = PiecewiseLinear(optimizer(), "lr", [(0, 1.0)], save_history=True)
    engine: Engine[Any, Any] = Engine(lambda engine, batch: None)
    scheduler.attach(engine, Events.EPOCH_STARTED)
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=1), engine.interrupt)
    engine.run(range(3))
    saved = engine.state_dict(), scheduler.state_dict()
    engine.load_state_dict(saved[0])
    scheduler.load_state_dict(saved[1])
    assert engine.run(range(3)).param_history == {"lr": [[1.0]]}


def test_the_history_of_a_whole_is_that_of_its_parts(optimizer: Make) -> None:
    own = optimizer()
    parts = [PiecewiseLinear(own, "lr", [(0, value)]) for value in (1.0, 2.0)]
    whole = ConcatScheduler(parts, [2])
    whole.save_history = True
    assert [part.save_history for part in parts] == [True, True]
