"""What is told of numbers by their order: medians, ranks and inversions.

Owns: these, as functions of tensors.
Must not know: metrics.
"""

from __future__ import annotations

import torch
from torch import Tensor

from glowplug_metrics.states import in_float64


def true_median(values: Tensor) -> Tensor:
    """Return the median, which for an even number of values is the mean of the two in the middle.

    Args:
        values: ``(...)``; at least one.

    Returns:
        A tensor without dimensions; NaN where a value is.

    Example:
        >>> true_median(torch.tensor([1.0, 2.0, 7.0, 8.0]))
        tensor(4.5000)
    """
    # torch.median is the lower of the two in the middle.
    return (values.median() - (-values).median()) / 2


def groups(values: Tensor) -> tuple[Tensor, Tensor]:
    """Return to which of the different values each belongs, in their order, and how often each is.

    Args:
        values: ``(N,)``

    Returns:
        Two tensors of whole numbers, ``(N,)`` and ``(M,)`` for M different values.

    Example:
        >>> groups(torch.tensor([5.0, 2.0, 5.0]))
        (tensor([1, 0, 1]), tensor([1, 2]))
    """
    _, places, counts = in_float64(values).unique(return_inverse=True, return_counts=True)
    return places, counts


def average_ranks(values: Tensor) -> Tensor:
    """Return the place of each value among all, from 1; equal ones share the mean of theirs.

    Args:
        values: ``(N,)``

    Returns:
        A tensor ``(N,)`` in float64.

    Example:
        >>> average_ranks(torch.tensor([5.0, 2.0, 5.0]))
        tensor([2.5000, 1.0000, 2.5000], dtype=torch.float64)
    """
    places, counts = groups(values)
    last = counts.cumsum(0).to(torch.float64)
    return (last - (counts - 1) / 2)[places]


def inversions(values: Tensor) -> int:
    """Return how many pairs stand in the wrong order, the greater before the smaller.

    Blocks of doubled width are merged, all blocks of one width at once: N (log N)^2 steps.

    Args:
        values: ``(N,)``, whole numbers.

    Returns:
        The number of pairs i < j with ``values[i] > values[j]``.

    Example:
        >>> inversions(torch.tensor([3, 1, 2, 2]))
        3
    """
    levels = max(len(values) - 1, 0).bit_length()
    beyond = torch.iinfo(torch.int64).max  # at the end, where they are greater than nothing
    padding = values.new_full((2**levels - len(values),), beyond, dtype=torch.int64)
    blocks = torch.cat((values.to(torch.int64), padding)).unsqueeze(1)
    found = 0
    for _ in range(levels):
        width = blocks.shape[1]
        left, right = blocks[0::2].contiguous(), blocks[1::2].contiguous()
        not_greater = torch.searchsorted(left, right, right=True)
        found += int((width - not_greater).sum())
        blocks = torch.cat((left, right), dim=1).sort(dim=1).values
    return found
