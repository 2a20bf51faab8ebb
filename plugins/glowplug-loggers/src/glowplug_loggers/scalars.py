"""Turning what was computed into numbers that can be logged.

Owns: taking nested values apart, and bringing tensors to the host together.
Must not know: engines, loggers, or any tensor library beyond what its arrays answer to.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from numbers import Real
from typing import Any, TypeAlias

Path: TypeAlias = tuple[str, ...]
"""Where a value stands among nested ones: ``("training", "loss")``."""

Scalar: TypeAlias = float | str
"""What is logged: a number of any real type, or a text where the logger shows texts."""


def is_array(value: object) -> bool:
    """Return whether ``value`` is a tensor or another array.

    Example:
        >>> is_array([1.0]), is_array(memoryview(b"ab"))
        (False, True)
    """
    return hasattr(value, "ndim") and hasattr(value, "tolist")


def leaves(path: Path, value: object) -> Iterator[tuple[Path, Any]]:
    """Take mappings, lists and tuples apart.

    Args:
        path: where ``value`` stands.
        value: anything.

    Yields:
        The path and the value of each part that is no mapping, list or tuple.

    Example:
        >>> list(leaves(("val",), {"acc": 0.5, "per_class": [1, 0]}))
        [(('val', 'acc'), 0.5), (('val', 'per_class', '0'), 1), (('val', 'per_class', '1'), 0)]
    """
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from leaves((*path, str(key)), part)
    elif isinstance(value, (list, tuple)):
        for index, part in enumerate(value):
            yield from leaves((*path, str(index)), part)
    else:
        yield path, value


def to_host(arrays: Sequence[Any]) -> list[Any]:
    """Return each array as what its ``tolist()`` gives, with as few transfers as can be.

    Tensors of one device and dtype are joined there and fetched at once: asking a device for one
    number makes the program wait for all the work that is queued on it, so many numbers had
    better be asked for together.

    Args:
        arrays: arrays of at most one dimension.

    Returns:
        One number or list of numbers for each array.
    """
    torch: Any = sys.modules.get("torch")
    joined: dict[Any, list[int]] = {}
    fetched: list[Any] = [None] * len(arrays)
    for index, array in enumerate(arrays):
        if torch is not None and isinstance(array, torch.Tensor):
            joined.setdefault((array.device, array.dtype), []).append(index)
        else:
            fetched[index] = array.tolist()
    for indices in joined.values():
        flat = [arrays[index].detach().reshape(-1) for index in indices]
        numbers = flat[0].tolist() if len(flat) == 1 else torch.cat(flat).tolist()
        start = 0
        for index, tensor in zip(indices, flat, strict=True):
            end = start + tensor.numel()
            fetched[index] = numbers[start:end] if arrays[index].ndim else numbers[start]
            start = end
    return fetched


def to_scalars(
    named: Iterable[tuple[Path, Any]],
    *,
    texts: bool = False,
    skipped: Callable[[Path, object], None],
) -> dict[Path, Scalar]:
    """Turn named values into numbers that stand alone.

    A mapping, a list, a tuple and a one-dimensional array become one number for each part, whose
    path is longer by the key or index. Infinities and NaN are numbers.

    Args:
        named: paths and values; of two that end up with one path the later is kept.
        texts: whether a string is kept as well.
        skipped: is told of each value that is no number.

    Returns:
        Numbers, and strings if ``texts``, by path.

    Example:
        >>> named = [(("loss",), 0.5), (("name",), "x")]
        >>> to_scalars(named, skipped=lambda path, value: print(path))
        ('name',)
        {('loss',): 0.5}
    """
    parts = [leaf for path, value in named for leaf in leaves(path, value)]
    on_host = iter(to_host([value for _, value in parts if _is_flat_array(value)]))
    scalars: dict[Path, Scalar] = {}
    for path, value in parts:
        plain = next(on_host) if _is_flat_array(value) else value
        for longer, item in leaves(path, plain):
            if isinstance(item, Real) or (texts and isinstance(item, str)):
                scalars[longer] = item  # type: ignore[assignment]  # Real has no other common type
            else:
                skipped(longer, item)
    return scalars


def _is_flat_array(value: Any) -> bool:
    return is_array(value) and value.ndim <= 1
