"""Saves that are killed, at each of their calls of the operating system in turn.

Owns: the processes that are killed, and what can be loaded after each.
Must not know: how a save goes about it.

Run with a scenario and a folder; writes a JSON list of what was found after each kill.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from glowplug_checkpoint import About, CheckpointError, load, load_newest, remove, save, store_at

CALLS = {"open", "write", "flush", "fsync", "replace", "close", "unlink", "flock", "read", "rename"}
NAME = "last.pt"


def content(step: int) -> dict[str, Any]:
    return {"step": step, "weights": torch.full((1000,), float(step)), "note": "x" * step}


def put(folder: Path, step: int) -> None:
    store = store_at(folder)
    save(store, NAME, content(step), about=About(iteration=step, sequence=step))


def killed_at(number: int, work: Callable[[], None]) -> bool:
    """Do the work in a process that is killed at its n-th call; return whether it was."""
    child = os.fork()
    if child == 0:
        seen = 0

        def count(frame: Any, event: str, called: Any) -> None:
            nonlocal seen
            if event == "c_call" and called.__name__ in CALLS:
                seen += 1
                if seen == number:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.setprofile(count)
        work()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def what_is_there(folder: Path) -> Any:
    """Return the step that is loaded, or the name of the error."""
    store = store_at(folder)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = load(store, NAME)
    except CheckpointError as error:
        return type(error).__name__
    step = found["step"]
    assert torch.equal(found["weights"], content(step)["weights"])
    return step


def newest(folder: Path) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return load_newest(store_at(folder))[1]["step"]
    except CheckpointError as error:
        return type(error).__name__


def prepare(scenario: str, folder: Path) -> None:
    folder.mkdir()
    if scenario == "over-unverified":
        torch.save(content(1), folder / NAME)
    elif scenario != "first":
        put(folder, 1)
    if scenario == "over-cut-off":  # a save of step 2, killed when its file was in place
        put(folder, 2)
        manifest = folder / f"{NAME}.manifest.json"
        manifest.rename(f"{manifest}.pending")


def killed_once(scenario: str, folder: Path, number: int) -> dict[str, Any] | None:
    """Return what a kill at the n-th call left; None when there are not so many."""
    prepare(scenario, folder)
    if scenario == "remove":
        killed = killed_at(number, lambda: remove(store_at(folder), NAME))
    else:
        killed = killed_at(number, lambda: put(folder, 3))
    after = what_is_there(folder), newest(folder)
    put(folder, 4)
    left = sorted(path.name for path in folder.iterdir())
    found = {"after": after, "then": what_is_there(folder), "left": left}
    shutil.rmtree(folder)
    return found if killed else None


def main(scenario: str, base: Path) -> None:
    found: list[dict[str, Any]] = []
    while left := killed_once(scenario, base / "runs", len(found) + 1):
        found.append(left)
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(sys.argv[1], Path(sys.argv[2]))
