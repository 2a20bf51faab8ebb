"""The packages that the README and the how-to guides show, built, installed and used.

Owns: that what a reader would copy from these pages is a plugin that works.
Must not know: how plugins are found.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    "README.md": "nan_stop",
    "docs/how-to/write-a-plugin.md": "nan_stop",
    "docs/how-to/write-a-hook-plugin.md": "acme_audit",
}
USE_BY_NAME = """
from glowplug import Engine
engine = Engine(lambda engine, batch: batch, handlers=["nan-stop"])
print(engine.run([1.0, float("nan"), 2.0]).iteration)
"""
USE_HOOKS = """
from glowplug import Engine, component
engine = Engine(lambda engine, batch: batch)
engine.run([1, 2])
import acme_audit
print(acme_audit.finished[0][:2], component("handler", "acme-note") is acme_audit.note)
"""


def write_project(page: Path, module: str, folder: Path) -> None:
    """Put the page's TOML, and its Python blocks that name the module's file, into a project."""
    text = page.read_text("utf-8")
    (toml,) = re.findall(r"^```toml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    code = rf"^```python\n(# {module}\.py\b.*?)^```"
    (folder / "pyproject.toml").write_text(toml, encoding="utf-8")
    blocks = re.findall(code, text, re.MULTILINE | re.DOTALL)
    (folder / f"{module}.py").write_text("\n".join(blocks), encoding="utf-8")


@pytest.fixture
def run_with(
    tmp_path: Path, request: pytest.FixtureRequest
) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """A function that runs Python where the page's package is installed."""
    page = request.param
    project, site = tmp_path / "project", tmp_path / "site"
    project.mkdir()
    write_project(ROOT / page, PAGES[page], project)
    install = ["-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--target"]
    subprocess.run([sys.executable, *install, str(site), str(project)], check=True)
    environment = {**os.environ, "PYTHONPATH": str(site), "PYTHONWARNINGS": "error"}

    def run(code: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", code]
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)

    return run


@pytest.mark.parametrize("run_with", ["README.md", "docs/how-to/write-a-plugin.md"], indirect=True)
def test_the_handler_package_of_the_page_is_found_by_its_name(
    run_with: Callable[[str], subprocess.CompletedProcess[str]],
) -> None:
    done = run_with(USE_BY_NAME)
    assert (done.stdout, done.stderr) == ("2\n", "")


@pytest.mark.parametrize("run_with", ["README.md", "docs/how-to/write-a-plugin.md"], indirect=True)
def test_the_handler_package_of_the_page_passes_the_check(
    run_with: Callable[[str], subprocess.CompletedProcess[str]],
) -> None:
    done = run_with("from glowplug.cli import main; main(['plugins', 'check', 'nan-stop'])")
    assert done.stdout == "nan-stop 0.1.0: ok (1)\n"


@pytest.mark.parametrize("run_with", ["docs/how-to/write-a-hook-plugin.md"], indirect=True)
def test_the_hook_package_of_the_page_acts_on_every_engine(
    run_with: Callable[[str], subprocess.CompletedProcess[str]],
) -> None:
    done = run_with(USE_HOOKS)
    assert (done.stdout, done.stderr) == ("(1, 2) True\n", "")


def test_the_readme_shows_a_project_of_nine_lines() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    (toml,) = re.findall(r"^```toml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(toml.splitlines()) == 9
