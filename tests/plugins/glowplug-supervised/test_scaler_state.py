"""The gradient scaler in the trainer's state, and in what is saved of it."""

from __future__ import annotations

import io
from typing import Any

import pytest
import torch
from supervised_setup import Batches, Make, Setup
from torch.amp import GradScaler

from glowplug import Engine
from glowplug_supervised import create_supervised_trainer


def trainer_with(setup: Setup, scale: float, **options: Any) -> Engine[Any, Any]:
    scaler = GradScaler("cpu", init_scale=scale, growth_interval=2)
    return create_supervised_trainer(*setup, amp_mode="amp", scaler=scaler, **options)


def test_the_scaler_is_in_the_state_from_the_start(make: Make) -> None:
    made = create_supervised_trainer(*make(), amp_mode="amp", scaler=True)
    assert isinstance(made.state.scaler, GradScaler)


def test_a_trainer_without_a_scaler_has_none_in_its_state(make: Make) -> None:
    trainer = create_supervised_trainer(*make())
    assert not hasattr(trainer.state, "scaler")
    assert "scaler" not in trainer.state_dict()


@pytest.mark.parametrize("deterministic", [False, True])
def test_the_scale_is_saved_and_loaded_with_the_trainer(
    make: Make, batches: Batches, deterministic: bool
) -> None:
    first = trainer_with(make(), 512.0, deterministic=deterministic)
    first.run(batches(2))
    file = io.BytesIO()
    torch.save(first.state_dict(), file)
    file.seek(0)
    second = trainer_with(make(), 2.0, deterministic=deterministic)
    second.load_state_dict(torch.load(file, weights_only=True))
    assert second.state.scaler.get_scale() == 1024.0
    assert second.state.iteration == 2


@pytest.mark.parametrize("saved", [{}, {"scaler": None}, {"scaler": {"scale": 2.0}}])
def test_a_saved_state_without_a_scaler_is_refused_and_changes_nothing(
    make: Make, saved: dict[str, Any]
) -> None:
    trainer = trainer_with(make(), 512.0)
    with pytest.raises(ValueError, match=r"saved state lacks .*'growth_factor'"):
        trainer.load_state_dict({"epoch_length": 2, "iteration": 2, "max_epochs": 3, **saved})
    assert (trainer.state.iteration, trainer.state.scaler.get_scale()) == (0, 512.0)


def test_a_broken_state_leaves_the_scaler_as_it_was(make: Make) -> None:
    trainer = trainer_with(make(), 512.0)
    saved = trainer_with(make(), 2.0).state_dict()
    with pytest.raises(ValueError, match="'iteration' must be an integer"):
        trainer.load_state_dict({**saved, "iteration": -1})
    assert trainer.state.scaler.get_scale() == 512.0


def test_a_state_saved_with_a_scaler_can_be_loaded_without_one(
    make: Make, batches: Batches
) -> None:
    first = trainer_with(make(), 512.0)
    first.run(batches(2))
    second = create_supervised_trainer(*make())
    second.load_state_dict(first.state_dict())
    assert second.state.iteration == 2
