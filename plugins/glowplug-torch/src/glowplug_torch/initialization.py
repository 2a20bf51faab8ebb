"""The process group: made from what a launcher says, or for this process alone, and taken down.

Owns: the making and the end of the default process group, and whether it was made here.
Must not know: how processes are started, or what they say to each other.
"""

from __future__ import annotations

import inspect
import weakref
from typing import Any

import torch
import torch.distributed as dist

from glowplug.errors import InvalidArgument, InvalidType, did_you_mean
from glowplug_torch.launchers import InvalidLaunch, Launch, launch, launched, told
from glowplug_torch.placement import ALONE, Placement, known, world_group
from glowplug_torch.ranks import (
    available_backends,
    discover_placement,
    get_rank,
    get_world_size,
    wait_for_all,
)


class _Made:
    """The group that was made here, if any: a process has one, so this is one object."""

    def __init__(self) -> None:
        self.group: weakref.ref[Any] | None = None

    def present(self) -> bool:
        """Return whether the present group is the one that was made here."""
        made = self.group() if self.group is not None else None
        return made is not None and made is world_group()


_made = _Made()


def initialize(backend: str, **kwargs: Any) -> None:
    """Make the process group, so that ranks and collectives are those of many processes.

    Rank, world size and the place to meet come from the variables that torchrun sets, from those
    of srun, or from ``kwargs``. Where none of them says anything, the group is of this process
    alone. With GPUs, each process takes the one of its local rank.

    Args:
        backend: one of `available_backends`.
        **kwargs: for ``torch.distributed.init_process_group``, ``timeout`` for instance. ``rank``
            and ``world_size`` go together, with ``init_method`` or ``store`` as the place to meet.

    Raises:
        InvalidType: when ``backend`` is no string.
        InvalidArgument: for a backend that this torch has not, or an unknown option.
        InvalidLaunch: when there is a process group already, or when arguments and environment do
            not fit together. Nothing is started then.

    Example:
        >>> import glowplug_torch as gt
        >>> gt.initialize("gloo")
        >>> gt.backend(), gt.get_world_size()
        ('gloo', 1)
        >>> gt.finalize()
    """
    check_backend(backend)
    check_options(kwargs)
    refuse_second_group()
    options, placement = _meeting(backend, kwargs)
    local_rank = placement.local_rank if known.local_rank is None else known.local_rank
    _check_gpu(backend, local_rank)
    dist.init_process_group(backend, **options)
    _made.group = weakref.ref(world_group())
    try:
        _settle(placement, local_rank)
    except BaseException:
        finalize()
        raise


def finalize() -> None:
    """Take down the process group that `initialize` made; leave alone one that others made.

    Example:
        >>> finalize()  # there is none: nothing to do
    """
    if _made.present():
        known.forget()
        dist.destroy_process_group()


def check_backend(backend: str) -> None:
    """Refuse a backend that this torch has not."""
    if not isinstance(backend, str):
        raise InvalidType(
            f"a backend is a string, got {backend!r} of type {type(backend).__name__}"
        )
    present = available_backends()
    if backend not in present:
        raise InvalidArgument(
            f"backend {backend!r} cannot be used here: glowplug-torch works with those of "
            f"torch.distributed, which offers {', '.join(present) or 'none'} on this machine"
            f"{did_you_mean(backend, present)}"
        )


def check_options(options: dict[str, Any]) -> None:
    """Refuse options that ``init_process_group`` has not."""
    known_options = set(inspect.signature(dist.init_process_group).parameters) - {"backend"}
    for name in options:
        if name not in known_options:
            raise InvalidArgument(
                f"{name!r} is no option of torch.distributed.init_process_group"
                f"{did_you_mean(name, known_options)}"
            )


def refuse_second_group() -> None:
    """Refuse to go on where this process belongs to a group already."""
    if world_group() is not None:
        raise InvalidLaunch(
            f"this process is rank {get_rank()} of {get_world_size()} in a process group already "
            f"(backend {dist.get_backend()}); use it as it is, or take it down first, "
            "with glowplug_torch.finalize() where glowplug made it"
        )


def _meeting(backend: str, options: dict[str, Any]) -> tuple[dict[str, Any], Placement]:
    """Return the options with rank, world size and meeting point, and the placement."""
    meeting_point = bool({"init_method", "store"} & set(options))
    if {"rank", "world_size"} & set(options):
        said = launched()
        InvalidLaunch.unless(_problems(options, said, meeting_point))
    elif backend == "mpi":  # MPI tells its processes who they are
        return options, Placement()
    else:
        said = launch(meeting_point=not meeting_point)
    if said is not None:
        found = {"rank": said.rank, "world_size": said.world_size}
        meeting = {} if meeting_point else {"init_method": said.init_method}
        return {**options, **found, **meeting}, said.placement
    if meeting_point or "rank" in options:
        return options, Placement()
    # A store of this process's own: there is nobody to meet, and no port to be taken.
    store = dist.HashStore()  # type: ignore[attr-defined]  # it is there, and not listed
    return {**options, "store": store, "rank": 0, "world_size": 1}, ALONE


def _problems(options: dict[str, Any], said: Launch | None, meeting_point: bool) -> list[str]:
    """Return what is wrong with a rank and a world size that were passed."""
    rank, world = options.get("rank"), options.get("world_size")
    problems = []
    if not isinstance(rank, int) or not isinstance(world, int) or not 0 <= rank < world:
        problems.append(
            "rank and world_size go together, integers with 0 <= rank < world_size, "
            f"got rank={rank!r}, world_size={world!r}"
        )
    elif said is not None and (rank, world) != (said.rank, said.world_size):
        problems.append(
            f"{said}, but the arguments say rank {rank} of {world}; leave the arguments out"
        )
    if not meeting_point and (said is None or said.init_method == "env://"):
        missing = [name for name in ("MASTER_ADDR", "MASTER_PORT") if told(name) is None]
        if missing:
            problems.append(
                f"the processes have no place to meet: pass init_method, for instance "
                f"'tcp://127.0.0.1:29500', or set {' and '.join(missing)}"
            )
    return problems


def _check_gpu(backend: str, local_rank: int | None) -> None:
    count = torch.cuda.device_count() if backend == "nccl" else 0
    if backend == "nccl" and local_rank is not None and local_rank >= count:
        raise InvalidLaunch(
            f"backend 'nccl' needs a GPU for each process: this one has local rank {local_rank}, "
            f"and the machine has {count}"
        )


def _settle(placement: Placement, local_rank: int | None) -> None:
    """Take the GPU of this process, and find out what no launcher has told of its place."""
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if count:
        torch.cuda.set_device((get_rank() if local_rank is None else local_rank) % count)
    if get_world_size() == 1:
        known.keep(ALONE)
        return
    if placement.complete():
        known.keep(placement)
        # One that has nothing to say and leaves again must not be gone before the others have come.
        wait_for_all()
        return
    discover_placement()
    found = known.placement()
    if count and local_rank is None and found is not None and found.local_rank is not None:
        torch.cuda.set_device(found.local_rank % count)
