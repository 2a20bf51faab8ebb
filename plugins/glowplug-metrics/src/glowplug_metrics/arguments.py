"""Numbers and choices that a metric is made with.

Owns: their ranges, and how an error about them is worded.
Must not know: what they are for.
"""

from __future__ import annotations

import math
from enum import Enum
from numbers import Integral, Real
from typing import Any, TypeVar

from glowplug.errors import InvalidArgument, did_you_mean

Member = TypeVar("Member", bound=Enum)


def positive(name: str, number: Any, *, infinite: bool = False, otherwise: str = "") -> float:
    """Return ``number``, which must be above 0.

    Args:
        name: the argument's.
        number: what was given.
        infinite: whether infinity will do.
        otherwise: what else would have done.

    Raises:
        InvalidArgument: for anything else.

    Example:
        >>> positive("data_range", 255)
        255.0
    """
    if _is_number(number) and number > 0 and (infinite or number < math.inf):
        return float(number)
    raise InvalidArgument(_problem(name, "a positive number" + otherwise, number))


def not_negative(name: str, number: Any) -> float:
    """Return ``number``, which must be finite and not below 0.

    Raises:
        InvalidArgument: for anything else.

    Example:
        >>> not_negative("eps", 0)
        0.0
    """
    if _is_number(number) and 0 <= number < math.inf:
        return float(number)
    raise InvalidArgument(_problem(name, "a number, 0 or more", number))


def share(name: str, number: Any) -> float:
    """Return ``number``, which must be from 0 to 1.

    Raises:
        InvalidArgument: for anything else.

    Example:
        >>> share("alpha", 0.5)
        0.5
    """
    if _is_number(number) and 0 <= number <= 1:
        return float(number)
    raise InvalidArgument(_problem(name, "a number from 0 to 1", number))


def whole(name: str, number: Any) -> int:
    """Return ``number``, which must be a whole one, 1 or more.

    Raises:
        InvalidArgument: for anything else.

    Example:
        >>> whole("ngram", 4)
        4
    """
    if isinstance(number, Integral) and not isinstance(number, bool) and int(number) > 0:
        return int(number)
    raise InvalidArgument(_problem(name, "a positive whole number", number))


def member(name: str, value: Any, choices: type[Member]) -> Member:
    """Return the member of an Enum of strings that ``value`` stands for.

    Raises:
        InvalidArgument: for anything else.

    Example:
        >>> from glowplug_metrics import ResultMode
        >>> member("metrics_result_mode", "named", ResultMode)
        <ResultMode.NAMED: 'named'>
    """
    try:
        return choices(value)
    except ValueError:
        known = [str(choice.value) for choice in choices]
        raise InvalidArgument(
            f"{name} must be one of {', '.join(known)}, got {value!r}"
            f"{did_you_mean(str(value), known)}"
        ) from None


def whole_number(name: str, number: Any, *, least: int) -> int:
    """Return ``number``, which must be whole and not below ``least``.

    Raises:
        InvalidArgument: for anything else.

    Example:
        >>> whole_number("num_classes", 3, least=2)
        3
    """
    if isinstance(number, int) and not isinstance(number, bool) and number >= least:
        return number
    raise InvalidArgument(_problem(name, f"a whole number, {least} or more", number))


def _is_number(number: Any) -> bool:
    return isinstance(number, Real) and not isinstance(number, bool)


def _problem(name: str, wanted: str, number: Any) -> str:
    return f"{name} must be {wanted}, got {number!r} of type {type(number).__name__}"
