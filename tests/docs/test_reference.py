"""What the pages say of variables, entry-point groups and options, held against the code.

Owns: that none is missing from its page of reference, and that no page names one that is not there.
Must not know: how the pages are built; public names and hooks are another file's.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import glowplug
from glowplug import Kind

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"
PAGES = [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("plugins/*/README.md")]
VARIABLE = re.compile(r"\bGLOWPLUG_[A-Z_]+\b")


def variables(paths: Iterator[Path] | list[Path]) -> set[str]:
    """Return the environment variables that some files name."""
    return {name for path in paths for name in VARIABLE.findall(path.read_text("utf-8"))}


def options(*command: str) -> set[str]:
    """Return the options that a command offers, as its help says."""
    asked = [sys.executable, "-m", "glowplug", *command, "--help"]
    usage = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"--[a-z]+", usage)) - {"--help"}


def test_every_environment_variable_of_the_core_is_in_the_reference() -> None:
    read = variables(Path(str(glowplug.__file__)).parent.rglob("*.py"))
    assert read
    assert read - variables([REFERENCE / "command-line.md"]) == set()


def test_no_page_names_a_variable_that_nothing_reads() -> None:
    sources = [*ROOT.glob("core/**/*.py"), *ROOT.glob("plugins/*/src/**/*.py")]
    assert variables(PAGES) - variables(sources) == set()


@pytest.mark.parametrize("group", ["glowplug", *(kind.group for kind in Kind)])
def test_every_entry_point_group_is_in_the_reference(group: str) -> None:
    pages = "".join((REFERENCE / page).read_text("utf-8") for page in ("components.md", "hooks.md"))
    assert f"`{group}`" in pages


@pytest.mark.parametrize(
    "command", [(), ("plugins", "list"), ("plugins", "show"), ("plugins", "check")]
)
def test_every_option_of_the_command_line_is_in_the_reference(command: tuple[str, ...]) -> None:
    page = (REFERENCE / "command-line.md").read_text("utf-8")
    assert [option for option in options(*command) if option not in page] == []
