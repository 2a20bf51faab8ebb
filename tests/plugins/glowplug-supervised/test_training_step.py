"""The supervised trainer against loops written by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from supervised_setup import Batches, Make
from torch import nn

from glowplug import Engine, Events
from glowplug_supervised import create_supervised_trainer, supervised_training_step


def train_by_hand(setup: Any, data: list[Any], epochs: int = 1) -> list[float]:
    losses = []
    setup.model.train()
    for _ in range(epochs):
        for x, y in data:
            setup.optimizer.zero_grad()
            loss = setup.loss_fn(setup.model(x), y)
            loss.backward()
            setup.optimizer.step()
            losses.append(loss.item())
    return losses


def test_weights_are_those_of_a_loop_written_by_hand_bit_for_bit(
    make: Make, batches: Batches
) -> None:
    ours, theirs = make(), make()
    create_supervised_trainer(*ours).run(batches(7), max_epochs=3)
    train_by_hand(theirs, batches(7), epochs=3)
    assert torch.equal(ours.weights(), theirs.weights())


def test_a_step_in_an_engine_of_ones_own_does_the_same(make: Make, batches: Batches) -> None:
    ours, theirs = make(), make()
    Engine(supervised_training_step(*ours)).run(batches(7))
    train_by_hand(theirs, batches(7))
    assert torch.equal(ours.weights(), theirs.weights())


def test_the_output_is_the_loss_as_a_tensor_without_history(make: Make, batches: Batches) -> None:
    losses = []
    trainer = create_supervised_trainer(*make())
    trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda e: losses.append(e.state.output))
    trainer.run(batches(3))
    assert not any(loss.requires_grad for loss in losses)
    assert [float(loss) for loss in losses] == train_by_hand(make(), batches(3))


def test_the_output_can_be_made_of_anything_in_the_step(make: Make, batches: Batches) -> None:
    def output(x: Any, y: Any, y_pred: Any, loss: Any) -> Any:
        return x.shape, y.shape, y_pred.shape, loss.item()

    trainer = create_supervised_trainer(*make(), output_transform=output)
    expected = train_by_hand(make(), batches(1))[0]
    assert trainer.run(batches(1)).output == ((5, 4), (5,), (5, 3), expected)


def test_prepare_batch_takes_the_batch_apart_with_device_and_non_blocking(
    make: Make, batches: Batches
) -> None:
    seen = []

    def prepare(batch: Any, device: Any, non_blocking: bool) -> Any:
        seen.append((device, non_blocking))
        return batch["image"], batch["label"]

    data = [{"image": x, "label": y} for x, y in batches(2)]
    trainer = create_supervised_trainer(
        *make(), device="cpu", non_blocking=True, prepare_batch=prepare
    )
    trainer.run(data)
    assert seen == [("cpu", True)] * 2


def test_batches_are_moved_to_the_device() -> None:
    model = nn.Linear(2, 1, device="meta")
    devices = []

    def loss(y_pred: Any, y: Any) -> Any:
        devices.append((y_pred.device.type, y.device.type))
        return nn.functional.mse_loss(y_pred, y)

    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    trainer = create_supervised_trainer(model, optimizer, loss, device="meta")
    trainer.run([(torch.ones(3, 2), torch.ones(3, 1))])
    assert devices == [("meta", "meta")]


def test_model_fn_calls_the_model_and_model_transform_makes_the_prediction(make: Make) -> None:
    setup = make()
    data = [({"left": torch.ones(2, 2), "right": torch.ones(2, 2)}, torch.tensor([0, 1]))]
    trainer = create_supervised_trainer(
        *setup,
        model_fn=lambda model, x: {"logits": model(torch.cat([x["left"], x["right"]], dim=1))},
        model_transform=lambda output: output["logits"],
        output_transform=lambda x, y, y_pred, loss: y_pred.shape,
    )
    assert trainer.run(data).output == (2, 3)


def test_a_batch_that_is_no_pair_is_an_error_that_shows_the_way(make: Make) -> None:
    trainer = create_supervised_trainer(*make())
    with pytest.raises(ValueError, match=r"must be a pair .* got a list of 3; pass prepare_batch"):
        trainer.run([[torch.ones(1), torch.ones(1), torch.ones(1)]])


def test_every_module_is_in_training_mode_at_every_step(make: Make, batches: Batches) -> None:
    setup = make()
    seen = []

    def look(model: Any, x: Any) -> Any:
        seen.append([module.training for module in model.modules()])
        return model(x)

    trainer = create_supervised_trainer(*setup, model_fn=look)
    trainer.add_event_handler(Events.ITERATION_STARTED(once=2), lambda: setup.model.eval())
    trainer.add_event_handler(Events.ITERATION_STARTED(once=3), lambda: setup.model[2].eval())
    trainer.run(batches(3))
    assert all(all(modes) for modes in seen)
    assert len(seen) == 3


def test_a_module_added_later_is_put_into_training_mode_with_the_others(
    make: Make, batches: Batches
) -> None:
    setup = make()
    trainer = create_supervised_trainer(*setup)
    setup.model.append(nn.Dropout(0.1))
    setup.model.eval()
    trainer.run(batches(1))
    assert setup.model[-1].training


def test_a_part_that_the_models_own_train_keeps_frozen_stays_frozen(batches: Batches) -> None:
    class Frozen(nn.Sequential):
        def train(self, mode: bool = True) -> Any:
            super().train(mode)
            next(self.children()).eval()
            return self

    model: Any = Frozen(nn.BatchNorm1d(4), nn.Linear(4, 3))
    before = model[0].running_mean.clone()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    create_supervised_trainer(model, optimizer, nn.functional.cross_entropy).run(batches(2))
    assert torch.equal(model[0].running_mean, before)


@pytest.mark.parametrize(
    ("changed", "kind", "message"),
    [
        ({"model": lambda x: x}, TypeError, "model must be a torch.nn.Module, got .*function"),
        ({"optimizer": None}, TypeError, "optimizer must be .*has no method step"),
        ({"loss_fn": 1, "model_fn": "f"}, TypeError, "callable: loss_fn=1 .*model_fn='f'"),
        ({"prepare_batch": None}, TypeError, "prepare_batch=None of type NoneType"),
        ({"gradient_accumulation_steps": 0}, ValueError, "positive integer, got 0"),
        ({"gradient_accumulation_steps": 1.5}, ValueError, "positive integer, got 1.5"),
        ({"clip_grad_norm": 0.0}, ValueError, "clip_grad_norm must be a positive number, got 0"),
        ({"clip_grad_value": "1"}, ValueError, "clip_grad_value must be a positive .*got '1'"),
        ({"clip_grad_norm": 1, "clip_grad_value": 1}, ValueError, "exclude each other"),
        ({"handlers": "timer"}, TypeError, "handlers must be a list of components"),
        ({"device": "cppu"}, RuntimeError, "device type"),
    ],
)
def test_impossible_arguments_are_refused_when_the_trainer_is_made(
    make: Make, changed: dict[str, Any], kind: type[Exception], message: str
) -> None:
    model, optimizer, loss_fn = make()
    given = {"model": model, "optimizer": optimizer, "loss_fn": loss_fn, **changed}
    with pytest.raises(kind, match=message):
        create_supervised_trainer(**given)


def test_components_are_attached_to_the_trainer(make: Make, batches: Batches) -> None:
    class Counter:
        count = 0

        def attach(self, engine: Engine[Any, Any]) -> None:
            engine.add_event_handler(Events.ITERATION_COMPLETED, self.add)

        def add(self) -> None:
            self.count += 1

    counter = Counter()
    create_supervised_trainer(*make(), handlers=[counter]).run(batches(4))
    assert counter.count == 4


class Counting(torch.optim.SGD):
    """An optimizer that forgets gradients in a way of its own."""

    forgot = 0

    def zero_grad(self, set_to_none: bool = True) -> None:
        self.forgot += 1
        super().zero_grad(set_to_none=False)


def test_an_optimizer_that_forgets_in_its_own_way_is_asked(make: Make, batches: Batches) -> None:
    setup = make()
    optimizer = Counting(setup.model.parameters(), lr=0.1)
    create_supervised_trainer(setup.model, optimizer, setup.loss_fn).run(batches(3))
    assert optimizer.forgot == 3


def test_an_optimizer_that_was_taught_another_way_while_it_trains_is_asked(
    make: Make, batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup, forgot = make(), []
    trainer = create_supervised_trainer(*setup)
    trainer.run(batches(2))
    monkeypatch.setattr(setup.optimizer, "zero_grad", lambda: forgot.append(setup.optimizer))
    trainer.run(batches(3))
    assert forgot == [setup.optimizer] * 3


def test_each_update_is_that_of_its_own_batch_for_every_group_of_parameters(make: Make) -> None:
    setup = make()
    late = nn.Parameter(torch.ones(()))
    trainer = create_supervised_trainer(
        setup.model, setup.optimizer, lambda y_pred, y: y_pred.square().mean() * late
    )
    setup.optimizer.add_param_group({"params": [late], "lr": 0.0})
    x = torch.ones(5, 4)
    with torch.no_grad():
        loss = float(setup.model(x).square().mean())
    for group in setup.optimizer.param_groups:
        group["lr"] = 0.0
    trainer.run([(x, x)] * 3)
    assert late.grad is not None
    assert float(late.grad) == pytest.approx(loss)
