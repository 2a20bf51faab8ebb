"""The contracts of the supervised trainers and their events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader

from glowplug import Engine, EventEnum
from glowplug.testing import EventsContract, TrainerContract
from glowplug_supervised import (
    DeterministicEngine,
    StepEvents,
    Tbptt_Events,
    create_supervised_evaluator,
    create_supervised_tbptt_trainer,
    create_supervised_trainer,
)

mse_loss = nn.functional.mse_loss


class Recurrent(nn.Module):
    """A recurrent layer and a linear one on top."""

    def __init__(self) -> None:
        super().__init__()
        self.cell, self.head = nn.GRU(2, 3), nn.Linear(3, 1)

    def forward(self, x: torch.Tensor, hidden: Any = None) -> Any:
        features, hidden = self.cell(x, hidden)
        return self.head(features), hidden


def seeded(model: nn.Module) -> tuple[nn.Module, torch.optim.Optimizer]:
    """Return the model with weights that are always the same, and an optimizer of them."""
    generator = torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        nn.init.normal_(parameter, generator=generator)
    return model, torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)


class OfPairs(TrainerContract):
    """The trainers take pairs of inputs and targets."""

    shape: tuple[int, ...] = (4,)

    def data(self) -> Iterable[Any]:
        generator = torch.Generator().manual_seed(1)
        sizes = [(*self.shape, features) for features in (2, 1)]
        return [tuple(torch.randn(size, generator=generator) for size in sizes) for _ in range(4)]


class TestSupervisedTrainer(OfPairs):
    component = "supervised-trainer"
    pickles = "local object"  # its step

    def make(self) -> Engine[Any, Any]:
        return create_supervised_trainer(*seeded(nn.Linear(2, 1)), mse_loss)


class TestSupervisedTrainerThatAccumulates(TestSupervisedTrainer):
    def make(self) -> Engine[Any, Any]:
        linear = seeded(nn.Linear(2, 1))
        return create_supervised_trainer(
            *linear, mse_loss, gradient_accumulation_steps=2, clip_grad_norm=1.0
        )


class TestSupervisedEvaluator(OfPairs):
    component = "supervised-evaluator"
    pickles = "local object"  # its step

    def make(self) -> Engine[Any, Any]:
        return create_supervised_evaluator(seeded(nn.Linear(2, 1))[0])


class TestSupervisedTbpttTrainer(OfPairs):
    component = "supervised-tbptt-trainer"
    pickles = "local object"  # its step
    shape = (7, 4)

    def make(self) -> Engine[Any, Any]:
        return create_supervised_tbptt_trainer(*seeded(Recurrent()), mse_loss, tbtt_step=3)


def doubled(engine: Engine[Any, Any], batch: torch.Tensor) -> torch.Tensor:
    """Return what was drawn, and what a model with dropout would draw, as a step."""
    return batch * torch.rand(())


class TestDeterministicEngine(TrainerContract):
    component = "deterministic-engine"
    global_random = "it seeds them for each pass, so that whatever draws in a run can be repeated"

    def make(self) -> Engine[Any, Any]:
        engine: Engine[Any, Any] = DeterministicEngine(doubled)
        engine.state.seed = 7
        return engine

    def data(self) -> Iterable[Any]:
        return DataLoader(range(8), batch_size=2, shuffle=True)  # type: ignore[arg-type]  # a range will do

    def outcome(self, engine: Engine[Any, Any]) -> Mapping[str, Any]:
        return {**super().outcome(engine), "seed": engine.state.seed}


class TestStepEvents(EventsContract):
    component = "step"

    def make(self) -> type[EventEnum]:
        return StepEvents


class TestTbpttEvents(EventsContract):
    component = "tbptt"

    def make(self) -> type[EventEnum]:
        return Tbptt_Events
