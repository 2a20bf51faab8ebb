"""The contracts of the handlers that save, and of their events."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from glowplug import Engine, EventEnum, Events
from glowplug.testing import ComponentContract, EventsContract
from glowplug_checkpoint import Checkpoint, CheckpointEvents, ModelCheckpoint


class OfFolders(ComponentContract):
    """Each handler saves in a folder of its own."""

    attaching_twice = "error"
    leaves = ("SAVED_CHECKPOINT",)

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path
        self.made = 0

    def new_folder(self) -> Path:
        self.made += 1
        return self.folder / str(self.made)


class TestCheckpoint(OfFolders):
    component = "checkpoint"

    def make(self) -> Checkpoint:
        return Checkpoint({"model": nn.BatchNorm1d(1)}, self.new_folder(), n_saved=2)

    def outcome(self, engine: Engine[Any, Any], component: Checkpoint) -> Mapping[str, Any]:
        last = component.last_checkpoint or ""
        return {**super().outcome(engine, component), "is there": Path(last).is_file()}


class TestCheckpointByScore(OfFolders):
    component = "checkpoint"
    needs = ("accuracy",)

    def make(self) -> Checkpoint:
        return Checkpoint(
            {"model": nn.BatchNorm1d(1)}, self.new_folder(), n_saved=2, score_name="accuracy"
        )

    def make_engine(self) -> Engine[Any, Any]:
        engine = super().make_engine()
        handle = engine.add_event_handler(Events.EPOCH_COMPLETED, judge)
        handle.declare(computes=["accuracy"])
        return engine


def judge(engine: Engine[Any, Any]) -> None:
    """Find the second epoch the best."""
    engine.state.metrics["accuracy"] = [0.0, 0.25, 0.75, 0.5][engine.state.epoch]


class TestModelCheckpoint(OfFolders):
    component = "model-checkpoint"

    def make(self) -> ModelCheckpoint:
        return ModelCheckpoint(self.new_folder(), "best", n_saved=2)

    def attach(self, component: ModelCheckpoint, engine: Engine[Any, Any]) -> Any:
        return component.attach(engine, to_save={"model": nn.BatchNorm1d(1)})


class TestCheckpointEvents(EventsContract):
    component = "checkpoint"

    def make(self) -> type[EventEnum]:
        return CheckpointEvents
