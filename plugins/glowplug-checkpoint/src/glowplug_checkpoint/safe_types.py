"""Which types ``torch.load(weights_only=True)`` reads back.

Owns: what this torch reads, found out by asking it, and advice about what it does not.
Must not know: where in a content a value is.
"""

from __future__ import annotations

import datetime
import enum
import io
import os
import warnings
from collections import Counter, OrderedDict, defaultdict
from functools import cache
from typing import Any

import torch

MOST_BITS = 255 * 8 - 1
"""The longest integer that is read back."""
_ALWAYS = (dict, OrderedDict, list, tuple, int, float, bool, str, type(None))
_TENSORS = (torch.Tensor, torch.nn.Parameter)
# Of these, older versions of torch lack some.
_SAMPLES: dict[type, object] = {
    bytes: b"x",
    bytearray: bytearray(b"x"),
    complex: 1j,
    set: {1},
    Counter: Counter("x"),
    torch.Size: torch.Size([1]),
    torch.dtype: torch.float32,
    torch.device: torch.device("cpu"),
    torch.layout: torch.strided,
    torch.qscheme: torch.per_tensor_affine,
}


def is_readable(value: Any) -> bool:
    """Return whether a value is of a type that is read back; what it holds is not looked at.

    Args:
        value: anything. Types that were given to ``torch.serialization.add_safe_globals`` are read
            back, too.

    Example:
        >>> is_readable(torch.float32), is_readable(range(3))
        (True, False)
    """
    kind: Any = type(value)
    if kind in _ALWAYS or kind in _TENSORS:
        return True
    if kind in _SAMPLES:
        return _is_kind_read_back(kind)
    return kind in _declared_safe() and _is_read_back(value)


def _declared_safe() -> list[Any]:
    declared: list[Any] = list(torch.serialization.get_safe_globals())
    return [item[0] if isinstance(item, tuple) else item for item in declared]


@cache
def _is_kind_read_back(kind: type) -> bool:
    return _is_read_back(_SAMPLES[kind])


def _is_read_back(value: object) -> bool:
    file = io.BytesIO()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.save(value, file)
            file.seek(0)
            torch.load(file, weights_only=True)
    except Exception:  # torch's errors for this differ between its versions
        return False
    return True


def advice(value: Any) -> str:
    """Return what to do about a value of a type that is not read back."""
    kind = type(value)
    if kind.__module__.partition(".")[0] == "numpy":
        return "torch.from_numpy(...) of an array, .item() of a single number"
    for types, what in _ADVICE:
        if isinstance(value, types):
            return what
    if callable(value):
        return "code is not saved: make it anew where you load"
    return "save what it is made of, such as its state_dict()"


_ADVICE: tuple[tuple[Any, str], ...] = (
    (enum.Enum, "save its .value"),
    (torch.Generator, "save its get_state()"),
    (torch.Tensor, "save a plain tensor, such as its .data or its full_tensor()"),
    (defaultdict, "save dict(...) of it"),
    (dict, "save dict(...) of it"),
    (tuple, "save tuple(...) of it"),
    (list, "save list(...) of it"),
    (frozenset, "save set(...) or sorted(...) of it"),
    (str, "save str(...) of it"),
    (os.PathLike, "save str(...) of it"),
    (int, "save int(...) of it"),
    (float, "save float(...) of it"),
    ((datetime.date, datetime.time), "save its isoformat()"),
    (datetime.timedelta, "save its total_seconds()"),
    (range, "save list(...) of it"),
)
