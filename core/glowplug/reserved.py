"""The names of glowplug's own components.

Owns: which distribution of glowplug's repository offers which component.
Must not know: what is installed.

A bare name in this table always means glowplug's own component, whoever else offers one of that
name; and asking for one that is not installed names the package to install. A test holds the table
equal to the entry points in the repository.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from glowplug.components import Kind

RESERVED: Mapping[tuple[Kind, str], str] = MappingProxyType({})


def distributions(name: str, kinds: Iterable[Kind]) -> tuple[str, ...]:
    """Return which of glowplug's own distributions offer ``name``.

    Args:
        name: a component's bare name.
        kinds: the kinds it may be of.

    Returns:
        Names of distributions, without repetition.
    """
    owners = (RESERVED.get((kind, name)) for kind in kinds)
    return tuple(dict.fromkeys(owner for owner in owners if owner))
