"""The contracts of the handlers that stop, time, keep, average and freeze."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from glowplug import Engine, Events
from glowplug.testing import ComponentContract
from glowplug_handlers import (
    EarlyStopping,
    EMAHandler,
    EpochOutputStore,
    Frozen,
    LayerFreezing,
    StochasticWeightAveraging,
    TerminateOnNan,
    TimeLimit,
    Timer,
)


def echo(engine: Engine[Any, Any], batch: Any) -> Any:
    """A step that can be pickled."""
    return batch


def score(engine: Engine[Any, Any]) -> float:
    """Rises until the sixth iteration, and falls from the seventh on."""
    return -abs(engine.state.iteration - 6.5)


def train(engine: Engine[Any, Any], model: nn.Module) -> None:
    """Give every parameter a value that depends on the iteration alone, so that a resume has it."""
    with torch.no_grad():
        for tensor in [*model.parameters(), *model.buffers()]:
            tensor.fill_(engine.state.iteration * engine.state.batch)


def network() -> nn.Sequential:
    """A small network with batch-norm statistics, always the same."""
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(0.5)
    return model


class TestEarlyStopping(ComponentContract):
    component = "early-stopping"
    attaching_twice = "error"

    def make(self) -> EarlyStopping:
        return EarlyStopping(3, score, Engine(echo))

    def attach(self, component: EarlyStopping, engine: Engine[Any, Any]) -> None:
        """Let it score the engine itself at every iteration, and end its run."""
        component.trainer = engine
        component.attach(engine, Events.ITERATION_COMPLETED, engine)


class TestTerminateOnNan(ComponentContract):
    component = "terminate-on-nan"
    attaching_twice = "error"
    saves = False

    def make(self) -> TerminateOnNan:
        return TerminateOnNan()

    def step(self, engine: Engine[Any, Any], batch: Any) -> Any:
        return {"loss": math.nan if engine.state.iteration == 7 else batch}


class OfTime(ComponentContract):
    attaching_twice = "error"

    def outcome(self, engine: Engine[Any, Any], component: Any) -> Mapping[str, Any]:
        """Return the outcome without the seconds, which no two runs have in common."""
        outcome = super().outcome(engine, component)
        return {name: value for name, value in outcome.items() if name != "state_dict"}


class TestTimeLimit(OfTime):
    component = "time-limit"

    def make(self) -> TimeLimit:
        return TimeLimit(3600)


class TestTimer(OfTime):
    component = "timer"
    saves = "what it measures is of this run, on this machine"

    def make(self) -> Timer:
        return Timer()


class TestEpochOutputStore(ComponentContract):
    component = "epoch-output-store"
    attaching_twice = "error"
    leaves = ("outputs",)

    def make(self) -> EpochOutputStore:
        return EpochOutputStore()

    def attach(self, component: EpochOutputStore, engine: Engine[Any, Any]) -> None:
        component.attach(engine, "outputs")


class OfWeights(ComponentContract):
    """The engine changes the weights of the component's model at every iteration."""

    attaching_twice = "error"

    def attach(self, component: Any, engine: Engine[Any, Any]) -> Any:
        component.attach(engine)
        return engine.add_event_handler(Events.ITERATION_STARTED, train, component.model)

    def detach(self, component: Any, engine: Engine[Any, Any], handle: Any) -> None:
        handle.remove()
        component.detach(engine)


class TestEMAHandler(OfWeights):
    component = "ema-handler"
    leaves = ("ema_momentum",)

    def make(self) -> EMAHandler:
        return EMAHandler(network(), 0.25, momentum_warmup=0.75, warmup_iters=6)


class TestEMAHandlerInHalfPrecision(TestEMAHandler):
    def make(self) -> EMAHandler:
        return EMAHandler(network().bfloat16(), 0.01, handle_buffers="update")


class TestStochasticWeightAveraging(OfWeights):
    component = "stochastic-weight-averaging"

    def make(self) -> StochasticWeightAveraging:
        batches = [torch.tensor([[1.0, 2.0], [3.0, 4.0]])]
        return StochasticWeightAveraging(network(), start=2, batch_norm_data=batches)


class TestLayerFreezing(OfWeights):
    component = "layer-freezing"
    saves = False

    def make(self) -> LayerFreezing:
        return LayerFreezing(network(), {"0.*": Frozen(before=3), "1": Frozen(after=2)})

    def outcome(self, engine: Engine[Any, Any], component: LayerFreezing) -> Mapping[str, Any]:
        """Return what is frozen too."""
        return {**super().outcome(engine, component), "frozen": component.frozen}
