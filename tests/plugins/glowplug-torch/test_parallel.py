"""Parallel: one process, a launcher's, or new ones, by its arguments."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import glowplug_torch as gt

FORKED: dict[str, Any] = {
    "start_method": "forkserver"
}  # from a server that has imported torch already


def record(local_rank: int, *args: Any, into: list[Any]) -> None:
    """Note what this was called with, and in which group."""
    into.append((local_rank, args, gt.backend(), gt.get_world_size()))


def write(local_rank: int, folder: Path, mark: str = "") -> None:
    """Leave a file that says what this process was called with."""
    (folder / f"{gt.get_rank()}").write_text(f"{local_rank} of {gt.get_world_size()}{mark}")


def refuse(local_rank: int) -> None:
    """Fail."""
    raise LookupError("refused")


def nest(local_rank: int) -> None:
    """Ask for more processes in one that is a rank."""
    gt.finalize()
    gt.Parallel("gloo", nproc_per_node=2)


def test_without_a_backend_the_function_runs_here_and_without_a_group() -> None:
    seen: list[Any] = []
    with gt.Parallel() as parallel:
        parallel.run(record, 1, "b", into=seen)
    assert seen == [(0, (1, "b"), None, 1)]


def test_with_a_backend_alone_the_group_lives_as_long_as_the_block() -> None:
    seen: list[Any] = []
    with gt.Parallel("gloo") as parallel:
        assert gt.backend() == "gloo"
        parallel.run(record, into=seen)
        parallel.run(record, into=seen)
    assert seen == [(0, (), "gloo", 1)] * 2
    assert gt.backend() is None


def test_without_a_block_the_group_lives_as_long_as_the_run() -> None:
    seen: list[Any] = []
    gt.Parallel("gloo").run(record, 5, into=seen)
    assert seen == [(0, (5,), "gloo", 1)]
    assert gt.backend() is None


def test_new_processes_are_started_at_each_run(tmp_path: Path) -> None:
    with gt.Parallel("gloo", nproc_per_node=2, **FORKED) as parallel:
        parallel.run(write, tmp_path)
        assert gt.backend() is None
        parallel.run(write, tmp_path, mark="!")
    told = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert told == {"0": "0 of 2!", "1": "1 of 2!"}


def test_an_error_in_this_process_leaves_as_it_is_and_the_group_is_gone() -> None:
    with pytest.raises(LookupError, match=r"^'?refused'?$"), gt.Parallel("gloo") as parallel:
        parallel.run(refuse)
    assert gt.backend() is None


def test_an_error_in_a_new_process_leaves_with_its_traceback() -> None:
    with pytest.raises(gt.RankFailed, match=r"(?s)in refuse\n.*LookupError: refused"):
        gt.Parallel("gloo", nproc_per_node=1, **FORKED).run(refuse)


def test_a_rank_starts_no_ranks_of_its_own() -> None:
    with pytest.raises(gt.RankFailed, match="started this process as rank 0 of 1, and nproc_per"):
        gt.Parallel("gloo", nproc_per_node=1, **FORKED).run(nest)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"nproc_per_node": 2}, "without a backend there is one process; nproc_per_node=2 needs"),
        ({"init_method": "file:///x"}, "init_method='file:///x' needs one"),
        ({"backend": "horovod"}, "backend 'horovod' cannot be used here"),
        ({"backend": "gloo", "nnodes": 2}, "nnodes=2 is for processes that are started here"),
        ({"backend": "gloo", "start_method": "fork"}, "start_method='fork' is for processes"),
        ({"backend": "gloo", "timout": 2}, "did you mean 'timeout'"),
    ],
)
def test_arguments_that_need_others_are_an_error_when_it_is_made(
    arguments: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        gt.Parallel(**arguments)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"nproc_per_node": 0}, "nproc_per_node must be an integer of at least 1, got 0"),
        ({"nproc_per_node": "2"}, "nproc_per_node must be an integer of at least 1, got '2'"),
        ({"nproc_per_node": True}, "nproc_per_node must be an integer of at least 1, got True"),
        ({"nnodes": -1}, "nnodes must be an integer of at least 1, got -1"),
        ({"node_rank": 1}, "node_rank must be an integer from 0 to 0, got 1"),
        ({"master_port": 70000}, "master_port must be an integer from 1 to 65535, got 70000"),
        ({"master_addr": 5}, "master_addr must be a string, got 5"),
        ({"nnodes": 2}, "node_rank must say which .*; .* must say where their processes meet"),
        ({"nnodes": 2, "node_rank": 0, "master_addr": "a"}, "master_addr and master_port, or init"),
        ({"master_port": 5, "init_method": "env://"}, "meet, and so does master_port"),
    ],
)
def test_processes_that_cannot_be_are_all_explained(
    arguments: dict[str, Any], problem: str
) -> None:
    with pytest.raises(gt.InvalidLaunch, match=problem):
        gt.Parallel("gloo", **{"nproc_per_node": 2, **arguments})


def test_a_cluster_that_counts_nodes_in_rank_lets_the_program_start_processes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "1")
    gt.Parallel("gloo", nproc_per_node=2, **FORKED).run(write, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1"]


def test_a_program_that_several_nodes_start_must_say_how_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(gt.InvalidLaunch, match=r"RANK=1 and WORLD_SIZE=3 .* pass nnodes"):
        gt.Parallel("gloo", nproc_per_node=2)


def test_tasks_of_srun_start_no_processes_unless_each_is_a_node(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SLURM_PROCID", "0")
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "2")
    meet: dict[str, Any] = {"node_rank": 0, "master_addr": "127.0.0.1", "master_port": 29500}
    with pytest.raises(gt.InvalidLaunch, match="srun started this process as rank 0 of 2, and"):
        gt.Parallel("gloo", nproc_per_node=2)
    assert gt.Parallel("gloo", 2, 2, **meet).backend == "gloo"


PROGRAM = """
import sys, warnings
from pathlib import Path
import glowplug_torch as gt

def train(local_rank, word):
    told = gt.all_gather(f"{word} {local_rank} {gt.get_node_rank()} {gt.get_nproc_per_node()}")
    Path(sys.argv[1], f"{gt.get_rank()}").write_text(f"{told} {problem} {warned[0].message}")

if __name__ == "__main__":
    try:
        gt.Parallel("gloo", nproc_per_node=2)
    except gt.InvalidLaunch as error:
        problem = error
    with warnings.catch_warnings(record=True) as warned, gt.Parallel():
        pass
    with gt.Parallel("gloo") as parallel:
        parallel.run(train, "rank")
"""


@pytest.fixture(scope="module")
def under_torchrun(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What the two ranks of the program told, started by torchrun."""
    folder = tmp_path_factory.mktemp("torchrun")
    program = folder / "program.py"
    program.write_text(PROGRAM)
    torchrun = ["-W", "always", "-m", "torch.distributed.run", "--standalone"]
    command = [*torchrun, "--nproc-per-node", "2", str(program), str(folder)]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [(folder / str(rank)).read_text() for rank in range(2)]


def test_under_torchrun_its_processes_are_one_group(under_torchrun: list[str]) -> None:
    assert [told.partition("]")[0] for told in under_torchrun] == [
        "['rank 0 0 2', 'rank 1 0 2'"
    ] * 2


def test_under_torchrun_more_processes_are_refused(under_torchrun: list[str]) -> None:
    for rank, told in enumerate(under_torchrun):
        assert f"the launcher started this process as rank {rank} of 2, and nproc_per" in told


def test_under_torchrun_a_missing_backend_is_warned_of(under_torchrun: list[str]) -> None:
    assert all("but without a backend each of them runs alone" in told for told in under_torchrun)


def test_a_second_group_is_refused_when_the_block_is_entered() -> None:
    gt.initialize("gloo")
    for count in (None, 2):
        with (
            pytest.raises(gt.InvalidLaunch, match="in a process group already"),
            gt.Parallel("gloo", nproc_per_node=count),
        ):
            pass
    gt.finalize()
