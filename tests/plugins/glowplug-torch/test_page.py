"""The program of the how-to guide, saved and started in each way that the guide shows."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "train-on-several-processes.md"
TORCHRUN = "-m torch.distributed.run --standalone"
ABORTED = "terminate called without an active exception"
"""What torch 2.13 says on a busy machine where, rarely, it aborts a program that is over."""


def blocks(language: str) -> list[str]:
    """Return the code blocks of the page that are in a language."""
    text = PAGE.read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", blocks("console"), ids=lambda block: block.splitlines()[0])
def test_the_program_does_what_the_page_shows(block: str, tmp_path: Path) -> None:
    (program,) = [code for code in blocks("python") if code.startswith("# train.py\n")]
    (tmp_path / "train.py").write_text(program, encoding="utf-8")
    command, _, wanted = block.removeprefix("$ ").partition("\n")
    first, *rest = shlex.split(command)
    words = rest if first == "python" else [*TORCHRUN.split(), *rest]
    started = [sys.executable, *words]
    for _ in range(4):
        done = subprocess.run(started, capture_output=True, text=True, cwd=tmp_path, check=False)
        if ABORTED not in done.stderr:
            break
    assert (done.returncode, done.stdout) == (0, wanted), done.stderr


def test_the_page_shows_a_start_by_itself_with_new_processes_and_under_torchrun() -> None:
    assert [block.split()[1] for block in blocks("console")] == ["python", "python", "torchrun"]
