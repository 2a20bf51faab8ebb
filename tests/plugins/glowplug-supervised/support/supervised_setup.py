"""What the tests of the supervised plugin train, and what they call it.

Owns: the types of the fixtures, which test files cannot import from a conftest.
Must not know: what is tested.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import nn


class Setup(NamedTuple):
    """A network, what changes it, and what it is measured by."""

    model: Any
    optimizer: torch.optim.Optimizer
    loss_fn: Callable[..., torch.Tensor]

    def weights(self) -> torch.Tensor:
        """Return all weights in one row."""
        return torch.cat([p.detach().flatten() for p in self.network.parameters()])

    @property
    def network(self) -> nn.Module:
        """The network, as what it is."""
        network: nn.Module = self.model
        return network


Make = Callable[..., Setup]
Batches = Callable[..., list[Any]]
