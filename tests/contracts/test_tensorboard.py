"""The contracts of the TensorBoard logger and of its handlers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import (  # type: ignore[import-untyped]  # it has no types
    EventAccumulator,
)
from torch import nn

from glowplug import Engine, Events
from glowplug.testing import ComponentContract, LoggerContract
from glowplug_tensorboard import (
    GradsHistHandler,
    GradsScalarHandler,
    OptimizerParamsHandler,
    OutputHandler,
    TensorboardLogger,
    WeightsHistHandler,
    WeightsScalarHandler,
)


def written(logger: TensorboardLogger) -> dict[str, dict[int, Any]]:
    """Close a logger, and return what TensorBoard shows: the last value of each step by tag."""
    folder = logger.writer.get_logdir() if not logger.closed else None
    if folder is None:
        return {}
    logger.close()
    read = EventAccumulator(str(folder), {"histograms": 0}).Reload()  # 0: keep all
    scalars = {tag: read.Scalars(tag) for tag in read.Tags()["scalars"]}
    shown = {tag: {e.step: e.value for e in events} for tag, events in scalars.items()}
    for tag in read.Tags()["histograms"]:
        shown[tag] = {e.step: tuple(e.histogram_value.bucket) for e in read.Histograms(tag)}
    return shown


def loss(output: float) -> dict[str, float]:
    """Name the output."""
    return {"loss": output}


class TestTensorboardLogger(LoggerContract):
    component = "tensorboard-logger"
    pickles = "what it writes to belongs to this process"
    saves = "what is written is written"

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def make(self) -> TensorboardLogger:
        return TensorboardLogger(self.folder / str(len(list(self.folder.iterdir()))))

    def attach(self, component: TensorboardLogger, engine: Engine[Any, Any]) -> Any:
        return component.attach_output_handler(
            engine, Events.ITERATION_COMPLETED, tag="training", output_transform=loss
        )

    def outcome(self, engine: Engine[Any, Any], component: TensorboardLogger) -> Mapping[str, Any]:
        return written(component)


class OfTensorboard(ComponentContract):
    """A handler of a TensorBoard logger is attached by it."""

    saves = False

    @pytest.fixture(autouse=True)
    def _loggers(self, tmp_path: Path) -> None:
        self.folder = tmp_path
        self.loggers: dict[int, TensorboardLogger] = {}

    def model(self) -> nn.Module:
        """Return a model with weights and gradients that are always the same."""
        model = nn.Linear(2, 1)
        for parameter in model.parameters():
            nn.init.constant_(parameter, 0.5)
            parameter.grad = torch.full_like(parameter, 0.25)
        return model

    def attach(self, component: Any, engine: Engine[Any, Any]) -> Any:
        if id(component) not in self.loggers:
            folder = self.folder / str(len(self.loggers))
            self.loggers[id(component)] = TensorboardLogger(folder)
        logger = self.loggers[id(component)]
        return logger.attach(engine, component, Events.EPOCH_COMPLETED)

    def outcome(self, engine: Engine[Any, Any], component: Any) -> Mapping[str, Any]:
        """Return what the whole run wrote; a run that goes on writes what is missing."""
        state = engine.state
        return {"epoch": state.epoch, "iteration": state.iteration}

    def test_what_it_writes_can_be_read(self) -> None:
        component = self.make()
        self.use(component)
        shown = written(self.loggers[id(component)])
        assert shown
        assert all(list(steps) == [1, 2, 3] for steps in shown.values())


class TestOutputHandler(OfTensorboard):
    component = "tensorboard-output-handler"
    needs = ("accuracy",)

    def make(self) -> OutputHandler:
        return OutputHandler("training", metric_names=["accuracy"], output_transform=float)

    def make_engine(self) -> Engine[Any, Any]:
        engine = super().make_engine()
        engine.state.metrics["accuracy"] = 0.5
        return engine


class TestOptimizerParamsHandler(OfTensorboard):
    component = "tensorboard-optimizer-params-handler"

    def make(self) -> OptimizerParamsHandler:
        return OptimizerParamsHandler(torch.optim.SGD(self.model().parameters(), lr=0.1))


class TestWeightsScalarHandler(OfTensorboard):
    component = "tensorboard-weights-scalar-handler"

    def make(self) -> WeightsScalarHandler:
        return WeightsScalarHandler(self.model())


class TestWeightsHistHandler(OfTensorboard):
    component = "tensorboard-weights-hist-handler"

    def make(self) -> WeightsHistHandler:
        return WeightsHistHandler(self.model())


class TestGradsScalarHandler(OfTensorboard):
    component = "tensorboard-grads-scalar-handler"

    def make(self) -> GradsScalarHandler:
        return GradsScalarHandler(self.model())


class TestGradsHistHandler(OfTensorboard):
    component = "tensorboard-grads-hist-handler"

    def make(self) -> GradsHistHandler:
        return GradsHistHandler(self.model())
