"""Rows of numbers, summed and divided as fits a processor's cache.

Owns: the pieces of a large batch, and the sums of short rows.
Must not know: what is summed.
"""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

PIECE = 2**16
"""The numbers that a piece of a large batch has by default; its float64 is half a megabyte."""
SHORT = 32
"""The length up to which the sum of a row is quicker as a product with ones."""


def pieces(y_pred: Tensor, y: Tensor, size: int = PIECE) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield a batch, on the CPU in pieces: what comes of each stays in the cache.

    Args:
        y_pred: predictions ``(N, ...)``.
        y: their targets ``(N, ...)``.
        size: the numbers of predictions in a piece.

    Example:
        >>> import torch
        >>> [len(y) for _, y in pieces(torch.ones(5, 2**15), torch.ones(5))]
        [2, 2, 1]
    """
    if y_pred.numel() <= 2 * size or y_pred.device.type != "cpu" or y.shape[:1] != y_pred.shape[:1]:
        yield y_pred, y
        return
    rows = max(1, size * len(y) // y_pred.numel())
    yield from zip(y_pred.split(rows), y.split(rows), strict=True)


def row_sums(rows: Tensor) -> Tensor:
    """Return the sum of each row, ``(...)`` for ``(..., D)``.

    Example:
        >>> import torch
        >>> row_sums(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
        tensor([3., 7.])
    """
    short = rows.shape[-1] <= SHORT
    return rows @ rows.new_ones(rows.shape[-1]) if short else rows.sum(dim=-1)
