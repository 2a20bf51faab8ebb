"""The benchmarks, run small: that they still measure, and what they print.

Owns: that each script runs as its page says, with the rows that the page shows.
Must not know: how fast anything is, which no test on a shared machine can tell.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "benchmarks"
SMALL = {
    "engine_overhead.py": ("--iterations", "100", "--repeats", "1"),
    "observing.py": ("--iterations", "100", "--repeats", "1"),
    "metrics.py": ("--seconds", "0", "--repeats", "1"),
    "training.py": ("--epochs", "1", "--repeats", "1"),
    "import_cost.py": ("--repeats", "1"),
    "saving.py": ("--saves", "2", "--repeats", "1"),
}


def rows(text: str) -> list[list[str]]:
    """Return the cells of the Markdown tables in a text, without the rules below their heads."""
    lines = [line.strip("| ") for line in text.splitlines() if line.startswith("|")]
    return [re.split(r" *\| *", line) for line in lines if not line.startswith("---")]


def run(script: str) -> str:
    """Run a benchmark on next to nothing, and return what it printed."""
    command = [sys.executable, str(FOLDER / script), *SMALL[script]]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("script", SMALL)
def test_every_row_that_the_benchmark_prints_is_in_the_page(script: str) -> None:
    measured = [cells[0] for cells in rows(run(script))]
    shown = [cells[0] for cells in rows((FOLDER / "README.md").read_text("utf-8"))]
    assert len(measured) > 2
    assert [row for row in measured if row not in shown] == []


def test_listing_plugins_is_measured_to_import_nothing_heavy() -> None:
    imported = {cells[0]: cells[-1] for cells in rows(run("import_cost.py"))[1:]}
    assert imported["`glowplug plugins list`"] == "none"


def test_the_benchmarks_are_all_run_here() -> None:
    scripts = {path.name for path in FOLDER.glob("*.py")} - {"side_by_side.py"}
    assert scripts == set(SMALL)


def test_the_examples_of_the_shared_module_hold() -> None:
    command = [sys.executable, "-m", "doctest", str(FOLDER / "side_by_side.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_table_in_the_readme_is_the_one_of_the_benchmarks_page() -> None:
    measured = {tuple(row) for row in rows((FOLDER / "README.md").read_text("utf-8"))}
    readme = (FOLDER.parents[1] / "README.md").read_text("utf-8")
    section = readme.partition("## What it costs")[2].partition("\n## ")[0]
    shown = rows(section)
    assert len(shown) > 3
    assert [row for row in shown if tuple(row) not in measured] == []
