"""A stopwatch, by hand and by events, on a clock that the tests turn."""

from __future__ import annotations

import time
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glowplug import Engine, Events
from glowplug_handlers import Timer


def test_it_runs_from_the_moment_in_which_it_is_made(clock: Any) -> None:
    timer = Timer()
    clock.sleep(3)
    assert (timer.value(), timer.running, timer.total) == (3, True, 0)


def test_a_pause_does_not_count(clock: Any) -> None:
    timer = Timer()
    clock.sleep(3)
    timer.pause()
    clock.sleep(10)
    timer.resume()
    clock.sleep(1)
    assert timer.value() == 4


def test_pausing_and_resuming_twice_does_what_once_does(clock: Any) -> None:
    timer = Timer()
    for change in (timer.resume, timer.pause, timer.pause, timer.resume, timer.resume):
        clock.sleep(1)
        change()
    clock.sleep(1)
    assert timer.value() == 2 + 1 + 1


def test_the_average_is_that_of_the_steps(clock: Any) -> None:
    timer = Timer(average=True)
    clock.sleep(6)
    assert timer.value() == 6
    timer.step()
    timer.step()
    timer.step()
    assert (timer.value(), timer.step_count) == (2, 3)


def test_reset_begins_anew_and_returns_the_timer(clock: Any) -> None:
    timer = Timer()
    timer.step()
    clock.sleep(6)
    assert timer.reset() is timer
    assert (timer.value(), timer.step_count, timer.running) == (0, 0, True)


# one clock for all examples: it only goes on
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions=st.lists(st.tuples(st.sampled_from("prsv0"), st.integers(0, 9)), max_size=30))
def test_it_counts_as_a_slow_model_does(clock: Any, actions: list[tuple[str, int]]) -> None:
    timer, running, counted = Timer(), True, 0
    for name, seconds in actions:
        clock.sleep(seconds)
        counted += seconds if running else 0
        named = {"p": timer.pause, "r": timer.resume, "s": timer.step, "0": timer.reset}
        named.get(name, timer.value)()
        running = {"p": False, "r": True, "0": True}.get(name, running)
        counted = 0 if name == "0" else counted
        assert timer.value() == counted


def test_the_time_of_a_run_is_that_from_its_start_to_its_end(clock: Any) -> None:
    def step(engine: Engine[Any, Any], batch: int) -> None:
        clock.sleep(batch)

    engine, timer = Engine(step), Timer()
    assert timer.attach(engine) is timer
    clock.sleep(100)
    engine.run([1, 2, 3])
    clock.sleep(100)
    assert (timer.value(), timer.running) == (6, False)


def test_between_the_events_of_an_iteration_lies_the_step_alone(clock: Any) -> None:
    def step(engine: Engine[Any, Any], batch: int) -> None:
        clock.sleep(batch)

    def dawdle() -> None:
        clock.sleep(1000)

    engine, timer = Engine(step), Timer(average=True)
    events = (Events.EPOCH_STARTED, Events.ITERATION_STARTED, Events.ITERATION_COMPLETED)
    for event in events:
        engine.add_event_handler(event, dawdle)
    started, iteration, completed = events
    timer.attach(engine, start=started, resume=iteration, pause=completed, step=completed)
    for event in events:
        engine.add_event_handler(event, dawdle)
    engine.run([1, 2, 6])
    assert timer.value() == 3


def test_what_comes_before_the_first_pause_counts_where_nothing_is_resumed(clock: Any) -> None:
    def batches() -> Any:
        for seconds in (5, 7, 9):
            clock.sleep(seconds)
            yield seconds

    def step(engine: Engine[Any, Any], batch: int) -> None:
        clock.sleep(1000)

    engine, timer = Engine(step), Timer()
    started, completed = Events.ITERATION_STARTED, Events.ITERATION_COMPLETED
    timer.attach(engine, start=Events.EPOCH_STARTED, pause=started, resume=completed)
    engine.add_event_handler(Events.ITERATION_STARTED, lambda: seen.append(timer.value()))
    seen: list[float] = []
    engine.run(batches(), epoch_length=3)
    assert seen == [5, 12, 21]


def test_in_another_epoch_it_begins_anew(clock: Any) -> None:
    def step(engine: Engine[Any, Any], batch: int) -> None:
        clock.sleep(engine.state.epoch)

    engine, timer = Engine(step), Timer()
    timer.attach(engine, start=Events.EPOCH_STARTED, pause=Events.EPOCH_COMPLETED)
    engine.run([0, 0, 0], max_epochs=4)
    assert timer.value() == 12


def test_by_the_real_clock_it_counts_seconds() -> None:
    timer = Timer()
    time.sleep(0.01)
    assert timer.value() >= 0.01
