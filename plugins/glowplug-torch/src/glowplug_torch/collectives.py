"""What processes tell each other: reduce, gather, broadcast, wait.

Owns: the collectives, for tensors, numbers and other values, in one process or many.
Must not know: how the processes were started, or what the values mean.

The arguments are never changed. In one process each call returns what it was given, after the
same checks. In many, every process must make the same calls in the same order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist

from glowplug.errors import InvalidArgument, InvalidType, did_you_mean
from glowplug_torch.groups import among
from glowplug_torch.ranks import backend, device, get_rank, get_world_size, wait_for_all

Number = int | float

_OPERATIONS = {
    "SUM": "SUM",
    "PRODUCT": "PRODUCT",
    "MIN": "MIN",
    "MAX": "MAX",
    "AND": "BAND",
    "OR": "BOR",
}


def all_reduce(tensor: torch.Tensor | Number, op: str = "SUM", group: Any = None) -> Any:
    """Combine a value of every process into one that all of them get.

    Args:
        tensor: a tensor of the same shape in every process, or a number.
        op: ``"SUM"``, ``"PRODUCT"``, ``"MIN"``, ``"MAX"``, ``"AND"`` or ``"OR"``.
        group: what `new_group` returned, or a list of ranks, of which a group is made for this
            one call. Processes outside it get their own value back.

    Returns:
        A tensor of the same shape, type and device, or a number.

    Raises:
        InvalidType: when ``tensor`` is neither a tensor nor a number.
        InvalidArgument: for an unknown ``op`` or impossible ranks.

    Example:
        >>> all_reduce(3, op="MAX")
        3
    """
    if not isinstance(tensor, (torch.Tensor, int, float)):
        raise InvalidType(
            f"all_reduce takes a tensor or a number, got {tensor!r} of type {type(tensor).__name__}"
        )
    if op not in _OPERATIONS:
        raise InvalidArgument(
            f"op must be one of {', '.join(_OPERATIONS)}, got {op!r}"
            f"{did_you_mean(str(op), _OPERATIONS)}"
        )

    def reduce(members: Any) -> Any:
        operation = getattr(dist.ReduceOp, _OPERATIONS[op])
        mine = tensor if isinstance(tensor, torch.Tensor) else _as_tensor(tensor)
        sent = mine.detach().to(_wire(mine, members), copy=True).contiguous()
        dist.all_reduce(sent, operation, group=members)
        return sent.to(mine.device) if isinstance(tensor, torch.Tensor) else sent.item()

    return among(group, reduce, tensor)


def all_gather(tensor: Any, group: Any = None) -> Any:
    """Collect the values of all processes in each of them.

    Args:
        tensor: a tensor of the same shape ``(N, ...)`` in every process, or anything that can be
            pickled.
        group: what `new_group` returned, or a list of ranks, of which a group is made for this
            one call. Processes outside it get their own value back.

    Returns:
        Tensors joined along the first dimension, ``(world_size * N, ...)``, where one without
        dimensions counts as of shape ``(1,)``; a list of anything else.

    Raises:
        InvalidArgument: for impossible ranks.

    Example:
        >>> all_gather(torch.tensor(2.0)), all_gather("here")
        (tensor([2.]), ['here'])
    """
    if not isinstance(tensor, torch.Tensor):

        def gather_values(members: Any) -> list[Any]:
            values: list[Any] = [None] * dist.get_world_size(members)
            dist.all_gather_object(values, tensor, group=members)
            return values

        return among(group, gather_values, [tensor])

    rows = tensor.unsqueeze(0) if tensor.dim() == 0 else tensor

    def gather_tensors(members: Any) -> torch.Tensor:
        sent = rows.detach().to(_wire(rows, members)).contiguous()
        received = [torch.empty_like(sent) for _ in range(dist.get_world_size(members))]
        dist.all_gather(received, sent, group=members)
        return torch.cat(received).to(tensor.device)

    return among(group, gather_tensors, rows)


def all_gather_tensors_with_shapes(
    tensor: torch.Tensor, shapes: Sequence[Sequence[int]], group: Any = None
) -> list[torch.Tensor]:
    """Collect tensors whose shapes differ from process to process.

    Args:
        tensor: of as many dimensions in every process.
        shapes: the shape in each process, known to all of them.
        group: as for `all_gather`.

    Returns:
        The tensors, one for each process. Processes outside the group get their own alone.

    Raises:
        InvalidArgument: when ``tensor`` has not the shape that ``shapes`` gives for this process,
            when the shapes differ in their number of dimensions, or for impossible ranks.

    Example:
        >>> all_gather_tensors_with_shapes(torch.ones(2), [(2,)])
        [tensor([1., 1.])]
    """
    listed = [tuple(shape) for shape in shapes]
    if len({len(shape) for shape in listed}) != 1:
        raise InvalidArgument(f"all shapes must have as many dimensions, got {listed}")
    if tuple(tensor.shape) not in listed:
        raise InvalidArgument(
            f"shapes must hold the shape of this process's tensor, {tuple(tensor.shape)}, "
            f"got {listed}"
        )
    largest = [max(sizes) for sizes in zip(*listed, strict=True)]
    padded = tensor.new_zeros((1, *largest))
    padded[0][_corner(tensor.shape)] = tensor.detach()

    def gather(members: Any) -> list[torch.Tensor]:
        received = all_gather(padded, members)
        if len(received) != len(listed):
            raise InvalidArgument(
                f"shapes must hold one for each of {len(received)} processes, got {len(listed)}"
            )
        cut = zip(received, listed, strict=True)
        return [row[_corner(shape)] for row, shape in cut]

    gathered: list[torch.Tensor] = among(group, gather, [tensor])
    return gathered


def _corner(shape: Sequence[int]) -> tuple[slice, ...]:
    return tuple(slice(size) for size in shape)


def broadcast(tensor: Any, src: int = 0, safe_mode: bool = False) -> Any:
    """Give the value of one process to all.

    Args:
        tensor: a tensor of the same shape and type in every process, or anything that can be
            pickled.
        src: the rank whose value it is.
        safe_mode: let the other processes pass None, or something of another shape or type, at the
            cost of a message more.

    Returns:
        The value of ``src``; a tensor is on the device of the one that was passed here, or on this
        process's device.

    Raises:
        InvalidArgument: when there is no rank ``src``, or when ``tensor`` is None where it must
            not be.

    Example:
        >>> broadcast("settled")
        'settled'
    """
    if not 0 <= src < get_world_size():
        raise InvalidArgument(f"src must be a rank from 0 to {get_world_size() - 1}, got {src!r}")
    if tensor is None and (not safe_mode or get_rank() == src):
        raise InvalidArgument(
            "broadcast needs a value, got None"
            + ("" if safe_mode else "; safe_mode=True lets ranks other than src pass None")
        )
    if backend() is None:
        return tensor
    is_tensor = isinstance(tensor, torch.Tensor)
    if is_tensor and not safe_mode:
        return _broadcast_tensor(tensor, src)
    # A tensor is described first, so that the others can make room; a value goes as it is.
    message = [_Form(tensor.shape, tensor.dtype) if is_tensor else tensor]
    dist.broadcast_object_list(message, src)
    form = message[0]
    if not isinstance(form, _Form):
        return form
    if get_rank() != src:
        place = tensor.device if is_tensor else device()
        tensor = torch.empty(form.shape, dtype=form.dtype, device=place)
    return _broadcast_tensor(tensor, src)


@dataclass(frozen=True)
class _Form:
    """The shape and type of a tensor that is about to be broadcast."""

    shape: torch.Size
    dtype: torch.dtype


def _broadcast_tensor(tensor: torch.Tensor, src: int) -> torch.Tensor:
    sent = tensor.detach().to(_wire(tensor, None), copy=True).contiguous()
    dist.broadcast(sent, src)
    return sent.to(tensor.device)


def barrier() -> None:
    """Wait until every process is here.

    Example:
        >>> barrier()
    """
    if backend() is not None:
        wait_for_all()


def _as_tensor(number: Number) -> torch.Tensor:
    wide = torch.float64 if isinstance(number, float) else torch.int64
    return torch.tensor(number, dtype=wide)


def _wire(tensor: torch.Tensor, group: Any) -> torch.device:
    """Return the device on which a backend can send this tensor."""
    name = str(dist.get_backend(group))
    if name == "nccl" and tensor.device.type != "cuda":
        return device()
    return torch.device("cpu") if name == "gloo" else tensor.device
