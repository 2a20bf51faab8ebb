from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import (  # type: ignore[import-untyped]  # it has no types
    EventAccumulator,
)
from torch import nn

from glowplug import Engine
from glowplug_tensorboard import TensorboardLogger


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def logger(folder: Path) -> Any:
    return TensorboardLogger(folder)


@pytest.fixture
def read(logger: Any, folder: Path) -> Callable[[], Any]:
    """Close the logger and read its files by TensorBoard's own reader."""

    def accumulate() -> Any:
        logger.close()
        return EventAccumulator(str(folder), {"histograms": 0}).Reload()  # 0: keep all

    return accumulate


@pytest.fixture
def scalars(read: Callable[[], Any]) -> Callable[[], dict[str, list[tuple[int, float]]]]:
    """Close the logger and return the steps and values of each scalar."""

    def accumulate() -> dict[str, list[tuple[int, float]]]:
        files = read()
        return {
            tag: [(event.step, event.value) for event in files.Scalars(tag)]
            for tag in files.Tags()["scalars"]
        }

    return accumulate


@pytest.fixture
def trainer() -> Engine[Any, Any]:
    return Engine(lambda engine, batch: {"loss": torch.tensor(1 / batch), "odd": math.nan})


@pytest.fixture
def model() -> nn.Module:
    layers = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 1))
    for parameter in layers.parameters():
        nn.init.constant_(parameter, 2.0)
    return layers
