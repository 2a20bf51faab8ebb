"""Schedulers of runs that are saved in their middle and go on in new objects."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.optim import lr_scheduler as of_torch

from glowplug import Engine, Events
from glowplug_schedulers import (
    ConcatScheduler,
    CosineAnnealingScheduler,
    ExpStateScheduler,
    LambdaStateScheduler,
    LinearCyclicalScheduler,
    LRScheduler,
    ParamGroupScheduler,
    PiecewiseLinear,
    ReduceLROnPlateauScheduler,
    create_lr_scheduler_with_warmup,
)

LENGTH, EPOCHS = 4, 5
EVENTS = {
    "ITERATION_STARTED": Events.ITERATION_STARTED,
    "ITERATION_COMPLETED": Events.ITERATION_COMPLETED,
    "ITERATION_STARTED(every=3)": Events.ITERATION_STARTED(every=3),
    "GET_BATCH_STARTED": Events.GET_BATCH_STARTED,
    "EPOCH_STARTED": Events.EPOCH_STARTED,
    "EPOCH_STARTED(every=2)": Events.EPOCH_STARTED(every=2),
    "EPOCH_COMPLETED": Events.EPOCH_COMPLETED,
    "STARTED": Events.STARTED,
    "EPOCH_STARTED and ITERATION_STARTED": Events.EPOCH_STARTED | Events.ITERATION_STARTED(every=3),
    "STARTED and EPOCH_STARTED": Events.STARTED | Events.EPOCH_STARTED,
}


def together(own: Any) -> ParamGroupScheduler:
    """Return a scheduler for each of two groups."""
    return ParamGroupScheduler(
        [
            LinearCyclicalScheduler(own, "lr", 1.0, 0.0, 5, param_group_index=0),
            LRScheduler(of_torch.ExponentialLR(own, gamma=0.9)),
        ]
    )


def one_after_the_other(own: Any) -> ConcatScheduler:
    """Return schedulers of all families, with short turns."""
    return ConcatScheduler(
        [
            PiecewiseLinear(own, "lr", [(0, 0.0), (4, 1.0)]),
            LRScheduler(of_torch.ExponentialLR(own, gamma=0.9)),
            LinearCyclicalScheduler(own, "lr", 1.0, 0.0, 3, cycle_mult=1.5),
        ],
        [3, 4],
    )


MAKERS: dict[str, Callable[[Any], Any]] = {
    "cosine": lambda own: CosineAnnealingScheduler(own, "lr", 1.0, 0.0, 7, cycle_mult=1.5),
    "piecewise": lambda own: PiecewiseLinear(own, "lr", [(2, 0.5), (11, 1.0)], param_group_index=1),
    "exponential of torch": lambda own: LRScheduler(of_torch.ExponentialLR(own, gamma=0.9)),
    "one cycle of torch": lambda own: LRScheduler(of_torch.OneCycleLR(own, 1.0, total_steps=40)),
    "warm-up": lambda own: create_lr_scheduler_with_warmup(of_torch.StepLR(own, 2, 0.5), 0.0, 4),
    "one after the other": one_after_the_other,
    "together": together,
    "plateau": lambda own: ReduceLROnPlateauScheduler(own, "loss", patience=1, factor=0.5),
    "state": lambda own: ExpStateScheduler(1, 0.9, "p", create_new=True),
    "function": lambda own: LambdaStateScheduler(lambda event: event**2, "p", create_new=True),
}


class Run:
    """A run with an optimizer and a scheduler, that remembers what each step sees."""

    def __init__(self, make: Any, event: Any) -> None:
        self.own = torch.optim.SGD(
            [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": lr} for lr in (0.1, 0.2)],
            momentum=0.9,
        )
        self.scheduler = make(self.own)
        self.seen: list[Any] = []
        self.engine: Engine[Any, Any] = Engine(self.step)
        self.engine.state.metrics["loss"] = 0.5
        self.scheduler.attach(self.engine, event)

    def step(self, engine: Engine[Any, Any], batch: int) -> None:
        """Remember the learning rates, and the attribute of the state."""
        rates = [group["lr"] for group in self.own.param_groups]
        self.seen.append((engine.state.iteration, rates, getattr(engine.state, "p", None)))

    def go(self) -> None:
        """Run to the end, or to an interruption."""
        self.engine.run(range(LENGTH), max_epochs=EPOCHS)

    def stop_after(self, iteration: int) -> None:
        """Interrupt when all that belongs to an iteration has happened."""
        if iteration % LENGTH:
            event = Events.ITERATION_COMPLETED(once=iteration)
        else:
            event = Events.EPOCH_COMPLETED(once=iteration // LENGTH)
        self.engine.add_event_handler(event, self.engine.interrupt)


def through_a_file(saved: Any) -> Any:
    """Return what torch reads of plain values and tensors alone."""
    file = io.BytesIO()
    torch.save(saved, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def resumed(make: Any, event: Any, stop: int, with_optimizer: bool) -> list[Any]:
    """Return what is seen in a run that is saved, and goes on in new objects."""
    first = Run(make, event)
    first.stop_after(stop)
    first.go()
    parts = (first.engine, first.scheduler, first.own)
    saved = through_a_file([part.state_dict() for part in parts])
    other = Run(make, event)
    other.engine.load_state_dict(saved[0])
    other.scheduler.load_state_dict(saved[1])
    if with_optimizer:
        other.own.load_state_dict(saved[2])
    other.go()
    assert str(other.scheduler.state_dict()) == str(undisturbed(make, event).scheduler.state_dict())
    return first.seen + other.seen


def undisturbed(make: Any, event: Any) -> Run:
    """Return a run that went to its end."""
    whole = Run(make, event)
    whole.go()
    return whole


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_a_run_goes_on_from_any_iteration_as_if_nothing_had_been(make: Any, event: Any) -> None:
    expected = undisturbed(make, event).seen
    for stop in range(1, LENGTH * EPOCHS):
        assert resumed(make, event, stop, with_optimizer=bool(stop % 2)) == expected, stop


@given(
    st.integers(2, 9),
    st.sampled_from([1.0, 1.5, 2.0]),
    st.integers(0, 4),
    st.sampled_from(list(EVENTS.values())),
    st.integers(1, LENGTH * EPOCHS - 1),
)
def test_cycles_of_all_kinds_go_on(
    size: int, mult: float, warmup: int, event: Any, stop: int
) -> None:
    def make(own: Any) -> CosineAnnealingScheduler:
        return CosineAnnealingScheduler(own, "lr", 1.0, 0.0, size, mult, 0.9, 1.1, warmup)

    assert resumed(make, event, stop, with_optimizer=False) == undisturbed(make, event).seen


def test_a_run_may_be_saved_and_resumed_again_and_again() -> None:
    make, event = MAKERS["one after the other"], Events.EPOCH_STARTED
    run, seen, saved = Run(make, event), [], None
    for stop in range(1, LENGTH * EPOCHS + 1):
        run = Run(make, event)
        if saved:
            run.engine.load_state_dict(saved[0])
            run.scheduler.load_state_dict(saved[1])
        run.stop_after(stop)
        run.go()
        seen += run.seen
        saved = through_a_file([run.engine.state_dict(), run.scheduler.state_dict()])
    assert seen == undisturbed(make, event).seen


def test_a_scheduler_of_an_evaluator_moves_at_each_of_its_runs_after_a_resume() -> None:
    def make() -> tuple[Engine[Any, Any], ExpStateScheduler]:
        evaluator: Engine[Any, Any] = Engine(lambda engine, batch: None)
        scheduler = ExpStateScheduler(1, 0.5, "p", create_new=True)
        scheduler.attach(evaluator, Events.EPOCH_STARTED)
        return evaluator, scheduler

    evaluator, scheduler = make()
    evaluator.run([1])
    other, after = make()
    after.load_state_dict(scheduler.state_dict())
    assert other.run([1]).p == 0.25


def test_what_other_handlers_fire_meanwhile_does_not_matter() -> None:
    def make() -> Run:
        run = Run(MAKERS["state"], Events.EPOCH_COMPLETED)  # so that its own handler is the later
        run.engine.register_events("CUSTOM")
        run.engine.add_event_handler(
            Events.EPOCH_STARTED, lambda engine: engine.fire_event("CUSTOM")
        )
        run.scheduler = PiecewiseLinear(run.own, "lr", [(0, 0.0), (10, 10.0)])
        run.scheduler.attach(run.engine, Events.EPOCH_STARTED)
        return run

    first, other = make(), make()
    first.stop_after(LENGTH + 1)
    first.go()
    other.engine.load_state_dict(first.engine.state_dict())
    other.scheduler.load_state_dict(first.scheduler.state_dict())
    other.go()
    assert [seen[1][0] for seen in other.seen[:LENGTH]] == [1.0, 1.0, 1.0, 2.0]


def test_a_state_that_is_loaded_before_the_scheduler_is_attached_is_set_when_it_is() -> None:
    scheduler = ExpStateScheduler(1, 0.5, "p", create_new=True)
    engine: Engine[Any, Any] = Engine(lambda engine, batch: None)
    scheduler.attach(engine)
    engine.run([1, 2])
    other = ExpStateScheduler(1, 0.5, "p", create_new=True)
    other.load_state_dict(scheduler.state_dict())
    fresh: Engine[Any, Any] = Engine(lambda engine, batch: None)
    other.attach(fresh)
    assert fresh.state.p == 0.25


def test_a_state_from_before_the_first_event_starts_the_schedule_over() -> None:
    own = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler = PiecewiseLinear(own, "lr", [(0, 0.0), (10, 10.0)])
    engine: Engine[Any, Any] = Engine(lambda engine, batch: own.param_groups[0]["lr"])
    scheduler.attach(engine)
    saved = scheduler.state_dict()
    for _ in range(2):
        assert engine.run(range(4)).output == 3.0
        scheduler.load_state_dict(saved)
