"""Steps per second of one small training, written by hand and run by three libraries.

    python docs/benchmarks/training.py

Owns: the table "training" in this folder's README.
Must not know: how any of them works inside.

A multilayer perceptron learns scikit-learn's digits: the same weights at the start, the same
batches, the same optimizer, in one process, in turns. The network is small and the batches lie
ready in memory, so that what a library adds to a step shows; with a larger network it shows less.
Setting up is not measured. A library that is not installed is left out.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from time import perf_counter
from typing import Any, TypeAlias

import torch
from side_by_side import machine, optional, ratio, table, take_turns
from sklearn.datasets import load_digits
from torch import nn

from glowplug_supervised import create_supervised_trainer

ignite_engine = optional("ignite.engine")
lightning = optional("lightning")

Batch: TypeAlias = tuple[torch.Tensor, torch.Tensor]

loss_fn = nn.functional.cross_entropy


class Batches:
    """Batches that lie ready in memory.

    Args:
        ready: the batches; a list itself would be several loaders to Lightning.
    """

    def __init__(self, ready: Sequence[Batch]) -> None:
        self._ready = ready

    def __iter__(self) -> Iterator[Batch]:
        return iter(self._ready)

    def __len__(self) -> int:
        return len(self._ready)


def digits(batch_size: int) -> Batches:
    """Return the 1,797 scans as batches of ``(N, 64)`` pixels and ``(N,)`` classes."""
    pixels, classes = load_digits(return_X_y=True)
    x = torch.tensor(pixels / 16, dtype=torch.float32)
    y = torch.tensor(classes)
    return Batches(list(zip(x.split(batch_size), y.split(batch_size), strict=True)))


def network() -> tuple[nn.Module, torch.optim.Optimizer]:
    """Return a network and its optimizer, the same ones each time."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    return model, torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)


def forget(optimizer: torch.optim.Optimizer) -> None:
    """Reset gradients as glowplug's step resets them."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.grad = None


def by_hand(
    zero_grad: Callable[[torch.optim.Optimizer], None],
) -> Callable[[Batches, int], float]:
    """Return a way to train in a hand-written loop that keeps the loss, as a trainer does."""

    def train(batches: Batches, epochs: int) -> float:
        model, optimizer = network()
        model.train()
        began = perf_counter()
        for _ in range(epochs):
            for x, y in batches:
                zero_grad(optimizer)
                loss = loss_fn(model(x), y)
                loss.backward()
                optimizer.step()
                output = loss.detach()  # noqa: F841  # what a progress bar would show
        return perf_counter() - began

    return train


def by_engine(
    create_trainer: Callable[..., Any],
) -> Callable[[Batches, int], float]:
    """Return a way to train by glowplug's or pytorch-ignite's supervised trainer."""

    def train(batches: Batches, epochs: int) -> float:
        model, optimizer = network()
        trainer = create_trainer(model, optimizer, loss_fn)
        began = perf_counter()
        trainer.run(batches, max_epochs=epochs)
        return perf_counter() - began

    return train


def by_lightning(batches: Batches, epochs: int) -> float:
    """Train by Lightning's Trainer in its barest form; return the seconds of its loop."""
    model, optimizer = network()
    times: list[float] = []

    class Digits(lightning.LightningModule):  # type: ignore[misc, name-defined]  # may be absent
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def configure_optimizers(self) -> Any:
            return optimizer

        def training_step(self, batch: Any, batch_idx: int) -> Any:
            x, y = batch
            return loss_fn(self.model(x), y)

        def on_train_start(self) -> None:
            times.append(perf_counter())

        def on_train_end(self) -> None:
            times.append(perf_counter())

    trainer = lightning.Trainer(accelerator="cpu", max_epochs=epochs, barebones=True)
    trainer.fit(Digits(), train_dataloaders=batches)
    return times[1] - times[0]


def contestants() -> dict[str, Callable[[Batches, int], float]]:
    """Return the ways to train that can be measured here."""
    ways = {
        "by hand": by_hand(torch.optim.Optimizer.zero_grad),
        "by hand, without `zero_grad()`": by_hand(forget),
        "glowplug": by_engine(create_supervised_trainer),
    }
    if ignite_engine:
        ways["pytorch-ignite"] = by_engine(ignite_engine.create_supervised_trainer)
    if lightning:
        ways["Lightning"] = by_lightning
    return ways


def report(costs: dict[str, list[float]], steps: int) -> str:
    """Return the table: steps per second at best and in the median, and the time to by hand."""
    rows = []
    for way, seconds in costs.items():
        best, usual = steps / min(seconds), steps / statistics.median(seconds)
        to_hand = ratio(seconds, to=costs["by hand"])
        rows.append([way, f"{best:.0f} / {usual:.0f}", f"{to_hand:.3f}"])
    return table(["digits MLP", "steps/s", "time to that by hand"], rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=10, help="of each training")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=15, help="rounds, each of every contestant")
    asked = parser.parse_args()
    torch.set_num_threads(1)  # threads of one small step would wait for each other
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="lightning")
    batches = digits(asked.batch_size)
    ways = {name: partial(train, batches, asked.epochs) for name, train in contestants().items()}
    costs = take_turns(ways, asked.repeats)
    print(
        f"{machine()}, torch {torch.__version__} on 1 thread; batches of {asked.batch_size}; "
        f"steps/s as best / median of {asked.repeats} rounds, ratios as medians\n"
    )
    print(report(costs, asked.epochs * len(batches)))


if __name__ == "__main__":
    main()
