"""Who may import whom, where import-linter's contracts cannot say it.

Owns: what an import must have declared, and what stays private.
Must not know: the ladder of the core; pyproject.toml has it.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

FLOORS = {"glowplug", "glowplug-torch", "glowplug-loggers"}
CORE_MAY_IMPORT = {"glowplug", "pluggy", "importlib_metadata"}


def imports(tree: ast.Module) -> Iterator[tuple[int, str, list[str]]]:
    """Yield the line, the module and the names of each import, those in functions included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield node.lineno, module, [alias.name for alias in node.names]


def optional(tree: ast.Module) -> set[int]:
    """Return the lines of the imports whose failure is caught where they stand."""
    attempts = (node for node in ast.walk(tree) if isinstance(node, ast.Try))
    caught = (node for node in attempts if any(map(catches_import_error, node.handlers)))
    return {inner.lineno for node in caught for inner in node.body}


def catches_import_error(handler: ast.ExceptHandler) -> bool:
    """Return whether an ``except`` names ``ImportError`` or its kind."""
    names = ast.unparse(handler.type) if handler.type else ""
    return "ImportError" in names or "ModuleNotFoundError" in names


def foreign(distribution: Any, allowed: set[str]) -> list[str]:
    """Return the imports of a distribution that are neither allowed nor the standard library's."""
    known = allowed | set(sys.stdlib_module_names)
    return [
        f"{path.name}:{line} imports {module}"
        for path, tree in distribution.trees().items()
        for line, module, _ in imports(tree)
        if module.split(".")[0] not in known | of_an_extra(path) and line not in optional(tree)
    ]


def of_an_extra(path: Path) -> set[str]:
    """Return what a module may import besides, as an extra of its distribution brings it."""
    return {"pytest"} if ("glowplug", "testing") in pairwise(path.parts) else set()


def requirements(distribution: Any) -> set[str]:
    """Return the names of what a distribution depends on, its extras left out."""
    return {Requirement(line).name for line in distribution.project["dependencies"]}


def test_the_core_imports_the_standard_library_pluggy_and_the_metadata_alone(core: Any) -> None:
    assert foreign(core, CORE_MAY_IMPORT) == []


def test_a_plugin_imports_what_it_declares_or_can_do_without(plugin: Any) -> None:
    declared = {re.sub("[-.]", "_", name) for name in requirements(plugin)}
    assert foreign(plugin, declared | {plugin.package.name}) == []


def test_a_plugin_depends_on_no_other_plugin_but_the_floors(plugin: Any) -> None:
    ours = {name for name in requirements(plugin) if name.startswith("glowplug")}
    assert ours <= FLOORS


def test_a_dependency_has_a_lower_bound_and_no_upper(distribution: Any) -> None:
    lines = map(Requirement, distribution.project["dependencies"])
    bounds = {line.name: {bound.operator for bound in line.specifier} for line in lines}
    assert bounds == {name: {">="} for name in bounds}


def test_no_distribution_imports_a_private_name_of_another(distribution: Any) -> None:
    private = [
        f"{path.name}:{line} imports {module} {names}"
        for path, tree in distribution.trees().items()
        for line, module, names in imports(tree)
        if module.startswith("glowplug") and module.split(".")[0] != distribution.package.name
        if any(part.startswith("_") for part in [*module.split("."), *names])
    ]
    assert private == []


def test_imports_are_absolute(distribution: Any) -> None:
    relative = [
        f"{path.name}:{line}"
        for path, tree in distribution.trees().items()
        for line, module, _ in imports(tree)
        if module.startswith(".")
    ]
    assert relative == []
