"""The batches of one pass, drawn at once, and taken up inside it.

Owns: drawing a pass of indices with the random numbers of its beginning, wherever it begins.
Must not know: runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch.utils.data import BatchSampler, DataLoader

from glowplug_torch import (
    capture_random_state,
    generators_of,
    restore_random_state,
    update_dataloader,
)


class Numbers(NamedTuple):
    """Random numbers at one moment.

    Args:
        everywhere: those of Python, NumPy and torch.
        own: the states of the generators that the data keeps for itself.
    """

    everywhere: Mapping[str, Any]
    own: Sequence[torch.Tensor]

    @classmethod
    def now(cls, data: Any) -> Numbers:
        """Return those of this moment."""
        return cls(capture_random_state(), [g.get_state() for g in generators_of(data)])

    def restore(self, data: Any) -> None:
        """Go back to them."""
        restore_random_state(self.everywhere)
        for generator, state in zip(generators_of(data), self.own, strict=False):
            generator.set_state(state.cpu())


class DrawnBatches(BatchSampler):
    """Draws all batches of a pass when the first is asked for, as a loader's own sampler would.

    Args:
        batch_sampler: what draws the batches of indices.
        begins: told the random numbers with which a pass begins.
    """

    def __init__(self, batch_sampler: Any, begins: Callable[[Numbers], None]) -> None:
        self.batch_sampler = batch_sampler
        self._begins = begins
        self._next: tuple[int, Numbers | None] = (0, None)

    def begin_at(self, batches: int, before: Numbers | None) -> None:
        """Let the next pass leave out batches, and be drawn with other random numbers than now's.

        Args:
            batches: how many are left out.
            before: the random numbers; None for those of the moment.
        """
        self._next = batches, before

    def __iter__(self) -> Iterator[Any]:
        (skipped, before), self._next = self._next, (0, None)
        return self._given_out(skipped, before)

    def _given_out(self, skipped: int, before: Numbers | None) -> Iterator[Any]:
        now = Numbers.now(self)
        if before is None:
            self._begins(now)
            batches = list(self.batch_sampler)
        else:
            before.restore(self)
            try:
                batches = list(self.batch_sampler)
            finally:
                now.restore(self)
        yield from batches[skipped:]

    def __len__(self) -> int:
        return len(self.batch_sampler)


def drawn(dataloader: DataLoader[Any], begins: Callable[[Numbers], None]) -> DataLoader[Any]:
    """Return a loader like another, without workers, whose passes are drawn at once.

    Args:
        dataloader: a loader that draws batches of indices. It stays as it is.
        begins: told the random numbers with which a pass begins.
    """
    return update_dataloader(dataloader, DrawnBatches(dataloader.batch_sampler, begins))
