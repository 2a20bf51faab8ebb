"""The checks of arguments that several handlers share.

Owns: how a refused argument is worded.
Must not know: engines, or what the arguments are for.
"""

from __future__ import annotations

from typing import Any

from glowplug.errors import InvalidType


def refusal(name: str, wanted: str, got: object) -> InvalidType:
    """Return the error for an argument of the wrong type.

    Example:
        >>> print(refusal("tag", "a string", 3))
        tag must be a string, got 3 of type int
    """
    return InvalidType(f"{name} must be {wanted}, got {got!r} of type {type(got).__name__}")


def checked_tag(tag: Any) -> str | None:
    """Return ``tag``, which is a string or None.

    Raises:
        InvalidType: when it is neither.
    """
    if tag is not None and not isinstance(tag, str):
        raise refusal("tag", "a string or None", tag)
    return tag


def checked_callable(name: str, function: Any, form: str) -> Any:
    """Return ``function``, which is callable or None.

    Raises:
        InvalidType: when it is neither; ``form`` shows how it would be called.
    """
    if function is not None and not callable(function):
        raise refusal(name, f"callable as {form}", function)
    return function


def checked_names(name: str, names: Any) -> tuple[str, ...] | None:
    """Return ``names``, a list or tuple of strings, as a tuple; None stays None.

    Raises:
        InvalidType: when it is anything else, a single string included.
    """
    if names is None:
        return None
    if not isinstance(names, (list, tuple)) or not all(isinstance(item, str) for item in names):
        raise refusal(name, "a list or tuple of strings", names)
    return tuple(names)
