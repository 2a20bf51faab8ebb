"""Conditions such as ``python_version < "3.12"``, as PEP 508 has them.

Owns: whether a condition holds in this Python, or that it cannot be told.
Must not know: what depends on the condition.
"""

from __future__ import annotations

import operator
import os
import platform
import re
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType

from glowplug.doctor.specifiers import satisfies
from glowplug.switches import normalise

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<word>and\b|or\b|not\s+in\b|in\b|[()])
    |(?P<operator>===|~=|==|!=|<=|>=|<|>)
    |(?P<text>"[^"]*"|'[^']*')
    |(?P<variable>[a-z][a-z_.]*)
    )\s*""",
    re.VERBOSE,
)
_VERSIONS = frozenset({"python_version", "python_full_version", "implementation_version"})
_OF_TEXTS: Mapping[str, Callable[[str, str], bool]] = MappingProxyType(
    {
        "==": operator.eq,
        "!=": operator.ne,
        "in": lambda part, whole: part in whole,
        "not in": lambda part, whole: part not in whole,
    }
)


def environment() -> dict[str, str]:
    """Return the variables of conditions, as they are in this Python."""
    kind, serial = sys.implementation.version.releaselevel, sys.implementation.version.serial
    ending = "" if kind == "final" else f"{kind[0]}{serial}"
    return {
        "implementation_name": sys.implementation.name,
        "implementation_version": ".".join(map(str, sys.implementation.version[:3])) + ending,
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
    }


def holds(marker: str, extra: str = "", variables: Mapping[str, str] | None = None) -> bool | None:
    """Say whether a condition holds.

    Args:
        marker: the condition; an empty one always holds.
        extra: the extra that is asked for; none by default.
        variables: instead of those of this Python.

    Returns:
        True or False, or None where it cannot be told: a form that PEP 508 does not have, or a
        comparison that has no meaning.

    Example:
        >>> holds("python_version >= '3.8' and os_name != 'amiga'"), holds("moon == 'full'")
        (True, None)
    """
    if not marker.strip():
        return True
    known = {**(environment() if variables is None else variables), "extra": normalise(extra)}
    reader = _Reader(marker, known)
    try:
        answer = reader.either()
    except _Unreadable:
        return None
    return answer if reader.at_end else None


class _Unreadable(Exception):
    """The condition has no such form."""


class _Reader:
    """Reads a condition from left to right, and works it out on the way."""

    def __init__(self, marker: str, variables: Mapping[str, str]) -> None:
        self._marker, self._at, self._variables = marker, 0, variables

    @property
    def at_end(self) -> bool:
        return self._at == len(self._marker)

    def either(self) -> bool | None:
        answer = self._both()
        while self._take("word", "or"):
            other = self._both()
            answer = True if True in (answer, other) else None if None in (answer, other) else False
        return answer

    def _both(self) -> bool | None:
        answer = self._one()
        while self._take("word", "and"):
            other = self._one()
            answer = (
                False if False in (answer, other) else None if None in (answer, other) else True
            )
        return answer

    def _one(self) -> bool | None:
        if self._take("word", "("):
            answer = self.either()
            self._need(self._take("word", ")"))
            return answer
        left, name = self._value()
        sign = self._take("operator") or self._take("word", "in") or self._take("word", "not in")
        right, other_name = self._value()
        return _compare(name or other_name, left, self._need(sign), right)

    def _value(self) -> tuple[str | None, str]:
        """Return a value, and the name of the variable that has it."""
        text = self._take("text")
        if text:
            return text[1:-1], ""
        name = self._need(self._take("variable")).replace(".", "_")
        name = "platform_python_implementation" if name == "python_implementation" else name
        return self._variables.get(name), name

    def _take(self, kind: str, wanted: str = "") -> str:
        found = _TOKEN.match(self._marker, self._at)
        token = " ".join((found[kind] or "").split()) if found else ""
        if not found or not token or wanted not in ("", token):
            return ""
        self._at = found.end()
        return found[kind] if kind == "text" else token

    def _need(self, token: str) -> str:
        if not token:
            raise _Unreadable
        return token


def _compare(variable: str, left: str | None, sign: str, right: str | None) -> bool | None:
    if left is None or right is None or not variable:
        return None
    if variable == "extra":
        left, right = normalise(left), normalise(right)
    if variable in _VERSIONS and "in" not in sign:
        return satisfies(left, f"{sign}{right}")
    compare = _OF_TEXTS.get(sign)
    return compare(left, right) if compare else None
