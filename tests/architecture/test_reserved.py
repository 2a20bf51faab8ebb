"""The core's table of glowplug's own components is what the plugins declare.

Owns: comparing the table with the entry points in the plugins' pyproject files.
Must not know: what a component does.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from glowplug.components import Kind
from glowplug.reserved import RESERVED

PLUGINS = Path(__file__).parents[2] / "plugins"


def declared() -> dict[tuple[Kind, str], str]:
    kinds = {kind.group: kind for kind in Kind}
    found: dict[tuple[Kind, str], str] = {}
    for project in sorted(PLUGINS.glob("*/pyproject.toml")):
        about = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
        for group, names in about.get("entry-points", {}).items():
            found |= {(kinds[group], name): about["name"] for name in names}
    return found


def test_the_reserved_names_are_the_entry_points_of_the_repositorys_plugins() -> None:
    assert dict(RESERVED) == declared()
