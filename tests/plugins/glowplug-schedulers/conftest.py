"""What the tests of the schedulers share.

Owns: optimizers, and the values of a run, event by event.
Must not know: any particular scheduler.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
import torch

from glowplug import Engine, Events

MakeOptimizer: TypeAlias = Callable[..., torch.optim.Optimizer]
Values: TypeAlias = Callable[..., list[Any]]


def make_optimizer(
    lr: Any = 0.1, groups: int = 1, kind: Any = torch.optim.SGD, **settings: Any
) -> torch.optim.Optimizer:
    """An optimizer whose groups have the learning rates ``lr``, twice ``lr`` and so on."""
    made: torch.optim.Optimizer = kind(
        [
            {"params": [torch.nn.Parameter(torch.zeros(1))], "lr": lr * (group + 1)}
            for group in range(groups)
        ],
        lr=lr,
        **settings,
    )
    return made


def values_of(
    scheduler: Any,
    events: int,
    param: str = "lr",
    event: Any = Events.ITERATION_STARTED,
    group: int = 0,
) -> list[Any]:
    """Return what the step sees in a group of a scheduler's optimizer, iteration by iteration."""
    seen: list[Any] = []
    engine: Engine[Any, Any] = Engine(
        lambda engine, batch: seen.append(scheduler.optimizer.param_groups[group])
    )
    values: list[Any] = []
    engine.add_event_handler(event, scheduler)
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda: values.append(seen[-1][param]))
    engine.run(max_iters=events, epoch_length=4)
    return values


@pytest.fixture(scope="session")
def optimizer() -> MakeOptimizer:
    return make_optimizer


@pytest.fixture(scope="session")
def values() -> Values:
    return values_of
