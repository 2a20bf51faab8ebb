"""The tutorial "a plugin in ten minutes", followed to the letter.

Owns: that its command and its edits make the package in docs/examples, byte for byte, and that the
tests of the package say what the page shows, at each of its stages.
Must not know: what the package does; tests/scaffold installs it and uses it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "acme-nan-stop"
TEXT = (ROOT / "docs" / "tutorial" / "a-plugin-in-ten-minutes.md").read_text("utf-8")
BLOCK = re.compile(r"^```(text|diff)\n(.*?)^```", re.MULTILINE | re.DOTALL)
CREATED = {"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"}


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files under a folder, without what tools leave there."""
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {
        path.as_posix(): (folder / path).read_bytes()
        for path in files
        if not CREATED & set(path.parts)
    }


def make(folder: Path) -> Path:
    """Run the page's first command, and return the package."""
    (command,) = re.findall(r"^\$ glowplug (plugins new .*)$", TEXT, re.MULTILINE)
    whole = [sys.executable, "-m", "glowplug", *command.split()]
    subprocess.run(whole, cwd=folder, check=True, capture_output=True)
    return folder / "acme-nan-stop"


def edit(package: Path, diff: str) -> None:
    """Make the changes that a block of the page shows; what goes must be there exactly once."""
    head, *hunks = re.split(r"^@@\n", diff, flags=re.MULTILINE)
    file = package / head.split()[1]
    text = file.read_text("utf-8")
    for hunk in hunks:
        lines = hunk.splitlines(keepends=True)
        old = "".join(line[1:] or "\n" for line in lines if line[0] in " -\n")
        new = "".join(line[1:] or "\n" for line in lines if line[0] in " +\n")
        assert text.count(old) == 1, hunk
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8", newline="\n")


def run_tests(package: Path) -> str:
    """Return what the tests of the package say, beside the one that needs it to be installed."""
    env = {**os.environ, "PYTHONPATH": "src", "PYTHONDONTWRITEBYTECODE": "1"}
    options = ["-q", "-p", "no:cacheprovider", "--show-capture=no", "-k", "not whole"]
    command = [sys.executable, "-m", "pytest", *options]
    done = subprocess.run(
        command, cwd=package, env=env, capture_output=True, text=True, check=False
    )
    return done.stdout


def shown(text: str) -> tuple[list[tuple[str, str]], int, int]:
    """Return what pytest said of each failure, and the numbers of failed and passed tests."""
    section = re.compile(r"^_+ (.+?) _+\n(.*?)(?=^_|^=|^\d+ failed)", re.MULTILINE | re.DOTALL)
    failed, passed = (re.findall(rf"(\d+) {word}", text) for word in ("failed", "passed"))
    return section.findall(text), int(failed[0]) if failed else 0, int(passed[0])


def test_the_page_makes_the_package_in_the_examples_byte_for_byte(tmp_path: Path) -> None:
    package = make(tmp_path)
    for kind, block in BLOCK.findall(TEXT):
        if kind == "diff":
            edit(package, block)
    assert contents(package) == contents(EXAMPLE)


def test_the_tests_say_at_each_stage_what_the_page_shows(tmp_path: Path) -> None:
    package, stages = make(tmp_path), 0
    for kind, block in BLOCK.findall(TEXT):
        if kind == "diff":
            edit(package, block)
        elif "python -m pytest" in block:
            said, failed, passed = shown(block)
            # one test fewer: that of the installed plugin
            assert shown(run_tests(package)) == (said, failed, passed - 1)
            stages += 1
    assert stages == 3
