"""New processes as ranks: what they get, how they fail, and that none is left behind."""

from __future__ import annotations

import atexit
import os
import pickle
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import torch.distributed as dist

import glowplug_torch as gt
import glowplug_torch.spawning
from glowplug_torch.failures import failure, leave

FORKED: dict[str, Any] = {
    "start_method": "forkserver"
}  # from a server that has imported torch already


def write(local_rank: int, folder: Path, mark: str = "", *, end: str = "") -> None:
    """Leave a file that says what this process was called with."""
    (folder / f"{gt.get_rank()}").write_text(f"{local_rank}{mark}{end}")


def fail_on_last(local_rank: int) -> None:
    """Fail on one rank, and let the others wait for it in vain."""
    if gt.get_rank() == gt.get_world_size() - 1:
        raise KeyError("no such digit")
    gt.barrier()


def sleep_on(folder: Path) -> None:
    """Sleep for minutes, and leave a file if nobody ends that."""
    time.sleep(300)
    (folder / "waited for").touch()


def die_on_first(local_rank: int, number: int, folder: Path) -> None:
    """End one rank by a signal, or with an exit code, and let the other one sleep."""
    if local_rank == 0 and number > 0:
        os.kill(os.getpid(), number)
    if local_rank == 0:
        os._exit(-number)
    sleep_on(folder)


def ignore_the_end(local_rank: int, folder: Path) -> None:
    """Fail on one rank, while the other one does not let itself be ended politely."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    gt.barrier()
    if local_rank == 0:
        raise ValueError("ended")
    sleep_on(folder)


def place(local_rank: int) -> tuple[int, ...]:
    """Return where this process runs."""
    gt.barrier()
    return local_rank, gt.get_rank(), gt.get_world_size(), gt.get_node_rank(), gt.get_nnodes()


def leave_late(local_rank: int, folder: Path) -> None:
    """Have things to do when the function is over."""
    atexit.register((folder / "atexit").touch)

    def go_on() -> None:
        time.sleep(0.3)
        (folder / "thread").touch()

    threading.Thread(target=go_on).start()


@pytest.mark.parametrize(("start_method", "left"), [("spawn", "atexit thread"), ("fork", "thread")])
def test_a_process_does_what_it_has_to_do_before_it_ends(
    start_method: str, left: str, tmp_path: Path
) -> None:
    gt.spawn("gloo", leave_late, (tmp_path,), nproc_per_node=1, start_method=start_method)
    assert sorted(path.name for path in tmp_path.iterdir()) == left.split()


def test_each_process_gets_its_local_rank_first_and_then_the_arguments(tmp_path: Path) -> None:
    gt.spawn("gloo", write, (tmp_path, "!"), {"end": "?"}, nproc_per_node=2)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"0": "0!?", "1": "1!?"}


def test_the_traceback_of_a_rank_reaches_the_one_who_started_it() -> None:
    with pytest.raises(
        RuntimeError, match=r"(?s)^rank 1 of 2 failed:.*fail_on_last.*KeyError: 'no such digit'\n$"
    ) as failed:
        gt.spawn("gloo", fail_on_last, (), None, 2, timeout=timedelta(seconds=300), **FORKED)
    assert isinstance(failed.value, gt.RankFailed)
    assert failed.value.rank == 1
    assert "in fail_on_last" in failed.value.traceback
    assert pickle.loads(pickle.dumps(failed.value)).rank == 1


def test_of_several_tracebacks_the_first_is_the_cause(tmp_path: Path) -> None:
    for rank, problem in ((2, "the cause"), (0, "a consequence"), (1, "another")):
        try:
            raise OSError(problem)
        except OSError:
            leave(tmp_path, rank)
    failed = failure({0: 1, 1: 1, 2: 1}, 3, tmp_path)
    assert failed is not None
    assert failed.rank == 2
    assert str(failed).startswith("rank 2 of 3 failed:")
    assert failed.traceback.endswith("OSError: the cause\n")


def test_a_rank_that_ended_silently_is_the_cause_of_what_others_say(tmp_path: Path) -> None:
    try:
        raise OSError("the partner is gone")
    except OSError:
        leave(tmp_path, 0)
    failed = failure({0: 1, 1: -signal.SIGSEGV}, 2, tmp_path)
    assert failed is not None
    assert failed.rank == 1
    assert re.match(r"rank 1 of 2 was ended by SIGSEGV; rank 0 of 2 failed:", str(failed))


def test_a_rank_that_is_killed_is_named_and_the_others_are_ended(tmp_path: Path) -> None:
    with pytest.raises(gt.RankFailed, match=r"^rank 0 of 2 was ended by SIGKILL"):
        gt.spawn("gloo", die_on_first, (signal.SIGKILL, tmp_path), None, 2, **FORKED)
    assert not list(tmp_path.iterdir())


def test_a_rank_that_ends_by_itself_with_an_exit_code_has_failed(tmp_path: Path) -> None:
    with pytest.raises(
        gt.RankFailed, match=r"^rank 0 of 1 ended with exit code 3 and no traceback"
    ):
        gt.spawn("gloo", die_on_first, (-3, tmp_path), **FORKED)


def test_a_rank_that_will_not_end_is_killed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(glowplug_torch.spawning, "SECONDS_TO_END", 0.2)
    with pytest.raises(gt.RankFailed, match="ValueError: ended"):
        gt.spawn("gloo", ignore_the_end, (tmp_path,), None, 2, **FORKED)
    assert not list(tmp_path.iterdir())


def test_two_nodes_are_one_group(ranks: Callable[..., Any], free_port: int, tmp_path: Path) -> None:
    def node(node_rank: int) -> list[Any]:
        meet = {"master_addr": "127.0.0.1", "master_port": free_port}
        places: list[Any] = ranks(1, place, nnodes=2, node_rank=node_rank, **meet)
        return places

    with ThreadPoolExecutor() as pool:
        assert list(pool.map(node, [0, 1])) == [[(0, 0, 2, 0, 2)], [(0, 1, 2, 1, 2)]]


def test_processes_can_meet_in_a_file(ranks: Callable[..., Any], tmp_path: Path) -> None:
    (told,) = ranks(1, place, init_method=f"file://{tmp_path / 'meet'}")
    assert told == (0, 0, 1, 0, 1)


PROGRAM = """
import os, sys, time
from pathlib import Path
import glowplug_torch as gt

def report(local_rank, folder):
    (Path(folder) / "unfinished").with_suffix(f".{local_rank}").write_text(str(os.getpid()))
    os.rename(f"{folder}/unfinished.{local_rank}", f"{folder}/{local_rank}.pid")
    time.sleep(600)

if __name__ == "__main__":
    gt.spawn("gloo", report, (sys.argv[1],), nproc_per_node=2)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_no_rank_outlives_the_process_that_started_it(tmp_path: Path, how: int) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    command = [sys.executable, str(program), str(tmp_path)]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}  # where a killed one leaves its folder
    parent = subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, start_new_session=True
    )
    wait_for(lambda: len(list(tmp_path.glob("*.pid"))) == 2)
    parent.send_signal(how)
    parent.communicate()
    pids = [int(path.read_text()) for path in tmp_path.glob("*.pid")]
    wait_for(lambda: not any(map(is_running, pids)))
    assert parent.returncode == -how


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds, for at most two minutes."""
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    """Return whether a process is there; one that ended and was not asked for is not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_function_that_no_other_process_can_import_is_refused() -> None:
    with pytest.raises(ValueError, match=r"<lambda>.*at the top level of a module"):
        gt.spawn("gloo", lambda rank: None, (), nproc_per_node=2)


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (("write", ()), "fn must be callable, got 'write' of type str"),
        ((write, "ab"), "args must be a tuple of arguments, got 'ab' of type str"),
        ((write, (), [1]), r"kwargs_dict must be a dict .*got \[1\] of type list"),
    ],
)
def test_a_call_of_wrong_types_is_a_type_error(call: Any, problem: str) -> None:
    with pytest.raises(TypeError, match=problem):
        gt.spawn("gloo", *call)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"join": False}, "join must be True, got False: the processes end with the call"),
        ({"start_method": "spoon"}, "got 'spoon'; did you mean 'spawn'"),
        ({"timout": 3}, "'timout' is no option .*; did you mean 'timeout'"),
        ({"nproc_per_node": 0}, "nproc_per_node must be an integer of at least 1, got 0"),
        ({"master_addr": "no host of this name"}, "cannot meet at no host of this name"),
    ],
)
def test_an_impossible_option_is_an_error_before_anything_starts(
    options: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        gt.spawn("gloo", write, (), **options)


def test_a_port_that_is_taken_is_an_error_that_says_so() -> None:
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        with pytest.raises(ValueError, match=r"cannot meet at .*master_port free there"):
            gt.spawn("gloo", write, (), master_port=taken.getsockname()[1])


def test_a_process_of_a_group_starts_no_ranks() -> None:
    gt.initialize("gloo")
    with pytest.raises(ValueError, match=r"is rank 0 of 1 in a process group already .*gloo"):
        gt.spawn("gloo", write, ())
    gt.finalize()
    assert not dist.is_initialized()
