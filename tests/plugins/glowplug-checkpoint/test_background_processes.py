from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from glowplug_checkpoint import load_newest, store_at


@pytest.fixture
def slow_program(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start a process that trains, saving in the background to a slow disk."""
    program = Path(__file__).parent / "support" / "slow_saves.py"

    def start(*arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, str(program), str(tmp_path / "runs"), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )

    return start


def in_folder(tmp_path: Path) -> Any:
    return load_newest(store_at(tmp_path / "runs"))[1]["steps"]


def test_a_kill_while_a_save_is_under_way_leaves_the_one_before(
    tmp_path: Path, slow_program: Callable[..., subprocess.Popen[str]]
) -> None:
    process = slow_program("600")  # which it does not live to see
    assert process.stdout is not None
    assert json.loads(process.stdout.readline()) == "under way"
    process.kill()
    process.communicate()
    assert in_folder(tmp_path) == [1]


@pytest.mark.parametrize(("end", "code"), [("exit", 5), ("error", 1), ("SIGTERM", 143)])
def test_a_process_that_ends_while_a_save_is_under_way_completes_it(
    tmp_path: Path, slow_program: Callable[..., subprocess.Popen[str]], end: str, code: int
) -> None:
    process = slow_program("0.5", end)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == code, errors
    assert in_folder(tmp_path) == [3]
    assert json.loads(output.splitlines()[-1]) == {"entered": 2}


def test_ctrl_c_while_a_save_is_under_way_completes_it(
    tmp_path: Path, slow_program: Callable[..., subprocess.Popen[str]]
) -> None:
    process = slow_program("0.5", "forever")
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=120)
    assert "KeyboardInterrupt" in errors
    assert in_folder(tmp_path) == [3]
    assert json.loads(output.splitlines()[-1]) == {"entered": 2}
