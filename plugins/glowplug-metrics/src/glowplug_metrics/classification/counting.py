"""Classes of scores, and how often whole numbers stand in a tensor, without waiting for its device.

Owns: classes of the largest scores, counts of numbers and of pairs.
Must not know: metrics.
"""

from __future__ import annotations

import torch
from torch import Tensor


def largest(scores: Tensor) -> Tensor:
    """Return the class of the largest score, of equal ones the first; NaN counts as the largest.

    It is what ``argmax`` gives, which takes up to 17 times as long: of images on a CPU.

    Args:
        scores: ``(N, C, ...)``

    Returns:
        A tensor ``(N, ...)`` in int64.

    Example:
        >>> largest(torch.tensor([[0.1, 0.7, 0.2], [0.5, 0.5, 0.0]]))
        tensor([1, 0])
    """
    return scores.max(dim=1).indices


def counted(indices: Tensor, size: int) -> Tensor:
    """Return how often each of ``0 .. size - 1`` stands in ``indices``.

    ``torch.bincount`` looks for the largest number first, and on a device waits for it.

    Args:
        indices: ``(M,)``, int64, none outside of the range.
        size: how many numbers there are.

    Returns:
        A tensor ``(size,)`` in int64.

    Example:
        >>> counted(torch.tensor([0, 2, 2]), 4)
        tensor([1, 0, 2, 0])
    """
    if indices.device.type == "cpu":
        return torch.bincount(indices, minlength=size)
    zeros = torch.zeros(size, dtype=torch.int64, device=indices.device)
    return zeros.scatter_add_(0, indices, torch.ones_like(indices))


def places(y: Tensor, classes: int) -> Tensor:
    """Return class numbers as 1 to ``classes``, and all that are no class as 0 or ``classes + 1``.

    Args:
        y: ``(M,)``, of any real type.
        classes: C.

    Returns:
        A tensor ``(M,)`` in int64.

    Example:
        >>> places(torch.tensor([0, 2, 3, -100]), 3)
        tensor([1, 3, 4, 0])
    """
    return y.to(torch.int64).clamp(-1, classes).add_(1)


def classes_counted(predicted: Tensor, y: Tensor, classes: int) -> Tensor:
    """Return how often each class was predicted rightly, predicted, and the target.

    Args:
        predicted: ``(M,)``, int64, classes alone.
        y: ``(M,)``; what is no class is the target of none.
        classes: C.

    Returns:
        A tensor ``(3, C)`` in int64.

    Example:
        >>> classes_counted(torch.tensor([0, 1, 1, 0]), torch.tensor([0, 0, 1, -100]), 2)
        tensor([[1, 1],
                [2, 2],
                [2, 1]])
    """
    y = places(y, classes)
    if classes * classes <= len(y):  # few enough for the pairs to be quicker to count
        table = _table(predicted, y, classes)
        return torch.stack((table[1:-1].diagonal(), table.sum(dim=0), table[1:-1].sum(dim=1)))
    width = classes + 2
    predicted = predicted + 1
    right = predicted.masked_fill(predicted != y, 0)
    three = torch.cat((right, predicted.add_(width), y.add_(2 * width)))
    return counted(three, 3 * width).view(3, width)[:, 1:-1]


def pairs_counted(predicted: Tensor, y: Tensor, classes: int) -> Tensor:
    """Return the confusion matrix: how often class j was predicted for class i.

    Args:
        predicted: ``(M,)``, int64, classes alone.
        y: ``(M,)``; a pair whose target is no class is left out.
        classes: C.

    Returns:
        A tensor ``(C, C)`` in int64.

    Example:
        >>> pairs_counted(torch.tensor([0, 1, 1, 0]), torch.tensor([0, 0, 1, -100]), 2)
        tensor([[1, 1],
                [0, 1]])
    """
    return _table(predicted, places(y, classes), classes)[1:-1]


def _table(predicted: Tensor, placed: Tensor, classes: int) -> Tensor:
    """Return how often each class was predicted for each of ``places``: ``(C + 2, C)``."""
    pairs = torch.add(predicted, placed, alpha=classes)
    return counted(pairs, (classes + 2) * classes).view(classes + 2, classes)
