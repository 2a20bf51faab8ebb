"""Gradient accumulation: an update is that of the window's mean loss, whatever its length."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from supervised_setup import Batches, Make
from torch import nn

from glowplug import Engine, Events
from glowplug_supervised import create_supervised_trainer, supervised_training_step


class Endless:
    """Data without a length that can be iterated again."""

    def __init__(self, batches: list[Any]) -> None:
        self.batches = batches

    def __iter__(self) -> Iterator[Any]:
        return iter(self.batches)


def quadratic(count: int) -> tuple[nn.Linear, torch.optim.Optimizer, list[Any]]:
    """Return a model of one weight and batches of one number each."""
    model = nn.Linear(1, 1, bias=False, dtype=torch.float64)
    nn.init.constant_(model.weight, 0.5)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    data = [
        (torch.tensor([[float(n)]]).double(), torch.tensor([[1.0]]).double())
        for n in range(1, count + 1)
    ]
    return model, optimizer, data


def windows_by_hand(count: int, steps: int, epochs: int) -> float:
    """Return the weight after one update for each window of ``steps`` batches, or fewer."""
    model, optimizer, data = quadratic(count)
    for _ in range(epochs):
        for start in range(0, count, steps):
            window = data[start : start + steps]
            optimizer.zero_grad()
            losses = [nn.functional.mse_loss(model(x), y) for x, y in window]
            torch.stack(losses).mean().backward()
            optimizer.step()
    return model.weight.item()


@given(
    count=st.integers(1, 9), steps=st.integers(1, 5), epochs=st.integers(1, 3), sized=st.booleans()
)
@settings(max_examples=60, deadline=None)
def test_each_window_counts_in_full_the_last_of_an_epoch_too(
    count: int, steps: int, epochs: int, sized: bool
) -> None:
    model, optimizer, data = quadratic(count)
    trainer = create_supervised_trainer(
        model, optimizer, nn.functional.mse_loss, gradient_accumulation_steps=steps
    )
    trainer.run(data if sized else Endless(data), max_epochs=epochs)
    assert model.weight.item() == pytest.approx(windows_by_hand(count, steps, epochs), rel=1e-9)


@given(count=st.integers(1, 9), steps=st.integers(2, 5), iters=st.integers(1, 9))
@settings(max_examples=40, deadline=None)
def test_the_end_of_a_run_of_iterations_ends_a_window(count: int, steps: int, iters: int) -> None:
    iters = min(iters, count)
    model, optimizer, data = quadratic(count)
    trainer = create_supervised_trainer(
        model, optimizer, nn.functional.mse_loss, gradient_accumulation_steps=steps
    )
    trainer.run(data, max_iters=iters)
    assert model.weight.item() == pytest.approx(windows_by_hand(iters, steps, 1), rel=1e-9)


def test_accumulated_gradients_are_those_of_the_whole_batch(make: Make, batches: Batches) -> None:
    ours, theirs = make(), make()
    parts = batches(4)
    whole = [tuple(torch.cat(tensors) for tensors in zip(*parts, strict=True))]
    create_supervised_trainer(*ours, gradient_accumulation_steps=4).run(parts)
    create_supervised_trainer(*theirs).run(whole)
    assert torch.allclose(ours.weights(), theirs.weights(), atol=1e-6)


def test_the_output_is_the_batchs_own_loss(make: Make, batches: Batches) -> None:
    setup = make()
    with torch.no_grad():
        expected = [setup.loss_fn(setup.model(x), y).item() for x, y in batches(3)]
    trainer = create_supervised_trainer(*setup, gradient_accumulation_steps=3)
    losses: list[float] = []
    trainer.add_event_handler(
        Events.ITERATION_COMPLETED, lambda e: losses.append(e.state.output.item())
    )
    trainer.run(batches(3))
    assert losses == expected


def watch_weight(trainer: Engine[Any, Any], model: nn.Module) -> list[float]:
    seen: list[float] = []
    trainer.add_event_handler(
        Events.ITERATION_COMPLETED, lambda: seen.append(next(model.parameters()).item())
    )
    return seen


def test_weights_change_at_the_end_of_each_window_alone() -> None:
    model, optimizer, data = quadratic(6)
    trainer = create_supervised_trainer(
        model, optimizer, nn.functional.mse_loss, gradient_accumulation_steps=3
    )
    seen = watch_weight(trainer, model)
    trainer.run(data)
    lengths = [len(list(group)) for _, group in itertools.groupby([0.5, *seen])]
    assert lengths == [3, 3, 1]


def test_an_evaluation_at_the_end_of_an_epoch_sees_the_last_update() -> None:
    model, optimizer, data = quadratic(5)
    at_end = []

    class Look:
        def attach(self, engine: Engine[Any, Any]) -> None:
            engine.add_event_handler(
                Events.EPOCH_COMPLETED, lambda: at_end.append(next(model.parameters()).item())
            )

    trainer = create_supervised_trainer(
        model,
        optimizer,
        nn.functional.mse_loss,
        gradient_accumulation_steps=3,
        handlers=[Look()],
    )
    trainer.run(Endless(data), max_epochs=2)
    assert at_end == pytest.approx([windows_by_hand(5, 3, 1), windows_by_hand(5, 3, 2)])


@pytest.mark.parametrize("skip", [False, True])
def test_terminate_epoch_ends_a_window(skip: bool) -> None:
    model, optimizer, data = quadratic(9)
    trainer = create_supervised_trainer(
        model, optimizer, nn.functional.mse_loss, gradient_accumulation_steps=3
    )
    trainer.add_event_handler(
        Events.ITERATION_COMPLETED(once=5), lambda e: e.terminate_epoch(skip_epoch_completed=skip)
    )
    trainer.run(data)
    assert model.weight.item() == pytest.approx(windows_by_hand(5, 3, 1))


def test_windows_are_counted_from_the_start_of_an_epoch_after_a_shortened_one() -> None:
    model, optimizer, data = quadratic(4)
    trainer = create_supervised_trainer(
        model, optimizer, nn.functional.mse_loss, gradient_accumulation_steps=2
    )
    seen = watch_weight(trainer, model)
    trainer.add_event_handler(Events.ITERATION_COMPLETED(once=3), lambda e: e.terminate_epoch())
    trainer.run(data, max_epochs=2)
    changed = [before != after for before, after in itertools.pairwise([0.5, *seen])]
    # The third batch's window ends with its epoch, after its iteration.
    assert changed == [False, True, False, True, True, False, True]


def test_terminate_drops_the_open_window_and_the_next_run_begins_another() -> None:
    model, optimizer, data = quadratic(5)
    trainer = create_supervised_trainer(
        model, optimizer, nn.functional.mse_loss, gradient_accumulation_steps=2
    )
    handle = trainer.add_event_handler(Events.ITERATION_COMPLETED(once=3), lambda e: e.terminate())
    trainer.run(data, max_epochs=2)
    assert model.weight.item() == pytest.approx(windows_by_hand(2, 2, 1))
    handle.remove()
    after_first = model.weight.item()
    trainer.run(data)
    model_2, optimizer_2, _ = quadratic(5)
    nn.init.constant_(model_2.weight, after_first)
    again = create_supervised_trainer(
        model_2, optimizer_2, nn.functional.mse_loss, gradient_accumulation_steps=2
    )
    again.run(data)
    assert model.weight.item() == model_2.weight.item()


def test_an_interruption_inside_a_window_changes_nothing() -> None:
    model, optimizer, data = quadratic(5)
    trainer = create_supervised_trainer(
        model, optimizer, nn.functional.mse_loss, gradient_accumulation_steps=3
    )
    trainer.add_event_handler(Events.ITERATION_COMPLETED(once=[1, 4]), lambda e: e.interrupt())
    for _ in range(3):
        trainer.run(data)
    assert model.weight.item() == pytest.approx(windows_by_hand(5, 3, 1))


def test_an_exception_inside_a_window_leaves_nothing_to_the_next_run() -> None:
    model, optimizer, data = quadratic(4)
    trainer = create_supervised_trainer(
        model, optimizer, nn.functional.mse_loss, gradient_accumulation_steps=4
    )
    with pytest.raises(ValueError, match="must be a pair"):
        trainer.run([data[0], data[1], None, None])
    trainer.state.max_epochs = None
    trainer.run(data)
    assert model.weight.item() == pytest.approx(windows_by_hand(4, 4, 1))


def test_a_resumed_epoch_keeps_the_borders_of_its_windows() -> None:
    model, optimizer, data = quadratic(6)
    trainer = create_supervised_trainer(
        model, optimizer, nn.functional.mse_loss, gradient_accumulation_steps=3
    )
    seen = watch_weight(trainer, model)
    trainer.load_state_dict({"epoch_length": 6, "iteration": 2, "max_epochs": 1})
    trainer.run(data)
    changed = [before != after for before, after in itertools.pairwise([0.5, *seen])]
    assert changed == [True, False, False, True]


def test_a_step_in_an_engine_of_ones_own_knows_the_last_window_of_known_length() -> None:
    model, optimizer, data = quadratic(5)
    step = supervised_training_step(
        model, optimizer, nn.functional.mse_loss, gradient_accumulation_steps=3
    )
    Engine(step).run(data, max_epochs=2)
    assert model.weight.item() == pytest.approx(windows_by_hand(5, 3, 2))
