"""What the documentation must have.

Owns: that every public name, hook, component and command is documented.
Must not know: how the pages are arranged.
"""

from __future__ import annotations

import importlib
import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from sphinx.util.inventory import InventoryFile

import glowplug.cli
import glowplug.errors
import glowplug.hookspecs

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))
PACKAGES = ["glowplug", "glowplug.testing", *(folder.name.replace("-", "_") for folder in PLUGINS)]
HOOKS = [name for name in vars(glowplug.hookspecs) if name.startswith("glowplug_")]
ERRORS = [
    name
    for name, value in vars(glowplug.errors).items()
    if inspect.isclass(value) and issubclass(value, Exception)
]


@pytest.fixture(scope="module")
def documented(site: Path) -> set[str]:
    """The names that the built documentation explains."""
    inventory = InventoryFile.loads((site / "objects.inv").read_bytes(), uri="")
    return {name for kind in inventory.data for name in inventory.data[kind]}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_of_the_package_is_documented(package: str, documented: set[str]) -> None:
    module = importlib.import_module(package)
    homes = {name: getattr(getattr(module, name), "__module__", "") for name in module.__all__}
    known = {n for n, home in homes.items() if {f"{package}.{n}", f"{home}.{n}"} & documented}
    assert set(homes) - known == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_function_and_class_shows_an_example(package: str) -> None:
    module = importlib.import_module(package)
    public = {name: getattr(module, name) for name in module.__all__}
    without = [name for name, value in public.items() if wants_example(value)]
    assert without == []


def wants_example(value: Any) -> bool:
    """Return whether a public object is one that should show its use and does not."""
    if not (inspect.isclass(value) or inspect.isfunction(value)):
        return False
    if inspect.isclass(value) and issubclass(value, BaseException):
        return False
    return ">>> " not in (inspect.getdoc(value) or "")


@pytest.mark.parametrize("name", ERRORS)
def test_every_error_of_the_core_is_documented(name: str, documented: set[str]) -> None:
    known = {entry.rpartition(".")[2] for entry in documented if entry.startswith("glowplug.")}
    assert name in known


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_documented_with_its_exact_signature(hook: str, site: Path) -> None:
    page = re.sub(r"<[^>]+>", "", (site / "reference" / "hooks.html").read_text("utf-8"))
    parameters = ", ".join(inspect.signature(getattr(glowplug.hookspecs, hook)).parameters)
    assert f"{hook}({parameters})" in page


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda folder: folder.name)
def test_every_component_of_the_plugin_is_in_its_readme(folder: Path) -> None:
    project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    groups = project.get("entry-points", {})
    components = [name for group in groups.values() for name in group]
    readme = (folder / "README.md").read_text("utf-8")
    assert [name for name in components if f"`{name}`" not in readme] == []


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda folder: folder.name)
def test_every_plugin_has_a_page_of_reference(folder: Path, documented: set[str]) -> None:
    assert f"reference/plugins/{folder.name}" in documented


@pytest.mark.parametrize("command", glowplug.cli.COMMANDS)
def test_every_command_of_glowplugs_own_is_in_the_reference(command: str) -> None:
    page = (ROOT / "docs" / "reference" / "command-line.md").read_text("utf-8")
    assert f"`glowplug {command}" in page


def test_every_action_on_plugins_is_in_the_reference() -> None:
    asked = [sys.executable, "-m", "glowplug", "plugins", "--help"]
    usage = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    (commands,) = re.findall(r"usage: .*?\{(.+?)\}", usage)
    page = (ROOT / "docs" / "reference" / "command-line.md").read_text("utf-8")
    missing = [name for name in commands.split(",") if f"glowplug plugins {name}" not in page]
    assert missing == []
