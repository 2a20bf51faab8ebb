"""What the tests of ranks share.

Owns: running a function of a test file in new processes, and what each of them returned.
Must not know: what the processes do.
"""

from __future__ import annotations

import multiprocessing
import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing

import glowplug_torch as gt

LAUNCHERS = ("RANK", "WORLD_SIZE", "LOCAL_", "GROUP_", "MASTER_", "SLURM_")


@pytest.fixture(scope="session", autouse=True)
def importable(request: pytest.FixtureRequest) -> Iterator[None]:
    """New processes take over ``sys.path``: with the root in it, they can import test files."""
    root = str(request.config.rootpath)
    sys.path.insert(0, root)
    yield
    sys.path.remove(root)


@pytest.fixture(scope="session", autouse=True)
def preloaded() -> None:
    """Processes that are forked from a server need not import torch each by itself."""
    torch.multiprocessing.get_context("forkserver").set_forkserver_preload(["glowplug_torch"])


@pytest.fixture(autouse=True)
def no_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    """No launcher's variables, whatever has started the tests."""
    for name in [name for name in os.environ if name.startswith(LAUNCHERS)]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """No process and no process group outlives a test."""
    yield
    left = multiprocessing.active_children(), dist.is_initialized()
    if dist.is_initialized():
        dist.destroy_process_group()
    assert left == ([], False)


def call_and_save(local_rank: int, folder: str, fn: Callable[..., Any], *args: Any) -> None:
    """Call a function in a new process and leave what it returned in a file."""
    value = fn(local_rank, *args)
    torch.save(value, f"{folder}/{gt.get_rank()}.pt")


@pytest.fixture(scope="session")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[Any]]:
    """A function that runs another on several ranks, and returns the values of all in order."""

    def run(count: int, fn: Callable[..., Any], *args: Any, **how: Any) -> list[Any]:
        folder: Path = tmp_path_factory.mktemp("ranks")
        how = {"start_method": "forkserver", **how}
        gt.spawn("gloo", call_and_save, (str(folder), fn, *args), None, count, **how)
        paths = sorted(folder.iterdir(), key=lambda path: int(path.stem))
        return [torch.load(path, weights_only=False) for path in paths]

    return run


@pytest.fixture
def free_port() -> int:
    """A port that nobody listens to."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
