"""Saved states of schedulers.

Owns: which keys a saved state must have, and how an error about them is worded.
Must not know: what the keys mean.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from glowplug.errors import InvalidArgument, InvalidType, did_you_mean


def check_keys(whose: str, state: Any, expected: Collection[str]) -> None:
    """Refuse a saved state that lacks a key, or has one that nobody would read.

    Args:
        whose: the class that would load it.
        state: what is to be loaded.
        expected: the keys of such a state.

    Raises:
        InvalidType: when it is no mapping.
        InvalidArgument: for missing and unknown keys, all of them in one message.

    Example:
        >>> check_keys("StepLR", {"gama": 1}, ["gamma"])
        Traceback (most recent call last):
        glowplug.errors.InvalidArgument: cannot load this state into a StepLR: no 'gamma'; \
unknown 'gama'; did you mean 'gamma'?
    """
    if not isinstance(state, Mapping):
        raise InvalidType(
            f"a saved state is a mapping such as {whose}.state_dict() returns, got {state!r} of "
            f"type {type(state).__name__}"
        )
    problems = [f"no {key!r}" for key in expected if key not in state]
    problems += [
        f"unknown {key!r}{did_you_mean(str(key), expected)}" for key in state if key not in expected
    ]
    if problems:
        raise InvalidArgument(f"cannot load this state into a {whose}: {'; '.join(problems)}")
