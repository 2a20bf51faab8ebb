"""The time profilers: what they measure, how it is laid out, and what they leave out."""

from __future__ import annotations

import copy
import csv
import math
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glowplug import Engine, Events
from glowplug.errors import InvalidArgument, InvalidType
from glowplug_handlers import (
    BasicTimeProfiler,
    HandlersTimeProfiler,
    NothingMeasured,
    profilers,
)

PROFILERS = [BasicTimeProfiler, HandlersTimeProfiler]
STEP, HANDLER, DATA = 0.002, 0.003, 0.004
"""Seconds that each of them sleeps."""


class SlowData:
    """Five batches that take their time."""

    def __iter__(self) -> Any:
        for batch in range(5):
            time.sleep(DATA)
            yield batch

    def __len__(self) -> int:
        return 5


def greet(engine: Engine[Any, Any]) -> None:
    """Handle an event in no time."""


def slow(engine: Engine[Any, Any]) -> None:
    """Handle an event slowly."""
    time.sleep(HANDLER)


def sleeper() -> Engine[Any, Any]:
    """An engine with a slow step, and slow handlers after each iteration and every other epoch."""
    engine: Engine[Any, Any] = Engine(lambda engine, batch: time.sleep(STEP))
    engine.add_event_handler(Events.STARTED, greet)
    engine.add_event_handler(Events.ITERATION_COMPLETED, slow)
    engine.add_event_handler(Events.EPOCH_COMPLETED(every=2), slow)
    return engine


def profiled(profiler: Any, epochs: int = 3) -> Any:
    """Return a profiler that has measured a run over slow data."""
    engine = sleeper()
    profiler.attach(engine)
    engine.run(SlowData(), max_epochs=epochs)
    return profiler


def test_the_step_and_the_data_take_the_time_that_they_take(clock: Any) -> None:
    results = profiled(BasicTimeProfiler()).get_results()
    for stats, seconds in (("processing_stats", STEP), ("dataflow_stats", DATA)):
        found = results[stats]
        assert list(found) == ["total", "min/index", "max/index", "mean", "std"]
        assert found["total"] == pytest.approx(15 * seconds)
        assert found["min/index"] == found["max/index"] == (seconds, 0)
        assert (found["mean"], found["std"]) == (pytest.approx(seconds), 0)


def test_by_the_real_clock_they_take_no_less() -> None:
    results = profiled(BasicTimeProfiler()).get_results()
    assert results["processing_stats"]["min/index"][0] >= STEP
    assert results["dataflow_stats"]["min/index"][0] >= DATA


def test_the_handlers_of_each_event_are_summed_up_and_named(clock: Any) -> None:
    results = profiled(BasicTimeProfiler()).get_results()
    stats, names = results["event_handlers_stats"], results["event_handlers_names"]
    assert names["ITERATION_COMPLETED_names"] == names["EPOCH_COMPLETED_names"] == ["slow"]
    assert names["STARTED_names"] == ["greet"]
    assert names["GET_BATCH_STARTED_names"] == []
    assert set(stats["STARTED"]) == {"total"}
    assert stats["ITERATION_COMPLETED"]["mean"] == pytest.approx(HANDLER)
    assert stats["ITERATION_STARTED"] == {
        "total": 0.0,
        "min/index": (0.0, 0),
        "max/index": (0.0, 0),
        "mean": 0.0,
        "std": 0.0,
    }
    assert stats["total_time"] == pytest.approx((15 + 1) * HANDLER)


def test_a_firing_that_calls_nobody_does_not_count() -> None:
    found = profiled(BasicTimeProfiler()).get_results()["event_handlers_stats"]["EPOCH_COMPLETED"]
    assert found["min/index"] == found["max/index"]
    assert found["min/index"][1] == 1, "the second epoch, counted from 0"
    assert math.isnan(found["std"])


def test_two_handlers_of_one_firing_are_one_duration(clock: Any) -> None:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: None)
    for _ in range(2):
        engine.add_event_handler(Events.ITERATION_STARTED, slow)
    profiler = BasicTimeProfiler()
    profiler.attach(engine)
    engine.run([1, 2])
    found = profiler.get_results()["event_handlers_stats"]["ITERATION_STARTED"]
    assert found["min/index"] == found["max/index"] == (2 * HANDLER, 0)


def test_events_of_the_users_own_are_measured(clock: Any) -> None:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: engine.fire_event("SAVED"))
    engine.register_events("SAVED")
    engine.add_event_handler("SAVED", slow)
    profiler = BasicTimeProfiler()
    profiler.attach(engine)
    engine.run([1, 2])
    results = profiler.get_results()
    assert results["event_handlers_names"]["SAVED_names"] == ["slow"]
    assert results["event_handlers_stats"]["SAVED"]["total"] == 2 * HANDLER


def test_each_handler_has_its_row_and_then_come_the_totals(clock: Any) -> None:
    rows = profiled(HandlersTimeProfiler()).get_results()
    assert [row[:2] for row in rows] == [
        ["greet", "STARTED"],
        ["slow", "ITERATION_COMPLETED"],
        ["slow", "EPOCH_COMPLETED"],
        ["Total", ""],
        ["Processing", "None"],
        ["Dataflow", "None"],
    ]
    per_iteration, per_epoch, total = rows[1], rows[2], rows[3]
    assert per_iteration[2] == 15 * HANDLER
    assert per_iteration[5] == pytest.approx(HANDLER)
    assert per_epoch[2:5] == [HANDLER, (HANDLER, 0), (HANDLER, 0)], "its only call"
    assert per_epoch[6] == "None"
    assert total[2] == pytest.approx(16 * HANDLER)


def test_a_handler_that_is_never_called_says_so() -> None:
    rows = profiled(HandlersTimeProfiler(), epochs=1).get_results()
    nothing = ("None", "None")
    assert rows[2][2:] == ["not triggered", nothing, nothing, "None", "None"]


def test_a_run_without_data_has_no_data_to_wait_for() -> None:
    engine = sleeper()
    for profiler in (basic := BasicTimeProfiler(), each := HandlersTimeProfiler()):
        profiler.attach(engine)
    engine.run(epoch_length=2)
    assert basic.get_results()["dataflow_stats"]["total"] == 0.0
    assert each.get_results()[-1][2] == "not triggered"


def read(path: Path) -> list[list[str]]:
    """Return the rows of a CSV file."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_the_basic_file_has_a_row_for_each_iteration(tmp_path: Path) -> None:
    profiled(BasicTimeProfiler()).write_results(tmp_path / "times.csv")
    head, *rows = read(tmp_path / "times.csv")
    assert head[:5] == ["epoch", "iteration", "processing_stats", "dataflow_stats", "Event_STARTED"]
    assert [row[:2] for row in rows] == [[str(n // 5 + 1), str(n + 1)] for n in range(15)]
    table = [dict(zip(head, map(float, row), strict=True)) for row in rows]
    assert all(row["Event_ITERATION_COMPLETED"] >= HANDLER for row in table)
    assert {row["iteration"] for row in table if row["Event_EPOCH_COMPLETED"]} == {6, 7, 8, 9, 10}
    assert len({row["Event_STARTED"] for row in table}) == 1


def test_the_handlers_file_has_each_call_in_the_row_of_its_iteration(tmp_path: Path) -> None:
    profiled(HandlersTimeProfiler()).write_results(str(tmp_path / "times.csv"))
    head, *rows = read(tmp_path / "times.csv")
    assert head == [
        "#",
        "processing_stats",
        "dataflow_stats",
        "greet (STARTED)",
        "slow (ITERATION_COMPLETED)",
        "slow (EPOCH_COMPLETED)",
    ]
    filled = [[int(row[0]) for row in rows if row[column]] for column in range(3, 6)]
    assert filled == [[1], list(range(1, 16)), [10]]


def test_handlers_of_one_name_have_columns_of_their_own(tmp_path: Path) -> None:
    engine = sleeper()
    engine.add_event_handler(Events.STARTED, greet)
    profiler = HandlersTimeProfiler()
    profiler.attach(engine)
    engine.run([1])
    profiler.write_results(tmp_path / "times.csv")
    assert read(tmp_path / "times.csv")[0][3:5] == ["greet (STARTED)", "greet (STARTED) #2"]


@pytest.mark.parametrize("make", PROFILERS)
def test_the_printed_text_is_returned_too(make: Any, capsys: pytest.CaptureFixture[str]) -> None:
    profiler = profiled(make(), epochs=1)
    text = profiler.print_results(profiler.get_results())
    assert capsys.readouterr().out == text + "\n"
    assert all(word in text for word in ("slow", "ITERATION_COMPLETED", "Dataflow", "Processing"))


@pytest.mark.parametrize("make", PROFILERS)
def test_a_new_run_forgets_the_last_and_one_that_goes_on_adds_to_it(make: Any) -> None:
    def steps(profiler: Any) -> int:
        return len(list(profiler._measured().iterations()))

    engine, profiler = sleeper(), make()
    profiler.attach(engine)
    engine.run([1, 2], max_epochs=1)
    engine.run([1, 2], max_epochs=1)
    assert steps(profiler) == 2
    engine.run([1, 2], max_epochs=3)
    assert steps(profiler) == 6


@pytest.mark.parametrize("make", PROFILERS)
def test_a_run_that_fails_is_measured_up_to_there(make: Any) -> None:
    engine, profiler = sleeper(), make()
    profiler.attach(engine)

    def fail() -> None:
        raise RuntimeError("no more")

    engine.add_event_handler(Events.ITERATION_COMPLETED(once=2), fail)
    with pytest.raises(RuntimeError, match="no more"):
        engine.run(SlowData())
    assert [count for count, _ in profiler._measured().iterations()] == [1, 2]


@pytest.mark.parametrize("make", PROFILERS)
def test_profilers_do_not_measure_each_other(make: Any) -> None:
    engine, profiler = sleeper(), make()
    profiler.attach(engine)
    BasicTimeProfiler().attach(engine)
    engine.run([1, 2], max_epochs=2)
    assert {handler.name for handler in profiler._measured().handlers} == {"greet", "slow"}


@pytest.mark.parametrize("make", PROFILERS)
def test_results_stay_after_detaching_and_nothing_more_is_measured(make: Any) -> None:
    engine, profiler = sleeper(), make()
    profiler.attach(engine)
    engine.run([1, 2])
    before = copy.deepcopy(profiler.get_results())
    profiler.detach(engine)
    engine.run([1, 2, 3])
    assert profiler.get_results() == before


@pytest.mark.parametrize("make", PROFILERS)
def test_before_a_run_there_is_nothing_to_tell(make: Any, tmp_path: Path) -> None:
    profiler = make()
    asked: list[Callable[[], Any]] = [
        profiler.get_results,
        lambda: profiler.write_results(tmp_path / "times.csv"),
    ]
    for ask in asked:
        with pytest.raises(NothingMeasured, match=r"measured nothing; attach\(engine\)"):
            ask()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("make", PROFILERS)
def test_a_profiler_is_of_one_engine(make: Any) -> None:
    profiler, engine = make(), sleeper()
    profiler.attach(engine)
    with pytest.raises(InvalidArgument, match="attached to the engine already"):
        profiler.attach(engine)
    with pytest.raises(InvalidArgument, match="measures another engine; make one for each"):
        profiler.attach(sleeper())
    with pytest.raises(InvalidType, match="engine must be an Engine"):
        make().attach(3)


@given(st.dictionaries(st.integers(0, 50), st.integers(0, 10**12), min_size=2))
def test_the_figures_are_those_of_the_statistics_library(durations: dict[int, int]) -> None:
    found = profilers.figures(durations)
    assert found is not None
    seconds = {place: each / 1e9 for place, each in durations.items()}
    assert found.total == pytest.approx(sum(seconds.values()))
    assert found.mean == pytest.approx(statistics.mean(seconds.values()))
    assert found.std == pytest.approx(statistics.stdev(seconds.values()))
    assert seconds[found.least[1]] == found.least[0] == min(seconds.values())
    assert seconds[found.most[1]] == found.most[0] == max(seconds.values())
