"""Distances of rows from rows.

Owns: the distances, by name.
Must not know: clusters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional


def euclidean(x: Tensor, y: Tensor) -> Tensor:
    """Return the straight distance of every row ``(N, D)`` from every row ``(M, D)``: ``(N, M)``.

    Example:
        >>> euclidean(torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0]]))
        tensor([[5.]])
    """
    # By a product of matrices equal rows would not be at distance 0.
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")


def _squared(x: Tensor, y: Tensor) -> Tensor:
    return euclidean(x, y).square()


def _manhattan(x: Tensor, y: Tensor) -> Tensor:
    return torch.cdist(x, y, p=1)


def _chebyshev(x: Tensor, y: Tensor) -> Tensor:
    return torch.cdist(x, y, p=torch.inf)


def _cosine(x: Tensor, y: Tensor) -> Tensor:
    cosines = functional.normalize(x, eps=1e-300) @ functional.normalize(y, eps=1e-300).T
    return (1 - cosines).clamp(min=0)


DISTANCES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "euclidean": euclidean,
    "l2": euclidean,
    "sqeuclidean": _squared,
    "manhattan": _manhattan,
    "cityblock": _manhattan,
    "l1": _manhattan,
    "chebyshev": _chebyshev,
    "cosine": _cosine,
}
