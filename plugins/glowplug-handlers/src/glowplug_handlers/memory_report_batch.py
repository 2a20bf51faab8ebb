"""A batch in words: the shape, type, device and size of each tensor in it.

Owns: walking through whatever a batch is made of, and when to stop.
Must not know: engines, or what the words are for.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

MOST_LINES = 30
DEEPEST = 6
MOST_ALIKE = 8
"""How many elements of a list are shown before the others are counted."""


def described(batch: Any) -> list[str]:
    """Return a line for each tensor, array or value of a batch.

    Args:
        batch: tensors, arrays and anything else, in mappings, lists, tuples and dataclasses.

    Returns:
        At most thirty lines, and one that says how it goes on.

    Example:
        >>> import torch
        >>> described({"x": torch.zeros(8, 3), "meta": ["a", 1]})
        ['x: float32 (8, 3) on cpu, 96 B', 'meta[0]: str', 'meta[1]: int']
    """
    lines = list(islice(_lines(batch, "", 0), MOST_LINES + 1))
    return lines if len(lines) <= MOST_LINES else [*lines[:MOST_LINES], "... and more"]


def in_units(size: float) -> str:
    """Return a number of bytes in words.

    Example:
        >>> in_units(3 * 2**30), in_units(96)
        ('3.0 GiB', '96 B')
    """
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def _lines(value: Any, name: str, depth: int) -> Iterator[str]:
    shape = getattr(value, "shape", None)
    parts = None if shape is not None else _parts(value, name)
    if shape is not None:
        yield f"{name}: {_array(value, shape)}".removeprefix(": ")
    elif parts is None or depth == DEEPEST:
        yield f"{name}: {type(value).__name__}".removeprefix(": ")
    elif not parts:
        yield f"{name}: {type(value).__name__}, empty".removeprefix(": ")
    else:
        for part, inner in parts[:MOST_ALIKE]:
            yield from _lines(inner, part, depth + 1)
        if len(parts) > MOST_ALIKE:
            yield f"{name}: {len(parts)} in all".removeprefix(": ")


def _parts(value: Any, name: str) -> list[tuple[str, Any]] | None:
    """Return what a value is made of, each with its name; None where it is no container."""
    if isinstance(value, Mapping):
        return [(f"{name}.{key}".lstrip("."), inner) for key, inner in value.items()]
    if hasattr(value, "_asdict"):
        return [(f"{name}.{key}".lstrip("."), inner) for key, inner in value._asdict().items()]
    if isinstance(value, (list, tuple)):
        return [(f"{name}[{place}]", inner) for place, inner in enumerate(value)]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [field.name for field in dataclasses.fields(value)]
        return [(f"{name}.{field}".lstrip("."), getattr(value, field)) for field in fields]
    return None


def _array(value: Any, shape: Any) -> str:
    kind = str(getattr(value, "dtype", type(value).__name__)).removeprefix("torch.")
    place = f" on {value.device}" if hasattr(value, "device") else ""
    size = getattr(value, "nbytes", None)
    held = f", {in_units(size)}" if isinstance(size, int) else ""
    return f"{kind} {tuple(shape)}{place}{held}"
