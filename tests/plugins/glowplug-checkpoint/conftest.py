"""What the tests of checkpoints share.

Owns: folders to save to, and a run of one of the programs in ``support``.
Must not know: how a checkpoint is saved.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from glowplug_checkpoint import DiskSaver, LocalStore, Store

SUPPORT = Path(__file__).parent / "support"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder."""
    made = tmp_path / "runs"
    made.mkdir()
    return made


@pytest.fixture
def store(folder: Path) -> Store:
    """The store at that folder."""
    return LocalStore(folder)


@pytest.fixture
def content() -> dict[str, Any]:
    """A small content with tensors and plain values."""
    model = torch.nn.Linear(3, 2)
    return {"model": model.state_dict(), "trainer": {"iteration": 7, "epoch": 2}}


@pytest.fixture
def program() -> Iterator[Callable[..., Any]]:
    """Run a program of ``support`` in a folder, and return what it wrote as JSON."""
    # Where there is one in memory, as a kill is a kill there, too, and nothing waits for a disk.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as base:

        def run(name: str, *arguments: str) -> Any:
            done = subprocess.run(
                [sys.executable, str(SUPPORT / name), *arguments, base],
                capture_output=True,
                text=True,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )
            assert done.returncode == 0, done.stderr
            return json.loads(done.stdout)

        yield run


class Gate(DiskSaver):
    """Saves in a folder, and only when it is let."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.open = threading.Event()
        self.begun = threading.Event()
        self.threads: list[threading.Thread] = []
        self.error: BaseException | None = None

    def __call__(self, checkpoint: Any, filename: str, metadata: Any = None) -> None:
        self.threads.append(threading.current_thread())
        self.begun.set()
        if not self.open.wait(60):
            raise TimeoutError("nobody opened the gate")
        if self.error is not None:
            raise self.error
        super().__call__(checkpoint, filename, metadata)


@pytest.fixture
def gate(folder: Path) -> Iterator[Gate]:
    """A save handler that waits to be let; it is let at the end of the test."""
    made = Gate(folder)
    yield made
    made.open.set()
