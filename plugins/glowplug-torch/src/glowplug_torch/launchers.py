"""What a launcher has told this process: torchrun by its variables, or srun by SLURM's.

Owns: which environment variables are read, and what they must be together.
Must not know: process groups, or how processes are started here.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from glowplug.errors import InvalidArgument
from glowplug_torch.placement import Placement

NUMBERS = (
    "RANK",
    "WORLD_SIZE",
    "LOCAL_RANK",
    "LOCAL_WORLD_SIZE",
    "GROUP_RANK",
    "GROUP_WORLD_SIZE",
    "MASTER_PORT",
)
# ports that neither services nor the system's own choices use, one for each of SLURM's steps
FIRST_PORT, PORTS = 15000, 15000


class InvalidLaunch(InvalidArgument):
    """Arguments and environment do not agree on which processes there are."""

    @classmethod
    def unless(cls, problems: list[str]) -> None:
        """Raise one error that tells all problems, where there are any."""
        if problems:
            raise cls("; ".join(problems))


@dataclass(frozen=True)
class Launch:
    """What a launcher says of this process."""

    launcher: str
    rank: int
    world_size: int
    placement: Placement
    init_method: str

    def __str__(self) -> str:
        return f"{self.launcher} started this process as rank {self.rank} of {self.world_size}"


def launch(meeting_point: bool = True) -> Launch | None:
    """Return what a launcher says, or None where none has started this process.

    torchrun's variables come first: it may itself have been started by srun.

    Args:
        meeting_point: ask for ``MASTER_ADDR`` and ``MASTER_PORT`` as well.

    Raises:
        InvalidLaunch: when the variables do not fit together, with all that is wrong.
    """
    if told("RANK") is None and told("WORLD_SIZE") is None:
        return _slurm_step()
    InvalidLaunch.unless(_problems(meeting_point))
    rank, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    return Launch("the launcher", rank, world, placement_told(rank, world), "env://")


def launched() -> Launch | None:
    """Return what a launcher says that has placed this process on its node, if it is in order.

    ``RANK`` and ``WORLD_SIZE`` without ``LOCAL_RANK`` may count nodes: a cluster sets them so for
    a program that starts the processes of its node itself.
    """
    if told("RANK") is None or told("WORLD_SIZE") is None:
        return _slurm_step()
    if number("LOCAL_RANK") is None or _problems(meeting_point=False):
        return None
    return launch(meeting_point=False)


def placement_told(rank: int, world_size: int) -> Placement:
    """Return what torchrun's variables say of the placement of a rank, if they are about it."""
    if number("RANK") != rank or number("WORLD_SIZE") != world_size:
        return Placement()
    nproc, nnodes = number("LOCAL_WORLD_SIZE"), number("GROUP_WORLD_SIZE")
    if nnodes is None and nproc:
        nnodes = world_size // nproc
    return Placement(number("LOCAL_RANK"), nproc, number("GROUP_RANK"), nnodes)


def told(name: str) -> str | None:
    """Return the value of a variable, or None where it is not set or empty."""
    return os.environ.get(name, "").strip() or None


def number(name: str) -> int | None:
    """Return the value of a variable that is a whole number, or None."""
    text = told(name) or ""
    return int(text) if text.isdecimal() else None


def _problems(meeting_point: bool) -> list[str]:
    """Return what is wrong with the variables that torchrun sets."""
    wanted = ["RANK", "WORLD_SIZE"] + ["MASTER_ADDR", "MASTER_PORT"] * meeting_point
    missing = [name for name in wanted if told(name) is None]
    problems = [
        f"the environment variable {name} must be a whole number, got {told(name)!r}"
        for name in NUMBERS
        if told(name) is not None and number(name) is None
    ]
    if missing:
        present = [f"{name}={told(name)}" for name in NUMBERS if told(name) is not None]
        problems.append(
            f"the environment has {', '.join(present)} but lacks {', '.join(missing)}: start the "
            "processes with torchrun, which sets them all, or unset what is there"
        )
    for small, large in (("RANK", "WORLD_SIZE"), ("LOCAL_RANK", "LOCAL_WORLD_SIZE")):
        index, count = number(small), number(large)
        if index is not None and count is not None and index >= count:
            problems.append(
                f"the environment variable {small}={index} must be below {large}={count}"
            )
    return problems


def _slurm_step() -> Launch | None:
    """Return what srun says; a batch script and its plain commands are one process each."""
    rank, world = number("SLURM_PROCID"), number("SLURM_STEP_NUM_TASKS")
    if rank is None or world is None or world < 2:
        return None
    job, step = number("SLURM_JOB_ID") or 0, number("SLURM_STEP_ID") or 0
    host = told("MASTER_ADDR") or first_host(told("SLURM_STEP_NODELIST") or "127.0.0.1")
    port = number("MASTER_PORT") or FIRST_PORT + (job + step) % PORTS
    placement = Placement(
        local_rank=number("SLURM_LOCALID"),
        node_rank=number("SLURM_NODEID"),
        nnodes=number("SLURM_STEP_NUM_NODES"),
    )
    return Launch("srun", rank, world, placement, f"tcp://{host}:{port}")


def first_host(nodes: str) -> str:
    """Return the first host of a list as SLURM writes it.

    Example:
        >>> first_host("gpu[03-05,09],cpu1"), first_host("a1,b2")
        ('gpu03', 'a1')
    """
    found = re.match(r"([^,\[]+)(?:\[(\w+)[^\]]*\]([^,\[]*))?", nodes)
    return "".join(part or "" for part in found.groups()) if found else nodes
