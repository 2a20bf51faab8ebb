"""The how-to "test a plugin": its files are written as they stand there, and pytest runs them.

Owns: that the tests which the page shows pass, and that it names every test of the contract.
Must not know: what the kit does.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from glowplug.testing import ComponentContract

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "test-a-plugin.md"
FILES = dict(
    re.findall(r"^```python\n# (\w+\.py)\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S)
)
INHERITED = [name for name in dir(ComponentContract) if name.startswith("test_")]


def run_tests(folder: Path) -> str:
    """Return what pytest says of the page's files."""
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    command = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-W", "error", "-q", ".")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout


def test_the_tests_that_the_page_shows_pass(tmp_path: Path) -> None:
    said = run_tests(tmp_path)
    own = sum(text.count("\ndef test_") for text in FILES.values())
    assert f"{2 * len(INHERITED) + own} passed in" in said, said


def test_the_page_lists_every_test_that_a_component_inherits() -> None:
    listed = re.findall(r"^- (.+)[;.]$", PAGE.read_text("utf-8"), re.M)
    assert len(listed) == len(INHERITED) == 11
