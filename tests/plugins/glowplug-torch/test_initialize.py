"""Making the process group from what launchers and arguments say, and taking it down."""

from __future__ import annotations

import contextlib
import io
import logging
import os
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.distributed as dist

import glowplug_torch as gt
from glowplug_torch.launchers import launch

TORCHRUN = {
    "RANK": "0",
    "WORLD_SIZE": "1",
    "LOCAL_RANK": "0",
    "LOCAL_WORLD_SIZE": "1",
    "MASTER_ADDR": "127.0.0.1",
}
SRUN = {
    "SLURM_PROCID": "1",
    "SLURM_STEP_NUM_TASKS": "4",
    "SLURM_LOCALID": "1",
    "SLURM_NODEID": "0",
    "SLURM_STEP_NUM_NODES": "2",
    "SLURM_STEP_NODELIST": "gpu[07-08,11],cpu1",
    "SLURM_JOB_ID": "31007",
    "SLURM_STEP_ID": "2",
}


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A function that sets environment variables."""

    def put(given: dict[str, str], **more: str) -> None:
        for name, value in {**given, **more}.items():
            monkeypatch.setenv(name, value)

    return put


def test_without_a_launcher_the_group_is_of_this_process_alone() -> None:
    gt.initialize("gloo")
    assert (gt.backend(), gt.model_name()) == ("gloo", "native-dist")
    assert (gt.get_world_size(), gt.get_rank(), gt.get_local_rank()) == (1, 0, 0)
    assert gt.all_reduce(3) == 3
    gt.finalize()
    assert (gt.backend(), gt.model_name()) == (None, "serial")


def test_to_finalize_without_a_group_does_nothing() -> None:
    gt.finalize()
    assert gt.backend() is None


def test_to_finalize_leaves_alone_a_group_that_was_made_by_hand() -> None:
    store = dist.HashStore()  # type: ignore[attr-defined]  # it is there, and not listed
    dist.init_process_group("gloo", store=store, rank=0, world_size=1)
    gt.finalize()
    assert gt.backend() == "gloo"
    dist.destroy_process_group()


def test_a_group_can_be_made_again_after_it_was_finalized() -> None:
    for _ in range(2):
        gt.initialize("gloo")
        gt.finalize()
    assert gt.backend() is None


def test_a_second_group_is_an_error_and_the_first_stays() -> None:
    gt.initialize("gloo")
    with pytest.raises(ValueError, match=r"in a process group already .*glowplug_torch\.finalize"):
        gt.initialize("gloo")
    assert gt.backend() == "gloo"
    gt.finalize()


@pytest.mark.parametrize("backend", ["horovod", "xla-tpu", "gloop"])
def test_an_unknown_backend_is_an_error_that_says_which_there_are(backend: str) -> None:
    with pytest.raises(ValueError, match=f"{backend}.* torch.distributed, which offers .*gloo"):
        gt.initialize(backend)


@pytest.mark.skipif("nccl" in gt.available_backends(), reason="this machine has GPUs")
def test_nccl_without_a_gpu_is_an_error() -> None:
    with pytest.raises(ValueError, match="backend 'nccl' cannot be used here"):
        gt.initialize("nccl")


def test_a_backend_that_is_no_string_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="a backend is a string, got None of type NoneType"):
        gt.initialize(None)  # type: ignore[arg-type]  # the error is what is tested


def test_an_unknown_option_is_an_error_that_names_the_near_one() -> None:
    with pytest.raises(ValueError, match="did you mean 'world_size'"):
        gt.initialize("gloo", worldsize=1)


def test_torchruns_variables_say_who_this_process_is(
    variables: Callable[..., None], free_port: int
) -> None:
    variables(TORCHRUN, MASTER_PORT=str(free_port), GROUP_RANK="0", GROUP_WORLD_SIZE="1")
    gt.initialize("gloo")
    assert (gt.get_rank(), gt.get_world_size(), gt.get_local_rank()) == (0, 1, 0)
    assert gt.all_gather("here") == ["here"]
    gt.finalize()


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"RANK": ""}, "has WORLD_SIZE=1.* but lacks RANK: start the processes with torchrun"),
        ({"WORLD_SIZE": ""}, "lacks WORLD_SIZE"),
        ({"MASTER_ADDR": ""}, "lacks MASTER_ADDR: start"),
        ({"MASTER_PORT": ""}, "lacks MASTER_PORT: start"),
        ({"RANK": "one"}, "RANK must be a whole number, got 'one'"),
        ({"MASTER_PORT": "-4"}, "MASTER_PORT must be a whole number, got '-4'"),
        ({"RANK": "1"}, "RANK=1 must be below WORLD_SIZE=1"),
        ({"LOCAL_RANK": "3"}, "LOCAL_RANK=3 must be below LOCAL_WORLD_SIZE=1"),
        ({"RANK": "2", "LOCAL_RANK": "x"}, "LOCAL_RANK must be .* 'x'; .*RANK=2 must be below"),
    ],
)
def test_variables_that_do_not_fit_are_all_explained_before_anything_starts(
    variables: Callable[..., None], changed: dict[str, str], problem: str
) -> None:
    variables(TORCHRUN, **{"MASTER_PORT": "29500", **changed})
    with pytest.raises(gt.InvalidLaunch, match=problem):
        gt.initialize("gloo")
    assert gt.backend() is None


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"rank": 0}, "rank and world_size go together, .*got rank=0, world_size=None"),
        ({"rank": 2, "world_size": 2}, "0 <= rank < world_size, got rank=2, world_size=2"),
        ({"rank": 0, "world_size": 1}, "no place to meet: pass init_method.* set MASTER_ADDR and"),
    ],
)
def test_a_rank_that_is_passed_needs_a_world_and_a_place_to_meet(
    options: dict[str, Any], problem: str
) -> None:
    with pytest.raises(gt.InvalidLaunch, match=problem):
        gt.initialize("gloo", **options)


def test_arguments_that_contradict_the_launcher_are_an_error(
    variables: Callable[..., None],
) -> None:
    variables(TORCHRUN, WORLD_SIZE="2", LOCAL_WORLD_SIZE="2", MASTER_PORT="29500")
    with pytest.raises(
        gt.InvalidLaunch, match=r"started this process as rank 0 of 2, but .* say rank 1 of 2"
    ):
        gt.initialize("gloo", rank=1, world_size=2)


def test_srun_says_who_this_process_is_and_where_to_meet(variables: Callable[..., None]) -> None:
    variables(SRUN)
    said = launch()
    assert said is not None
    assert (said.rank, said.world_size, said.placement.local_rank) == (1, 4, 1)
    assert said.init_method == f"tcp://gpu07:{15000 + (31007 + 2) % 15000}"


def test_torchrun_within_srun_comes_first(variables: Callable[..., None]) -> None:
    variables({**SRUN, **TORCHRUN}, MASTER_PORT="29500")
    said = launch()
    assert said is not None
    assert (said.rank, said.world_size, said.init_method) == (0, 1, "env://")


def test_a_batch_script_of_slurm_is_one_process(variables: Callable[..., None]) -> None:
    variables({"SLURM_PROCID": "0", "SLURM_NTASKS": "4", "SLURM_JOB_ID": "7"})
    assert launch() is None


def meet_as_tasks(local_rank: int, port: int) -> dict[str, Any]:
    """Leave the group and make another one, from SLURM's variables."""
    gt.finalize()
    for name in [name for name in os.environ if name.startswith(("RANK", "WORLD_", "LOCAL_"))]:
        del os.environ[name]
    step = {"SLURM_PROCID": str(local_rank), "SLURM_STEP_NUM_TASKS": "2", "SLURM_NODEID": "0"}
    os.environ.update(step, MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    gt.initialize("gloo")
    facts = gt.get_local_rank(), gt.get_nproc_per_node(), gt.get_node_rank(), gt.get_nnodes()
    return {"sum": gt.all_reduce(gt.get_rank() + 1), "facts": facts}


def test_srun_tasks_are_one_group_and_find_out_their_places(
    ranks: Callable[..., Any], free_port: int
) -> None:
    told = ranks(2, meet_as_tasks, free_port)
    assert told == [{"sum": 3, "facts": (rank, 2, 0, 1)} for rank in range(2)]


def test_the_configuration_is_logged_on_the_first_rank(caplog: pytest.LogCaptureFixture) -> None:
    gt.show_config()
    assert "backend: None" in caplog.messages
    assert f"device: {gt.device()}" in caplog.messages
    assert "num nodes: 1" in caplog.messages


def show_without_places(local_rank: int) -> tuple[str, str]:
    """Return what is written, without logging set up and with it, where the launcher told half."""
    logging.getLogger().handlers.clear()
    del os.environ["LOCAL_RANK"]
    gt.sync(temporary=True)
    with contextlib.redirect_stderr(io.StringIO()) as written:
        gt.show_config()
    logging.getLogger("glowplug_torch.configuration").handlers.clear()
    logging.getLogger("glowplug_torch.configuration").propagate = True
    logging.basicConfig(stream=(logged := io.StringIO()), level=logging.INFO)
    gt.show_config()
    return written.getvalue(), logged.getvalue()


def test_the_configuration_is_shown_without_logging_and_with_what_is_not_known(
    ranks: Callable[..., Any],
) -> None:
    (written, logged), second = ranks(2, show_without_places)
    assert "INFO: world size: 2\n" in written
    assert "local rank: unknown until glowplug_torch.sync() is called" in written
    assert "INFO:glowplug_torch.configuration:world size: 2\n" in logged
    assert second == ("", "")


@pytest.mark.skipif(torch.cuda.device_count() < 1, reason="this machine has no GPU")
def test_nccl_takes_the_gpu_of_the_local_rank() -> None:
    gt.initialize("nccl")
    assert gt.device() == torch.device("cuda", 0)
    assert gt.all_reduce(torch.ones(2)).tolist() == [1.0, 1.0]
    gt.finalize()
