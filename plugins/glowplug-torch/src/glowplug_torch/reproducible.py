"""Batches that come in the same order again.

Owns: fixing the order of a pass over the data at its start, beginning inside it, and the random
numbers of the workers that load it.
Must not know: engines.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import BatchSampler, DataLoader, Dataset, IterableDataset, get_worker_info

from glowplug.errors import InvalidArgument, InvalidType
from glowplug_torch.seeds import SEEDS, manual_seed


class ReproducibleBatchSampler(BatchSampler):
    """Draws all batches of a pass at its start, and can leave out the first ones.

    With the same random numbers at the start of a pass, the pass is the same, wherever it begins.

    Args:
        batch_sampler: what draws the batches of indices.
        start_iteration: how many of them the next pass leaves out; later passes are whole.

    Raises:
        InvalidType: when ``batch_sampler`` is none.
        InvalidArgument: when ``start_iteration`` is negative.

    Example:
        >>> from torch.utils.data import SequentialSampler
        >>> batches = BatchSampler(SequentialSampler(range(6)), batch_size=2, drop_last=False)
        >>> resumed = ReproducibleBatchSampler(batches, start_iteration=1)
        >>> list(resumed), list(resumed)
        ([[2, 3], [4, 5]], [[0, 1], [2, 3], [4, 5]])
    """

    def __init__(self, batch_sampler: Any, start_iteration: int | None = None) -> None:
        if not callable(getattr(type(batch_sampler), "__iter__", None)):
            raise InvalidType(
                "batch_sampler must yield batches of indices, as a torch BatchSampler does, got "
                f"{batch_sampler!r} of type {type(batch_sampler).__name__}"
            )
        if start_iteration is not None and start_iteration < 0:
            raise InvalidArgument(f"start_iteration must be 0 or more, got {start_iteration!r}")
        self.batch_sampler = batch_sampler
        self.start_iteration = start_iteration
        self.batch_indices: list[Any] = []

    def setup_batch_indices(self) -> None:
        """Draw the batches of one pass, and leave out those before ``start_iteration``."""
        batches = list(self.batch_sampler)
        self.batch_indices = batches[self.start_iteration or 0 :]

    def __iter__(self) -> Iterator[Any]:
        # Drawn here, not at the first next(): a loader asks for its iterator when a pass begins.
        self.setup_batch_indices()
        return self._given_out(self.batch_indices)

    def _given_out(self, batches: list[Any]) -> Iterator[Any]:
        # A loader with workers asks for two iterators and takes batches from the second alone.
        self.start_iteration = None
        yield from batches

    def __len__(self) -> int:
        return len(self.batch_sampler)


def update_dataloader(
    dataloader: DataLoader[Any], new_batch_sampler: BatchSampler
) -> DataLoader[Any]:
    """Return a loader like ``dataloader`` that takes its batches from another sampler.

    Args:
        dataloader: a loader of batches. It stays as it is.
        new_batch_sampler: what draws the batches of indices.

    Returns:
        A loader of the same class with the same settings.

    Raises:
        InvalidType: when ``dataloader`` is none.
        InvalidArgument: when it draws no batches of indices: one of an ``IterableDataset``, or with
            ``batch_size=None``.

    Example:
        >>> loader = DataLoader(range(4), batch_size=2)
        >>> sampler = ReproducibleBatchSampler(loader.batch_sampler, start_iteration=1)
        >>> [batch.tolist() for batch in update_dataloader(loader, sampler)]
        [[2, 3]]
    """
    if not isinstance(dataloader, DataLoader):
        raise InvalidType(f"dataloader must be a torch DataLoader, got {type(dataloader).__name__}")
    if not draws_batches(dataloader):
        raise InvalidArgument(
            "this loader draws no batches of indices: its dataset is an IterableDataset, or its "
            "batch_size is None"
        )
    return _changed(dataloader, batch_sampler=new_batch_sampler)


def draws_batches(dataloader: DataLoader[Any]) -> bool:
    """Return whether a loader's batches are drawn as indices, and can be drawn beforehand.

    That is not so for an ``IterableDataset``, nor with ``batch_size=None``.

    Args:
        dataloader: any torch ``DataLoader``.

    Example:
        >>> draws_batches(DataLoader(range(4), batch_size=2))
        True
    """
    streams = isinstance(dataloader.dataset, IterableDataset)  # its batch sampler never ends
    return dataloader.batch_sampler is not None and not streams


def _changed(dataloader: DataLoader[Any], **attributes: Any) -> DataLoader[Any]:
    """Return a copy of a loader with other attributes.

    A copy serves subclasses with any constructor. A loader refuses to have these attributes set,
    since it looks at them when its workers start; a copy has no workers yet.
    """
    made = copy.copy(dataloader)
    vars(made).update(attributes, _iterator=None)
    return made


def reproducible(dataloader: DataLoader[Any]) -> DataLoader[Any]:
    """Return a loader whose passes depend only on the random numbers at their start.

    The order of the batches is fixed when a pass begins. Workers seed themselves for each batch,
    so what they draw does not depend on the batches that they loaded before, nor on their number.

    Args:
        dataloader: a loader with a batch sampler. It stays as it is.

    Returns:
        A loader of the same class with the same settings, whose ``batch_sampler`` is a
        `ReproducibleBatchSampler`.

    Raises:
        InvalidType: when ``dataloader`` is none.
        InvalidArgument: when it draws no batches of indices, see `draws_batches`.

    Example:
        >>> loader = reproducible(DataLoader(range(4), batch_size=2, shuffle=True))
        >>> manual_seed(7)
        >>> whole = [batch.tolist() for batch in loader]
        >>> manual_seed(7)
        >>> loader.batch_sampler.start_iteration = 1
        >>> [batch.tolist() for batch in loader] == whole[1:]
        True
    """
    sampler: Any = getattr(dataloader, "batch_sampler", None)
    if getattr(dataloader, "num_workers", 0) == 0 or not draws_batches(dataloader):
        return update_dataloader(dataloader, ReproducibleBatchSampler(sampler))
    seeded = _SeededDataset(dataloader.dataset)
    return _changed(dataloader, batch_sampler=_SeededBatchSampler(sampler), dataset=seeded)


def generators_of(data: Any) -> list[torch.Generator]:
    """Return the generators of random numbers that a loader and its samplers keep for themselves.

    Args:
        data: a loader, or any other data, which has none.

    Example:
        >>> mine = torch.Generator()
        >>> generators_of(DataLoader(range(4), shuffle=True, generator=mine))[0] is mine
        True
    """
    owners = [data, getattr(data, "sampler", None)]
    sampler = getattr(data, "batch_sampler", None)
    while sampler is not None:
        owners += [sampler, getattr(sampler, "sampler", None)]
        sampler = getattr(sampler, "batch_sampler", None)
    found = (getattr(owner, "generator", None) for owner in owners)
    return [generator for generator in found if isinstance(generator, torch.Generator)]


class _Batch(list[Any]):
    """The indices of a batch, and the seed of what is drawn while it is loaded."""

    seed: int


class _SeededBatchSampler(ReproducibleBatchSampler):
    """Gives each batch a seed, from its place in the pass."""

    def setup_batch_indices(self) -> None:
        place = self.start_iteration or 0
        super().setup_batch_indices()
        first = int(torch.randint(SEEDS, ()))
        batches = []
        for number, indices in enumerate(self.batch_indices, first + place):
            batch = _Batch(indices)
            batch.seed = number % SEEDS
            batches.append(batch)
        self.batch_indices = batches


class _SeededDataset(Dataset[Any]):
    """A dataset whose batches are loaded with random numbers of their own, in workers."""

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset

    def __getattr__(self, name: str) -> Any:
        if name == "dataset":  # not there yet: this object is being unpickled
            raise AttributeError(name)
        return getattr(self.dataset, name)

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: Any) -> Any:
        return self.dataset[index]

    def __getitems__(self, indices: Any) -> Any:
        if get_worker_info() is not None:
            manual_seed(indices.seed)
        together = getattr(self.dataset, "__getitems__", None)
        return together(indices) if together else [self.dataset[index] for index in indices]
