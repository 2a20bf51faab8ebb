"""Which found boxes are of which true ones.

Owns: overlaps, and giving away true boxes in the order of confidence, for many images at once.
Must not know: classes, and what is made of matches.
"""

from __future__ import annotations

import torch
from torch import Tensor

from glowplug_metrics.detection.boxes import areas_of

NEARLY_ONE = 1 - 1e-10
"""An overlap that is as good as 1, as COCO has it."""


def overlaps(found: Tensor, true: Tensor, crowd: Tensor) -> Tensor:
    """Return the intersection over union of all pairs; over the found box's area for crowds.

    Args:
        found: ``(..., D, 4)``
        true: ``(..., G, 4)``
        crowd: whether a true box stands for a crowd, ``(..., G)``.

    Returns:
        A tensor ``(..., D, G)``, 0 where boxes do not meet.

    Example:
        >>> found, true = torch.tensor([[0.0, 0, 2, 2]]), torch.tensor([[0.0, 0, 4, 2]])
        >>> overlaps(found, true, torch.tensor([False]))
        tensor([[0.5000]])
    """
    one, other = found.unsqueeze(-2), true.unsqueeze(-3)
    shared = torch.minimum(one[..., 2:], other[..., 2:]) - torch.maximum(
        one[..., :2], other[..., :2]
    )
    meeting = shared.clamp(min=0).prod(dim=-1)
    area = areas_of(one)
    union = torch.where(crowd.unsqueeze(-2), area, area + areas_of(other) - meeting)
    return torch.where(meeting > 0, meeting / union, 0.0)


def matched(overlap: Tensor, counted: Tensor, crowd: Tensor, thresholds: Tensor) -> Tensor:
    """Return what each found box is, at each threshold.

    The found boxes choose in their order: of the counted true boxes that are left and overlap
    enough the one that overlaps most, else of those that do not count. A crowd is never used up.
    Of true boxes that overlap alike the last is chosen.

    Args:
        overlap: ``(B, D, G)`` of B problems; below 0 where there is no such true box.
        counted: whether a true box counts, ``(B, G)``.
        crowd: whether it stands for a crowd, ``(B, G)``.
        thresholds: ``(T,)``

    Returns:
        A tensor ``(B, D, T)`` of int8: 1 matched, 0 not, -1 matched to what does not count.

    Example:
        >>> overlap = torch.tensor([[[0.6, 0.0], [0.9, 0.0]]])
        >>> yes, no = torch.tensor([[True, True]]), torch.tensor([[False, False]])
        >>> matched(overlap, yes, no, torch.tensor([0.5, 0.75]))
        tensor([[[1, 0],
                 [0, 1]]], dtype=torch.int8)
    """
    problems, found, _ = overlap.shape
    # argmax returns the first of equals
    overlap, counted, crowd = overlap.flip(-1), counted.flip(-1), crowd.flip(-1)
    bounds = thresholds.clamp(max=NEARLY_ONE).view(1, -1, 1)
    left = torch.ones(problems, len(thresholds), overlap.shape[-1], dtype=torch.bool)
    results = torch.zeros(problems, found, len(thresholds), dtype=torch.int8)
    counted, reusable = counted.unsqueeze(1), crowd.unsqueeze(1)
    for index in range(found):
        mine = overlap[:, index].unsqueeze(1)
        open_ = (mine >= bounds) & left
        first = open_ & counted
        any_first = first.any(dim=-1, keepdim=True)
        allowed = torch.where(any_first, first, open_)
        choice = torch.where(allowed, mine, -1.0).argmax(dim=-1, keepdim=True)
        hit = allowed.any(dim=-1)
        results[:, index] = torch.where(any_first.squeeze(-1), 1, -1) * hit
        taken = torch.zeros_like(left).scatter_(-1, choice, hit.unsqueeze(-1))
        left &= ~taken | reusable
    return results
