"""The share of each rank in what a sampler draws.

Owns: how one order of the data is made in every process, and divided among them.
Must not know: loaders and batches.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import Sampler
from torch.utils.data.distributed import DistributedSampler

from glowplug.errors import InvalidArgument, InvalidType
from glowplug_torch.ranks import get_rank, get_world_size
from glowplug_torch.seeds import (
    SEEDS,
    capture_random_state,
    manual_seed,
    restore_random_state,
)


class DistributedProxySampler(DistributedSampler[Any]):
    """Give each rank its share of what any sampler draws.

    Every rank draws the whole order, from random numbers that ``seed + epoch`` alone decides, and
    keeps each ``num_replicas``-th of it, starting at its rank. All shares are of one length: where
    the order cannot be divided evenly, it goes on from its beginning. The random numbers of the
    process, and a generator of the sampler's own, are left as they were.

    Call ``set_epoch`` at the start of each epoch, or every epoch has the same order.

    Args:
        sampler: draws indices, or batches of them; it has a length.
        num_replicas: the number of shares; `get_world_size` by default.
        rank: which of them is this one; `get_rank` by default.

    Attributes:
        seed: added to the epoch; 0, and the same in every process.

    Raises:
        InvalidType: when ``sampler`` is no ``torch.utils.data.Sampler``, has no length, or is
            divided among ranks already.
        InvalidArgument: when it is empty, or when ``rank`` is not below ``num_replicas``.

    Example:
        >>> from torch.utils.data import SequentialSampler
        >>> shares = [DistributedProxySampler(SequentialSampler(range(5)), 2, r) for r in (0, 1)]
        >>> [list(share) for share in shares]
        [[0, 2, 4], [1, 3, 0]]
    """

    def __init__(
        self, sampler: Sampler[Any], num_replicas: int | None = None, rank: int | None = None
    ) -> None:
        length = _length(sampler)
        count = get_world_size() if num_replicas is None else num_replicas
        mine = get_rank() if rank is None else rank
        if not isinstance(mine, int) or not isinstance(count, int) or not 0 <= mine < count:
            raise InvalidArgument(
                "rank and num_replicas must be integers with 0 <= rank < num_replicas, "
                f"got rank={mine!r}, num_replicas={count!r}"
            )
        if length == 0:
            raise InvalidArgument(f"{sampler!r} draws nothing that ranks could share")
        super().__init__(sampler, num_replicas=count, rank=mine, shuffle=False)  # type: ignore[arg-type]  # what has a length will do
        self.sampler = sampler
        self._length = length

    def __iter__(self) -> Iterator[Any]:
        order = self._order()
        if len(order) != self._length:
            raise InvalidArgument(
                f"{type(self.sampler).__name__} had a length of {self._length} and now drew "
                f"{len(order)}: the ranks would not agree on the length of an epoch"
            )
        mine = range(self.rank, self.total_size, self.num_replicas)
        return iter([order[i % len(order)] for i in mine])

    def _order(self) -> list[Any]:
        """Draw everything, as all ranks do, and put back the random numbers that it took."""
        seed = (self.seed + self.epoch) % SEEDS
        before = capture_random_state()
        own = [(generator, generator.get_state()) for generator in _generators(self.sampler)]
        try:
            manual_seed(seed)
            for generator, _ in own:
                generator.manual_seed(seed)
            return list(self.sampler)
        finally:
            restore_random_state(before)
            for generator, state in own:
                generator.set_state(state)


def _generators(sampler: Any) -> Iterator[torch.Generator]:
    """Yield the generators of a sampler's own: it may draw from another, as BatchSampler does."""
    while sampler is not None:
        generator = getattr(sampler, "generator", None)
        if isinstance(generator, torch.Generator):
            yield generator
        sampler = getattr(sampler, "sampler", None)


def _length(sampler: Any) -> int:
    if not isinstance(sampler, Sampler):
        raise InvalidType(
            f"sampler must be a torch.utils.data.Sampler, got {sampler!r} "
            f"of type {type(sampler).__name__}"
        )
    if isinstance(sampler, DistributedSampler):
        raise InvalidType(f"{type(sampler).__name__} is divided among the ranks already")
    try:
        return len(sampler)  # type: ignore[arg-type]  # whether it has one is the question
    except TypeError as error:
        raise InvalidType(
            f"{type(sampler).__name__} has no length, so it cannot be divided evenly: {error}"
        ) from error
