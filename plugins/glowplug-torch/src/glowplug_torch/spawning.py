"""Processes for the ranks of this node: started, watched and ended together.

Owns: the life of the processes, and how the error of one reaches the process that started them.
Must not know: what they compute.
"""

from __future__ import annotations

import multiprocessing
import pickle
import socket
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing import connection
from pathlib import Path
from typing import Any

import torch.distributed as dist
import torch.multiprocessing

from glowplug.errors import InvalidArgument, InvalidType, did_you_mean
from glowplug_torch.failures import failure
from glowplug_torch.initialization import check_backend, check_options, refuse_second_group
from glowplug_torch.launchers import InvalidLaunch
from glowplug_torch.nodes import NAMES, Nodes
from glowplug_torch.worker import Call, work

PROCESS = ("start_method", "daemon", "join")
"""The options that are for the processes, and not for their group."""

SECONDS_TO_END = 5.0
"""How long a process may take to end once it was asked to; then it is killed."""


def spawn(
    backend: str,
    fn: Callable[..., Any],
    args: Sequence[Any],
    kwargs_dict: Mapping[str, Any] | None = None,
    nproc_per_node: int = 1,
    **kwargs: Any,
) -> None:
    """Run a function in new processes that form a process group, and wait for them.

    Each process calls ``fn(local_rank, *args, **kwargs_dict)`` once its group is made, and finds
    in its environment what torchrun would have put there. As soon as one fails, the others are
    ended. No process outlives this call, nor the process that made it.

    Args:
        backend: one of `available_backends`.
        fn: a function at the top level of a module, so that a new process can import it.
        args: what it is called with after the local rank; it can be pickled.
        kwargs_dict: its keyword arguments.
        nproc_per_node: the number of processes on this node.
        **kwargs: ``nnodes``, ``node_rank``, ``master_addr``, ``master_port`` and ``init_method``,
            as for `Parallel`; ``start_method`` (``"spawn"``, ``"fork"`` or ``"forkserver"``) and
            ``daemon`` of the processes; the rest, such as ``timeout``, is for
            ``torch.distributed.init_process_group``. ``join`` can only be True.

    Raises:
        InvalidType: when ``fn``, ``args`` or ``kwargs_dict`` is of another type.
        InvalidArgument: for a backend that this torch has not, an unknown option, or a function
            that cannot be pickled.
        InvalidLaunch: when the arguments do not fit together, or not to the environment. Nothing
            is started then.
        RankFailed: when a process failed, with its traceback.

    Example:
        >>> import operator
        >>> spawn("gloo", operator.add, (1,), nproc_per_node=2)
    """
    check_backend(backend)
    refuse_second_group()
    named = {name: kwargs.pop(name) for name in (*NAMES, *PROCESS) if name in kwargs}
    check_options(kwargs)
    nodes = Nodes.asked(backend, nproc_per_node, named)
    context = _context(named)
    checked = _checked_call(fn, args, kwargs_dict)
    call = Call(backend, nodes, kwargs, *checked, context.get_start_method())
    with tempfile.TemporaryDirectory(prefix="glowplug-") as folder, _meeting_point(nodes) as port:
        daemon = named.get("daemon", False)
        processes = {
            nodes.rank(local): context.Process(
                target=work, args=(local, call, port, folder), daemon=daemon
            )
            for local in range(nodes.nproc_per_node)
        }
        failed = failure(_run(processes, fn), nodes.world_size(), Path(folder))
    if failed is not None:
        raise failed


def _checked_call(
    fn: Callable[..., Any], args: Sequence[Any], kwargs_dict: Mapping[str, Any] | None
) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
    if not callable(fn):
        raise InvalidType(f"fn must be callable, got {fn!r} of type {type(fn).__name__}")
    if not isinstance(args, (tuple, list)):
        raise InvalidType(
            f"args must be a tuple of arguments, got {args!r} of type {type(args).__name__}"
        )
    if kwargs_dict is not None and not isinstance(kwargs_dict, Mapping):
        raise InvalidType(
            f"kwargs_dict must be a dict of keyword arguments, got {kwargs_dict!r} "
            f"of type {type(kwargs_dict).__name__}"
        )
    return fn, tuple(args), dict(kwargs_dict or {})


def _context(named: Mapping[str, Any]) -> Any:
    """Return what makes the processes."""
    if named.get("join", True) is not True:
        raise InvalidArgument(
            f"join must be True, got {named['join']!r}: the processes end with the call that "
            "started them; call it in a thread to go on meanwhile"
        )
    method, methods = named.get("start_method", "spawn"), multiprocessing.get_all_start_methods()
    if method not in methods:
        raise InvalidArgument(
            f"start_method must be one of {', '.join(methods)}, got {method!r}"
            f"{did_you_mean(str(method), methods)}"
        )
    return torch.multiprocessing.get_context(method)


@contextmanager
def _meeting_point(nodes: Nodes) -> Iterator[int | None]:
    """Hold the store where the ranks meet, where it is for this process to hold; give its port.

    The system picks the port, and it is never let go between being picked and being used.
    """
    if nodes.init_method is not None:
        yield None
        return
    try:
        socket.getaddrinfo(nodes.host(), None)  # at once, where the store would try for minutes
        store = None
        if nodes.node_rank == 0:
            store = dist.TCPStore(  # type: ignore[attr-defined]  # it is there, and not listed
                nodes.host(), nodes.master_port or 0, is_master=True, wait_for_workers=False
            )
    except (OSError, RuntimeError) as error:
        raise InvalidLaunch(
            f"the processes cannot meet at {nodes.host()}:{nodes.master_port or 0}: {error}; "
            "master_addr must be the name or address of the node with node_rank 0, and "
            "master_port free there"
        ) from error
    yield nodes.master_port if store is None else store.port


def _run(processes: Mapping[int, Any], fn: Callable[..., Any]) -> dict[int, int]:
    """Start the processes and wait until all are done, or one has failed; end the rest.

    Returns:
        The exit codes of those that ended by themselves, by their ranks.
    """
    try:
        _start(processes.values(), fn)
        waiting = {process.sentinel: process for process in processes.values()}
        failed = False
        while waiting and not failed:
            for sentinel in connection.wait(list(waiting)):
                process = waiting.pop(sentinel)
                process.join()
                failed = failed or process.exitcode != 0
        ended = {rank: process.exitcode for rank, process in processes.items()}
        return {rank: code for rank, code in ended.items() if code is not None}
    finally:
        _end(processes.values())


def _start(processes: Iterable[Any], fn: Callable[..., Any]) -> None:
    try:
        for process in processes:
            process.start()
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise InvalidArgument(
            f"{fn!r} or its arguments cannot be handed to a new process: {error}; fn must be a "
            "function at the top level of a module, and its arguments picklable"
        ) from error


def _end(processes: Iterable[Any]) -> None:
    alive = [process for process in processes if process.is_alive()]
    for process in alive:
        process.terminate()
    deadline = time.monotonic() + SECONDS_TO_END
    for process in alive:
        process.join(max(deadline - time.monotonic(), 0))
        if process.is_alive():
            process.kill()
            process.join()
