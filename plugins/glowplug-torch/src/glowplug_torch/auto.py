"""Loader, model and optimizer, made fit for the processes that there are.

Owns: what of each is divided, moved or wrapped.
Must not know: how the processes were started, or the loop that trains.
"""

from __future__ import annotations

import logging
import warnings
from typing import Any, TypeVar

from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer
from torch.utils.data import DataLoader, Dataset, IterableDataset
from torch.utils.data.distributed import DistributedSampler

from glowplug.errors import InvalidArgument, InvalidType
from glowplug_torch.ranks import (
    RanksWarning,
    device,
    get_nproc_per_node,
    get_rank,
    get_world_size,
)
from glowplug_torch.sampling import DistributedProxySampler

logger = logging.getLogger(__name__)

AnyOptimizer = TypeVar("AnyOptimizer", bound=Optimizer)


def auto_dataloader(dataset: Dataset[Any], **kwargs: Any) -> DataLoader[Any]:
    """Make a loader that gives this process its share of the data.

    In one process it is ``DataLoader(dataset, **kwargs)``. In several, ``batch_size`` is that of
    all processes together, and ``num_workers`` that of all on a node: each has its share. A
    ``DistributedSampler`` divides the data, shuffled where ``shuffle`` asks for it; a sampler of
    your own is divided by `DistributedProxySampler`, unless it is a ``DistributedSampler``. Call
    ``loader.sampler.set_epoch`` at the start of each epoch.

    The memory is pinned where the device is a GPU, unless ``pin_memory`` says otherwise.

    Args:
        dataset: of what the loader takes.
        **kwargs: for ``torch.utils.data.DataLoader``.

    Returns:
        The loader.

    Raises:
        InvalidType: when the sampler cannot be divided.
        InvalidArgument: when ``batch_size`` or ``num_workers`` is no number that can be divided.
        PlacementUnknown: when there are workers, and nobody told how many processes share them.

    Warns:
        RanksWarning: when the batch size cannot be divided evenly, or when each process will read
            all of the data: a batch sampler, or a dataset without indices, divides itself or not
            at all.

    Example:
        >>> import torch
        >>> loader = auto_dataloader(torch.arange(10), batch_size=4)
        >>> [len(batch) for batch in loader]
        [4, 4, 2]
    """
    options = {"pin_memory": device().type == "cuda", **kwargs}
    world = get_world_size()
    if world > 1:
        if options.get("batch_size") is not None:
            options["batch_size"] = _share_of_batch(options["batch_size"], world)
        if options.get("num_workers", 0) != 0:
            options["num_workers"] = _share_of_workers(options["num_workers"])
        _divide(dataset, options)
    logger.debug("a DataLoader of rank %s is made with %s", get_rank(), options)
    return DataLoader(dataset, **options)


def _share_of_batch(batch_size: Any, world: int) -> int:
    _check_count("batch_size", batch_size, least=1)
    # Rounded down: a larger batch than was asked for might not fit into memory.
    share = max(int(batch_size) // world, 1)
    if share * world != batch_size:
        warnings.warn(
            f"a batch of {batch_size} cannot be divided evenly among {world} processes: each has "
            f"{share}, so all together have {share * world}",
            RanksWarning,
            stacklevel=3,
        )
    return share


def _share_of_workers(num_workers: Any) -> int:
    _check_count("num_workers", num_workers, least=0)
    # Rounded up, so that a process that was to have workers has one.
    return -(-int(num_workers) // get_nproc_per_node())


def _check_count(name: str, value: Any, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InvalidArgument(f"{name} must be an integer of at least {least}, got {value!r}")


def _divide(dataset: Any, options: dict[str, Any]) -> None:
    """Put into the options what divides the data, or warn that nothing does."""
    batches = options.get("batch_sampler")
    if isinstance(dataset, IterableDataset):
        _warn_of_whole(
            f"{type(dataset).__name__} is an IterableDataset, which only itself can divide: unless "
            "it uses glowplug_torch.get_rank(), each process reads all of it"
        )
    elif batches is not None:
        within = getattr(batches, "sampler", None)
        if not isinstance(batches, DistributedSampler) and not isinstance(
            within, DistributedSampler
        ):
            _warn_of_whole(
                "batch_sampler is used as it is, so each process reads all of its batches; "
                "DistributedProxySampler(batch_sampler) divides them"
            )
    elif options.get("sampler") is None:
        shuffle = bool(options.pop("shuffle", False))
        # Rank and count are passed, since torch would ask for them once more.
        options["sampler"] = DistributedSampler(
            dataset, num_replicas=get_world_size(), rank=get_rank(), shuffle=shuffle
        )
    elif not isinstance(options["sampler"], DistributedSampler):
        options["sampler"] = DistributedProxySampler(options["sampler"])


def _warn_of_whole(message: str) -> None:
    warnings.warn(message, RanksWarning, stacklevel=4)


def auto_model(model: nn.Module, sync_bn: bool = False, **kwargs: Any) -> nn.Module:
    """Move a model to the device of this process, and let the processes train it together.

    In several processes it is wrapped in ``DistributedDataParallel``, which averages the gradients;
    the model itself is at ``.module``. One that has no parameters to train is only moved. In one
    process it is only moved, and the other arguments do nothing.

    Args:
        model: the model.
        sync_bn: let batch normalisation see the batches of all processes together; on GPUs only.
        **kwargs: for ``torch.nn.parallel.DistributedDataParallel``.

    Returns:
        The model, or its wrapper.

    Raises:
        InvalidType: when ``model`` is no module, or is wrapped already.
        InvalidArgument: when ``sync_bn`` is asked of several processes without GPUs. The model has
            not been moved then.

    Example:
        >>> import torch
        >>> model = auto_model(torch.nn.Linear(3, 1))
        >>> type(model).__name__
        'Linear'
    """
    if not isinstance(model, nn.Module) or isinstance(model, DistributedDataParallel):
        raise InvalidType(
            f"a model is a torch.nn.Module that is not wrapped yet, got {type(model).__name__}"
        )
    place, world = device(), get_world_size()
    if sync_bn and world > 1 and place.type != "cuda":
        raise InvalidArgument(
            f"sync_bn=True needs processes with GPUs, and the device of this one is {place}: torch "
            "synchronises batch normalisation on GPUs only"
        )
    model = model.to(place)
    if world == 1:
        return model
    if sync_bn:
        model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
    if not any(parameter.requires_grad for parameter in model.parameters()):
        return model
    where = {"device_ids": [place.index]} if place.type == "cuda" else {}
    return DistributedDataParallel(model, **{**where, **kwargs})


def auto_optim(optimizer: AnyOptimizer, **kwargs: Any) -> AnyOptimizer:
    """Return an optimizer that fits the model of `auto_model`: the one that was given.

    The gradients are averaged by the model's wrapper before the optimizer sees them.

    Args:
        optimizer: the optimizer.
        **kwargs: nothing is known; they are taken for programs that were written for several
            libraries of collectives.

    Returns:
        The same optimizer.

    Raises:
        InvalidType: when ``optimizer`` is no optimizer.

    Warns:
        RanksWarning: when there are ``kwargs``.

    Example:
        >>> import torch
        >>> optimizer = torch.optim.SGD(torch.nn.Linear(3, 1).parameters(), lr=0.1)
        >>> auto_optim(optimizer) is optimizer
        True
    """
    if not isinstance(optimizer, Optimizer):
        raise InvalidType(
            f"an optimizer is a torch.optim.Optimizer, got {optimizer!r} "
            f"of type {type(optimizer).__name__}"
        )
    if kwargs:
        warnings.warn(
            f"auto_optim has no use for {', '.join(kwargs)}: torch.distributed averages the "
            "gradients in the model's wrapper",
            RanksWarning,
            stacklevel=2,
        )
    return optimizer
