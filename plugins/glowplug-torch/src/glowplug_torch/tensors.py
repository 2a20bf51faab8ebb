"""Tensors inside nested containers: move them, map over them, encode labels.

Owns: what counts as a container, and how one is rebuilt around changed contents.
Must not know: engines, batches or models.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any, TypeVar, overload

import torch
from torch.nn.utils.rnn import PackedSequence

from glowplug.errors import InvalidArgument, InvalidType

T = TypeVar("T")
Classes = type | tuple[type, ...]


@overload
def convert_tensor(
    x: torch.Tensor, device: str | torch.device | None = None, non_blocking: bool = False
) -> torch.Tensor: ...
@overload
def convert_tensor(
    x: T, device: str | torch.device | None = None, non_blocking: bool = False
) -> T: ...
def convert_tensor(
    x: Any, device: str | torch.device | None = None, non_blocking: bool = False
) -> Any:
    """Move every tensor in ``x`` to a device.

    Args:
        x: a tensor, a string, or a mapping, sequence, named tuple or dataclass of them, nested as
            deep as you like. A ``PackedSequence`` is moved as a whole.
        device: where to; None leaves every tensor where it is.
        non_blocking: let a copy from pinned memory run beside what follows.

    Returns:
        The same structure, made of the same container types, around the moved tensors.

    Raises:
        InvalidType: when something in ``x`` is neither a tensor nor a string nor a container.

    Example:
        >>> batch = {"x": torch.zeros(2), "name": "first"}
        >>> moved = convert_tensor(batch, device="meta")
        >>> moved["x"].device.type, moved["name"]
        ('meta', 'first')
    """
    if device is None:
        return apply_to_type(x, (torch.Tensor, PackedSequence), _unchanged)

    def move(found: Any) -> Any:
        return found.to(device, non_blocking=non_blocking)

    return apply_to_type(x, (torch.Tensor, PackedSequence), move)


def _unchanged(found: T) -> T:
    return found


def apply_to_tensor(x: Any, func: Callable[[torch.Tensor], Any]) -> Any:
    """Replace every tensor in ``x`` by what ``func`` returns for it.

    Args:
        x: a tensor, a string, or nested containers of them.
        func: called with each tensor.

    Returns:
        The same structure, made of the same container types, around the results.

    Raises:
        InvalidType: when something in ``x`` is neither a tensor nor a string nor a container.

    Example:
        >>> apply_to_tensor([torch.ones(2, 3), (torch.ones(4),)], lambda t: list(t.shape))
        [[2, 3], ([4],)]
    """
    return apply_to_type(x, torch.Tensor, func)


def apply_to_type(x: Any, input_type: Classes, func: Callable[[Any], Any]) -> Any:
    """Replace everything of a type in ``x`` by what ``func`` returns for it.

    Args:
        x: an object of ``input_type``, a string, or a mapping, sequence, named tuple or dataclass
            of them, nested as deep as you like. Keys are left alone.
        input_type: the class, or a tuple of classes, that ``func`` takes. It is looked for before
            strings and containers are.
        func: called with each object of that type.

    Returns:
        The same structure, made of the same container types, around the results.

    Raises:
        InvalidType: when something in ``x`` is none of these. The message says where it is.

    Example:
        >>> apply_to_type({"a": 1, "b": [2, "text"]}, int, lambda n: n * 10)
        {'a': 10, 'b': [20, 'text']}
    """
    return _apply(x, input_type, func, "x")


def _apply(x: Any, input_type: Classes, func: Callable[[Any], Any], place: str) -> Any:
    if isinstance(x, input_type):
        return func(x)
    if isinstance(x, (str, bytes)):
        return x
    if isinstance(x, Mapping):
        changed = {k: _apply(v, input_type, func, f"{place}[{k!r}]") for k, v in x.items()}
        return _rebuilt_mapping(x, changed)
    if dataclasses.is_dataclass(x) and not isinstance(x, type):
        return _rebuilt_dataclass(x, input_type, func, place)
    if isinstance(x, Sequence):
        if isinstance(x, tuple) and hasattr(x, "_fields"):
            named = zip(x._fields, x, strict=True)
            return type(x)(*(_apply(v, input_type, func, f"{place}.{n}") for n, v in named))
        items = [_apply(v, input_type, func, f"{place}[{i}]") for i, v in enumerate(x)]
        return items if type(x) is list else type(x)(items)  # type: ignore[call-arg]  # as list's
    wanted = " or ".join(c.__name__ for c in _as_tuple(input_type))
    raise InvalidType(
        f"expected {wanted}, a string, or a mapping, sequence, named tuple or dataclass of them; "
        f"{place} is {x!r} of type {type(x).__name__}"
    )


def _rebuilt_mapping(x: Mapping[Any, Any], changed: dict[Any, Any]) -> Mapping[Any, Any]:
    if type(x) is dict:
        return changed
    if isinstance(x, MutableMapping):
        # A copy keeps what the constructor would not: a default factory, attributes of a subclass.
        rebuilt = copy.copy(x)
        for key, value in changed.items():
            rebuilt[key] = value
        return rebuilt
    return type(x)(changed)  # type: ignore[call-arg]  # an immutable mapping is made from a dict


def _rebuilt_dataclass(x: Any, input_type: Classes, func: Callable[[Any], Any], place: str) -> Any:
    rebuilt = copy.copy(x)
    for field in dataclasses.fields(x):
        name = field.name
        changed = _apply(getattr(x, name), input_type, func, f"{place}.{name}")
        object.__setattr__(rebuilt, name, changed)  # a frozen dataclass is rebuilt too
    return rebuilt


def _as_tuple(classes: Classes) -> tuple[type, ...]:
    return classes if isinstance(classes, tuple) else (classes,)


def to_onehot(indices: torch.Tensor, num_classes: int) -> torch.Tensor:
    """Turn class numbers into one-hot vectors.

    Args:
        indices: integers from 0 to ``num_classes - 1``, of shape ``(N, ...)``.
        num_classes: the number of classes, ``C``.

    Returns:
        A ``uint8`` tensor of shape ``(N, C, ...)`` on the same device.

    Raises:
        InvalidType: when ``indices`` is no tensor of integers.
        InvalidArgument: when ``indices`` has no dimension, ``num_classes`` is below 1, or, on a
            CPU, an index is out of range. On a GPU torch's own assertion says the last.

    Example:
        >>> to_onehot(torch.tensor([0, 2]), num_classes=3)
        tensor([[1, 0, 0],
                [0, 0, 1]], dtype=torch.uint8)
    """
    if not isinstance(indices, torch.Tensor) or indices.is_floating_point():
        what = indices.dtype if isinstance(indices, torch.Tensor) else type(indices).__name__
        raise InvalidType(f"indices must be a tensor of integers, got {what}")
    if indices.dim() == 0:
        raise InvalidArgument(
            "indices must have shape (N, ...), got a tensor without dimensions; "
            "use indices.unsqueeze(0)"
        )
    if num_classes < 1:
        raise InvalidArgument(f"num_classes must be at least 1, got {num_classes!r}")
    # Only on a CPU: elsewhere reading the extremes would wait for the device.
    if indices.device.type == "cpu" and indices.numel():
        low, high = (int(bound) for bound in torch.aminmax(indices))
        if low < 0 or high >= num_classes:
            raise InvalidArgument(
                f"indices must lie in 0 to {num_classes - 1} for num_classes={num_classes}, "
                f"got values from {low} to {high}"
            )
    shape = (indices.shape[0], num_classes, *indices.shape[1:])
    onehot = torch.zeros(shape, dtype=torch.uint8, device=indices.device)
    return onehot.scatter_(1, indices.long().unsqueeze(1), 1)
