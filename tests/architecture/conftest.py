"""What the tests of the repository's shape share.

Owns: which files, modules and distributions the repository is made of.
Must not know: the rules that they are held to.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Distribution:
    """A distribution of this repository: its folder, and what its pyproject.toml declares."""

    folder: Path
    package: Path
    project: dict[str, Any]

    @property
    def name(self) -> str:
        """The name that pip knows it by."""
        return str(self.project["name"])

    def trees(self) -> dict[Path, ast.Module]:
        """Return the parsed modules of its package by their paths."""
        return {path: ast.parse(path.read_text("utf-8")) for path in modules_in(self.package)}


def modules_in(folder: Path) -> list[Path]:
    """Return the Python files under a folder, in a fixed order."""
    return sorted(folder.rglob("*.py"))


def read(folder: Path) -> Distribution:
    """Return the distribution that lives in a folder."""
    project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    package = str(project["name"]).replace("-", "_")
    return Distribution(folder, folder / ("core" if folder == ROOT else "src") / package, project)


PLUGINS = [read(path.parent) for path in sorted(ROOT.glob("plugins/*/pyproject.toml"))]
DISTRIBUTIONS = [read(ROOT), *PLUGINS]
SOURCES = [path for dist in DISTRIBUTIONS for path in modules_in(dist.package)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once for each distribution, plugin or module, where it asks for one."""
    for name, values, label in (
        ("distribution", DISTRIBUTIONS, lambda dist: dist.name),
        ("plugin", PLUGINS, lambda dist: dist.name),
        ("module", SOURCES, lambda path: f"{path.parent.name}/{path.name}"),
    ):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, values, ids=label)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root."""
    return ROOT


@pytest.fixture(scope="session")
def core() -> Distribution:
    """The core."""
    return DISTRIBUTIONS[0]


@pytest.fixture(scope="session")
def plugin_names() -> list[str]:
    """The names of the plugins' distributions."""
    return [plugin.name for plugin in PLUGINS]


@pytest.fixture(scope="session")
def wheel_files(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Distribution], list[str]]:
    """A function that lists the files in a distribution's wheel."""
    folder = Path(os.environ.get("GLOWPLUG_WHEELS") or tmp_path_factory.mktemp("wheels"))
    script = str(ROOT / "tests" / "wheels.py")
    subprocess.run([sys.executable, script, "--no-install", str(folder)], check=True)

    def files(distribution: Distribution) -> list[str]:
        (wheel,) = folder.glob(f"{distribution.package.name}-[0-9]*.whl")
        with ZipFile(wheel) as archive:
            return archive.namelist()

    return files
