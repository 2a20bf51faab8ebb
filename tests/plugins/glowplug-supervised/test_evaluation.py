"""The supervised evaluator."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from supervised_setup import Batches, Make
from torch import nn

from glowplug import Engine, Events
from glowplug_supervised import (
    create_supervised_evaluator,
    create_supervised_trainer,
    supervised_evaluation_step,
    supervised_evaluation_step_amp,
)


class Count:
    """A metric: the number of targets seen."""

    def attach(self, engine: Engine[Any, Any], name: str) -> None:
        self.seen = 0
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.update)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.put, name)

    def update(self, engine: Engine[Any, Any]) -> None:
        self.seen += len(engine.state.output[1])

    def put(self, engine: Engine[Any, Any], name: str) -> None:
        engine.state.metrics[name] = self.seen


def test_the_output_is_prediction_and_target_without_history(make: Make, batches: Batches) -> None:
    setup = make()
    (x, y) = batches(1)[0]
    y_pred, target = create_supervised_evaluator(setup.model).run([(x, y)]).output
    assert torch.equal(y_pred, setup.model(x))
    assert not y_pred.requires_grad
    assert target is y


def test_dropout_is_off_and_no_weight_changes(make: Make, batches: Batches) -> None:
    setup = make(dropout=0.9)
    before = setup.weights()
    evaluator = create_supervised_evaluator(setup.model)
    (x, y) = batches(1)[0]
    first, second = (evaluator.run([(x, y)]).output[0] for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(setup.weights(), before)


def test_metrics_are_attached_by_name(make: Make, batches: Batches) -> None:
    evaluator = create_supervised_evaluator(make().model, metrics={"count": Count()})
    assert evaluator.run(batches(3, 5)).metrics == {"count": 15}


def test_a_trainer_goes_on_in_training_mode_after_an_evaluation(
    make: Make, batches: Batches
) -> None:
    setup = make(dropout=0.5)
    modes = []
    evaluator = create_supervised_evaluator(setup.model)
    trainer = create_supervised_trainer(*setup)
    trainer.add_event_handler(
        Events.ITERATION_COMPLETED, lambda: modes.append(setup.model.training)
    )
    trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda: evaluator.run(batches(1)))
    trainer.run(batches(3))
    assert modes == [True] * 3
    assert not setup.model.training


def test_what_a_model_keeps_from_an_evaluation_can_be_trained_with() -> None:
    class Cached(nn.Linear):
        scale: torch.Tensor | None = None

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if self.scale is None:
                self.scale = torch.full_like(x, 2.0)
            return super().forward(x * self.scale)

    model = Cached(2, 1)
    create_supervised_evaluator(model).run([(torch.ones(3, 2), torch.ones(3, 1))])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    trainer = create_supervised_trainer(model, optimizer, nn.functional.mse_loss)
    assert trainer.run([(torch.ones(3, 2), torch.ones(3, 1))]).iteration == 1


def test_functions_take_the_batch_apart_and_make_the_output(make: Make) -> None:
    evaluator = create_supervised_evaluator(
        make().model,
        device="cpu",
        prepare_batch=lambda batch, device, non_blocking: (batch["x"], batch["y"]),
        model_fn=lambda model, x: [model(x)],
        model_transform=lambda output: output[0].argmax(dim=1),
        output_transform=lambda x, y, y_pred: {"shape": tuple(y_pred.shape), "device": x.device},
    )
    output = evaluator.run([{"x": torch.ones(2, 4), "y": torch.zeros(2)}]).output
    assert output == {"shape": (2,), "device": torch.device("cpu")}


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_mixed_precision_is_that_of_autocast(
    make: Make, batches: Batches, dtype: torch.dtype
) -> None:
    setup = make()
    (x, y) = batches(1)[0]
    with torch.no_grad(), torch.autocast("cpu", dtype=dtype):
        expected = setup.model(x)
    evaluator = create_supervised_evaluator(setup.model, amp_mode="amp", amp_dtype=dtype)
    step = supervised_evaluation_step_amp(setup.model, amp_dtype=dtype)
    assert torch.equal(evaluator.run([(x, y)]).output[0], expected)
    assert torch.equal(Engine(step).run([(x, y)]).output[0], expected)


def test_a_step_can_be_put_into_an_engine_of_ones_own(make: Make, batches: Batches) -> None:
    setup = make()
    y_pred, _ = Engine(supervised_evaluation_step(setup.model)).run(batches(1)).output
    assert y_pred.shape == (5, 3)


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"metrics": [1]}, TypeError, "metrics must map names to metrics, got list"),
        ({"metrics": {"loss": len}}, TypeError, r"metrics\['loss'\] must have attach"),
        ({"amp_mode": "apex"}, ValueError, "one of 'amp', got 'apex'"),
        ({"amp_dtype": torch.bfloat16}, ValueError, 'needs amp_mode="amp"'),
        ({"model_fn": 1}, TypeError, "callable: model_fn=1"),
    ],
)
def test_impossible_arguments_are_refused_when_the_evaluator_is_made(
    make: Make, options: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        create_supervised_evaluator(make().model, **options)
