"""What the tests of the handlers share.

Owns: small networks, and a process group of one.
Must not know: any handler.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import distributed as dist
from torch import nn


def _network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 1))


@pytest.fixture
def network() -> Callable[[], nn.Sequential]:
    """A function that makes equal networks with batch norm, however often it is called."""
    return _network


@pytest.fixture
def batches() -> list[torch.Tensor]:
    """Six batches of five inputs of the network."""
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(5, 3, generator=generator) * 3 + 1 for _ in range(6)]


@pytest.fixture
def group() -> Iterator[None]:
    """A process group of this process alone."""
    dist.init_process_group(
        "gloo",
        store=dist.HashStore(),  # type: ignore[attr-defined]  # torch does not export it
        rank=0,
        world_size=1,
    )
    yield
    dist.destroy_process_group()
