"""The places that list every plugin, and the tools that are pinned in two places.

Owns: that no list forgets a plugin, and that two of them agree.
Must not know: what a plugin does.
"""

from __future__ import annotations

import re
import tomllib
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def settings(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "pyproject.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def tox(root: Path) -> ConfigParser:
    parser = ConfigParser(interpolation=None)
    parser.read(root / "tox.ini", encoding="utf-8")
    return parser


def test_the_requirements_file_installs_every_plugin(root: Path, plugin_names: list[str]) -> None:
    text = (root / "plugins" / "requirements.txt").read_text("utf-8")
    assert re.findall(r"^-e plugins/(\S+)$", text, re.MULTILINE) == plugin_names


def test_import_linter_looks_at_every_package(
    settings: dict[str, Any], plugin_names: list[str]
) -> None:
    packages = ["glowplug", *(name.replace("-", "_") for name in plugin_names)]
    assert settings["tool"]["importlinter"]["root_packages"] == packages


def test_import_linter_gives_every_plugin_its_layer(
    settings: dict[str, Any], plugin_names: list[str]
) -> None:
    *_, contract = settings["tool"]["importlinter"]["contracts"]
    placed = [name for layer in contract["layers"] for name in layer.split(" | ")]
    assert sorted(placed) == ["glowplug", *(name.replace("-", "_") for name in plugin_names)]


def test_mypy_finds_every_package(settings: dict[str, Any], plugin_names: list[str]) -> None:
    paths = ["core", *(f"plugins/{name}/src" for name in plugin_names)]
    assert settings["tool"]["mypy"]["mypy_path"][: len(paths)] == paths


def test_mypy_checks_the_tests_of_every_plugin(tox: ConfigParser, plugin_names: list[str]) -> None:
    checked = re.findall(r"^mypy tests/plugins/(\S+)$", tox["testenv:types"]["commands"], re.M)
    assert checked == plugin_names


def test_the_doctests_of_every_package_run(tox: ConfigParser, plugin_names: list[str]) -> None:
    words = tox["testenv:plugins"]["commands"].replace("\\", " ").split()
    assert words[words.index("--pyargs") + 1 :] == [
        "glowplug",
        *(name.replace("-", "_") for name in plugin_names),
    ]


def test_every_environment_of_tox_says_what_it_is_for(tox: ConfigParser) -> None:
    environments = [name for name in tox.sections() if name.startswith("testenv:")]
    assert [name for name in environments if not tox[name].get("description")] == []


def test_every_distribution_declares_the_same_pythons_and_licence(
    distribution: Any, core: Any
) -> None:
    for key in ("requires-python", "license", "authors"):
        assert distribution.project[key] == core.project[key]


def test_every_distribution_is_described_by_its_own_readme(distribution: Any) -> None:
    readme = distribution.folder / distribution.project["readme"]
    assert readme.read_text("utf-8").startswith(f"# {distribution.name}\n")


def test_pre_commit_runs_the_tested_version_of_ruff(root: Path) -> None:
    hooks = (root / ".pre-commit-config.yaml").read_text("utf-8")
    (pin,) = re.findall(r"^ruff==.+$", (root / "constraints.txt").read_text("utf-8"), re.M)
    assert set(re.findall(r"ruff==[\d.]+", hooks)) == {pin}


def test_ci_runs_the_readmes_test_command(root: Path) -> None:
    readme = (root / "README.md").read_text("utf-8")
    (parts,) = re.findall(r"^python3 (-m venv .+?) && (.+ tox-uv) && (\S+/tox)$", readme, re.M)
    script = (root / ".ci" / "run").read_text("utf-8")
    assert [part for part in parts if part not in script] == []
