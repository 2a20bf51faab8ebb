"""Numbers, choices and functions that a handler is made with.

Owns: their ranges, and how an error about them is worded.
Must not know: what they are for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

from glowplug import Engine
from glowplug.errors import InvalidArgument, InvalidType, did_you_mean


def as_it_is(output: Any) -> Any:
    """Return ``output``: the transform of a handler that was given none."""
    return output


def checked_count(name: str, number: Any) -> int:
    """Return ``number``, which must be a whole one, 1 or more.

    Raises:
        InvalidType: when it is no integer.
        InvalidArgument: when it is below 1.

    Example:
        >>> checked_count("patience", 3)
        3
    """
    if not isinstance(number, int) or isinstance(number, bool):
        raise InvalidType(_problem(name, "a whole number", number))
    if number < 1:
        raise InvalidArgument(f"{name} must be 1 or more, got {number!r}")
    return number


def checked_number(name: str, number: Any, above: float = -1.0, below: float = 1e308) -> float:
    """Return ``number``, which must lie between two bounds, neither included.

    Raises:
        InvalidType: when it is no number.
        InvalidArgument: when it is out of bounds, or NaN.

    Example:
        >>> checked_number("momentum", 0.5, above=0, below=1)
        0.5
    """
    if not isinstance(number, Real) or isinstance(number, bool):
        raise InvalidType(_problem(name, "a number", number))
    value = float(number)
    if not above < value < below:
        upper = "" if below > 1e300 else f" and below {below:g}"
        raise InvalidArgument(f"{name} must be above {above:g}{upper}, got {number!r}")
    return value


def checked_choice(name: str, value: Any, choices: Sequence[str]) -> str:
    """Return ``value``, which must be one of ``choices``.

    Raises:
        InvalidArgument: when it is none of them.

    Example:
        >>> checked_choice("mode", "min", ("min", "max"))
        'min'
    """
    if value in choices:
        return str(value)
    raise InvalidArgument(
        f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}"
        f"{did_you_mean(str(value), choices)}"
    )


def checked_function(name: str, function: Any, form: str) -> Any:
    """Return ``function``, which must be callable; ``form`` shows how it would be called.

    Raises:
        InvalidType: when it is not.
    """
    if not callable(function):
        raise InvalidType(_problem(name, f"callable as {form}", function))
    return function


def checked_engine(name: str, engine: Any) -> Engine[Any, Any]:
    """Return ``engine``, which must be one.

    Raises:
        InvalidType: when it is not.
    """
    if not isinstance(engine, Engine):
        raise InvalidType(_problem(name, "an Engine", engine))
    return engine


def checked_state(owner: object, state_dict: Any, *keys: str) -> Mapping[str, Any]:
    """Return ``state_dict``, which must be a mapping that has all of ``keys``.

    Raises:
        InvalidType: when it is no mapping.
        InvalidArgument: when a key is missing.
    """
    name = type(owner).__name__
    if not isinstance(state_dict, Mapping):
        raise InvalidType(
            _problem(f"the state of {name}", "what its state_dict() returned", state_dict)
        )
    missing = [key for key in keys if key not in state_dict]
    if missing:
        raise InvalidArgument(
            f"a state of {name} has {', '.join(map(repr, keys))}; this one lacks "
            f"{', '.join(map(repr, missing))}"
        )
    return state_dict


def _problem(name: str, wanted: str, got: Any) -> str:
    return f"{name} must be {wanted}, got {got!r} of type {type(got).__name__}"
