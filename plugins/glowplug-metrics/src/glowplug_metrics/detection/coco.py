"""Average precision and recall of found boxes, as COCO defines them.

Owns: sorting boxes into images and classes, and the curves of precision over recall.
Must not know: metrics, and how boxes were gathered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from glowplug_metrics.detection.boxes import areas_of
from glowplug_metrics.detection.matching import matched, overlaps

AT_ONCE = 1_000_000
"""How many pairs of boxes are compared at once, which bounds the memory that it takes."""

AREAS = {
    "small": (0.0, 32.0**2),
    "medium": (32.0**2, 96.0**2),
    "large": (96.0**2, 1e5**2),
    "all": (0.0, 1e5**2),
}
"""The ranges of areas in square pixels, both ends included."""


@dataclass(frozen=True)
class Boxes:
    """The found and the true boxes of all images.

    Args:
        found: ``(D, 6)``: box, confidence, class.
        found_in: the image of each, ``(D,)``.
        true: ``(G, 7)``: box, class, whether of a crowd, area.
        true_in: the image of each, ``(G,)``.
    """

    found: Tensor
    found_in: Tensor
    true: Tensor
    true_in: Tensor


@dataclass(frozen=True)
class Curves:
    """What boxes come to, for K classes.

    Attributes:
        precision: at T overlaps and R recalls, ``(T, R, K)``; -1 for classes without true boxes.
        recall: the greatest, at T overlaps, ``(T, K)``; -1 for classes without true boxes.
    """

    precision: Tensor
    recall: Tensor


def evenly(first: float, last: float, number: int) -> list[float]:
    """Return so many numbers from ``first`` to ``last``, rounded as NumPy's linspace rounds them.

    Example:
        >>> evenly(0.5, 0.95, 10)[:3]
        [0.5, 0.55, 0.6]
    """
    step = (last - first) / (number - 1)
    return [*(first + index * step for index in range(number - 1)), last]


class Matches:
    """The found boxes of all classes in their order, and which of them are right.

    Args:
        boxes: of all images.
        num_classes: K.
        overlap: the overlaps that make a box right, ``(T,)``.
        area: the least and the greatest area that counts.
        most: how many boxes of a class count in an image; the most confident ones.

    Example:
        >>> found = torch.tensor([[0.0, 0, 2, 2, 0.9, 0]]).double()
        >>> true = torch.tensor([[0.0, 0, 2, 2, 0, 0, 4]]).double()
        >>> boxes = Boxes(found, torch.tensor([0]), true, torch.tensor([0]))
        >>> matches = Matches(boxes, 1, torch.tensor([0.5]).double(), AREAS["all"], 100)
        >>> matches.curves(torch.tensor([0.0, 1.0]).double(), 100).precision
        tensor([[[1.0000],
                 [1.0000]]], dtype=torch.float64)
    """

    def __init__(
        self,
        boxes: Boxes,
        num_classes: int,
        overlap: Tensor,
        area: tuple[float, float],
        most: int,
    ) -> None:
        self._classes = num_classes
        found, self._groups, self._ranks = _ranked(boxes, num_classes, most)
        low, high = area
        true, groups = boxes.true, boxes.true_in * num_classes + boxes.true[:, 4].long()
        counts = (true[:, 5] == 0) & (true[:, 6] >= low) & (true[:, 6] <= high)
        self._true = torch.bincount(true[counts, 4].long(), minlength=num_classes)
        areas = areas_of(found)
        outside = (areas < low) | (areas > high)
        self._confidence = found[:, 4]
        self._results = torch.zeros(len(found), len(overlap), dtype=torch.int8)
        for problem in _problems(self._groups, self._ranks, groups):
            f, t = problem
            pairs = overlaps(found[f, :4], true[t, :4], true[t, 5] != 0)
            pairs.masked_fill_((t < 0).unsqueeze(1), -1.0)
            results = matched(pairs, counts[t], true[t, 5] != 0, overlap)
            self._results[f[f >= 0]] = results[f >= 0]
        # what is not right is not wrong either where it is of another size
        missed = outside.unsqueeze(1) & (self._results != 1)
        self._results.masked_fill_(missed, -1)

    def curves(self, recalls: Tensor, most: int) -> Curves:
        """Return precision and recall.

        Args:
            recalls: where precision is read, ``(R,)``.
            most: how many boxes of a class count in an image, not more than were matched.
        """
        overlaps = self._results.shape[1]
        precision = recalls.new_full((overlaps, len(recalls), self._classes), -1.0)
        recall = recalls.new_full((overlaps, self._classes), -1.0)
        classes = self._groups % self._classes
        for index in self._true.nonzero().flatten().tolist():
            mine = (classes == index) & (self._ranks < most)
            order = self._confidence[mine].argsort(descending=True, stable=True)
            results = self._results[mine][order].T
            right, wrong = ((results == kind).cumsum(1).double() for kind in (1, 0))
            reached = (right / self._true[index]).contiguous()
            precise = right / (right + wrong + torch.finfo(torch.float64).eps)
            best = precise.flip(1).cummax(1).values.flip(1)  # at this recall or more
            recall[:, index] = reached[:, -1] if len(order) else 0.0
            # beyond the greatest recall precision is 0
            padded = torch.nn.functional.pad(best, (0, 1))
            at = torch.searchsorted(reached, recalls.expand(overlaps, -1).contiguous())
            precision[:, :, index] = padded.gather(1, at)
        return Curves(precision, recall)


def mean_of_known(values: Tensor) -> Tensor:
    """Return the mean of what is not -1; -1 where nothing is known.

    Example:
        >>> mean_of_known(torch.tensor([-1.0, 0.5, 1.0])), mean_of_known(torch.tensor([-1.0]))
        (tensor(0.7500), tensor(-1.))
    """
    known = values[values > -1]
    return known.mean() if known.numel() else values.new_tensor(-1.0)


def _ranked(boxes: Boxes, num_classes: int, most: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return found boxes by image and class, the most confident first, the group and rank of each.

    A NaN among confidences comes last.
    """
    found, image = boxes.found, boxes.found_in
    confidence = torch.where(found[:, 4].isnan(), -torch.inf, found[:, 4])
    order = confidence.argsort(descending=True, stable=True)
    groups = image * num_classes + found[:, 5].long()
    order = order[groups[order].argsort(stable=True)]
    groups = groups[order]
    ranks = _ranks(groups)
    found = torch.cat((found[:, :4], confidence.unsqueeze(1)), dim=1)[order]
    few = ranks < most
    return found[few], groups[few], ranks[few]


def _ranks(groups: Tensor) -> Tensor:
    """Return the place of each within its group, for sorted groups."""
    _, sizes = groups.unique_consecutive(return_counts=True)
    starts = sizes.cumsum(0) - sizes
    ranks: Tensor = torch.arange(len(groups)) - starts.repeat_interleave(sizes)
    return ranks


def _problems(
    found_groups: Tensor, found_ranks: Tensor, true_groups: Tensor
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the places of found and of true boxes, ``(B, D)`` and ``(B, G)``; -1 for none.

    Each row is of one group, groups without one of the two left out. Groups of a size come
    together, so that little is padded.
    """
    order = true_groups.argsort(stable=True)
    by_group = true_groups[order]
    both = found_groups.unique()
    both = both[torch.isin(both, by_group)]
    if not len(both):
        return
    spans = [
        (torch.searchsorted(groups, both), torch.searchsorted(groups, both, right=True))
        for groups in (found_groups, by_group)
    ]
    sizes = torch.stack([end - start for start, end in spans])
    by_size = (sizes[1] * (sizes[0].max() + 1) + sizes[0]).argsort(stable=True)
    for rows in _portions(sizes[:, by_size].T.tolist()):
        chosen = by_size[rows[0] : rows[1]]
        places = [_padded(start[chosen], end[chosen] - start[chosen]) for start, end in spans]
        yield places[0], torch.where(places[1] >= 0, order[places[1]], -1)


def _portions(sizes: Sequence[Sequence[int]]) -> Iterator[tuple[int, int]]:
    """Yield the bounds of portions of which the padded pairs are not too many."""
    begin, most_found, most_true = 0, 0, 0
    for end, (found, true) in enumerate(sizes):
        most_found, most_true = max(most_found, found), max(most_true, true)
        if end > begin and (end - begin + 1) * most_found * most_true > AT_ONCE:
            yield begin, end
            begin, most_found, most_true = end, found, true
    yield begin, len(sizes)


def _padded(starts: Tensor, sizes: Tensor) -> Tensor:
    """Return the places from each start on, as many as its size, filled up with -1."""
    steps = torch.arange(int(sizes.max()))
    places = starts.unsqueeze(1) + steps
    return torch.where(steps < sizes.unsqueeze(1), places, -1)
