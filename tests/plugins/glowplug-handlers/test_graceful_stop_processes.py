"""A graceful stop as a cluster, a shell and a launcher see it: real processes, real signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

TERM, INT = signal.SIGTERM, signal.SIGINT
NONE: Mapping[str, str] = MappingProxyType({})

PROGRAM = """
import json, os, signal, sys, time
from pathlib import Path
import torch
from torch.utils.data import DataLoader
from glowplug import Engine, Events
from glowplug_handlers import GracefulStop, signals

FOLDER, given = Path(sys.argv[1]), json.loads(sys.argv[2])
RANK = os.environ.get("RANK", "0")


def look():  # each signal looks at the clock once
    with open(FOLDER / "looks", "a") as file:
        print(file=file)
    return float((FOLDER / "clock").read_text())


def hold(at):  # until the test lets it go on
    while given.get("hold") == at and not (FOLDER / "go").exists():
        time.sleep(0.01)


class Numbers(torch.utils.data.Dataset):
    def __len__(self):
        return 10_000

    def __getitem__(self, index):
        time.sleep(given.get("fetch", 0))
        return float(index)


def step(engine, batch):
    (FOLDER / f"step-{RANK}").write_text(str(os.getpid()))
    hold("step")
    time.sleep(given.get("step", 0.05))
    if torch.distributed.is_initialized():
        torch.distributed.all_reduce(torch.ones(2))
    return "finished"


def save(engine):
    assert engine.state.output == "finished"
    (FOLDER / f"saving-{RANK}").touch()
    hold("save")
    with open(FOLDER / f"saved-{RANK}", "a") as file:
        print(engine.state.iteration, file=file)


def main():
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever started this ignores
    if (FOLDER / "clock").exists():
        signals.monotonic = look
    if "RANK" in os.environ:
        ranks = {"rank": int(RANK), "world_size": int(os.environ["WORLD_SIZE"])}
        # told no number of ranks, it leaves the file: two that end at once do not fight over it
        store = torch.distributed.FileStore(f"{FOLDER}/meet")
        torch.distributed.init_process_group("gloo", store=store, **ranks)
    trainer = Engine(step)
    GracefulStop(save, agree_every=given.get("agree_every")).attach(trainer)
    how = {"multiprocessing_context": given["context"]} if "context" in given else {}
    trainer.run(DataLoader(Numbers(), batch_size=1, num_workers=given.get("workers", 0), **how))


if __name__ == "__main__":
    main()
"""


class Started:
    """The program above in a process, and a process group, of its own."""

    def __init__(
        self, folder: Path, given: dict[str, Any], launcher: tuple[str, ...], variables: Any
    ) -> None:
        self.folder, self.output = folder, folder / f"said-{variables.get('RANK', 0)}"
        (folder / "program.py").write_text(PROGRAM)
        if given.get("clock"):
            (folder / "clock").touch()
        command = [sys.executable, *launcher, str(folder / "program.py"), str(folder)]
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [*command, json.dumps(given)],
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "OMP_NUM_THREADS": "1", **variables},
            )

    def wait_for(self, name: str) -> None:
        """Wait until the program has left a file of this name."""
        self.wait_until((self.folder / name).exists)

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition holds, while the program runs."""
        until = time.monotonic() + 120
        while True:
            ended = self.process.poll() is not None
            if condition():
                return
            assert not ended, self.output.read_text()
            assert time.monotonic() < until
            time.sleep(0.01)

    def signal_at(self, seconds: float, number: int) -> None:
        """Send a signal at a time on the program's clock, and wait until it is received."""
        (self.folder / "clock").write_text(str(seconds))
        looks = self.folder / "looks"
        before = looks.stat().st_size if looks.exists() else 0
        self.process.send_signal(number)
        self.wait_until(lambda: looks.exists() and looks.stat().st_size > before)

    def let_go(self) -> None:
        """Let the program go on from where it holds."""
        (self.folder / "go").touch()

    def signal_all(self, number: int) -> None:
        """Send a signal to the whole group, as a terminal and some clusters do."""
        os.killpg(self.process.pid, number)

    def end(self) -> tuple[int, str]:
        """Return the exit code, and all that was written, when the process has ended."""
        return self.process.wait(timeout=120), self.output.read_text()

    def saved(self, rank: int = 0) -> list[int]:
        """Return after which iterations a rank was saved."""
        path = self.folder / f"saved-{rank}"
        return [int(line) for line in path.read_text().split()] if path.exists() else []


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Started]]:
    """A function that starts the program; none of its processes outlives the test."""
    started: list[Started] = []

    def run(*launcher: str, variables: Any = NONE, **given: Any) -> Started:
        started.append(Started(tmp_path, given, launcher, variables))
        return started[-1]

    yield run
    ranks = [path.read_text() for path in tmp_path.glob("step-*")]
    groups = {program.process.pid for program in started} | {int(rank) for rank in ranks if rank}
    for group in groups:
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
    for program in started:
        program.process.wait(timeout=60)


@pytest.mark.parametrize(("number", "code"), [(TERM, 143), (INT, 130)])
def test_the_one_who_started_it_sees_the_conventional_exit_code(
    start: Any, number: int, code: int
) -> None:
    program = start(hold="step")
    program.wait_for("step-0")
    program.process.send_signal(number)
    program.let_go()
    ended, said = program.end()
    assert (ended, program.saved()) == (code, [1])
    assert said == f"{signal.Signals(number).name}: the run stops after iteration 1, epoch 1\n"


@pytest.mark.parametrize(("number", "code"), [(TERM, -TERM), (INT, -INT)])
def test_a_second_signal_of_its_kind_acts_as_if_nothing_were_installed(
    start: Any, number: int, code: int
) -> None:
    program = start(hold="step", clock=True)
    program.wait_for("step-0")
    program.signal_at(50.0, number)
    program.signal_at(51.0, number)
    ended, said = program.end()
    assert (ended, program.saved()) == (code, [])
    assert ("KeyboardInterrupt" in said) is (number == INT)


def test_by_the_real_clock_signals_in_a_row_end_it_too(start: Any) -> None:
    program = start(hold="step")
    program.wait_for("step-0")
    for _ in range(100):  # two, unless the first is late on a busy machine
        program.process.send_signal(TERM)
        time.sleep(1.2)
        if program.process.poll() is not None:
            break
    assert program.end()[0] == -TERM


def test_a_signal_that_a_launcher_passes_on_again_is_the_same(start: Any) -> None:
    program = start(hold="step", clock=True)
    program.wait_for("step-0")
    for seconds in (50.0, 50.5, 50.99):
        program.signal_at(seconds, TERM)
    program.let_go()
    assert program.end()[0] == 143
    assert program.saved() == [1]


def test_another_signal_while_it_saves_does_not_break_the_save(start: Any) -> None:
    program = start(hold="save")
    program.wait_for("step-0")
    program.process.send_signal(TERM)
    program.wait_for("saving-0")
    program.process.send_signal(INT)
    program.let_go()
    assert program.end()[0] == 143
    assert len(program.saved()) == 1


STEPS, DATA = {"step": 1.0}, {"fetch": 0.7, "step": 0.01}


@pytest.mark.parametrize(
    ("number", "code", "given"),
    [
        (TERM, 143, {"context": "fork", **STEPS}),
        (TERM, 143, {"context": "fork", **DATA}),
        (INT, 130, {"context": "fork", **STEPS}),
        (INT, 130, {"context": "fork", **DATA}),
        (INT, 130, {"context": "spawn", **STEPS}),
    ],
)
def test_a_signal_that_reaches_the_workers_of_a_loader_too_costs_nothing(
    start: Any, number: int, code: int, given: Any
) -> None:
    program = start(workers=2, **given)
    program.wait_for("step-0")
    time.sleep(0.2)
    program.signal_all(number)
    ended, said = program.end()
    assert (ended, len(program.saved())) == (code, 1), said


@pytest.fixture
def start_ranks(start: Any) -> Callable[..., list[Started]]:
    """A function that starts the program as two ranks, which step together."""

    def run(**given: Any) -> list[Started]:
        ranks = [{"RANK": str(rank), "WORLD_SIZE": "2"} for rank in range(2)]
        programs = [start(variables=variables, **given) for variables in ranks]
        for rank, program in enumerate(programs):
            program.wait_for(f"step-{rank}")
        return programs

    return run


@pytest.mark.parametrize("agree_every", [None, 3])
def test_all_ranks_stop_after_the_same_iteration_whichever_was_told(
    start_ranks: Any, agree_every: int | None
) -> None:
    first, second = start_ranks(step=0.1, agree_every=agree_every)
    second.process.send_signal(TERM)
    ends = [first.end(), second.end()]
    assert [code for code, _ in ends] == [143, 143], ends
    assert first.saved(0) == first.saved(1)
    assert len(first.saved(0)) == 1
    assert agree_every is None or first.saved(0)[0] % agree_every == 0


def test_a_ctrl_c_that_a_launcher_passes_on_stops_all_ranks(start: Any) -> None:
    program = start("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", step=0.1)
    program.wait_for("step-0")
    program.wait_for("step-1")
    program.signal_all(INT)
    _, said = program.end()
    assert program.saved(0) == program.saved(1), said
    assert len(program.saved(0)) == 1
