"""Examples in the order of their scores, and what is above each of the scores.

Owns: curves over all thresholds, and the areas beneath them.
Must not know: metrics.

Equal scores are one threshold: what is counted at one of them is counted for all of them. A score
that is NaN has no place in the order, so that everything is NaN.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from glowplug_metrics.classification.averages import share
from glowplug_metrics.states import in_float64


class Ranked(NamedTuple):
    """Columns of examples, from the greatest score to the least; all in float64, ``(..., N)``."""

    scores: Tensor
    right: Tensor
    """How many positive examples have this score or a greater one, as counted up to each place."""
    chosen: Tensor
    """How many examples do, as counted up to each place."""
    ends: Tensor
    """Whether the next score is smaller: there the counts are those of a threshold."""


def ranked(scores: Tensor, positive: Tensor) -> Ranked:
    """Sort examples along the last dimension, and count.

    Args:
        scores: ``(..., N)``
        positive: ``(..., N)``, which examples are positive.

    Returns:
        What is counted, NaN in a column in which a score is.

    Example:
        >>> ranked(torch.tensor([0.1, 0.8, 0.8]), torch.tensor([True, False, True])).right
        tensor([0., 1., 2.], dtype=torch.float64)
    """
    scores, order = in_float64(scores).sort(dim=-1, descending=True, stable=True)
    right = in_float64(positive.to(scores.device).gather(-1, order)).cumsum(dim=-1)
    chosen = torch.ones_like(scores).cumsum(dim=-1)
    lost = scores.isnan().any(dim=-1, keepdim=True)
    ends = torch.ones_like(lost).expand(*scores.shape[:-1], 1)
    ends = torch.cat((scores[..., 1:] != scores[..., :-1], ends), dim=-1)
    right, chosen = (counts.masked_fill(lost, torch.nan) for counts in (right, chosen))
    return Ranked(scores, right, chosen, ends)


def at_ends(counts: Tensor, ends: Tensor) -> Tensor:
    """Return for each place the count at the end of its group of equal scores.

    Args:
        counts: ``(..., N)``, which never fall.
        ends: ``(..., N)``, True at the last of each group.

    Returns:
        A tensor ``(..., N)``.

    Example:
        >>> at_ends(torch.tensor([1.0, 2.0, 2.0]), torch.tensor([False, True, True]))
        tensor([2., 2., 2.])
    """
    known = counts.masked_fill(~ends & ~counts.isnan(), torch.inf)
    return known.flip(-1).cummin(dim=-1).values.flip(-1)


def average_precision(scores: Tensor, positive: Tensor) -> Tensor:
    r"""Return the precision, averaged over the thresholds by how far recall rises at each.

    Args:
        scores: ``(..., N)``
        positive: ``(..., N)``

    Returns:
        A tensor ``(...)``; 0 where nothing is positive.

    Example:
        >>> average_precision(torch.tensor([0.9, 0.6, 0.1]), torch.tensor([1, 0, 1]))
        tensor(0.8333, dtype=torch.float64)
    """
    _, right, chosen, ends = ranked(scores, positive)
    precision = at_ends(right, ends) / at_ends(chosen, ends)
    rise = right.diff(dim=-1, prepend=torch.zeros_like(right[..., :1]))
    return share((precision * rise).sum(dim=-1), right[..., -1])


def precision_at_recalls(scores: Tensor, positive: Tensor, recalls: Tensor) -> Tensor:
    r"""Return the precision, averaged by given steps of recall.

    Args:
        scores: ``(..., N)``
        positive: ``(..., N)``
        recalls: ``(K,)``, float64, ascending, from 0 to 1. At each, the precision is that of the
            greatest threshold which reaches it.

    Returns:
        A tensor ``(...)``; 0 where nothing is positive.

    Example:
        >>> recalls = torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64)
        >>> precision_at_recalls(torch.tensor([0.9, 0.6, 0.1]), torch.tensor([1, 0, 1]), recalls)
        tensor(0.8333, dtype=torch.float64)
    """
    _, right, chosen, ends = ranked(scores, positive)
    right, chosen = at_ends(right, ends), at_ends(chosen, ends)
    total = right[..., -1:]
    recall = share(right, total)
    wanted = recalls.to(recall.device).expand(*recall.shape[:-1], -1).contiguous()
    place = torch.searchsorted(recall.contiguous(), wanted).clamp(max=recall.shape[-1] - 1)
    precision = (right / chosen).gather(-1, place)
    steps = wanted.diff(dim=-1, prepend=torch.zeros_like(wanted[..., :1]))
    return (precision * steps).sum(dim=-1).masked_fill(total.squeeze(-1) == 0, 0.0)


def roc_auc(scores: Tensor, positive: Tensor) -> Tensor:
    r"""Return how often a positive example has a greater score than a negative one, ties half.

    Args:
        scores: ``(..., N)``
        positive: ``(..., N)``

    Returns:
        A tensor ``(...)``; NaN where all examples are positive, or none is.

    Example:
        >>> roc_auc(torch.tensor([0.9, 0.6, 0.6, 0.1]), torch.tensor([1, 0, 1, 0]))
        tensor(0.8750, dtype=torch.float64)
    """
    _, right, chosen, ends = ranked(scores, positive)
    start = torch.zeros_like(right[..., :1])
    above = at_ends(right, ends)
    # What is above a group is what is above the end of the group before it.
    before = torch.cat((start, right[..., :-1]), dim=-1)
    begins = torch.cat((torch.ones_like(ends[..., :1]), ends[..., :-1]), dim=-1)
    greater = before.masked_fill(~begins & ~before.isnan(), 0.0).cummax(dim=-1).values
    wrong = (chosen - right).diff(dim=-1, prepend=start)
    pairs = right[..., -1] * (chosen - right)[..., -1]
    return (wrong * (above + greater) / 2).sum(dim=-1) / pairs


def precision_recall(scores: Tensor, positive: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return precision, recall and threshold, from the least threshold to the greatest.

    Args:
        scores: ``(N,)``
        positive: ``(N,)``

    Returns:
        Tensors ``(K + 1,)``, ``(K + 1,)`` and ``(K,)`` of K different scores; the last precision
        is 1 and the last recall 0, which no threshold gives.

    Example:
        >>> precision_recall(torch.tensor([0.9, 0.1]), torch.tensor([1, 0]))[0]
        tensor([0.5000, 1.0000, 1.0000], dtype=torch.float64)
    """
    thresholds, right, chosen = _at_thresholds(ranked(scores, positive))
    total = right[-1:]
    recall = torch.where(total == 0, 1.0, right / total)
    precision = torch.cat(((right / chosen).flip(0), torch.ones_like(total)))
    return precision, torch.cat((recall.flip(0), torch.zeros_like(total))), thresholds.flip(0)


def roc(scores: Tensor, positive: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return false positive rate, true positive rate and threshold, the greatest first.

    Points on a straight line between two others are left out.

    Args:
        scores: ``(N,)``
        positive: ``(N,)``

    Returns:
        Three tensors ``(K,)``; the first threshold is infinite, where both rates are 0.

    Example:
        >>> roc(torch.tensor([0.9, 0.1]), torch.tensor([1, 0]))[2]
        tensor([   inf, 0.9000, 0.1000], dtype=torch.float64)
    """
    thresholds, right, chosen = _at_thresholds(ranked(scores, positive))
    wrong = chosen - right
    bends = torch.ones_like(right, dtype=torch.bool)
    bends[1:-1] = (wrong.diff(n=2) != 0) | (right.diff(n=2) != 0)
    start = torch.zeros_like(right[:1])
    false, true = (torch.cat((start, counts[bends])) / counts[-1] for counts in (wrong, right))
    return false, true, torch.cat((torch.full_like(start, torch.inf), thresholds[bends]))


def _at_thresholds(columns: Ranked) -> tuple[Tensor, Tensor, Tensor]:
    scores, right, chosen, ends = columns
    return scores[ends], right[ends], chosen[ends]
