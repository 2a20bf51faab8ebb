from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from glowplug import Engine
from glowplug_loggers import (
    BaseHandler,
    BaseLogger,
    BaseOptimizerParamsHandler,
    BaseOutputHandler,
    BaseWeightsHandler,
    BaseWeightsScalarHandler,
)

Lines: TypeAlias = list[tuple[str, Any, int]]


class ListLogger(BaseLogger):
    """A logger that writes (name, value, step) into a list."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: Lines = []

    def _create_output_handler(self, *args: Any, **kwargs: Any) -> BaseOutputHandler:
        return ListOutput(*args, **kwargs)

    def _create_opt_params_handler(self, *args: Any, **kwargs: Any) -> BaseOptimizerParamsHandler:
        return ListParams(*args, **kwargs)


class ListOutput(BaseOutputHandler):
    def __call__(self, engine: Engine[Any, Any], logger: ListLogger, event_name: Any) -> None:
        step = self.global_step(engine, event_name)
        logger.lines += [(name, value, step) for name, value in self.values(engine).items()]


class ListParams(BaseOptimizerParamsHandler):
    def __call__(self, engine: Engine[Any, Any], logger: ListLogger, event_name: Any) -> None:
        logger.lines += [(name, value, 0) for name, value in self.values().items()]


class ListWeights(BaseWeightsHandler):
    def __call__(self, engine: Engine[Any, Any], logger: ListLogger, event_name: Any) -> None:
        logger.lines += [(name, value, 0) for name, value in self.weights()]


class ListNorms(BaseWeightsScalarHandler):
    def __call__(self, engine: Engine[Any, Any], logger: ListLogger, event_name: Any) -> None:
        logger.lines += [(n, v, 0) for n, v in self.reduced(self.weights()).items()]


@pytest.fixture
def logger() -> ListLogger:
    return ListLogger()


@pytest.fixture
def output_handler() -> type[BaseOutputHandler]:
    return ListOutput


@pytest.fixture
def params_handler() -> type[BaseOptimizerParamsHandler]:
    return ListParams


@pytest.fixture
def weights_handler() -> type[BaseWeightsHandler]:
    return ListWeights


@pytest.fixture
def norms_handler() -> type[BaseWeightsScalarHandler]:
    return ListNorms


@pytest.fixture
def other_loggers_handler() -> BaseHandler:
    """A handler that works with a logger of another kind only."""

    class Other(ListLogger):
        pass

    class OthersOutput(ListOutput):
        logger_type = Other

    return OthersOutput("x", metric_names="all")


@pytest.fixture
def halver() -> Callable[..., Engine[Any, Any]]:
    """Make an engine whose output is half of the batch, or always the given output."""

    def make(*output: Any) -> Engine[Any, Any]:
        return Engine(lambda engine, batch: output[0] if output else batch / 2)

    return make
