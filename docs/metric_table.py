"""Writes the table of metrics: what each is called, where it belongs, what it was checked against.

Owns: the page of reference that holds it.
Must not know: how anything is checked.

The names are those of the metadata, the families those of the plugin's README, the checks those
that the plugin's tests declare and another test holds them to. ``python docs/metric_table.py``
writes the table anew between its marks, and says whether it has changed.
"""

from __future__ import annotations

import re
import runpy
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PLUGIN = ROOT / "plugins" / "glowplug-metrics"
CHECKS = ROOT / "tests" / "plugins" / "glowplug-metrics" / "support" / "checked_against.py"
PAGE = ROOT / "docs" / "reference" / "metrics.md"
BEGIN, END = "<!-- metrics: begin -->", "<!-- metrics: end -->"


def components() -> dict[str, tuple[str, str]]:
    """Return what is imported and the component's name, by the class, as the metadata has them."""
    project = tomllib.loads((PLUGIN / "pyproject.toml").read_text("utf-8"))["project"]
    offered: dict[str, str] = project["entry-points"]["glowplug.metrics"]
    return {
        target.partition(":")[2]: (target.partition(".")[2].replace(":", "."), name)
        for name, target in offered.items()
    }


def families() -> Iterator[tuple[str, str]]:
    """Yield a class and what the README says its table is of, such as ``texts``."""
    family = ""
    for line in (PLUGIN / "README.md").read_text("utf-8").splitlines():
        if heading := re.fullmatch(r"Of (.+?)(?:, (?:in|at) .*)?:", line):
            family = heading[1]
        elif row := re.match(r"\| `[a-z0-9-]+` \| `(\w+)` \|", line):
            yield row[1], family


def checks() -> dict[str, tuple[Any, ...]]:
    """Return what each class is checked against, as the plugin's tests declare it."""
    checked: dict[str, tuple[Any, ...]] = runpy.run_path(str(CHECKS))["CHECKED"]
    return checked


def shown(check: Any) -> str:
    """Return a check as Markdown: the names of libraries as code."""
    if not isinstance(check, str):
        return str(check.what)
    return f"`{check}`" if "." in check else check


def rows() -> Iterator[tuple[str, ...]]:
    """Yield the rows of the table, family by family."""
    names, checked = components(), checks()
    for cls, family in families():
        against = ", ".join(map(shown, checked[cls]))
        path, name = names[cls]
        yield f"`{path or cls}`", f"`{name}`", family, against


def page() -> str:
    """Return the page as it should be."""
    head: list[tuple[str, ...]] = [("metric", "component", "of", "checked against"), ("---",) * 4]
    table = "\n".join(f"| {' | '.join(row)} |" for row in (*head, *rows()))
    before, rest = PAGE.read_text("utf-8").split(BEGIN)
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    right = page()
    if right != PAGE.read_text("utf-8"):
        PAGE.write_text(right, "utf-8")
        print(f"written anew: {PAGE.relative_to(ROOT)}")
