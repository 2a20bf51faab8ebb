"""What a checkpoint costs a training: in line, in the background, and with other libraries.

    python docs/benchmarks/saving.py

Owns: the rows of the table "Saving" in this folder's README.
Must not know: events or handlers beyond the one that saves; a model that is any good.

Every contestant trains the same multilayer perceptron with Adam on one thread, by an engine, in one
process, in turns, and saves model and optimizer every few steps; two files are there in turn. What
passes between two steps is counted as blocked: copying, waiting for the save before, removing an
old file, and writing where that is done in line. A library that is not installed is left out.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple, TypeAlias

import torch
from side_by_side import machine, optional, ratio, table, take_turns

import glowplug
import glowplug_checkpoint

plugins_io = optional("lightning.pytorch.plugins.io")
distributed = optional("torch.distributed.checkpoint")

WIDTH, LAYERS, BATCH = 768, 4, 384
EVERY = 10
"""Steps from one save to the next."""
NOTHING = "no saving"
Save: TypeAlias = Callable[[Any], None]


class Training:
    """The model, its optimizer, and one step."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        layers = [torch.nn.Linear(WIDTH, WIDTH) for _ in range(LAYERS)]
        self.model = torch.nn.Sequential(*layers)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-4)
        self.batch = torch.randn(BATCH, WIDTH)

    def step(self) -> None:
        """Learn to return what is given."""
        self.optimizer.zero_grad()
        torch.nn.functional.mse_loss(self.model(self.batch), self.batch).backward()
        self.optimizer.step()

    def objects(self) -> dict[str, Any]:
        """What is saved."""
        return {"model": self.model, "optimizer": self.optimizer}

    def states(self) -> dict[str, Any]:
        """What is saved, as the other libraries are given it."""
        return {name: value.state_dict() for name, value in self.objects().items()}


class Cost(NamedTuple):
    """What a run cost, in seconds.

    Args:
        blocked: how long each save but the last held up the next step, on average.
        step: a step, the median.
        steps: all steps and what was between them.
        durable: from the beginning of the last save until it was complete, with nothing beside it.
    """

    blocked: float
    step: float
    steps: float
    durable: float


@contextmanager
def nothing(training: Training, folder: Path) -> Iterator[Save]:
    """Save nothing."""
    yield lambda engine: None


@contextmanager
def torch_in_line(training: Training, folder: Path) -> Iterator[Save]:
    """Write by torch.save, and bring the file to the disk."""

    def save(engine: Any) -> None:
        with open(turn(folder, engine), "wb") as file:
            torch.save(training.states(), file)
            file.flush()
            os.fsync(file.fileno())

    yield save


@contextmanager
def checkpointed(training: Training, folder: Path, background: bool) -> Iterator[Save]:
    """Save by a Checkpoint, which keeps the last file."""
    yield glowplug_checkpoint.Checkpoint(training.objects(), folder, background=background)


@contextmanager
def lightning_async(training: Training, folder: Path) -> Iterator[Save]:
    """Save by Lightning's plugin for saving in the background."""
    plugin = plugins_io.AsyncCheckpointIO(plugins_io.TorchCheckpointIO())
    yield lambda engine: plugin.save_checkpoint(training.states(), turn(folder, engine))
    plugin.teardown()


@contextmanager
def torch_async(training: Training, folder: Path) -> Iterator[Save]:
    """Save by torch.distributed.checkpoint, waiting for the save before."""
    under_way: list[Any] = []

    def save(engine: Any) -> None:
        if under_way:
            under_way.pop().result()
        writer = distributed.FileSystemWriter(turn(folder, engine))
        under_way.append(distributed.async_save(training.states(), storage_writer=writer))

    yield save
    for future in under_way:
        future.result()


def turn(folder: Path, engine: Any) -> Path:
    """Return one of two paths, which is not that of the save before."""
    return folder / str(engine.state.iteration // EVERY % 2)


ROWS: dict[str, Callable[..., Any]] = {
    NOTHING: nothing,
    "`torch.save` and `fsync`, in line": torch_in_line,
    "`Checkpoint(...)`, in line": partial(checkpointed, background=False),
    "`Checkpoint(..., background=True)`": partial(checkpointed, background=True),
}
if plugins_io:
    ROWS["Lightning's `AsyncCheckpointIO`"] = lightning_async
if distributed:
    ROWS["`torch.distributed.checkpoint.async_save`"] = torch_async


def run(saving: Callable[..., Any], saves: int, costs: list[Cost]) -> float:
    """Train, saving every few steps and after the last; note what it cost."""
    training = Training()
    begun: list[float] = []
    ended: list[float] = []

    def step(engine: Any, batch: Any) -> None:
        begun.append(perf_counter())
        training.step()
        ended.append(perf_counter())

    engine: Any = glowplug.Engine(step)
    with tempfile.TemporaryDirectory() as folder:
        with saving(training, Path(folder)) as save:
            every = glowplug.Events.ITERATION_COMPLETED(every=EVERY)
            engine.add_event_handler(every, save)
            engine.run(range(EVERY * saves))
        durable = perf_counter() - ended[-1]
    between = sum(after - before for before, after in zip(ended, begun[1:], strict=False))
    step_alone = statistics.median(end - begin for begin, end in zip(begun, ended, strict=True))
    costs.append(Cost(between / (saves - 1), step_alone, ended[-1] - begun[0], durable))
    return ended[-1] - begun[0]


def saved_bytes() -> int:
    """Return how many bytes the tensors that are saved have."""
    training = Training()
    training.step()
    states = training.optimizer.state.values()
    tensors = [*training.model.parameters(), *(t for state in states for t in state.values())]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def measure(saves: int, repeats: int) -> dict[str, list[Cost]]:
    """Run all contestants in turns and return their costs by row."""
    costs: dict[str, list[Cost]] = {row: [] for row in ROWS}
    ways = {row: partial(run, saving, saves, costs[row]) for row, saving in ROWS.items()}
    take_turns(ways, repeats)
    return {row: measured[-repeats:] for row, measured in costs.items()}  # not the warm-up


def report(costs: dict[str, list[Cost]]) -> str:
    """Return the table."""
    plain = [cost.steps for cost in costs[NOTHING]]
    alone = statistics.median(cost.step for cost in costs[NOTHING])
    head = ["a save", "blocks, ms", "in steps", "time of all steps", "complete after, ms"]
    rows = []
    for row, measured in costs.items():
        whole = f"{ratio([cost.steps for cost in measured], to=plain):.3f}"
        if row == NOTHING:
            rows.append([row, "", "", whole, ""])
            continue
        blocked = statistics.median(cost.blocked for cost in measured)
        durable = statistics.median(cost.durable for cost in measured)
        cells = [f"{blocked * 1e3:.1f}", f"{blocked / alone:.2f}", whole, f"{durable * 1e3:.0f}"]
        rows.append([row, *cells])
    return table(head, rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--saves", type=int, default=6, help="of each run")
    parser.add_argument("--repeats", type=int, default=5, help="rounds, each of every contestant")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # torch's own, about a group of one process
    if distributed:
        ranks: Any = torch.distributed
        ranks.init_process_group("gloo", store=ranks.HashStore(), rank=0, world_size=1)
    costs = measure(asked.saves, asked.repeats)
    step = statistics.median(cost.step for cost in costs[NOTHING])
    print(
        f"{machine()}, torch {torch.__version__} on 1 thread; {saved_bytes() / 1e6:.0f} MB "
        f"every {EVERY} steps of {step * 1e3:.0f} ms; medians of {asked.repeats} rounds\n"
    )
    print(report(costs))
    if distributed:
        torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
