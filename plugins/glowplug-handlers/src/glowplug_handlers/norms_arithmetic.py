"""The norms of many tensors at a time.

Owns: which orders there are, and computing norms without waiting for a device.
Must not know: models, parameters or engines.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from glowplug.errors import InvalidArgument, InvalidType

HALF = (torch.float16, torch.bfloat16)
"""In these a sum of squares overflows, or loses what is added."""


def checked_norm_type(norm_type: Any) -> float:
    """Return the order of a norm as a float.

    Raises:
        InvalidType: when it is no number.
        InvalidArgument: when it is another than 1, 2 or infinity.

    Example:
        >>> checked_norm_type(2)
        2.0
    """
    if not isinstance(norm_type, (int, float)) or isinstance(norm_type, bool):
        raise InvalidType(
            "norm_type must be 1, 2 or math.inf, got "
            f"{norm_type!r} of type {type(norm_type).__name__}"
        )
    if norm_type not in (1, 2, math.inf):
        raise InvalidArgument(f"norm_type must be 1, 2 or math.inf, got {norm_type!r}")
    return float(norm_type)


def norms_of(tensors: Sequence[Tensor], norm_type: float) -> list[Tensor]:
    """Return the norm of each tensor, all computed in one go.

    Args:
        tensors: of any shapes, types and devices, each with at least one number.
        norm_type: 1, 2 or infinity.

    Returns:
        Tensors of one number, where their tensors are.

    Example:
        >>> norms_of([torch.tensor([3.0, 4.0]), torch.tensor([[-1.0]])], 2.0)
        [tensor(5.), tensor(1.)]
    """
    dense = [t.coalesce().values() if t.is_sparse else t for t in tensors]
    types = {t.dtype for t in dense}
    wide = {"dtype": torch.float32} if types.intersection(HALF) else {}
    if wide and not types <= {*HALF, torch.float32}:
        dense, wide = [t.float() if t.dtype in HALF else t for t in dense], {}
    # This is what clip_grad_norm_ calls: one kernel for many tensors, which no public name offers.
    return list(torch._foreach_norm(dense, norm_type, **wide))


def together(norms: Sequence[Tensor], norm_type: float) -> Tensor:
    """Return the norm of several tensors together, from the norm of each.

    Args:
        norms: tensors of one number, at least one.
        norm_type: the order of all of them.

    Returns:
        A tensor of one number, on the device of the first.

    Example:
        >>> together([torch.tensor(3.0), torch.tensor(4.0)], 2.0)
        tensor(5.)
    """
    device = norms[0].device
    stacked = torch.stack([norm.to(device) for norm in norms])
    total: Tensor = torch.linalg.vector_norm(stacked, norm_type)
    return total
