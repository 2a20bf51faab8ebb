"""What the distributions hold once they are built.

Owns: the contents of the wheels.
Must not know: what the code in them does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def test_a_wheel_holds_its_package_and_nothing_else(
    distribution: Any, wheel_files: Callable[[Any], list[str]]
) -> None:
    tops = {name.split("/")[0] for name in wheel_files(distribution)}
    version = distribution.project["version"]
    package = distribution.package.name
    assert tops == {package, f"{package}-{version}.dist-info"}


def test_a_wheel_ships_the_marker_of_typed_packages(
    distribution: Any, wheel_files: Callable[[Any], list[str]]
) -> None:
    assert f"{distribution.package.name}/py.typed" in wheel_files(distribution)


def test_a_wheel_holds_every_module_of_the_tree(
    distribution: Any, wheel_files: Callable[[Any], list[str]]
) -> None:
    base = distribution.package.parent
    modules = {path.relative_to(base).as_posix() for path in distribution.package.rglob("*.py")}
    assert modules == {name for name in wheel_files(distribution) if name.endswith(".py")}


def test_the_wheel_of_the_core_holds_what_new_packages_are_made_of(
    core: Any, wheel_files: Callable[[Any], list[str]]
) -> None:
    base = core.package.parent
    templates = {path.relative_to(base).as_posix() for path in base.rglob("*.template")}
    assert templates
    assert templates == {name for name in wheel_files(core) if "/templates/" in name}


def test_a_wheel_ships_its_entry_points_if_any_are_declared(
    distribution: Any, wheel_files: Callable[[Any], list[str]]
) -> None:
    declared = "entry-points" in distribution.project or "scripts" in distribution.project
    shipped = any(name.endswith("entry_points.txt") for name in wheel_files(distribution))
    assert shipped == declared
