"""What a plugin can offer, as values.

Owns: the kinds of components, and a component's name and target.
Must not know: which plugin offers a component, or what it does once it is loaded.
"""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from enum import Enum
from functools import reduce
from typing import Any

from glowplug.errors import InvalidArgument, did_you_mean

_TARGET = re.compile(
    r"\s*(?P<module>\w+(\.\w+)*)\s*(:\s*(?P<attribute>\w+(\.\w+)*)\s*)?(\[.*\])?\s*"
)
_NAME = re.compile(r"[^\s:,]+")


class Kind(Enum):
    """What a component is for; each kind has an entry-point group of its own.

    Example:
        >>> Kind.HANDLER.group
        'glowplug.handlers'
    """

    HANDLER = "handler"
    LOGGER = "logger"
    SCHEDULER = "scheduler"
    METRIC = "metric"
    TRAINER = "trainer"
    EVENTS = "events"
    COMMAND = "command"

    @property
    def plural(self) -> str:
        """The kind's name for several components, which ends its entry-point group."""
        return self.value if self.value.endswith("s") else f"{self.value}s"

    @property
    def group(self) -> str:
        """The entry-point group that declares components of this kind."""
        return f"glowplug.{self.plural}"

    @classmethod
    def of(cls, kind: Kind | str) -> Kind:
        """Return the kind that ``kind`` is or names, in the singular or the plural.

        Args:
            kind: a kind, or its name.

        Returns:
            The kind.

        Raises:
            InvalidArgument: when there is no such kind.

        Example:
            >>> Kind.of("handlers") is Kind.of("handler") is Kind.HANDLER
            True
        """
        if isinstance(kind, Kind):
            return kind
        for known in cls:
            if kind in (known.value, known.plural):
                return known
        values = [known.value for known in cls]
        raise InvalidArgument(
            f"expected a kind of component, one of {', '.join(values)}; got {kind!r}"
            f"{did_you_mean(str(kind), values)}"
        )


@dataclass(frozen=True)
class Component:
    """Something that a plugin offers under a name.

    Args:
        kind: what it is for; its name will do.
        name: how users ask for it, in kebab-case.
        target: the object itself, or ``"module:attribute"``, which is imported when asked for.
        summary: one line for lists.

    Raises:
        InvalidArgument: when the kind does not exist, or the name or the target cannot be used.

    Example:
        >>> Component(Kind.METRIC, "mean", "statistics:fmean").load()([1, 2])
        1.5
    """

    kind: Kind
    name: str
    target: Any
    summary: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", Kind.of(self.kind))
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise InvalidArgument(
                f"expected a component's name without spaces, commas or colons; got {self.name!r}"
            )
        if isinstance(self.target, str) and not parse_target(self.target)[1]:
            raise InvalidArgument(
                f"expected 'module:attribute' as the target of {self.kind.value} {self.name!r};"
                f" got {self.target!r}"
            )

    @property
    def where(self) -> str:
        """The target in words: ``module:attribute``, or the object's repr."""
        return self.target if isinstance(self.target, str) else repr(self.target)

    def load(self) -> Any:
        """Return the target, imported if need be.

        Returns:
            The object that the plugin offers.

        Raises:
            ImportError: when the module cannot be imported; whatever else the module raises at its
                import leaves as it is.
            AttributeError: when the module lacks the attribute.
        """
        return import_target(self.target) if isinstance(self.target, str) else self.target


def parse_target(target: str) -> tuple[str, str]:
    """Split what an entry point names.

    Args:
        target: ``"module"`` or ``"module:attribute"``.

    Returns:
        The module and the attribute, which is empty where none is given.

    Raises:
        InvalidArgument: when ``target`` has neither form.

    Example:
        >>> parse_target("acme.nan:NanStop")
        ('acme.nan', 'NanStop')
    """
    parsed = _TARGET.fullmatch(target)
    if parsed is None:
        raise InvalidArgument(
            f"expected 'module' or 'module:attribute' as a target; got {target!r}"
        )
    return parsed["module"], parsed["attribute"] or ""


def import_target(target: str) -> Any:
    """Import what ``target`` names.

    Args:
        target: ``"module"`` or ``"module:attribute"``.

    Returns:
        The module, or its attribute.

    Raises:
        InvalidArgument: when ``target`` has neither form.
        ImportError: when the module cannot be imported.
        AttributeError: when the module lacks the attribute.
    """
    module, attribute = parse_target(target)
    return reduce(
        getattr, attribute.split(".") if attribute else (), importlib.import_module(module)
    )
