"""Who goes when: on one rank only, or on one rank before the others.

Owns: the order of processes around a piece of code.
Must not know: what that code does.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from glowplug.errors import InvalidArgument
from glowplug_torch.collectives import barrier
from glowplug_torch.ranks import get_local_rank, get_nproc_per_node, get_rank, get_world_size

P = ParamSpec("P")
R = TypeVar("R")


def one_rank_only(
    rank: int = 0, with_barrier: bool = False
) -> Callable[[Callable[P, R]], Callable[P, R | None]]:
    """Let a function run on one rank; the others get None.

    Args:
        rank: the rank that runs it.
        with_barrier: let all wait until that rank is done, or has failed.

    Returns:
        A decorator.

    Example:
        >>> @one_rank_only()
        ... def report():
        ...     return "written"
        >>> report()
        'written'
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R | None]:
        @functools.wraps(function)
        def on_one_rank(*args: P.args, **kwargs: P.kwargs) -> R | None:
            try:
                return function(*args, **kwargs) if get_rank() == rank else None
            finally:
                if with_barrier:
                    barrier()

        return on_one_rank

    return decorate


@contextmanager
def one_rank_first(rank: int = 0, local: bool = False) -> Iterator[None]:
    """Let one rank run a block before the others do, to download something once, say.

    Should the first one fail, the others are let go all the same.

    Args:
        rank: the one that goes first.
        local: count ranks on each node, so that one process of every node goes first.

    Raises:
        InvalidArgument: when there is no such rank.
        PlacementUnknown: when ``local`` is set and the local rank is not known.

    Example:
        >>> with one_rank_first():
        ...     data = "downloaded, or found on disk"
    """
    mine, count = get_rank(), get_world_size()
    if local:
        mine, count = get_local_rank(), get_nproc_per_node()
    if not 0 <= rank < count:
        raise InvalidArgument(f"rank must be from 0 to {count - 1}, got {rank!r}")
    if mine != rank:
        barrier()
    try:
        yield
    finally:
        if mine == rank:
            barrier()
