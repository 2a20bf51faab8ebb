"""The metrics of the two libraries, each by its names.

Owns: importing them, and what a few lines need beside a library's names.
Must not know: what is done with them.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from typing import Any

import torch

from parity.kits import GLOWPLUG, IGNITE, Kit

FOLDERS = ("", ".regression", ".fairness")


class Library:
    """The metrics of a library by their names, from whichever of its modules they are in.

    Args:
        kit: the engine that they are attached to.
        package: where its metrics are.
    """

    def __init__(self, kit: Kit, package: str) -> None:
        self._kit = kit
        with warnings.catch_warnings():
            # torch warns where NumPy is not installed; nothing here needs it.
            warnings.simplefilter("ignore")
            modules = [importlib.import_module(package + folder) for folder in FOLDERS]
        self._names = {name: value for found in modules for name, value in vars(found).items()}

    def __getattr__(self, name: str) -> Any:
        try:
            return self._names[name]
        except KeyError:
            raise AttributeError(name) from None

    def outcome(self, code: str) -> str:
        """Return what an expression comes to with the names of the library, or the error's name."""
        names = {**self._names, "Engine": self._kit.engine, "Events": self._kit.events}
        names |= {"A": torch.tensor, "torch": torch, "of": of, "fed": fed, "resumed": self.resumed}
        try:
            return shown(eval(code, names))  # our own source
        except Exception as error:
            return type(error).__name__

    def resumed(self, make: Callable[[], Any], batches: list[Any], done: int) -> Any:
        """Return the value of a metric after an epoch that another process went on with.

        Args:
            make: makes the metric.
            batches: the epoch's batches, which are the engine's outputs.
            done: how many of them the first process had, before it saved its states.
        """
        saved: list[Any] = []
        first, metric = self._attached(make())
        first.add_event_handler(
            self._kit.events.ITERATION_COMPLETED(once=done),
            lambda engine: saved.extend((engine.state_dict(), metric.state_dict())),
        )
        first.run(batches, max_epochs=1)
        second, metric = self._attached(make())
        second.load_state_dict(saved[0])
        metric.load_state_dict(saved[1])
        return second.run(batches).metrics["m"]

    def _attached(self, metric: Any) -> tuple[Any, Any]:
        engine = self._kit.engine(lambda engine, batch: batch)
        metric.attach(engine, "m")
        return engine, metric


def fed(metric: Any, *batches: Any) -> Any:
    """Return a metric that has taken in some batches."""
    for batch in batches:
        metric.update(batch)
    return metric


def of(metric: Any, *batches: Any) -> Any:
    """Return the value of some batches."""
    return fed(metric, *batches).compute()


def shown(value: Any) -> str:
    """Return a value as a page shows it, numbers to four digits."""
    if isinstance(value, torch.Tensor):
        value = value.tolist()
    if isinstance(value, list):
        return f"[{', '.join(map(shown, value))}]"
    return f"{value:.4g}" if isinstance(value, float) else repr(value)


OURS = Library(GLOWPLUG, "glowplug_metrics")
THEIRS = Library(IGNITE, "ignite.metrics")
