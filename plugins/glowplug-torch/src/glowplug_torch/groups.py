"""Groups of processes: some of them, or all.

Owns: how a group is named, made, checked and left.
Must not know: what is said within it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch.distributed as dist

from glowplug.errors import InvalidArgument
from glowplug_torch.ranks import backend, get_rank, get_world_size


def new_group(ranks: Sequence[int], **kwargs: Any) -> Any:
    """Make a group of some of the processes, for ``group=`` of the collectives.

    All processes must call it, members or not.

    Args:
        ranks: the members.
        **kwargs: for ``torch.distributed.new_group``.

    Returns:
        The group; in one process the list itself.

    Raises:
        InvalidArgument: when ``ranks`` is no list of ranks that there are.

    Example:
        >>> new_group([0])
        [0]
    """
    members = _checked_ranks(ranks)
    if backend() is None:
        return members
    return dist.new_group(members, **kwargs)


def among(group: Any, communicate: Callable[[Any], Any], mine: Any) -> Any:
    """Let the members of a group talk.

    Args:
        group: a group, a list of ranks, of which one is made for this call, or None for all.
        communicate: called with the group in the processes that belong to it.
        mine: the result in a process outside the group, and in one that is alone.

    Returns:
        What ``communicate`` returned, or ``mine``.

    Raises:
        InvalidArgument: for ranks that there are not.
    """
    ranks = None if group is None or _is_group(group) else _checked_ranks(group)
    if backend() is None:
        return mine
    if ranks is None:
        outside = group is dist.GroupMember.NON_GROUP_MEMBER
        return mine if outside else communicate(group)
    with _group_of(ranks) as members:
        return communicate(members) if get_rank() in ranks else mine


def _is_group(group: Any) -> bool:
    if not dist.is_available():
        return False
    return isinstance(group, dist.ProcessGroup) or group is dist.GroupMember.NON_GROUP_MEMBER


@contextmanager
def _group_of(ranks: list[int]) -> Iterator[Any]:
    """Make a group for one call: kept ones would pile up, a call at a time."""
    members = dist.new_group(ranks)
    try:
        yield members
    finally:
        if get_rank() in ranks:
            dist.destroy_process_group(members)


def _checked_ranks(ranks: Any) -> list[int]:
    world = get_world_size()
    good = isinstance(ranks, (list, tuple, range)) and len(ranks) > 0
    if not good or any(not isinstance(rank, int) or not 0 <= rank < world for rank in ranks):
        raise InvalidArgument(f"ranks must be a list of ranks from 0 to {world - 1}, got {ranks!r}")
    return list(ranks)
