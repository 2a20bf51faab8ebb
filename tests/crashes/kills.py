"""Kills a training at random moments, at every event, and inside saves, and resumes it.

    python tests/crashes/kills.py --kills 500

Owns: when a training is killed, and the comparison with one that was not.
Must not know: what the training does.

Each training runs in processes of its own, forked from one that has imported everything; SIGKILL
ends them, as a cluster or the kernel would. A training is killed several times in a row, resumed
after each, and left alone in the end. Then weights, optimizer, schedules, averages, metrics, random
numbers and every loss are held, bit for bit, against those of an undisturbed training.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from training import losses_of, train

from glowplug import Engine, Events

SYSTEM_CALLS = ("write", "fsync", "replace", "rename", "open", "unlink")
BOUNDARIES = tuple(event for event in Events if event.name not in {"INTERRUPT", "TERMINATE"})


class Kill(NamedTuple):
    """When a process is killed.

    Args:
        kind: ``"event"``, ``"save"`` or ``"moment"``.
        name: which event, or which system call.
        number: at which of its firings or calls; for a moment, after how many milliseconds.
    """

    kind: str
    name: str
    number: int


class Way(NamedTuple):
    """How a training saves.

    Args:
        background: whether checkpoints are saved while the run goes on.
        forgotten: the name of what is not saved, which must show; None to save everything.
    """

    background: bool = False
    forgotten: str | None = None


class Tally(NamedTuple):
    """What a number of trainings came to.

    Args:
        trainings: how many there were.
        kills: how often a process was killed, by kind.
        resumes: how often one went on from a checkpoint or began anew.
        losses: what differs from the undisturbed training, in words.
    """

    trainings: int
    kills: dict[str, int]
    resumes: int
    losses: list[str]


def drawn_kills(number: int, seed: int, seconds: float) -> Iterator[Kill]:
    """Yield kills of all kinds in turn.

    Args:
        number: how many.
        seed: of what is drawn.
        seconds: how long an undisturbed training takes.
    """
    draw = random.Random(seed)
    for place in range(number):
        kind = ("event", "save", "moment")[place % 3]
        if kind == "event":
            yield Kill(kind, BOUNDARIES[place // 3 % len(BOUNDARIES)].name, draw.randint(1, 14))
        elif kind == "save":
            yield Kill(kind, SYSTEM_CALLS[place // 3 % len(SYSTEM_CALLS)], draw.randint(1, 40))
        else:
            yield Kill(kind, "", draw.randint(1, max(2, int(1000 * seconds))))


def die() -> None:
    """End this process as nothing can prevent it."""
    os.kill(os.getpid(), signal.SIGKILL)


def armed(kill: Kill) -> Callable[[Engine[Any, Any]], None]:
    """Return what arms a training's process, once its trainer is made."""

    def arm(trainer: Engine[Any, Any]) -> None:
        if kill.kind == "event":
            # One handler is the event's first, another its last: a boundary has two sides.
            phase = "compute" if kill.number % 2 else "persist"
            with trainer.in_phase(phase):
                left = iter(range(kill.number - 1))
                trainer.add_event_handler(
                    kill.name, lambda *_: die() if next(left, None) is None else None
                )
        elif kill.kind == "save":
            call, left = getattr(os, kill.name), iter(range(kill.number - 1))

            def last_call(*arguments: Any, **more: Any) -> Any:
                if next(left, None) is None:
                    die()
                return call(*arguments, **more)

            setattr(os, kill.name, last_call)

    return arm


def in_a_process(work: Callable[[], None], kill_after: float | None = None) -> int:
    """Fork a process that works, and return its wait status.

    Args:
        work: what it does.
        kill_after: seconds after which it is killed from outside; None to leave it alone.
    """
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except Exception:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)  # the parent's own exit handlers are not the child's
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


def undisturbed(folder: Path, way: Way) -> tuple[dict[str, str], Path, float]:
    """Train once without a kill; return what it came to, its file, and its seconds."""
    outcome = folder / "undisturbed.json"
    began = time.perf_counter()
    status = in_a_process(lambda: train(folder / "whole", outcome, **way._asdict()))
    seconds = time.perf_counter() - began
    if status:
        raise RuntimeError(f"the undisturbed training ended with status {status}")
    return json.loads(outcome.read_text("utf-8")), outcome, seconds


def rehearse(kills: Iterable[Kill], folder: Path, way: Way, *, most: int) -> Tally:
    """Kill and resume trainings until all kills are used up.

    Args:
        kills: when processes are killed.
        folder: an empty folder.
        way: how the trainings save.
        most: after how many kills a training is left alone.
    """
    expected, whole, _ = undisturbed(folder, way)
    queue, trainings, resumes = list(kills), 0, 0
    killed: dict[str, int] = {}
    losses: list[str] = []
    while queue:
        trainings += 1
        place, outcome = folder / f"run{trainings}", folder / f"run{trainings}.json"
        history = []
        for attempt in range(most + 1):
            kill = queue.pop(0) if queue and attempt < most else None
            status = in_a_process(
                lambda kill=kill, place=place, outcome=outcome: train(  # type: ignore[misc]  # mypy does not infer a lambda with defaults
                    place,
                    outcome,
                    **way._asdict(),
                    before_run=armed(kill) if kill else lambda trainer: None,
                ),
                kill.number / 1000 if kill is not None and kill.kind == "moment" else None,
            )
            if kill is not None and os.WIFSIGNALED(status):
                history.append(kill)
                killed[kill.kind] = killed.get(kill.kind, 0) + 1
                resumes += 1
            elif status:
                losses.append(f"training {trainings}, after {history}: ended with {status}")
                break
            else:
                break  # it came to its end, since the kill lay behind it or there was none
        losses += [
            f"training {trainings}, after {history}: {d}"
            for d in differences(expected, whole, outcome)
        ]
    return Tally(trainings, killed, resumes, losses)


def differences(expected: dict[str, str], whole: Path, outcome: Path) -> list[str]:
    """Return what a training came to otherwise than the undisturbed one."""
    if not outcome.exists():
        return ["it has no outcome"]
    found = json.loads(outcome.read_text("utf-8"))
    other = [name for name in expected if found[name] != expected[name]]
    there = losses_of(outcome)
    other += [f"loss {n}" for n, loss in losses_of(whole).items() if there.get(n) != loss]
    return other


def main() -> None:
    """Read the command line, kill, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--most", type=int, default=5, help="kills of one training")
    parser.add_argument("--background", action="store_true", help="save while the run goes on")
    parser.add_argument("--forget", metavar="NAME", help="leave an object unsaved, as a fault")
    asked = parser.parse_args()
    way = Way(asked.background, asked.forget)
    torch.set_num_threads(1)  # a forked process has none of its parent's threads
    with tempfile.TemporaryDirectory() as folder:
        # What is imported late is imported now, so that a forked process has it.
        train(Path(folder) / "warm", Path(folder) / "warm.json", **way._asdict())
        (Path(folder) / "timed").mkdir()
        *_, seconds = undisturbed(Path(folder) / "timed", way)
        kills = drawn_kills(asked.kills, asked.seed, seconds)
        tally = rehearse(kills, Path(folder), way, most=asked.most)
    killed = sum(tally.kills.values())
    by_kind = ", ".join(f"{number} by {kind}" for kind, number in sorted(tally.kills.items()))
    said = [
        f"{tally.trainings} trainings, {killed} kills ({by_kind}), {tally.resumes} resumes",
        f"losses: {len(tally.losses)}",
        *tally.losses,
    ]
    sys.stdout.write("\n".join(said) + "\n")
    sys.exit(bool(tally.losses))


if __name__ == "__main__":
    main()
