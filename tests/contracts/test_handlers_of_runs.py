"""The contracts of the handlers that look at runs: the range test, profilers, norms, the log."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

import torch

from glowplug import Engine
from glowplug.testing import ComponentContract, LoggerContract
from glowplug_handlers import (
    BasicTimeProfiler,
    FastaiLRFinder,
    FBResearchLogger,
    GradientNorms,
    HandlersTimeProfiler,
    WeightNorms,
)


class TestFastaiLRFinder(ComponentContract):
    component = "fastai-lr-finder"
    attaching_twice = "error"
    saves = "a range test ends with its with block, and is not resumed"

    def make(self) -> FastaiLRFinder:
        return FastaiLRFinder()

    def make_engine(self) -> Engine[Any, Any]:
        engine = super().make_engine()
        model = torch.nn.ParameterList([torch.zeros(1)])
        self.engines[engine] = model, torch.optim.SGD(model.parameters(), lr=1e-3)
        return engine

    def engine_without(self) -> Engine[Any, Any]:
        return self.make_engine()

    @property
    def engines(self) -> WeakKeyDictionary[Engine[Any, Any], Any]:
        """The model and the optimizer of each engine."""
        known: WeakKeyDictionary[Engine[Any, Any], Any]
        known = self.__dict__.setdefault("_engines", WeakKeyDictionary())
        return known

    @property
    def entered(self) -> list[Any]:
        """The tests that were entered."""
        known: list[Any] = self.__dict__.setdefault("_entered", [])
        return known

    def data(self) -> list[float]:
        return [4.0, 3.0, 1.0, 99.0]

    def attach(self, component: FastaiLRFinder, engine: Engine[Any, Any]) -> Any:
        model, optimizer = self.engines[engine]
        objects = {"model": model, "optimizer": optimizer}
        test = component.attach(engine, objects, smooth_f=0.0)
        test.__enter__()
        self.entered.append(test)  # one that nobody holds is left
        return test

    def detach(self, component: FastaiLRFinder, engine: Engine[Any, Any], handle: Any) -> None:
        handle.__exit__(None, None, None)

    def outcome(self, engine: Engine[Any, Any], component: FastaiLRFinder) -> Mapping[str, Any]:
        return {**super().outcome(engine, component), "curve": component.get_results()}


class OfTimes(ComponentContract):
    """What measures times."""

    attaching_twice = "error"
    saves = "how long something took is of this run, on this machine"


class TestBasicTimeProfiler(OfTimes):
    component = "basic-time-profiler"

    def make(self) -> BasicTimeProfiler:
        return BasicTimeProfiler()


class TestHandlersTimeProfiler(OfTimes):
    component = "handlers-time-profiler"

    def make(self) -> HandlersTimeProfiler:
        return HandlersTimeProfiler()


class OfNorms(ComponentContract):
    """What measures a model, which the step of the engine trains."""

    saves = False

    @property
    def models(self) -> WeakKeyDictionary[Engine[Any, Any], torch.nn.Module]:
        """The model of what is attached to each engine."""
        known: WeakKeyDictionary[Engine[Any, Any], torch.nn.Module]
        known = self.__dict__.setdefault("_models", WeakKeyDictionary())
        return known

    def model(self) -> torch.nn.Module:
        """Return a model of weights that are always the same."""
        layer = torch.nn.Linear(1, 1)
        torch.nn.init.constant_(layer.weight, 2.0)
        torch.nn.init.constant_(layer.bias, 1.0)
        return layer

    def step(self, engine: Engine[Any, Any], batch: float) -> float:
        model = self.models[engine]
        model.zero_grad()
        model(torch.tensor([batch])).sum().backward()
        return batch

    def attach(self, component: Any, engine: Engine[Any, Any]) -> Any:
        self.models[engine] = component.model
        return component.attach(engine)


class TestGradientNorms(OfNorms):
    component = "gradient-norms"

    def make(self) -> GradientNorms:
        return GradientNorms(self.model(), groups={"weights": "weight"})


class TestWeightNorms(OfNorms):
    component = "weight-norms"

    def make(self) -> WeightNorms:
        return WeightNorms(self.model(), per_parameter=True)


class TestFBResearchLogger(LoggerContract):
    component = "fb-research-logger"
    attaching_twice = "error"
    closes = "it writes to a logging.Logger, which is closed by whoever made it"
    needs = ("rate",)
    saves = "a line that is written is written, and times are of this run"

    def make(self) -> FBResearchLogger:
        logger = logging.getLogger("tests.contracts.fb_research")
        logger.setLevel(logging.INFO)
        return FBResearchLogger(logger, show_output=True)

    def make_engine(self) -> Engine[Any, Any]:
        engine = super().make_engine()
        engine.state.rate = 0.5
        return engine

    def attach(self, component: FBResearchLogger, engine: Engine[Any, Any]) -> Any:
        return component.attach(engine, "Train", state_attributes=["rate"])
