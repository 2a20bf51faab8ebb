from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.multiprocessing
from torch import nn

import glowplug_torch as gt
from glowplug import Engine
from glowplug_checkpoint import Checkpoint, SaveFailed

Ranks = Callable[..., list[Any]]


@pytest.fixture(autouse=True)
def _importable(request: pytest.FixtureRequest) -> Iterator[None]:
    """New processes take over ``sys.path``: with the root in it, they can import this file."""
    root = str(request.config.rootpath)
    sys.path.insert(0, root)
    yield
    sys.path.remove(root)


def call_and_save(local_rank: int, folder: str, fn: Callable[..., Any], *args: Any) -> None:
    """Call a function in a new process and leave what it returned in a file."""
    torch.save(fn(local_rank, *args), f"{folder}/{local_rank}.pt")


@pytest.fixture
def ranks(tmp_path_factory: pytest.TempPathFactory) -> Ranks:
    """A function that runs another on two ranks over gloo, and returns the values in order."""

    def run(fn: Callable[..., Any], *args: Any) -> list[Any]:
        folder = tmp_path_factory.mktemp("ranks")
        torch.multiprocessing.get_context("forkserver").set_forkserver_preload(["glowplug_torch"])
        arguments = (str(folder), fn, *args)
        gt.spawn("gloo", call_and_save, arguments, None, 2, start_method="forkserver")
        return [torch.load(folder / f"{rank}.pt", weights_only=False) for rank in range(2)]

    return run


def trained(checkpoint: Checkpoint, epochs: int = 3) -> Engine[Any, Any]:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: batch)
    checkpoint.attach(engine)
    engine.run([1, 2], max_epochs=epochs)
    return engine


def save_in_own_folder(rank: int, folder: Path, save_on_rank: int) -> tuple[str, bool]:
    own = folder / str(rank)
    checkpoint = Checkpoint({"m": nn.BatchNorm1d(1)}, own, save_on_rank=save_on_rank)
    trained(checkpoint)
    return Path(checkpoint.last_checkpoint or "").name, own.exists()


@pytest.mark.parametrize("writer", [0, 1])
def test_one_rank_writes_and_all_have_the_same_name(
    folder: Path, ranks: Ranks, writer: int
) -> None:
    assert ranks(save_in_own_folder, folder, writer) == [
        ("m_6.pt", writer == 0),
        ("m_6.pt", writer == 1),
    ]


def keep_the_best(rank: int, folder: Path) -> dict[str, Any]:
    scores = [0.0, 0.1, 0.4, 0.2]
    checkpoint = Checkpoint(
        {"m": nn.BatchNorm1d(1)},
        folder,
        score_function=lambda engine: scores[engine.state.epoch],
        n_saved=2,
    )
    trained(checkpoint)
    return checkpoint.state_dict()


def test_all_ranks_keep_the_same(folder: Path, ranks: Ranks) -> None:
    first, second = ranks(keep_the_best, folder)
    assert (
        first == second == {"saved": [[0.2, "m_0.2000.pt"], [0.4, "m_0.4000.pt"]], "outranked": []}
    )


def save_where_it_fails(rank: int, folder: Path) -> str:
    checkpoint = Checkpoint({"m": nn.BatchNorm1d(1)}, folder)
    if rank == 0:
        (folder / "m_4.pt").mkdir()
    gt.barrier()
    try:
        trained(checkpoint)
    except SaveFailed:
        return "failed"
    return Path(checkpoint.last_checkpoint or "").name


def test_a_save_that_fails_leaves_no_rank_waiting(folder: Path, ranks: Ranks) -> None:
    assert ranks(save_where_it_fails, folder) == ["failed", "m_6.pt"]


def save_what_is_divided(rank: int, folder: Path) -> int:
    from torch.distributed.optim import ZeroRedundancyOptimizer  # it warns, here of itself

    model = nn.parallel.DistributedDataParallel(nn.Linear(2, 1))
    optimizer = ZeroRedundancyOptimizer(model.parameters(), torch.optim.Adam, lr=0.1)
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    trained(Checkpoint({"model": model, "optimizer": optimizer}, folder), epochs=1)
    return sum(len(state) for state in optimizer.state_dict()["state"].values()) if rank == 0 else 0


def test_a_model_in_parallel_and_a_divided_optimizer_are_saved_whole(
    folder: Path, ranks: Ranks
) -> None:
    assert ranks(save_what_is_divided, folder)[0] == 6
    model = nn.Linear(2, 1)
    optimizer = torch.optim.Adam(model.parameters())
    objects = {"model": model, "optimizer": optimizer}
    Checkpoint.load_objects(objects, folder / "checkpoint_2.pt")
    assert [int(state["step"]) for state in optimizer.state.values()] == [1, 1]
