"""The contract of the progress bar."""

from __future__ import annotations

from typing import Any

from glowplug import Engine, Events
from glowplug.testing import LoggerContract
from glowplug_tqdm import ProgressBar


def measure(engine: Engine[Any, Any]) -> None:
    """Compute what the bar shows, as a handler of ``"compute"``."""
    engine.state.metrics["loss"] = engine.state.output


class TestProgressBar(LoggerContract):
    component = "progress-bar"
    attaching_twice = "error"
    needs = ("loss",)
    pickles = "what it writes to belongs to this process"
    prints_to = "stderr"
    saves = False

    def make(self) -> ProgressBar:
        return ProgressBar(persist=True)

    def make_engine(self) -> Engine[Any, Any]:
        engine = super().make_engine()
        with engine.in_phase("compute"):
            handle = engine.add_event_handler(Events.ITERATION_COMPLETED, measure)
        handle.declare(computes=("loss",))
        return engine

    def attach(self, component: ProgressBar, engine: Engine[Any, Any]) -> Any:
        return component.attach(engine, metric_names=["loss"])
