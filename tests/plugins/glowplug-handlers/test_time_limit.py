"""Which time a limit counts, and where a run ends by it."""

from __future__ import annotations

import logging
import time
from contextlib import nullcontext
from typing import Any

import pytest

from glowplug import Engine, Events
from glowplug.errors import InvalidArgument, InvalidType
from glowplug_handlers import TimeLimit


@pytest.fixture
def seconds(clock: Any) -> Engine[Any, Any]:
    """An engine whose iterations take a second each."""

    def step(engine: Engine[Any, Any], batch: Any) -> None:
        clock.sleep(1)

    return Engine(step)


def test_a_run_ends_after_the_iteration_in_which_its_time_is_over(seconds: Any) -> None:
    TimeLimit(3).attach(seconds)
    assert seconds.run(range(20)).iteration == 4


def test_by_the_real_clock_its_seconds_are_over_in_time() -> None:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: time.sleep(0.02))
    TimeLimit(0.1).attach(engine)
    # five steps take 0.1 s and more, and on a busy machine one may
    assert 1 <= engine.run(range(100)).iteration <= 6


def test_the_log_says_that_the_time_is_over(seconds: Any, caplog: pytest.LogCaptureFixture) -> None:
    TimeLimit(3).attach(seconds)
    with caplog.at_level(logging.INFO):
        seconds.run(range(20))
    assert "the time of 3 seconds is over: the run ends" in caplog.text


def test_attached_it_counts_from_the_start_of_the_run(clock: Any, seconds: Any) -> None:
    limit = TimeLimit(3)
    limit.attach(seconds)
    clock.sleep(100)
    assert seconds.run(range(20)).iteration == 4


def test_added_as_a_function_it_counts_from_when_it_was_made(clock: Any, seconds: Any) -> None:
    limit = TimeLimit(3)
    clock.sleep(2)
    seconds.add_event_handler(Events.ITERATION_COMPLETED, limit)
    assert seconds.run(range(20)).iteration == 2


def test_another_run_begins_at_zero(seconds: Any) -> None:
    limit = TimeLimit(3)
    limit.attach(seconds)
    seconds.run([1, 2])
    assert seconds.run([1, 2, 3]).iteration == 3
    assert limit.elapsed == 3


def test_the_time_of_an_interruption_does_not_count(clock: Any, seconds: Any) -> None:
    limit = TimeLimit(4)
    limit.attach(seconds)
    seconds.add_event_handler(Events.ITERATION_COMPLETED(once=2), lambda: seconds.interrupt())
    seconds.run(range(20))
    clock.sleep(100)
    # the clock goes on when the limit is looked at again: after one more iteration
    assert seconds.run().iteration == 6


def test_a_run_that_goes_on_from_a_saved_time_has_the_rest_of_it(seconds: Any) -> None:
    limit = TimeLimit(5)
    limit.attach(seconds)
    seconds.load_state_dict({"iteration": 3, "epoch_length": 20, "max_epochs": 1})
    limit.load_state_dict({"elapsed": 3.0})
    assert seconds.run(range(20)).iteration == 6


def test_without_a_saved_time_a_resumed_run_has_all_of_it(clock: Any, seconds: Any) -> None:
    TimeLimit(5).attach(seconds)
    clock.sleep(100)
    seconds.load_state_dict({"iteration": 3, "epoch_length": 20, "max_epochs": 1})
    assert seconds.run(range(20)).iteration == 9


def test_the_saved_time_is_that_of_the_run(clock: Any, seconds: Any) -> None:
    limit = TimeLimit(50)
    limit.attach(seconds)
    seconds.run(range(7))
    clock.sleep(100)
    assert limit.state_dict() == {"elapsed": 7.0}


@pytest.mark.parametrize("way", ["termination", "error"])
def test_what_passes_after_a_run_does_not_count_however_it_ended(
    clock: Any, seconds: Any, way: str
) -> None:
    def end(engine: Engine[Any, Any]) -> None:
        if way == "error":
            raise OSError("the disk is gone")
        engine.terminate(skip_completed=True)

    limit = TimeLimit(50)
    limit.attach(seconds)
    seconds.add_event_handler(Events.ITERATION_COMPLETED(once=3), end)
    with pytest.raises(OSError, match="gone") if way == "error" else nullcontext():
        seconds.run(range(9))
    clock.sleep(100)
    assert limit.elapsed == 3


@pytest.mark.parametrize("given", [0, -1, float("nan")])
def test_a_limit_that_is_not_above_zero_is_refused(given: float) -> None:
    with pytest.raises(InvalidArgument, match="limit_sec must be above 0, got"):
        TimeLimit(given)


def test_a_limit_that_is_no_number_is_refused() -> None:
    wrong: Any = "8h"
    with pytest.raises(InvalidType, match="limit_sec must be a number, got '8h' of type str"):
        TimeLimit(wrong)


@pytest.mark.parametrize(
    ("saved", "said"),
    [({}, "this one lacks 'elapsed'"), ({"elapsed": -0.5}, "elapsed must be 0 or more")],
)
def test_a_saved_time_that_is_none_is_refused(saved: dict[str, float], said: str) -> None:
    with pytest.raises(InvalidArgument, match=said):
        TimeLimit(5).load_state_dict(saved)
