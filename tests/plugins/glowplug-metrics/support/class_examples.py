"""Random predictions and targets of classes, and values compared with a reference.

Owns: drawing tensors from a seed, and the form in which scikit-learn takes them.
Must not know: any particular metric.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from glowplug_metrics import Metric


def value_of(metric: Metric, *examples: Tensor) -> Any:
    """Return the value of one batch."""
    metric.update(examples)
    return metric.compute()


def drawn(seed: int, shape: tuple[int, ...], classes: int = 2) -> Tensor:
    """Return class numbers."""
    return torch.randint(classes, shape, generator=torch.Generator().manual_seed(seed))


def drawn_scores(seed: int, shape: tuple[int, ...]) -> Tensor:
    """Return scores, of both signs."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def last(tensor: Tensor) -> Tensor:
    """Return ``(N, C, ...)`` as ``(N * ..., C)``."""
    return tensor.movedim(1, -1).reshape(-1, tensor.shape[1])


def same(value: Any, expected: Any) -> None:
    """Assert that a value is the reference's, to the digits of float64."""
    wide = (torch.as_tensor(tensor, dtype=torch.float64) for tensor in (value, expected))
    torch.testing.assert_close(*wide, rtol=1e-9, atol=1e-12, equal_nan=True)
