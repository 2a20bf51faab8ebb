"""Where on its node a process runs, and what is known of it.

Owns: the placement of this process, kept for as long as its process group lives.
Must not know: which launcher started the process, or what others ask the placement for.
"""

from __future__ import annotations

import weakref
from dataclasses import astuple, dataclass
from typing import Any

import torch.distributed as dist


@dataclass(frozen=True)
class Placement:
    """Where this process runs; None is what is not known."""

    local_rank: int | None = None
    nproc_per_node: int | None = None
    node_rank: int | None = None
    nnodes: int | None = None

    def complete(self) -> bool:
        """Return whether everything is known."""
        return None not in astuple(self)


ALONE = Placement(local_rank=0, nproc_per_node=1, node_rank=0, nnodes=1)


class Known:
    """What was found out about this process, for as long as its process group lives.

    A process has one place in the world, so this is one object of the module and of no engine.
    """

    def __init__(self) -> None:
        self.local_rank: int | None = None
        self._placement = Placement()
        self._group: weakref.ref[Any] | None = None

    def placement(self) -> Placement | None:
        """Return the placement that was found for the present group."""
        group = self._group() if self._group is not None else None
        return self._placement if group is not None and group is world_group() else None

    def keep(self, placement: Placement) -> None:
        """Remember a placement for the present group."""
        self._placement, self._group = placement, weakref.ref(world_group())

    def forget(self) -> None:
        """Remember nothing."""
        self.__init__()  # type: ignore[misc]  # as it was made


known = Known()


def world_group() -> Any:
    """Return the process group of all processes, or None where there is none."""
    return dist.group.WORLD if dist.is_available() and dist.is_initialized() else None
