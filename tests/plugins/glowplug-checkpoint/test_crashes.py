"""The crash suite in short: nothing but the work since the last save is lost by a kill."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

SUITE = Path(__file__).parents[2] / "crashes" / "kills.py"


def suite(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the crash suite as its users do; warnings of what is not saved are its affair."""
    command = [sys.executable, "-W", "ignore", str(SUITE), "--kills", "36", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=1200, check=False)


@pytest.mark.parametrize(
    "how", [(), ("--background", "--seed", "1")], ids=["in line", "background"]
)
def test_a_training_that_is_killed_and_resumed_is_the_one_that_never_was(
    how: tuple[str, ...],
) -> None:
    done = suite(*how)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "losses: 0" in done.stdout
    kills = re.search(r"(\d+) kills \((\d+) by event", done.stdout)
    assert kills is not None, done.stdout
    # at a moment, or in a save, a kill may come when a quick machine has trained to the end
    assert all(int(number) > 1 for number in kills.groups()), done.stdout


@pytest.mark.parametrize("forgotten", ["averages", "loss"])
def test_what_is_not_saved_shows(forgotten: str) -> None:
    done = suite("--forget", forgotten)
    assert done.returncode == 1, done.stderr
    assert f": {forgotten}" in done.stdout, done.stdout
