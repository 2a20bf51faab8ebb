"""Handlers on two ranks, which are processes over gloo."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch._dynamo  # as DDP does, which takes seconds: here once, and not in every rank
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from glowplug import Engine, Events
from glowplug_handlers import (
    EMAHandler,
    Frozen,
    LayerFreezing,
    StochasticWeightAveraging,
    TerminateOnNan,
    TimeLimit,
)
from glowplug_torch import spawn


def on_two_ranks(work: Callable[..., Any], folder: Path) -> list[Any]:
    """Return what ``work(rank)`` returned in each of two ranks."""
    options: dict[str, Any] = {"nproc_per_node": 2, "start_method": "fork"}
    spawn("gloo", keep, (work, folder), **options)
    return [torch.load(folder / f"{rank}.pt") for rank in range(2)]


def keep(rank: int, work: Callable[..., Any], folder: Path) -> None:
    torch.set_num_threads(1)
    torch.save(work(rank), folder / f"{rank}.pt")


def trained(rank: int, make: Callable[[nn.Module], Any], epochs: int) -> nn.Module:
    """Train a wrapped model on this rank's own data, and return it."""
    torch.manual_seed(0)
    wrapped = DistributedDataParallel(
        nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1)), find_unused_parameters=True
    )
    optimizer = torch.optim.SGD(wrapped.parameters(), lr=0.01)

    def step(engine: Engine[Any, Any], batch: torch.Tensor) -> None:
        optimizer.zero_grad()
        (wrapped(batch) - batch.sum(1, keepdim=True)).square().mean().backward()
        optimizer.step()

    trainer = Engine(step)
    make(wrapped).attach(trainer)
    data = torch.randn(6, 5, 3, generator=torch.Generator().manual_seed(rank))
    trainer.run(list(data), max_epochs=epochs)
    module: nn.Module = wrapped.module
    return module


def end_by_nan(rank: int) -> int:
    def step(engine: Engine[Any, Any], batch: int) -> float:
        time.sleep(0.002)
        return math.nan if rank == 1 and batch >= 20 else 0.0

    engine = Engine(step)
    TerminateOnNan().attach(engine)
    return engine.run(range(5000)).iteration


def end_by_time(rank: int) -> int:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: time.sleep(0.002))
    TimeLimit(0.2 if rank == 1 else 3600).attach(engine)
    return engine.run(range(5000)).iteration


def end_alone(rank: int) -> int:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: math.nan if rank == 1 else 0.0)
    TerminateOnNan(all_ranks=False).attach(engine)
    return engine.run(range(50)).iteration


def end_twice(rank: int) -> list[int]:
    def step(engine: Engine[Any, Any], batch: int) -> float:
        time.sleep(0.002)
        return math.nan if rank == 0 and batch in range(400, 450) else 0.0

    engine = Engine(step)
    engine.add_event_handler(Events.ITERATION_COMPLETED, TerminateOnNan())
    iterations = []
    for _ in range(2):
        engine.state.max_epochs = None
        iterations.append(engine.run(range(5000)).iteration)
    return iterations


def end_and_tell(rank: int) -> list[str]:
    told: list[str] = []

    class Told(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append(record.getMessage())

    def step(engine: Engine[Any, Any], batch: int) -> float:
        time.sleep(0.002)
        return math.nan if rank == 0 and batch in range(400, 450) else 0.0

    stop, engine = TerminateOnNan(), Engine(step)
    stop.logger.addHandler(Told())
    stop.attach(engine)
    engine.run(range(5000))
    return told


def average(rank: int) -> list[dict[str, torch.Tensor]]:
    made: list[Any] = []

    def make(model: nn.Module) -> Any:
        made.append(EMAHandler(model, momentum=0.1))
        return made[0]

    trained(rank, make, epochs=2)

    def make_mean(model: nn.Module) -> Any:
        made.append(StochasticWeightAveraging(model, start=2))
        return made[1]

    trained(rank, make_mean, epochs=4)
    return [handler.averaged_model.state_dict() for handler in made]


def freeze(rank: int) -> dict[str, torch.Tensor]:
    def make(model: nn.Module) -> Any:
        return LayerFreezing(model, {"0": Frozen(after=1, before=4), "1": Frozen(after=4)})

    return trained(rank, make, epochs=6).state_dict()


@pytest.mark.parametrize(("work", "least"), [(end_by_nan, 21), (end_by_time, 1)])
def test_a_run_that_ends_on_one_rank_ends_on_the_other_after_the_same_iteration(
    work: Callable[..., Any], least: int, tmp_path: Path
) -> None:
    first, second = on_two_ranks(work, tmp_path)
    assert first == second
    assert least <= first < 5000


def test_where_ranks_run_by_themselves_one_ends_alone(tmp_path: Path) -> None:
    assert on_two_ranks(end_alone, tmp_path) == [50, 1]


def test_the_ranks_end_another_run_together_too(tmp_path: Path) -> None:
    first, second = on_two_ranks(end_twice, tmp_path)
    assert first == second
    assert all(400 < iteration < 4900 for iteration in first)


def test_each_rank_says_once_why_its_run_ends(tmp_path: Path) -> None:
    first, second = on_two_ranks(end_and_tell, tmp_path)
    assert first == ["output of iteration 401 (epoch 1) is nan: the run ends"]
    assert second == ["the output of another rank is not finite: the run ends"]


def test_averages_are_the_same_on_all_ranks(tmp_path: Path) -> None:
    first, second = on_two_ranks(average, tmp_path)
    torch.testing.assert_close(first, second, rtol=0, atol=0)


def test_layers_that_are_frozen_and_trained_again_stay_the_same_on_all_ranks(
    tmp_path: Path,
) -> None:
    first, second = on_two_ranks(freeze, tmp_path)
    torch.testing.assert_close(first, second, rtol=0, atol=0)
