"""Arguments of schedulers, and what is read from a saved state.

Owns: their types and ranges, and how an error about them is worded.
Must not know: what they are for.
"""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any

from glowplug.errors import InvalidArgument, InvalidType


def number(name: str, value: Any) -> float:
    """Return ``value``, which must be a number and not NaN; an int stays one.

    Raises:
        InvalidType: when it is no number.
        InvalidArgument: when it is NaN.

    Example:
        >>> number("gamma", 0.9), number("initial_value", 1)
        (0.9, 1)
    """
    if not isinstance(value, Real) or isinstance(value, bool):
        raise InvalidType(_problem(name, "a number", value))
    if value != value:
        raise InvalidArgument(_problem(name, "a number", value))
    return value if isinstance(value, (int, float)) else float(value)


def whole(name: str, value: Any, least: int) -> int:
    """Return ``value``, which must be whole and not below ``least``.

    Raises:
        InvalidType: when it is no whole number.
        InvalidArgument: when it is below.

    Example:
        >>> whole("step_size", 3, least=1)
        3
    """
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise InvalidType(_problem(name, f"a whole number, {least} or more", value))
    if value < least:
        raise InvalidArgument(_problem(name, f"a whole number, {least} or more", value))
    return int(value)


def flag(name: str, value: Any) -> bool:
    """Return ``value``, which must be True or False.

    Raises:
        InvalidType: for anything else.

    Example:
        >>> flag("monotonic", True)
        True
    """
    if not isinstance(value, bool):
        raise InvalidType(_problem(name, "True or False", value))
    return value


def text(name: str, value: Any) -> str:
    """Return ``value``, which must be a string that is not empty.

    Raises:
        InvalidType: when it is no string.
        InvalidArgument: when it is empty.

    Example:
        >>> text("param_name", "lr")
        'lr'
    """
    if not isinstance(value, str):
        raise InvalidType(_problem(name, "a string", value))
    if not value:
        raise InvalidArgument(f"{name} must not be empty")
    return value


def function(name: str, value: Any) -> Any:
    """Return ``value``, which must be callable.

    Raises:
        InvalidType: when it is not.

    Example:
        >>> function("scheduler_fn", len)
        <built-in function len>
    """
    if not callable(value):
        raise InvalidType(_problem(name, "a function", value))
    return value


def items(name: str, value: Any, what: str) -> list[Any]:
    """Return a list or a tuple as a list.

    Args:
        name: the argument's.
        value: what was given.
        what: what it holds.

    Raises:
        InvalidType: for anything else.

    Example:
        >>> items("durations", (3, 4), "whole numbers")
        [3, 4]
    """
    if not isinstance(value, (list, tuple)):
        raise InvalidType(_problem(name, f"a list of {what}", value))
    return list(value)


def rising(name: str, values: Iterable[Any], least: int | None = None) -> list[int]:
    """Return whole numbers of which none is below the one before it.

    Args:
        name: the argument's.
        values: what was given.
        least: what none may be below.

    Raises:
        InvalidType: when one of them is no whole number.
        InvalidArgument: when there is none, one is below the one before, or below ``least``.

    Example:
        >>> rising("milestones", [2, 2, 5])
        [2, 2, 5]
    """
    checked: list[int] = []
    for place, value in enumerate(values):
        if not isinstance(value, Integral) or isinstance(value, bool):
            raise InvalidType(_problem(f"{name}[{place}]", "a whole number", value))
        if least is not None and value < least:
            raise InvalidArgument(_problem(f"{name}[{place}]", f"{least} or more", value))
        if checked and value < checked[-1]:
            raise InvalidArgument(
                f"{name} must be increasing, got {value} at place {place} after {checked[-1]}; "
                "put them in order"
            )
        checked.append(int(value))
    if not checked:
        raise InvalidArgument(f"{name} must hold at least one, got none")
    return checked


def _problem(name: str, wanted: str, value: Any) -> str:
    return f"{name} must be {wanted}, got {value!r} of type {type(value).__name__}"
