"""The processes that are to be started: how many, on which nodes, and where they meet.

Owns: what the arguments of a launch must be, together and beside the environment.
Must not know: how processes are started.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from glowplug_torch.launchers import InvalidLaunch, launched, number

NAMES = ("nnodes", "node_rank", "master_addr", "master_port", "init_method")
LOCALHOST = "127.0.0.1"
LARGEST_PORT = 65535


@dataclass(frozen=True)
class Nodes:
    """What was asked for; None is what was left out."""

    nproc_per_node: int
    nnodes: int = 1
    node_rank: int = 0
    master_addr: str | None = None
    master_port: int | None = None
    init_method: str | None = None

    @classmethod
    def asked(cls, backend: str, nproc_per_node: Any, given: Mapping[str, Any]) -> Nodes:
        """Return the processes that arguments ask for.

        Args:
            backend: what they are to talk through.
            nproc_per_node: how many on each node.
            given: the other arguments by their names; None is what was left out.

        Raises:
            InvalidLaunch: with all that is wrong.
        """
        given = {name: given[name] for name in NAMES if given.get(name) is not None}
        problems = [*_wrong_numbers(nproc_per_node, given), *_contradictions(given)]
        if not problems:
            problems = _beside_the_machine(backend, nproc_per_node, given.get("nnodes", 1))
        InvalidLaunch.unless(problems)
        return cls(nproc_per_node, **given)

    def rank(self, local_rank: int) -> int:
        """Return the rank of a process of this node."""
        return self.node_rank * self.nproc_per_node + local_rank

    def world_size(self) -> int:
        """Return the number of processes on all nodes."""
        return self.nnodes * self.nproc_per_node

    def host(self) -> str:
        """Return the host where the ranks meet."""
        return self.master_addr or LOCALHOST

    def variables(self, local_rank: int) -> dict[str, str]:
        """Return what torchrun would put into the environment of a process of this node."""
        numbers = {
            "RANK": self.rank(local_rank),
            "WORLD_SIZE": self.world_size(),
            "LOCAL_RANK": local_rank,
            "LOCAL_WORLD_SIZE": self.nproc_per_node,
            "GROUP_RANK": self.node_rank,
            "GROUP_WORLD_SIZE": self.nnodes,
        }
        return {name: str(number) for name, number in numbers.items()}


def _wrong_numbers(nproc_per_node: Any, given: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with each argument by itself."""
    nnodes = given.get("nnodes", 1)
    largest_node = nnodes - 1 if _whole(nnodes) else 0
    ranges = {
        "nproc_per_node": (nproc_per_node, 1, None),
        "nnodes": (nnodes, 1, None),
        "node_rank": (given.get("node_rank", 0), 0, max(largest_node, 0)),
        "master_port": (given.get("master_port", 1), 1, LARGEST_PORT),
    }
    problems = []
    for name, (value, least, most) in ranges.items():
        if not _whole(value) or value < least or (most is not None and value > most):
            bounds = f"of at least {least}" if most is None else f"from {least} to {most}"
            problems.append(f"{name} must be an integer {bounds}, got {value!r}")
    for name in ("master_addr", "init_method"):
        if name in given and not (isinstance(given[name], str) and given[name]):
            problems.append(f"{name} must be a string, got {given[name]!r}")
    return problems


def _contradictions(given: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the arguments together."""
    problems = []
    meeting = {"master_addr", "master_port"} & set(given)
    if meeting and "init_method" in given:
        problems.append(
            "init_method says where to meet, and so does " + " and ".join(sorted(meeting))
        )
    if given.get("nnodes", 1) != 1:
        if "node_rank" not in given:
            problems.append("with several nodes, node_rank must say which of them this one is")
        if "init_method" not in given and len(meeting) < 2:
            problems.append(
                "with several nodes, master_addr and master_port, or init_method, must say where "
                "their processes meet"
            )
    return problems


def _beside_the_machine(backend: str, nproc_per_node: int, nnodes: int) -> list[str]:
    """Return why these processes cannot be started here."""
    problems = []
    said = launched()
    # srun may have started one process on each node, for it to start the others
    if said is not None and not (said.launcher == "srun" and said.world_size == nnodes > 1):
        problems.append(
            f"{said}, and nproc_per_node={nproc_per_node} would have it start more; leave "
            "nproc_per_node out where a launcher starts the processes"
        )
    rank, world = number("RANK"), number("WORLD_SIZE")
    if said is None and rank is not None and world is not None and world > nnodes == 1:
        problems.append(
            f"RANK={rank} and WORLD_SIZE={world} in the environment say that this program was "
            f"started {world} times, and each would make a group of its own: pass nnodes, "
            "node_rank, master_addr and master_port, or unset the variables"
        )
    if backend == "nccl" and nproc_per_node > torch.cuda.device_count():
        problems.append(
            f"backend 'nccl' needs a GPU for each process: nproc_per_node is {nproc_per_node}, "
            f"and the machine has {torch.cuda.device_count()}"
        )
    return problems


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
