"""One way to start a training in one process, under a launcher, or in processes of its own.

Owns: the choice between these three, and the time for which a process group lives.
Must not know: what is trained.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from types import TracebackType
from typing import Any

from glowplug_torch.initialization import (
    check_backend,
    check_options,
    finalize,
    initialize,
    refuse_second_group,
)
from glowplug_torch.launchers import InvalidLaunch, launched
from glowplug_torch.nodes import Nodes
from glowplug_torch.placement import world_group
from glowplug_torch.ranks import RanksWarning, get_local_rank
from glowplug_torch.spawning import PROCESS, spawn

logger = logging.getLogger(__name__)


class Parallel:
    """Run a function in one process or many, by the arguments and not by the code.

    - Without ``backend``: in this process alone, without a process group.
    - With ``backend``: in the process group of a launcher, torchrun or srun, in which this process
      is one of many; without a launcher in a group of one.
    - With ``backend`` and ``nproc_per_node``: in that many new processes on each node.

    The group lives as long as the ``with`` block; where new processes are started, as long as
    each `run`. Called without a block, `run` makes the group for its own time.

    Args:
        backend: one of `available_backends`.
        nproc_per_node: how many processes to start on this node.
        nnodes: the number of nodes, on each of which this program is started once.
        node_rank: which of them this one is, from 0.
        master_addr: the name or address of the first node; this machine where there is one node.
        master_port: a free port there; with one node, the system finds one.
        init_method: an URL where the processes meet, instead of address and port.
        **spawn_kwargs: ``start_method`` and ``daemon`` of new processes; and options for
            ``torch.distributed.init_process_group``, such as ``timeout``.

    Raises:
        InvalidType: when ``backend`` is no string.
        InvalidArgument: for a backend that this torch has not, or an unknown option.
        InvalidLaunch: when the arguments do not fit together, or not to the environment.

    Example:
        >>> def train(local_rank, name):
        ...     print(name, "on rank", local_rank)
        >>> with Parallel() as parallel:
        ...     parallel.run(train, "digits")
        digits on rank 0
    """

    def __init__(
        self,
        backend: str | None = None,
        nproc_per_node: int | None = None,
        nnodes: int | None = None,
        node_rank: int | None = None,
        master_addr: str | None = None,
        master_port: int | None = None,
        init_method: str | None = None,
        **spawn_kwargs: Any,
    ) -> None:
        nodes = {
            "nnodes": nnodes,
            "node_rank": node_rank,
            "master_addr": master_addr,
            "master_port": master_port,
            "init_method": init_method,
        }
        self.backend = backend
        self._nproc_per_node = nproc_per_node
        self._nodes = {name: value for name, value in nodes.items() if value is not None}
        self._options = spawn_kwargs
        self._entered = False
        self._check()

    def _check(self) -> None:
        given = {**self._nodes, **self._options}
        options = {name: value for name, value in self._options.items() if name not in PROCESS}
        if self.backend is None:
            if self._nproc_per_node is not None:
                given = {"nproc_per_node": self._nproc_per_node, **given}
            if given:
                raise InvalidLaunch(
                    f"without a backend there is one process; {_shown(given)} needs one, "
                    "such as backend='gloo'"
                )
            return
        check_backend(self.backend)
        check_options(options)
        if self._nproc_per_node is not None:
            Nodes.asked(self.backend, self._nproc_per_node, self._nodes)
            return
        for_new = {name: given[name] for name in given if name not in {"init_method", *options}}
        if for_new:
            raise InvalidLaunch(
                f"{_shown(for_new)} is for processes that are started here: pass nproc_per_node "
                "too, or leave it out where a launcher starts them"
            )

    def __enter__(self) -> Parallel:
        if self.backend is None:
            self._warn_of_strangers()
        elif self._nproc_per_node is None:
            initialize(self.backend, **self._nodes, **self._options)
        else:
            refuse_second_group()
        self._entered = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._entered = False
        if self.backend is not None and self._nproc_per_node is None:
            finalize()

    def run(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Call ``func(local_rank, *args, **kwargs)`` in every process, and wait for it.

        Args:
            func: for new processes it is at the top level of a module, so that they can import it.
            *args: what follows the local rank.
            **kwargs: its keyword arguments.

        Raises:
            RankFailed: when one of the new processes failed. What ``func`` raises in this process
                is raised as it is.
        """
        if not self._entered:
            with self:
                self.run(func, *args, **kwargs)
        elif self.backend is not None and self._nproc_per_node is not None:
            logger.info("starting %s processes on this node", self._nproc_per_node)
            how = {**self._nodes, **self._options}
            spawn(self.backend, func, args, kwargs, self._nproc_per_node, **how)
        else:
            func(get_local_rank(), *args, **kwargs)

    def _warn_of_strangers(self) -> None:
        said = launched()
        if said is not None and said.world_size > 1 and world_group() is None:
            warnings.warn(
                f"{said}, but without a backend each of them runs alone; "
                "Parallel(backend='gloo'), or 'nccl', makes them one group",
                RanksWarning,
                stacklevel=3,
            )


def _shown(given: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in given.items())
