"""Which plugins may act.

Owns: the names of plugins, and the switches that block, demand and harden them.
Must not know: which plugins are installed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from glowplug.errors import InvalidArgument, InvalidType

PREFIX = "glowplug-"
ONLY = "GLOWPLUG_PLUGINS"
DISABLE = "GLOWPLUG_DISABLE_PLUGINS"
STRICT = "GLOWPLUG_STRICT"
_TRUTH = {"1": True, "true": True, "yes": True, "on": True}
_TRUTH |= {"": False, "0": False, "false": False, "no": False, "off": False}


def normalise(name: str) -> str:
    """Return a distribution's name in the one spelling that PEP 503 gives it.

    Args:
        name: any spelling.

    Returns:
        Lower case, with single hyphens.

    Example:
        >>> normalise("Acme_ML")
        'acme-ml'
    """
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def match(name: str, known: Iterable[str]) -> str | None:
    """Return the known plugin that ``name`` names, a leading ``glowplug-`` left off or not.

    Args:
        name: what a user wrote.
        known: normalised names.

    Returns:
        One of ``known``, the exact name before the completed one, or None.

    Example:
        >>> match("tqdm", ["glowplug-tqdm"])
        'glowplug-tqdm'
    """
    normal, names = normalise(name), set(known)
    spellings = (normal, PREFIX + normal)
    return next((spelling for spelling in spellings if spelling in names), None)


@dataclass(frozen=True)
class Switches:
    """What the user said about plugins, in code and in the environment.

    Args:
        only: the plugins that may act, or None for all; empty for none.
        only_source: where ``only`` was said, for messages.
        disable: plugins that may not act, with where that was said.
        require: plugins that must be there.
        strict: whether anything broken raises.
    """

    only: tuple[str, ...] | None
    only_source: str
    disable: Mapping[str, str]
    require: tuple[str, ...]
    strict: bool

    @classmethod
    def read(
        cls,
        only: Iterable[str] | None = None,
        disable: Iterable[str] = (),
        require: Iterable[str] = (),
        strict: bool | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> Switches:
        """Combine what was said in code with the environment.

        Args:
            only: instead of ``GLOWPLUG_PLUGINS``, unless None.
            disable: in addition to ``GLOWPLUG_DISABLE_PLUGINS``.
            require: the environment cannot say this.
            strict: instead of ``GLOWPLUG_STRICT``, unless None.
            environ: the environment.

        Returns:
            The switches.

        Raises:
            InvalidType: when a string stands where several names are expected.
            InvalidArgument: when ``GLOWPLUG_STRICT`` says neither yes nor no.
        """
        source, said = "the argument 'only'", None if only is None else _names("only", only)
        if said is None and ONLY in environ:
            source, said = ONLY, _split(environ[ONLY])
        off = dict.fromkeys(_split(environ.get(DISABLE, "")), DISABLE)
        off |= dict.fromkeys(_names("disable", disable), "the argument 'disable'")
        hard = _truth(environ.get(STRICT, "")) if strict is None else strict
        return cls(said, source, off, _names("require", require), hard)


def _names(argument: str, names: Iterable[str]) -> tuple[str, ...]:
    if isinstance(names, str):
        raise InvalidType(
            f"expected several names as {argument}=; got the string {names!r}"
            f" (write {argument}=[{names!r}])"
        )
    found = tuple(names)
    for name in found:
        if not isinstance(name, str):
            raise InvalidType(
                f"expected names of plugins as {argument}=; got {name!r} of type"
                f" {type(name).__name__}"
            )
    return found


def _split(value: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in value.split(",") if name.strip())


def _truth(value: str) -> bool:
    try:
        return _TRUTH[value.strip().lower()]
    except KeyError:
        raise InvalidArgument(f"expected 1 or 0 as {STRICT}; got {value!r}") from None
