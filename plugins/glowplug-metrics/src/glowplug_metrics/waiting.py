"""Small batches that wait, to be taken in together.

Owns: which batches may wait, how many, and joining them.
Must not know: what a metric makes of them.

To launch a computation costs the same for thirty numbers as for thousands. A copy of a small batch
costs less than all that a metric does with it, and what is done with sixty batches at once is
done as fast as with one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

SMALL = 2**13
"""The numbers that a batch may have in one of its tensors, if it is to wait."""
ROOM = 2**16
"""The numbers that may wait in all."""
MOST = 64
"""The batches that may wait."""

Form: TypeAlias = tuple[torch.Size, torch.Size, torch.dtype, torch.dtype]
Keep: TypeAlias = Callable[[Tensor, Tensor], tuple[Tensor, ...]]


def copies(y_pred: Tensor, y: Tensor) -> tuple[Tensor, ...]:
    """Return copies of both without history: a step may reuse its buffers.

    Example:
        >>> copies(torch.ones(1, requires_grad=True), torch.zeros(1))
        (tensor([1.]), tensor([0.]))
    """
    return (
        (y_pred.detach() if y_pred.requires_grad else y_pred).clone(),
        (y.detach() if y.requires_grad else y).clone(),
    )


class Waiting:
    """What is kept of predictions and targets, as they were when they came.

    Args:
        kept: the lists to keep it in, one for each tensor that is kept of a batch.

    Attributes:
        full: whether it is time to take it.

    Example:
        >>> waiting = Waiting(([], []))
        >>> waiting.admits(torch.ones(3, 2), torch.ones(3), copies)
        True
        >>> waiting.admits(torch.ones(1, 2), torch.ones(1), copies)
        True
        >>> [tuple(part.shape) for part in waiting.joined()]
        [(4, 2), (4,)]
    """

    __slots__ = ("_form", "_kept", "_numbers", "full")

    def __init__(self, kept: Sequence[list[Tensor]]) -> None:
        self._kept = kept
        self._form: Form | None = None
        self._numbers = sum(part.numel() for parts in kept for part in parts)
        self.full = False

    def __len__(self) -> int:
        return len(self._kept[0])

    def admits(self, y_pred: Tensor, y: Tensor, keep: Keep) -> bool:
        """Return whether a batch can wait with the others; what is kept of it waits then.

        Args:
            y_pred: its predictions.
            y: its targets.
            keep: makes of the two what is kept, in memory of its own.
        """
        form = (y_pred.shape, y.shape, y_pred.dtype, y.dtype)
        known = form == self._form
        if not (known or _is_small(y_pred, y)):
            return False
        parts = keep(y_pred, y)
        if not known:
            if not self._fit(parts):
                return False
            self._form = form
        for part, those in zip(parts, self._kept, strict=True):
            those.append(part)
            self._numbers += part.numel()
        self.full = len(self) >= MOST or self._numbers >= ROOM
        return True

    def _fit(self, parts: tuple[Tensor, ...]) -> bool:
        """Return whether these can be joined with those that wait: only their lengths differ."""
        return all(
            not those or (part.shape[1:], part.dtype) == (those[-1].shape[1:], those[-1].dtype)
            for part, those in zip(parts, self._kept, strict=True)
        )

    def joined(self) -> tuple[Tensor, ...]:
        """Return all of it as if it were of one batch; what waits is not to be changed in it."""
        return tuple(those[0] if len(those) == 1 else torch.cat(those) for those in self._kept)

    def clear(self) -> None:
        """Keep none."""
        for those in self._kept:
            those.clear()
        self._form, self._numbers, self.full = None, 0, False


def _is_small(y_pred: Tensor, y: Tensor) -> bool:
    """Return whether a batch may wait, its predictions and targets being of one length."""
    sizes = (y_pred.numel(), y.numel())
    return max(sizes) <= SMALL and y_pred.ndim > 0 < y.ndim and len(y_pred) == len(y)
