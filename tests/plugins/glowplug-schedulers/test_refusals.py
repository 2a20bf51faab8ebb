"""What schedulers refuse, and that nothing is changed by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.optim import lr_scheduler as of_torch

from glowplug import Engine, Events
from glowplug_schedulers import (
    ConcatScheduler,
    CosineAnnealingScheduler,
    ExpStateScheduler,
    LambdaStateScheduler,
    LinearCyclicalScheduler,
    LRScheduler,
    MultiStepStateScheduler,
    ParamGroupScheduler,
    ParamScheduler,
    PiecewiseLinear,
    PiecewiseLinearStateScheduler,
    ReduceLROnPlateauScheduler,
    StepStateScheduler,
    create_lr_scheduler_with_warmup,
)

OWN = torch.optim.Adam([{"params": [torch.nn.Parameter(torch.zeros(1))]} for _ in range(2)], lr=0.1)
OTHER = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
LINEAR = LinearCyclicalScheduler(OWN, "lr", 1.0, 0.0, 4)
STEPS = PiecewiseLinear(OWN, "lr", [(0, 1.0)])
TORCHS = of_torch.ExponentialLR(OWN, 0.5)
PLATEAU = of_torch.ReduceLROnPlateau(OWN)

Refused = tuple[Callable[[], Any], str]
VALUES: list[Refused] = [
    (lambda: LinearCyclicalScheduler(OWN, "lr", 1.0, 0.0, 1), "cycle_size .* 2 or more, got 1"),
    (lambda: LinearCyclicalScheduler(OWN, "lr", 1.0, 0.0, 4, cycle_mult=0), "cycle_mult .* 0"),
    (lambda: LinearCyclicalScheduler(OWN, "lr", float("nan"), 0.0, 4), "start_value .* nan"),
    (
        lambda: LinearCyclicalScheduler(OWN, "lr", 1.0, 0.0, 4, warmup_duration=2),
        "warmup_duration=2 needs monotonic=True",
    ),
    (
        lambda: CosineAnnealingScheduler(OWN, "lr", 1.0, 0.0, 4, warmup_duration=-1),
        "warmup_duration must be a whole number, 0 or more, got -1",
    ),
    (lambda: LinearCyclicalScheduler(OWN, "lrr", 1.0, 0.0, 4), "no 'lrr'; did you mean 'lr'"),
    (lambda: PiecewiseLinear(OWN, "", [(0, 1.0)]), "param_name must not be empty"),
    (lambda: PiecewiseLinear(OWN, "lr", [(0, 1.0)], param_group_index=2), "has 2 param group"),
    (lambda: PiecewiseLinear(OWN, "lr", [(0, 1.0)], param_group_index=-1), "0 or more, got -1"),
    (lambda: PiecewiseLinear(OWN, "lr", []), "milestones must hold at least one"),
    (lambda: PiecewiseLinear(OWN, "lr", [(3, 1.0), (1, 2.0)]), "increasing, got 1 at place 1"),
    (lambda: PiecewiseLinear(OWN, "lr", [(3, 1.0, 2.0)]), r"\[0\] must be a pair"),  # type: ignore[list-item]  # on purpose
    (lambda: PiecewiseLinearStateScheduler([], "p"), "milestones must hold at least one"),
    (lambda: StepStateScheduler(1, 0.9, 0, "p"), "step_size must be .* 1 or more, got 0"),
    (lambda: MultiStepStateScheduler(1, 0.9, [5, 2], "p"), "increasing, got 2 at place 1 after 5"),
    (lambda: MultiStepStateScheduler(1, 0.9, [-1], "p"), r"milestones\[0\] must be 0 or more"),
    (lambda: ConcatScheduler([LINEAR], []), "schedulers must be 2 or more, got 1"),
    (lambda: ConcatScheduler([LINEAR, LINEAR], [3]), "one scheduler twice"),
    (
        lambda: ConcatScheduler([LINEAR, STEPS], [3, 4]),
        "durations must be one for each .* 1, got 2",
    ),
    (lambda: ConcatScheduler([LINEAR, STEPS], [0]), r"durations\[0\] must be .* 1 or more, got 0"),
    (
        lambda: ConcatScheduler([LINEAR, PiecewiseLinear(OTHER, "lr", [(0, 1.0)])], [3]),
        "must be of one optimizer, got schedulers of 2",
    ),
    (
        lambda: ConcatScheduler([LINEAR, PiecewiseLinear(OWN, "eps", [(0, 1.0)])], [3]),
        "must be of one parameter, got lr, eps",
    ),
    (lambda: ParamGroupScheduler([]), "schedulers must be 1 or more, got 0"),
    (lambda: ParamGroupScheduler([LINEAR, LINEAR]), "one scheduler twice"),
    (lambda: ParamGroupScheduler([LINEAR], names=["a", "b"]), "as many as schedulers, 1, got 2"),
    (lambda: LRScheduler(PLATEAU), "use ReduceLROnPlateauScheduler"),
    (lambda: create_lr_scheduler_with_warmup(PLATEAU, 0.0, 3), "use ReduceLROnPlateauScheduler"),
    (lambda: create_lr_scheduler_with_warmup(LINEAR, 0.0, 1), "warmup_duration .* 2 or more"),
    (
        lambda: ReduceLROnPlateauScheduler.simulate_values(3, [1.0], 0.1),
        "metric_values must be one for each of 3 events, got 1",
    ),
    (
        lambda: ConcatScheduler.simulate_values(3, [LINEAR, STEPS], [1], ["momentun"]),
        "no 'momentun'",
    ),
    (lambda: LRScheduler.simulate_values(-1, TORCHS), "num_events must be .* 0 or more, got -1"),
]
TYPES: list[Refused] = [
    (lambda: LinearCyclicalScheduler(3, "lr", 1.0, 0.0, 4), "optimizer must be .*, got 3"),
    (lambda: LinearCyclicalScheduler(OWN, 3, 1.0, 0.0, 4), "param_name must be a string, got 3"),
    (lambda: LinearCyclicalScheduler(OWN, "lr", "1", 0.0, 4), "start_value must be a number"),
    (lambda: LinearCyclicalScheduler(OWN, "lr", 1.0, 0.0, 4.5), "cycle_size must be a whole"),
    (lambda: LinearCyclicalScheduler(OWN, "lr", 1.0, 0.0, 4, monotonic=1), "monotonic must be"),  # type: ignore[arg-type]  # on purpose
    (lambda: LinearCyclicalScheduler(OWN, "betas", 1.0, 0.0, 4), "sets one number, but 'betas'"),
    (lambda: LinearCyclicalScheduler(OWN, "lr", 1.0, 0.0, 4, save_history="y"), "save_history"),
    (lambda: PiecewiseLinear(OWN, "lr", [(1.5, 1.0)]), r"milestones\[0\] must be a whole number"),  # type: ignore[list-item]  # on purpose
    (lambda: PiecewiseLinear(OWN, "lr", [(1, "x")]), r"values\[0\] must be a number"),  # type: ignore[list-item]  # on purpose
    (lambda: PiecewiseLinear(OWN, "lr", [3]), r"milestones_values\[0\] must be a pair"),  # type: ignore[list-item]  # on purpose
    (lambda: PiecewiseLinear(OWN, "lr", "x"), "milestones_values must be a list of pairs"),  # type: ignore[arg-type]  # on purpose
    (lambda: PiecewiseLinear(OWN, "lr", [(0, 1.0)], param_group_index="0"), "param_group_index"),  # type: ignore[arg-type]  # on purpose
    (lambda: ExpStateScheduler("1", 0.9, "p"), "initial_value must be a number, got '1'"),  # type: ignore[arg-type]  # on purpose
    (lambda: ExpStateScheduler(1, None, "p"), "gamma must be a number, got None"),  # type: ignore[arg-type]  # on purpose
    (lambda: LambdaStateScheduler(3, "p"), "lambda_obj must be a function, got 3"),  # type: ignore[arg-type]  # on purpose
    (lambda: ConcatScheduler([LINEAR, TORCHS], [3]), r"schedulers\[1\] must be a scheduler"),  # type: ignore[list-item]  # on purpose
    (lambda: ConcatScheduler(LINEAR, [3]), "schedulers must be a list"),  # type: ignore[arg-type]  # on purpose
    (lambda: ConcatScheduler([LINEAR, STEPS], 3), "durations must be a list"),  # type: ignore[arg-type]  # on purpose
    (lambda: LRScheduler(3), "must be a scheduler of torch.optim.lr_scheduler, got 3"),  # type: ignore[arg-type]  # on purpose
    (lambda: create_lr_scheduler_with_warmup(3, 0.0, 3), "lr_scheduler must be a ParamScheduler"),  # type: ignore[arg-type]  # on purpose
    (
        lambda: create_lr_scheduler_with_warmup(LINEAR, 0.0, 3, output_simulated_values=3),  # type: ignore[arg-type]  # on purpose
        r"output_simulated_values must be a list, such as \[None\] \* 100, got 3",
    ),
    (lambda: ReduceLROnPlateauScheduler(OWN, 3), "metric_name must be a string, got 3"),  # type: ignore[arg-type]  # on purpose
    (lambda: ReduceLROnPlateauScheduler(OWN, "loss", trainer=3), "trainer must be an Engine"),  # type: ignore[arg-type]  # on purpose
    (lambda: LINEAR.attach(3), "expected an Engine, got 3"),  # type: ignore[arg-type]  # on purpose
    (
        lambda: ConcatScheduler.simulate_values(3, [LINEAR, STEPS], [1], "lr"),
        "param_names must be a list of names, got 'lr'",
    ),
]


@pytest.mark.parametrize(("make", "complaint"), VALUES, ids=[text for _, text in VALUES])
def test_an_impossible_value_is_refused_and_nothing_is_changed(make: Any, complaint: str) -> None:
    before = str(OWN.state_dict()), LINEAR.state_dict(), TORCHS.state_dict()
    with pytest.raises(ValueError, match=complaint):
        make()
    assert (str(OWN.state_dict()), LINEAR.state_dict(), TORCHS.state_dict()) == before


@pytest.mark.parametrize(("make", "complaint"), TYPES, ids=[text for _, text in TYPES])
def test_a_wrong_type_is_refused_and_nothing_is_changed(make: Any, complaint: str) -> None:
    before = str(OWN.state_dict()), LINEAR.state_dict(), TORCHS.state_dict()
    with pytest.raises(TypeError, match=complaint):
        make()
    assert (str(OWN.state_dict()), LINEAR.state_dict(), TORCHS.state_dict()) == before


def test_attaching_twice_is_refused_and_removing_allows_it_again() -> None:
    scheduler = PiecewiseLinear(OTHER, "lr", [(0, 1.0)])
    engine: Engine[Any, Any] = Engine(lambda engine, batch: None)
    handle = scheduler.attach(engine)
    with pytest.raises(ValueError, match="is attached to this engine already, and would move twi"):
        scheduler.attach(engine, Events.EPOCH_STARTED)
    handle.remove()
    scheduler.attach(engine, Events.EPOCH_STARTED | Events.ITERATION_STARTED(every=2))
    engine.run(range(4))
    assert scheduler.event_index == 3


def test_as_many_values_as_groups_are_asked_of_a_schedule_of_lists() -> None:
    class Three(ParamScheduler):
        def get_param(self) -> list[float]:
            return [1.0, 2.0, 3.0]

    with pytest.raises(ValueError, match="Three has 3 values of 'lr' for 2 param groups"):
        Three(OWN, "lr")(None)
    assert [group["lr"] for group in OWN.param_groups] == [0.1, 0.1]
