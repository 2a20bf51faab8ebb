"""The events inside a step, fired only while somebody listens."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from supervised_setup import Batches, Make
from torch.amp import GradScaler

from glowplug import Engine, Events
from glowplug_supervised import StepEvents, create_supervised_trainer, supervised_training_step


def listen(trainer: Engine[Any, Any], log: list[str]) -> None:
    for event in (*StepEvents, Events.ITERATION_STARTED, Events.ITERATION_COMPLETED):
        trainer.add_event_handler(event, log.append, event.name)


def test_they_fire_in_the_order_of_the_step(make: Make, batches: Batches) -> None:
    trainer = create_supervised_trainer(*make())
    log: list[str] = []
    listen(trainer, log)
    trainer.run(batches(1))
    expected = [event.name for event in StepEvents]
    assert log == ["ITERATION_STARTED", *expected, "ITERATION_COMPLETED"]


def test_those_of_the_optimizer_fire_once_for_each_window(make: Make, batches: Batches) -> None:
    trainer = create_supervised_trainer(*make(), gradient_accumulation_steps=2)
    log: list[str] = []
    listen(trainer, log)
    trainer.run(iter(batches(3)))
    assert log.count("BACKWARD_COMPLETED") == 3
    assert log.count("OPTIMIZER_STEP_STARTED") == log.count("OPTIMIZER_STEP_COMPLETED") == 2


def test_they_can_be_filtered(make: Make, batches: Batches) -> None:
    trainer = create_supervised_trainer(*make())
    seen: list[int] = []
    trainer.add_event_handler(
        StepEvents.FORWARD_STARTED(every=2), lambda e: seen.append(e.state.iteration)
    )
    trainer.run(batches(5))
    assert seen == [2, 4]


def test_a_handler_added_while_the_engine_runs_hears_the_next_step(
    make: Make, batches: Batches
) -> None:
    trainer = create_supervised_trainer(*make())
    seen: list[int] = []

    def listen_from_now_on(engine: Engine[Any, Any]) -> None:
        engine.add_event_handler(
            StepEvents.BACKWARD_STARTED, lambda e: seen.append(e.state.iteration)
        )

    trainer.add_event_handler(Events.ITERATION_COMPLETED(once=2), listen_from_now_on)
    trainer.run(batches(4))
    assert seen == [3, 4]


def test_a_removed_handler_hears_nothing_more(make: Make, batches: Batches) -> None:
    trainer = create_supervised_trainer(*make())
    log: list[str] = []
    handle = trainer.add_event_handler(StepEvents.FORWARD_STARTED, log.append, "heard")
    trainer.add_event_handler(Events.ITERATION_COMPLETED(once=1), handle.remove)
    trainer.run(batches(3))
    assert log == ["heard"]
    assert trainer.last_event_name is Events.COMPLETED


def test_nothing_is_fired_while_nobody_listens(make: Make, batches: Batches) -> None:
    last: list[Any] = []

    def output(*_: Any) -> None:
        last.append(trainer.last_event_name)

    trainer = create_supervised_trainer(*make(), output_transform=output)
    trainer.run(batches(2))
    assert last == [Events.ITERATION_STARTED] * 2


def test_a_component_may_listen_from_the_start(make: Make, batches: Batches) -> None:
    class Watcher:
        heard = 0

        def attach(self, engine: Engine[Any, Any]) -> None:
            engine.add_event_handler(StepEvents.FORWARD_COMPLETED, self.hear)

        def hear(self) -> None:
            self.heard += 1

    watcher = Watcher()
    create_supervised_trainer(*make(), handlers=[watcher]).run(batches(2))
    assert watcher.heard == 2


def test_listening_changes_no_weight(make: Make, batches: Batches) -> None:
    heard, unheard = make(), make()
    trainer = create_supervised_trainer(*heard)
    listen(trainer, [])
    trainer.run(batches(3))
    create_supervised_trainer(*unheard).run(batches(3))
    assert torch.equal(heard.weights(), unheard.weights())


@pytest.mark.parametrize("clip", [None, 0.1])
def test_gradients_are_unscaled_and_clipped_when_the_optimizers_step_starts(
    make: Make, batches: Batches, clip: float | None
) -> None:
    scaled, plain = make(), make()
    norms: list[float] = []

    def note(setup: Any) -> None:
        grads = [p.grad.flatten() for p in setup.model.parameters()]
        norms.append(torch.cat(grads).norm().item())

    options: dict[str, Any] = {"amp_mode": "amp", "amp_dtype": torch.bfloat16}
    scaler = GradScaler("cpu", init_scale=1024.0)
    for setup, used in ((scaled, scaler), (plain, False)):
        trainer = create_supervised_trainer(*setup, scaler=used, clip_grad_norm=clip, **options)
        trainer.add_event_handler(StepEvents.OPTIMIZER_STEP_STARTED, note, setup)
        trainer.run(batches(1))
    assert norms[0] == pytest.approx(norms[1], rel=1e-4)
    assert clip is None or norms[0] == pytest.approx(clip, rel=1e-3)


def test_terminate_in_a_step_event_ends_the_run_after_the_step(
    make: Make, batches: Batches
) -> None:
    trainer = create_supervised_trainer(*make())
    trainer.add_event_handler(StepEvents.FORWARD_STARTED(once=2), lambda e: e.terminate())
    assert trainer.run(batches(5)).iteration == 2


def test_an_engine_of_ones_own_has_no_step_events(make: Make, batches: Batches) -> None:
    engine = Engine(supervised_training_step(*make()))
    engine.run(batches(1))
    with pytest.raises(ValueError, match="FORWARD_STARTED is not registered"):
        engine.add_event_handler(StepEvents.FORWARD_STARTED, print)
