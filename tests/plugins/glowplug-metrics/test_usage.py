from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glowplug import Engine, EventEnum, Events
from glowplug.errors import InvalidArgument, InvalidType, UnknownEvent
from glowplug_metrics import (
    BatchFiltered,
    BatchWise,
    EpochWise,
    Metric,
    MetricUsage,
    RunningBatchWise,
    RunningEpochWise,
    SingleEpochRunningBatchWise,
)
from glowplug_metrics.usage import usage_from

NAMED = [EpochWise, RunningEpochWise, BatchWise, RunningBatchWise, SingleEpochRunningBatchWise]
Shown = tuple[list[Any], list[Any]]


class Heap(Metric):
    """All outputs since the last reset."""

    def reset(self) -> None:
        super().reset()
        self.outputs: list[Any] = []

    def update(self, output: Any) -> None:
        self.outputs = [*self.outputs, output]

    def compute(self) -> list[Any]:
        return self.outputs


def slow_model(usage: str, epochs: list[list[int]]) -> Shown:
    """What is shown after each iteration and each epoch, from the words of the usages."""
    heap: list[int] | None = None
    show: list[int] | None = None
    iterations: list[Any] = []
    ends: list[Any] = []
    for epoch in epochs:
        if heap is None or usage in ("epoch_wise", "single_epoch_running_batch_wise"):
            heap = []
        for output in epoch:
            if usage == "batch_wise":
                heap = []
            if usage != "running_epoch_wise":
                heap = [*heap, output]
            if "batch" in usage:
                show = heap
            iterations.append(show)
        if usage == "running_epoch_wise":
            heap = [*heap, epoch[-1]]
        if "batch" not in usage:
            show = heap
        ends.append(show)
    return iterations, ends


@pytest.mark.parametrize("usage", NAMED)
@given(length=st.integers(1, 4), epochs=st.integers(1, 3))
def test_each_usage_shows_what_its_description_says(
    usage: type[MetricUsage], length: int, epochs: int
) -> None:
    engine: Engine[int, int] = Engine(lambda engine, batch: batch + 10 * engine.state.epoch)
    Heap().attach(engine, "m", usage.usage_name)
    iterations: list[Any] = []
    ends: list[Any] = []
    engine.add_event_handler(
        Events.ITERATION_COMPLETED, lambda e: iterations.append(e.state.metrics.get("m"))
    )
    engine.add_event_handler(Events.EPOCH_COMPLETED, lambda e: ends.append(e.state.metrics["m"]))
    engine.run(range(length), max_epochs=epochs)
    outputs = [[batch + 10 * (epoch + 1) for batch in range(length)] for epoch in range(epochs)]
    assert (iterations, ends) == slow_model(usage.usage_name, outputs)


def test_a_filter_decides_which_outputs_are_taken_in(shown: Callable[..., Shown]) -> None:
    _, ends = shown(Heap(), [1, 2, 3], usage=BatchFiltered(every=2))
    assert ends == [[2], [1, 3]]


def test_a_filter_takes_what_events_take() -> None:
    updated = BatchFiltered(after=2, before=9).ITERATION_COMPLETED
    assert updated == Events.ITERATION_COMPLETED(after=2, before=9)


def test_a_filter_needs_something_to_filter_by() -> None:
    with pytest.raises(InvalidArgument, match="every"):
        BatchFiltered()


def test_a_usage_of_three_events_of_ones_own_is_followed(engine: Engine[Any, Any]) -> None:
    usage = MetricUsage(Events.STARTED, Events.COMPLETED, Events.GET_BATCH_COMPLETED)
    heap = Heap(lambda output: "output of the step before")
    heap.attach(engine, "m", usage)
    assert len(engine.run([1, 2, 3], max_epochs=2).metrics["m"]) == 6


@pytest.mark.parametrize("usage", NAMED)
def test_a_name_stands_for_its_usage(usage: type[MetricUsage]) -> None:
    assert type(usage_from(usage.usage_name)) is usage


def test_a_misspelt_name_is_an_error_that_suggests_the_near_one(engine: Engine[Any, Any]) -> None:
    with pytest.raises(InvalidArgument, match="did you mean 'epoch_wise'"):
        Heap().attach(engine, "m", "epochwise")


def test_what_is_no_usage_is_refused(engine: Engine[Any, Any]) -> None:
    with pytest.raises(InvalidType, match="usage must be a MetricUsage or the name of one, got 3"):
        Heap().attach(engine, "m", 3)  # type: ignore[arg-type]  # that is what is tested


def test_a_usage_of_an_event_that_the_engine_lacks_attaches_nothing(
    engine: Engine[Any, Any],
) -> None:
    class Other(EventEnum):
        EVENT = "event"

    heap = Heap()
    with pytest.raises(UnknownEvent, match="EVENT"):
        heap.attach(engine, "m", MetricUsage(Events.STARTED, Other.EVENT, Events.STARTED))
    assert not engine.has_event_handler(heap.started)
