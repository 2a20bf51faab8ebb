"""The words of the research log: numbers, times, and what a step returned, as text.

Owns: how a value is written.
Must not know: engines, or when a line is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from numbers import Real
from typing import Any

import torch

SMALL = 1e-3
"""Below this, four places after the point would hide a number."""


def number(value: float, places: int = 4) -> str:
    """Return a number with some places after the point, or as a power of ten where it is small.

    Example:
        >>> number(0.5), number(0.00002)
        ('0.5000', '2.0000e-05')
    """
    is_small = value and abs(value) < SMALL
    return f"{value:.{places}{'e' if is_small else 'f'}}"


def duration(seconds: float) -> str:
    """Return whole seconds as hours, minutes and seconds.

    Example:
        >>> duration(3725.9)
        '1:02:05'
    """
    return str(timedelta(seconds=int(seconds)))


def written(value: Any) -> str | None:
    """Return numbers as text, or None where there are none.

    Args:
        value: a number, a tensor, or a list or tuple of them.

    Example:
        >>> written(torch.tensor(2.5)), written([1, torch.tensor([1.0, 2.0])]), written("text")
        ('2.5000', '1, [1.0000, 2.0000]', None)
    """
    if isinstance(value, torch.Tensor):
        value = value.detach().tolist()
        return f"[{written(value) or ''}]" if isinstance(value, list) else written(value)
    if isinstance(value, (bool, int)):
        return str(value)
    if isinstance(value, Real):
        return number(float(value))
    if isinstance(value, (list, tuple)):
        parts = [
            f"[{text}]" if isinstance(each, (list, tuple)) else text
            for each in value
            if (text := written(each)) is not None
        ]
        return ", ".join(parts) or None
    return None


def entries(value: Any, name: str = "") -> Iterator[str]:
    """Walk the numbers in a value, each with its name where it has one; other things are left out.

    Args:
        value: a mapping, or what ``written`` takes.
        name: the name of the value.

    Example:
        >>> list(entries({"loss": 0.5, "parts": {"a": 1.0}, "note": "text"}))
        ['loss: 0.5000', 'parts/a: 1.0000']
    """
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from entries(each, f"{name}/{key}" if name else str(key))
    elif (text := written(value)) is not None:
        yield f"{name}: {text}" if name else text
