"""Who this process is among those that train together.

Owns: rank, world size, device, and the place of a process on its node.
Must not know: how the processes were started, or what they say to each other.

torch.distributed is asked each time, so the answers are true whoever made the process group: a
launcher, ``glowplug_torch.initialize``, or the user. Without a group there is one process.
"""

from __future__ import annotations

import operator
import socket

import torch
import torch.distributed as dist

from glowplug.errors import GlowplugError, GlowplugWarning, InvalidArgument, InvalidType
from glowplug_torch.launchers import placement_told
from glowplug_torch.placement import ALONE, Placement, known, world_group


class PlacementUnknown(GlowplugError, RuntimeError):
    """The process group does not say where on its node this process runs."""


class RanksWarning(GlowplugWarning):
    """Processes that train together will not do quite what was asked for."""


def backend() -> str | None:
    """Return the backend of the process group, or None where there is none.

    Example:
        >>> backend() is None
        True
    """
    return None if world_group() is None else str(dist.get_backend())


def available_backends() -> tuple[str, ...]:
    """Return the backends that this torch offers: of ``nccl``, ``gloo`` and ``mpi``.

    Example:
        >>> set(available_backends()) <= {"nccl", "gloo", "mpi"}
        True
    """
    if not dist.is_available():
        return ()
    offered = {
        "nccl": dist.is_nccl_available() and torch.cuda.is_available(),
        "gloo": dist.is_gloo_available(),
        "mpi": dist.is_mpi_available(),
    }
    return tuple(name for name, present in offered.items() if present)


def model_name() -> str:
    """Return ``"serial"`` for one process without a group, ``"native-dist"`` otherwise.

    Example:
        >>> model_name()
        'serial'
    """
    return "serial" if world_group() is None else "native-dist"


def device() -> torch.device:
    """Return the device of this process: its GPU where there is one, else the CPU.

    Which GPU that is, ``torch.cuda.set_device`` says; ``initialize`` calls it.

    Example:
        >>> device().type in ("cuda", "mps", "cpu")
        True
    """
    if torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    if world_group() is None and torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def hostname() -> str:
    """Return the name of this machine.

    Example:
        >>> bool(hostname())
        True
    """
    return socket.gethostname()


def get_world_size() -> int:
    """Return the number of processes.

    Example:
        >>> get_world_size()
        1
    """
    return 1 if world_group() is None else dist.get_world_size()


def get_rank() -> int:
    """Return the number of this process, from 0.

    Example:
        >>> get_rank()
        0
    """
    return 0 if world_group() is None else dist.get_rank()


def get_local_rank() -> int:
    """Return the number of this process on its node, from 0.

    It comes from ``set_local_rank``, from the launcher's environment, or from ``sync``.

    Raises:
        PlacementUnknown: when none of these has told it.

    Example:
        >>> get_local_rank()
        0
    """
    if world_group() is not None and known.local_rank is not None:
        return known.local_rank
    return _placed("local_rank")


def get_nproc_per_node() -> int:
    """Return the number of processes on this node.

    Raises:
        PlacementUnknown: when neither the launcher's environment nor ``sync`` has told it.

    Example:
        >>> get_nproc_per_node()
        1
    """
    return _placed("nproc_per_node")


def get_node_rank() -> int:
    """Return the number of this node, from 0.

    Raises:
        PlacementUnknown: when neither the launcher's environment nor ``sync`` has told it.

    Example:
        >>> get_node_rank()
        0
    """
    return _placed("node_rank")


def get_nnodes() -> int:
    """Return the number of nodes.

    Raises:
        PlacementUnknown: when neither the launcher's environment nor ``sync`` has told it.

    Example:
        >>> get_nnodes()
        1
    """
    return _placed("nnodes")


def set_local_rank(index: int) -> None:
    """Say which process of its node this one is, where no launcher does.

    It counts while there is a process group; one process alone is always the first.

    Args:
        index: the local rank, from 0.

    Raises:
        InvalidType: when ``index`` is no integer.
        InvalidArgument: when it is negative.

    Example:
        >>> set_local_rank(0)
    """
    try:
        local_rank = operator.index(index)
    except TypeError:
        raise InvalidType(
            f"a local rank is an integer, got {index!r} of type {type(index).__name__}"
        ) from None
    if local_rank < 0:
        raise InvalidArgument(f"a local rank is 0 or more, got {local_rank}")
    known.local_rank = local_rank


def sync(temporary: bool = False) -> None:
    """Find out which processes share a node, by their hosts' names.

    Needed only where the process group was made by hand, without a launcher that sets
    ``LOCAL_RANK``. All processes must call it: they tell each other their hosts.

    Args:
        temporary: forget what was found earlier, and find nothing out. Rank and world size are
            always asked for afresh.

    Example:
        >>> sync()
    """
    known.forget()
    if not temporary and world_group() is not None:
        discover_placement()


def discover_placement() -> None:
    """Let all processes tell each other their hosts, and remember which of them share a node."""
    hosts: list[str] = [""] * get_world_size()
    dist.all_gather_object(hosts, hostname())
    rank, here = get_rank(), hosts[get_rank()]
    nodes = list(dict.fromkeys(hosts))
    known.keep(
        Placement(
            local_rank=hosts[:rank].count(here),
            nproc_per_node=hosts.count(here),
            node_rank=nodes.index(here),
            nnodes=len(nodes),
        )
    )


def wait_for_all() -> None:
    """Wait until every process of the group is here."""
    # nccl waits on a GPU, and warns where it has to guess which.
    gpus = [torch.cuda.current_device()] if backend() == "nccl" else None
    dist.barrier(device_ids=gpus)


def _placed(fact: str) -> int:
    alone = get_world_size() == 1
    placement = (
        ALONE if alone else known.placement() or placement_told(get_rank(), get_world_size())
    )
    value: int | None = getattr(placement, fact)
    if value is None:
        raise PlacementUnknown(
            f"{fact} is not known: the process group was made without a launcher that sets "
            "LOCAL_RANK, LOCAL_WORLD_SIZE and GROUP_RANK, as torchrun does; "
            "call glowplug_torch.sync() in every process first"
        )
    return value
