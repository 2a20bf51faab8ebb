from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from glowplug import Engine, Events
from glowplug.errors import CannotWrite, InvalidArgument, InvalidType
from glowplug_trace import Trace

DIES = """
import os, signal, sys, time
from glowplug import Engine, Events
from glowplug_trace import Trace

def step(engine, batch):
    time.sleep(0.005)

def die(engine):
    {how}

engine = Engine(step)
engine.add_event_handler(Events.ITERATION_COMPLETED(once=400), die)
Trace(sys.argv[1]).attach(engine, "trainer")
engine.run(range(1000), max_epochs=1)
"""


@pytest.fixture
def engine() -> Engine[Any, Any]:
    return Engine(lambda engine, batch: batch)


def dies(path: Path, how: str) -> int:
    command = [sys.executable, "-c", DIES.format(how=how), str(path)]
    return subprocess.run(command, capture_output=True, check=False).returncode


def test_a_file_that_exists_is_not_replaced(path: Path) -> None:
    path.write_text("mine")
    with pytest.raises(CannotWrite, match="exists; give another path, or overwrite=True"):
        Trace(path)
    assert path.read_text() == "mine"


def test_a_file_that_exists_is_replaced_on_request(path: Path) -> None:
    path.write_text("mine" * 100)
    Trace(path, overwrite=True)
    assert json.loads(path.read_text()) == []


def test_a_folder_that_does_not_exist_is_an_error_before_the_run(tmp_path: Path) -> None:
    with pytest.raises(CannotWrite, match="give the path of a file in a folder that exists"):
        Trace(tmp_path / "nowhere" / "trace.json")


def test_what_is_no_path_is_refused() -> None:
    with pytest.raises(InvalidType, match="path must be a path, got 3 of type int"):
        Trace(3)  # type: ignore[arg-type]  # what is tested


@pytest.mark.parametrize("limit", ["first", "last"])
def test_a_limit_is_a_number_of_iterations(path: Path, limit: str) -> None:
    with pytest.raises(InvalidArgument, match=f"{limit} must be at least 1 iteration, got 0"):
        Trace(path, **{limit: 0})  # type: ignore[arg-type]  # either name
    with pytest.raises(InvalidType, match=f"{limit} must be a number of iterations, got '3'"):
        Trace(path, **{limit: "3"})  # type: ignore[arg-type]  # what is tested
    assert not path.exists()


def test_a_packed_trace_says_the_same(tmp_path: Path, events: Callable[[Path], list[Any]]) -> None:
    names = []
    for file in ("plain.json", "packed.json.gz"):
        engine: Engine[Any, Any] = Engine(lambda engine, batch: batch)
        Trace(tmp_path / file).attach(engine)
        for _ in range(3):  # the end of the file is written over twice
            engine.run(range(10))
        names.append([event.get("name") for event in events(tmp_path / file)])
    assert names[0] == names[1]
    assert names[0].count("run") == 3


def test_the_file_is_whole_when_an_error_left_the_run(
    engine: Engine[Any, Any], path: Path, picture: Callable[[Path], Any]
) -> None:
    @engine.on(Events.ITERATION_COMPLETED(once=3))
    def fail() -> None:
        raise ValueError("too bad")

    Trace(path).attach(engine)
    with pytest.raises(ValueError, match="too bad"):
        engine.run(range(5))
    seen = picture(path)
    assert len(seen.of("iteration")) == 3
    assert seen.open == []
    (error,) = [e["args"] for e in seen.events if e.get("name") == "EXCEPTION_RAISED"]
    assert error["error"].startswith("ValueError: too bad")


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_the_file_is_whole_when_the_user_stopped_the_run(
    path: Path, picture: Callable[[Path], Any]
) -> None:
    assert dies(path, "os.kill(os.getpid(), signal.SIGINT)") != 0
    seen = picture(path)
    assert len(seen.of("iteration")) == 400
    assert seen.open == []


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("name", ["trace.json", "trace.json.gz"])
def test_a_killed_process_leaves_what_it_had_written(
    tmp_path: Path, name: str, picture: Callable[[Path], Any]
) -> None:
    code = dies(tmp_path / name, "os.kill(os.getpid(), signal.SIGKILL)")
    assert code == -signal.SIGKILL
    seen = picture(tmp_path / name)
    assert len(seen.of("iteration")) > 100
    assert seen.open == ["run", "epoch 1"]


def test_a_disk_that_fails_ends_the_trace_and_not_the_run(
    engine: Engine[Any, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    Trace(folder / "trace.json").attach(engine)
    shutil.rmtree(folder)
    with caplog.at_level(logging.WARNING, "glowplug_trace"):
        engine.run(range(5))
        engine.run(range(5))
    assert engine.state.iteration == 5
    assert [record.getMessage().partition(" (")[0] for record in caplog.records] == [
        f"the trace {folder / 'trace.json'} ends here"
    ]


def test_a_long_run_does_not_fill_the_memory(engine: Engine[Any, Any], path: Path) -> None:
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda: None)
    Trace(path).attach(engine)
    engine.run(range(10))
    tracemalloc.start()
    engine.run(range(5_000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert path.stat().st_size > 4_000_000
    assert peak < 4_000_000


def test_the_working_directory_may_change(
    engine: Engine[Any, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    trace = Trace("here.json")
    trace.attach(engine)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    engine.run(range(3))
    assert trace.path == tmp_path / "here.json"
    assert len(json.loads(trace.path.read_text())) > 10
