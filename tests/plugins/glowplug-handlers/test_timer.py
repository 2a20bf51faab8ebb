"""A stopwatch, by hand and by events, on a clock that the tests turn."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glowplug import Engine, Events
from glowplug_handlers import Timer


class Clock:
    """A clock that the tests turn."""

    now = 50.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("glowplug_handlers.timer.perf_counter", made)
    return made


def test_it_runs_from_the_moment_in_which_it_is_made(clock: Clock) -> None:
    timer = Timer()
    clock.now += 3
    assert (timer.value(), timer.running, timer.total) == (3, True, 0)


def test_a_pause_does_not_count(clock: Clock) -> None:
    timer = Timer()
    clock.now += 3
    timer.pause()
    clock.now += 10
    timer.resume()
    clock.now += 1
    assert timer.value() == 4


def test_pausing_and_resuming_twice_does_what_once_does(clock: Clock) -> None:
    timer = Timer()
    for change in (timer.resume, timer.pause, timer.pause, timer.resume, timer.resume):
        clock.now += 1
        change()
    clock.now += 1
    assert timer.value() == 2 + 1 + 1


def test_the_average_is_that_of_the_steps(clock: Clock) -> None:
    timer = Timer(average=True)
    clock.now += 6
    assert timer.value() == 6
    timer.step()
    timer.step()
    timer.step()
    assert (timer.value(), timer.step_count) == (2, 3)


def test_reset_begins_anew_and_returns_the_timer(clock: Clock) -> None:
    timer = Timer()
    timer.step()
    clock.now += 6
    assert timer.reset() is timer
    assert (timer.value(), timer.step_count, timer.running) == (0, 0, True)


@given(st.lists(st.tuples(st.sampled_from("prsv0"), st.integers(0, 9)), max_size=30))
def test_it_counts_as_a_slow_model_does(actions: list[tuple[str, int]]) -> None:
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("glowplug_handlers.timer.perf_counter", clock)
        timer, running, counted = Timer(), True, 0
        for name, seconds in actions:
            clock.now += seconds
            counted += seconds if running else 0
            named = {"p": timer.pause, "r": timer.resume, "s": timer.step, "0": timer.reset}
            named.get(name, timer.value)()
            running = {"p": False, "r": True, "0": True}.get(name, running)
            counted = 0 if name == "0" else counted
            assert timer.value() == counted


def test_the_time_of_a_run_is_that_from_its_start_to_its_end(clock: Clock) -> None:
    def step(engine: Engine[Any, Any], batch: int) -> None:
        clock.now += batch

    engine, timer = Engine(step), Timer()
    assert timer.attach(engine) is timer
    clock.now += 100
    engine.run([1, 2, 3])
    clock.now += 100
    assert (timer.value(), timer.running) == (6, False)


def test_between_the_events_of_an_iteration_lies_the_step_alone(clock: Clock) -> None:
    def step(engine: Engine[Any, Any], batch: int) -> None:
        clock.now += batch

    def dawdle() -> None:
        clock.now += 1000

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


def test_what_comes_before_the_first_pause_counts_where_nothing_is_resumed(clock: Clock) -> None:
    def batches() -> Any:
        for seconds in (5, 7, 9):
            clock.now += seconds
            yield seconds

    def step(engine: Engine[Any, Any], batch: int) -> None:
        clock.now += 1000

    engine, timer = Engine(step), Timer()
    started, completed = Events.ITERATION_STARTED, Events.ITERATION_COMPLETED
    timer.attach(engine, start=Events.EPOCH_STARTED, pause=started, resume=completed)
    engine.add_event_handler(Events.ITERATION_STARTED, lambda: seen.append(timer.value()))
    seen: list[float] = []
    engine.run(batches(), epoch_length=3)
    assert seen == [5, 12, 21]


def test_in_another_epoch_it_begins_anew(clock: Clock) -> None:
    def step(engine: Engine[Any, Any], batch: int) -> None:
        clock.now += engine.state.epoch

    engine, timer = Engine(step), Timer()
    timer.attach(engine, start=Events.EPOCH_STARTED, pause=Events.EPOCH_COMPLETED)
    engine.run([0, 0, 0], max_epochs=4)
    assert timer.value() == 12


def test_by_the_real_clock_it_is_exact() -> None:
    before = time.perf_counter()
    timer = Timer()
    began = time.perf_counter()
    time.sleep(0.01)
    ended = time.perf_counter()
    value = timer.value()
    assert ended - began <= value <= time.perf_counter() - before
