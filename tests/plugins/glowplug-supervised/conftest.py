"""Small networks and data for the tests of the supervised plugin."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from supervised_setup import Batches, Make, Setup
from torch import nn


def _make(lr: float = 0.1, momentum: float = 0.9, dropout: float = 0.0) -> Setup:
    torch.manual_seed(0)
    layers = [nn.Linear(4, 8), nn.Tanh(), nn.Dropout(dropout), nn.Linear(8, 3)]
    model = nn.Sequential(*layers)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=momentum)
    return Setup(model, optimizer, nn.functional.cross_entropy)


@pytest.fixture
def make() -> Make:
    """Return a function that makes equal networks, however often it is called."""
    return _make


def _batches(count: int, size: int = 5) -> list[Any]:
    generator = torch.Generator().manual_seed(1)
    return [
        (
            torch.randn(size, 4, generator=generator),
            torch.randint(3, (size,), generator=generator),
        )
        for _ in range(count)
    ]


@pytest.fixture
def batches() -> Batches:
    """Return a function that makes a number of equal batches."""
    return _batches
