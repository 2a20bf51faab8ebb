from __future__ import annotations

import errno
import io
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from glowplug import Engine
from glowplug_tqdm import ProgressBar

RUN = """
import logging, os, sys
log = open(sys.argv[1], "w")
logging.basicConfig(stream=log)
from glowplug import Engine, Events
from glowplug_tqdm import ProgressBar
trainer = Engine(lambda engine, batch: batch)
bar = ProgressBar(mininterval=0, miniters=1, persist=True)
bar.attach(trainer, output_transform=lambda out: out)
{}
trainer.run(range(5), max_epochs=3)
bar.log_message("done")
log.write("iterations: " + str(trainer.state.iteration))
"""


class Broken(io.StringIO):
    """A stream whose ``write`` or ``flush`` fails from the n-th call on."""

    def __init__(self, error: Exception, after: int, where: str) -> None:
        super().__init__()
        self.error, self.left, self.where = error, after, where

    def _call(self, name: str) -> None:
        if name == self.where:
            self.left -= 1
            if self.left < 0:
                raise self.error

    def write(self, text: str) -> int:
        self._call("write")
        return super().write(text)

    def flush(self) -> None:
        self._call("flush")


def run_with(breaking: str, folder: Path, redirection: str = "") -> str:
    """Run an engine with a bar in a shell; return its log."""
    script, log = folder / "run.py", folder / "log"
    script.write_text(RUN.format(breaking))
    command = f'"{sys.executable}" "{script}" "{log}" {redirection}'
    # Unbuffered streams would hold nothing back for Python's own flush at exit.
    environment = {name: v for name, v in os.environ.items() if name != "PYTHONUNBUFFERED"}
    subprocess.run(command, shell=True, check=True, timeout=60, env=environment)
    return log.read_text()


@pytest.mark.parametrize("after", [0, 1, 5])
@pytest.mark.parametrize("where", ["write", "flush"])
@pytest.mark.parametrize(
    "error",
    [
        BrokenPipeError(errno.EPIPE, "pipe"),
        OSError(errno.EIO, "terminal gone"),
        OSError(errno.ENOSPC, "disk full"),
        ValueError("I/O operation on closed file"),
        UnicodeEncodeError("ascii", "é", 0, 1, "ordinal not in range"),
    ],
)
def test_a_stream_that_fails_turns_the_bar_off_and_is_logged_once(
    error: Exception, where: str, after: int, caplog: pytest.LogCaptureFixture
) -> None:
    trainer: Engine[Any, Any] = Engine(lambda engine, batch: batch)
    bar = ProgressBar(file=Broken(error, after, where), mininterval=0, miniters=1)
    bar.attach(trainer)
    trainer.run(range(5), max_epochs=3)
    assert trainer.state.iteration == 15
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "the progress bar cannot be written" in caplog.text


def test_nothing_is_asked_of_the_output_once_the_stream_has_failed() -> None:
    trainer: Engine[Any, Any] = Engine(lambda engine, batch: batch)
    asked: list[int] = []
    bar = ProgressBar(file=Broken(OSError(), 0, "write"), mininterval=0, miniters=1)
    bar.attach(trainer, output_transform=lambda out: asked.append(out) or out)  # type: ignore[func-returns-value]  # one line
    trainer.run(range(5), max_epochs=3)
    assert asked == []


def test_an_error_of_the_users_own_is_not_taken_for_one_of_the_stream() -> None:
    trainer: Engine[Any, Any] = Engine(lambda engine, batch: batch)
    bar = ProgressBar(file=io.StringIO(), mininterval=0, miniters=1)
    bar.attach(trainer, output_transform=lambda out: int("one"))
    with pytest.raises(ValueError, match="invalid literal for int"):
        trainer.run([1])


# tqdm below 4.67 complains when a bar that it could not make is collected
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_broken_format_is_an_error() -> None:
    trainer: Engine[Any, Any] = Engine(lambda engine, batch: batch)
    ProgressBar(file=io.StringIO(), bar_format="{no_such_field}").attach(trainer)
    with pytest.raises(KeyError, match="no_such_field"):
        trainer.run([1])


@pytest.mark.skipif(os.name == "nt", reason="the redirections are those of a POSIX shell")
@pytest.mark.parametrize(
    ("breaking", "redirection"),
    [
        ("", "2>&-"),
        ("", "1>&- 2>&-"),
        ("sys.stderr.close()", "2>/dev/null"),
        ("os.close(2)", ""),
        ("sys.stderr = None", ""),
        ("trainer.on(Events.ITERATION_COMPLETED(once=3))(sys.stderr.close)", "2>/dev/null"),
        ("reading, writing = os.pipe(); os.close(reading); os.dup2(writing, 2)", ""),
    ],
)
def test_a_run_survives_a_standard_error_that_is_gone(
    breaking: str, redirection: str, tmp_path: Path
) -> None:
    log = run_with(breaking, tmp_path, redirection)
    assert log.endswith("iterations: 15")
    assert log.count("glowplug_tqdm:the progress bar cannot be written") == 1


@pytest.mark.skipif(os.name == "nt", reason="the redirections are those of a POSIX shell")
def test_a_run_whose_log_goes_to_the_stream_that_is_gone_survives_too(tmp_path: Path) -> None:
    breaking = "logging.basicConfig(force=True); sys.stderr.close(); sys.stdout.close()"
    assert run_with(breaking, tmp_path, "2>/dev/null") == "iterations: 15"


@pytest.mark.skipif(os.name == "nt", reason="the redirections are those of a POSIX shell")
def test_a_standard_output_that_is_gone_costs_the_messages_only(tmp_path: Path) -> None:
    log = run_with("sys.stdout.close()", tmp_path, f'2>"{tmp_path / "err"}"')
    assert "messages beside the progress bar cannot be written" in log
    assert (tmp_path / "err").read_text().count("[5/5] 100%") >= 3


@pytest.mark.skipif(os.name == "nt", reason="the redirections are those of a POSIX shell")
def test_a_redirected_standard_error_receives_the_bars(tmp_path: Path) -> None:
    log = run_with("", tmp_path, f'2>"{tmp_path / "err"}" >"{tmp_path / "out"}"')
    assert log == "iterations: 15"
    assert (tmp_path / "err").read_text().count("[5/5] 100%") >= 3
    assert (tmp_path / "out").read_text() == "done\n"


def test_bars_work_where_torch_is_not_installed(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text("import sys; sys.modules['torch'] = None\n" + RUN.format(""))
    done = subprocess.run(
        [sys.executable, script, tmp_path / "log"], check=True, capture_output=True, text=True
    )
    assert "Epoch [3/3]: [5/5] 100%" in done.stderr
