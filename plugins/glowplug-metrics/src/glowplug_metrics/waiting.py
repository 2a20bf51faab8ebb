"""Small batches that wait, to be taken in together.

Owns: which batches may wait, how many, and joining them.
Must not know: what a metric makes of them.

To launch a computation costs the same for thirty numbers as for thousands. A copy of a small batch
costs less than all that a metric does with it, and what is done with sixty batches at once is
done as fast as with one.
"""

from __future__ import annotations

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


class Waiting:
    """Pairs of predictions and targets, as they were when they came.

    Args:
        y_pred: the list to keep predictions in.
        y: the list to keep targets in.

    Attributes:
        full: whether it is time to take them.

    Example:
        >>> waiting = Waiting([], [])
        >>> waiting.admits(torch.ones(3, 2), torch.ones(3))
        True
        >>> waiting.admits(torch.ones(1, 2), torch.ones(1))
        True
        >>> [tuple(part.shape) for part in waiting.joined()]
        [(4, 2), (4,)]
    """

    __slots__ = ("_form", "_numbers", "_y", "_y_pred", "full")

    def __init__(self, y_pred: list[Tensor], y: list[Tensor]) -> None:
        self._y_pred = y_pred
        self._y = y
        self._form = _form_of(y_pred[-1], y[-1]) if y else None
        self._numbers = sum(part.numel() for part in (*y_pred, *y))
        self.full = False

    def __len__(self) -> int:
        return len(self._y)

    def admits(self, y_pred: Tensor, y: Tensor) -> bool:
        """Return whether a batch can wait with the others; a copy of it is kept then.

        It is copied since the step may reuse its buffers.
        """
        form = _form_of(y_pred, y)
        if form != self._form:
            if not (_is_small(y_pred, y) and (self._form is None or _fits(form, self._form))):
                return False
            self._form = form
        self._y_pred.append((y_pred.detach() if y_pred.requires_grad else y_pred).clone())
        self._y.append((y.detach() if y.requires_grad else y).clone())
        self._numbers += y_pred.numel() + y.numel()
        self.full = len(self._y) >= MOST or self._numbers >= ROOM
        return True

    def joined(self) -> tuple[Tensor, Tensor]:
        """Return all of them as one batch."""
        y_pred, y = (
            part[0] if len(part) == 1 else torch.cat(part) for part in (self._y_pred, self._y)
        )
        return y_pred, y

    def clear(self) -> None:
        """Keep none."""
        self._y_pred.clear()
        self._y.clear()
        self._form, self._numbers, self.full = None, 0, False


def _form_of(y_pred: Tensor, y: Tensor) -> Form:
    return (y_pred.shape, y.shape, y_pred.dtype, y.dtype)


def _is_small(y_pred: Tensor, y: Tensor) -> bool:
    """Return whether a batch may wait, its predictions and targets being of one length."""
    sizes = (y_pred.numel(), y.numel())
    return max(sizes) <= SMALL and y_pred.ndim > 0 < y.ndim and len(y_pred) == len(y)


def _fits(form: Form, other: Form) -> bool:
    """Return whether two batches can be joined: only their lengths differ."""
    rows = all(one[1:] == last[1:] for one, last in zip(form[:2], other[:2], strict=True))
    return rows and form[2:] == other[2:]
