"""What differs between two values, in words.

Owns: equality by value, also of arrays, and of objects that define none; keeping a value.
Must not know: torch or numpy; an array is what has a shape and can become a list.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from copy import deepcopy
from enum import Enum
from typing import Any

MOST = 10
"""How many differences are told."""


def differences(one: object, other: object) -> list[str]:
    """Return what differs between two values, each with the way to it; nothing if they are equal.

    NaN equals NaN, arrays are compared element by element and type by type, and objects of a class
    that has no equality of its own by their attributes.

    Args:
        one: a value.
        other: what it should be equal to.

    Returns:
        At most ten lines.

    Example:
        >>> differences({"loss": 1.0, "n": [1, 2]}, {"loss": 1.0, "n": [1, 3]})
        ["['n'][1]: 2, not 3"]
        >>> differences(float("nan"), float("nan"))
        []
    """
    found = _differences(one, other, "", set())
    return [line for _, line in zip(range(MOST), found, strict=False)]


def frozen(value: Any) -> Any:
    """Return a value as it is now, whatever becomes of it.

    What cannot be copied, such as a tensor that gradients flow through, is returned itself.

    Example:
        >>> seen = [1]
        >>> before = frozen(seen)
        >>> seen.append(2)
        >>> before
        [1]
    """
    try:
        return deepcopy(value)
    except Exception:  # each library has its own for this
        return value


def _differences(one: Any, other: Any, at: str, under_way: set[tuple[int, int]]) -> Iterator[str]:
    pair = (id(one), id(other))
    if one is other or pair in under_way:
        return
    where = f"{at}: " if at else ""
    if type(one) is not type(other):
        yield f"{where}{one!r} of type {_type(one)}, not {other!r} of type {_type(other)}"
        return
    under_way.add(pair)
    inside = _inside(one), _inside(other)
    if inside[0] is None or inside[1] is None:
        if not _equal(one, other):
            yield f"{where}{one!r}, not {other!r}"
    else:
        for key in [*inside[0], *(key for key in inside[1] if key not in inside[0])]:
            if key not in inside[1]:
                yield f"{at}{key}: should not be there"
            elif key not in inside[0]:
                yield f"{at}{key}: missing"
            else:
                yield from _differences(inside[0][key], inside[1][key], f"{at}{key}", under_way)
    under_way.discard(pair)


def _inside(value: Any) -> dict[str, Any] | None:
    """Return the parts that a value consists of by the way to each, or None for one without."""
    if isinstance(value, Mapping):
        return {f"[{key!r}]": part for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        parts = {f"[{place}]": part for place, part in enumerate(value)}
        return {".length": len(value), **parts}
    if hasattr(value, "shape") and hasattr(value, "tolist"):
        kind = str(getattr(value, "dtype", ""))
        return {".shape": tuple(value.shape), ".dtype": kind, "": value.tolist()}
    if not _has_equality(value) and not callable(value) and hasattr(value, "__dict__"):
        return {f".{name}": part for name, part in vars(value).items()}
    return None


def _has_equality(value: Any) -> bool:
    *classes, _ = type(value).__mro__  # the last is object, which knows identity alone
    return isinstance(value, Enum) or any("__eq__" in vars(base) for base in classes)


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, float) and math.isnan(one) and math.isnan(other):
        return True
    return bool(one == other)


def _type(value: object) -> str:
    return type(value).__name__
