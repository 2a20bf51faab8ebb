"""Small networks and data for the tests of the supervised plugin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import torch
from torch import nn


class Setup(NamedTuple):
    """A network, what changes it, and what it is measured by."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    loss_fn: Callable[..., torch.Tensor]

    def weights(self) -> torch.Tensor:
        """Return all weights in one row."""
        return torch.cat([p.detach().flatten() for p in self.model.parameters()])


def _make(lr: float = 0.1, momentum: float = 0.9, dropout: float = 0.0) -> Setup:
    torch.manual_seed(0)
    layers = [nn.Linear(4, 8), nn.Tanh(), nn.Dropout(dropout), nn.Linear(8, 3)]
    model = nn.Sequential(*layers)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=momentum)
    return Setup(model, optimizer, nn.functional.cross_entropy)


@pytest.fixture
def make() -> Callable[..., Setup]:
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
def batches() -> Callable[..., list[Any]]:
    """Return a function that makes a number of equal batches."""
    return _batches
