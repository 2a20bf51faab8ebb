"""Predictions beside their targets, in the precision that their distance is worked out in.

Owns: the choice between float32 and float64.
Must not know: any particular distance, or how sums are kept.

Two numbers of float32 have a difference that is off by 6e-8 of itself at most where it is rounded
to float32. The same holds for whatever the model computed it from. So float64 would buy nothing
there and cost twice the time; it is kept for sums, which lose digits with every term, and for
differences of sums.
"""

from __future__ import annotations

import torch
from torch import Tensor


def paired(y_pred: Tensor, y: Tensor, wide: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return both in one shape, in float32 where that holds all their digits, else in ``wide``.

    Args:
        y_pred: predictions, of any real type, in the shape that both shall have.
        y: as many targets, of any real type: ``(N, 1)`` is never broadcast against ``(N,)``.
        wide: float64, or float32 on a device that has no more.

    Example:
        >>> half, whole = torch.ones(1, dtype=torch.float16), torch.ones(1, dtype=torch.int64)
        >>> [part.dtype for part in paired(half, half, torch.float64)]
        [torch.float32, torch.float32]
        >>> [part.dtype for part in paired(half, whole, torch.float64)]
        [torch.float64, torch.float64]
    """
    if y.shape != y_pred.shape:
        y = y.reshape(y_pred.shape)
    dtypes = y_pred.dtype, y.dtype
    if dtypes == (torch.float32, torch.float32):
        return y_pred, y
    fit = all(dtype.is_floating_point and dtype.itemsize <= 4 for dtype in dtypes)
    dtype = torch.float32 if fit else wide
    return y_pred.to(dtype), y.to(dtype)
