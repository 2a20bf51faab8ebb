from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from glowplug import Engine, Events
from glowplug_metrics import Average, Metric, MetricGroup, RunningAverage

USAGES = [
    "epoch_wise",
    "batch_wise",
    "running_epoch_wise",
    "running_batch_wise",
    "single_epoch_running_batch_wise",
]
MAKERS: dict[str, Callable[[], Metric]] = {
    "average": Average,
    "lambda": lambda: Average() + Average(lambda output: output * 2),
    "group": lambda: MetricGroup({"a": Average()}),
    "running average": lambda: RunningAverage(output_transform=lambda o: o, alpha=0.5),
    "running average of a metric": lambda: RunningAverage(Average(), alpha=0.5),
}
DATA = [1.0, 2.0, 4.0, 8.0]


def engine_with(metric: Metric, usage: str) -> tuple[Engine[float, float], list[Any]]:
    """An engine, and what it shows of the metric each time that it was computed."""
    engine: Engine[float, float] = Engine(lambda engine, batch: batch + engine.state.epoch)
    metric.attach(engine, "m", usage)
    shown: list[Any] = []
    event = Events.ITERATION_COMPLETED if "batch" in usage else Events.EPOCH_COMPLETED
    engine.add_event_handler(
        event, lambda e: shown.append((e.state.iteration, e.state.metrics["m"]))
    )
    return engine, shown


@pytest.mark.parametrize("usage", USAGES)
@pytest.mark.parametrize("kind", MAKERS)
@given(stop=st.integers(1, 11))
def test_a_metric_that_is_loaded_into_a_resumed_run_shows_what_it_would_have_shown(
    kind: str, usage: str, stop: int
) -> None:
    # What is saved after the last iteration of an epoch is from before the epoch's end.
    assume(usage != "running_epoch_wise" or stop % len(DATA) != 0)
    make = MAKERS[kind]
    metric = make()
    engine, shown = engine_with(metric, usage)
    saved: list[Any] = []
    engine.add_event_handler(
        Events.ITERATION_COMPLETED(once=stop),
        lambda e: saved.extend((e.state_dict(), metric.state_dict())),
    )
    engine.run(DATA, max_epochs=3)

    resumed_metric = make()
    resumed, shown_later = engine_with(resumed_metric, usage)
    resumed.load_state_dict(saved[0])
    resumed_metric.load_state_dict(saved[1])
    resumed.run(DATA)

    assert shown_later == [entry for entry in shown if entry[0] > stop]


def test_a_new_run_forgets_what_was_loaded(engine: Engine[Any, Any]) -> None:
    average = Average()
    average.load_state_dict({"accumulator": 100.0, "num_examples": 1})
    average.attach(engine, "m")
    assert engine.run([1.0, 3.0]).metrics == {"m": 2.0}


def test_only_the_first_epoch_goes_on_from_what_was_loaded() -> None:
    average = Average()
    engine, shown = engine_with(average, "epoch_wise")
    engine.load_state_dict({"epoch_length": 4, "iteration": 2, "max_epochs": 2})
    average.load_state_dict({"accumulator": 100.0, "num_examples": 2})
    engine.run(DATA)
    assert shown == [(4, (100.0 + 5.0 + 9.0) / 4), (8, (3.0 + 4.0 + 6.0 + 10.0) / 4)]


def test_a_run_that_was_interrupted_goes_on(engine: Engine[Any, Any]) -> None:
    average = Average()
    average.attach(engine, "m")
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=2), lambda e: e.interrupt())
    engine.run(DATA)
    assert engine.run().metrics == {"m": 15.0 / 4}


def test_an_epoch_that_was_cut_short_shows_what_came(engine: Engine[Any, Any]) -> None:
    average = Average()
    average.attach(engine, "m")
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=2), lambda e: e.terminate_epoch())
    ends: list[float] = []
    engine.add_event_handler(Events.EPOCH_COMPLETED, lambda e: ends.append(e.state.metrics["m"]))
    engine.run(DATA, max_epochs=2)
    assert ends == [1.5, 3.75]
