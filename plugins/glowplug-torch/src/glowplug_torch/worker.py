"""What happens in a process that was started to be a rank.

Owns: the life of such a process: its environment, its group, the call, and how it says it failed.
Must not know: the processes beside it, or who waits for them.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import connection
from pathlib import Path
from typing import Any

import torch.distributed as dist

from glowplug_torch.failures import leave
from glowplug_torch.initialization import finalize, initialize
from glowplug_torch.nodes import Nodes


@dataclass(frozen=True)
class Call:
    """What every process of a node is told."""

    backend: str
    nodes: Nodes
    options: dict[str, Any]
    fn: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    start_method: str


def work(local_rank: int, call: Call, port: int | None, folder: str) -> None:
    """Be a rank: join the group, call the function, leave the group.

    Args:
        local_rank: which process of its node this one is.
        call: what to do.
        port: of the store where the ranks meet; None where ``init_method`` says it.
        folder: where a traceback is left.
    """
    threading.Thread(target=_end_with_parent, daemon=True).start()
    rank = call.nodes.rank(local_rank)
    try:
        os.environ.update(call.nodes.variables(local_rank))
        identity = {"rank": rank, "world_size": call.nodes.world_size()}
        initialize(call.backend, **_meeting(call, port), **identity, **call.options)
        call.fn(local_rank, *call.args, **call.kwargs)
        finalize()
    except SystemExit:
        raise
    except BaseException:
        # Left before the group breaks: what the others fail with then is only a consequence.
        leave(Path(folder), rank)
        sys.exit(1)
    if call.start_method == "spawn":  # the others end without taking Python apart anyway
        _end()


def _meeting(call: Call, port: int | None) -> dict[str, Any]:
    """Return what says where the ranks meet."""
    if port is None:
        return {"init_method": call.nodes.init_method}
    os.environ.update(MASTER_ADDR=call.nodes.host(), MASTER_PORT=str(port))
    limit = {"timeout": call.options["timeout"]} if call.options.get("timeout") else {}
    meet = dist.TCPStore  # type: ignore[attr-defined]  # it is there, and not listed
    return {"store": meet(call.nodes.host(), port, is_master=False, **limit)}


def _end() -> None:
    """End this process well, without taking Python apart.

    A thread of the group may still hold a tensor. If it lets go of that while Python is taken
    apart, it is thrown out of a destructor, and the process ends by SIGABRT though all was done.
    """
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):  # there is none, or it is closed
            stream.flush()
    os._exit(0)


def _end_with_parent() -> None:
    """End this process when the one that started it is gone, however that came about."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
