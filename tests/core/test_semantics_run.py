"""Lines 0 to 2 of the contract: the step, one run, its batch and output."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

import pytest

from glowplug import Engine, Events

Watch = Callable[[Engine[Any, Any]], list[str]]


def echo(engine: Engine[Any, Any], batch: Any) -> Any:
    return batch


class Steps:
    def method(self, engine: Engine[Any, Any], batch: Any) -> Any:
        return batch

    __call__ = method


def three(engine: Engine[Any, Any], batch: Any, factor: int) -> Any:
    return batch * factor


async def coroutine(engine: Engine[Any, Any], batch: Any) -> None: ...


NO_STEPS: list[Any] = [None, 3, "step", lambda: None, lambda engine: None, three, coroutine]


@pytest.mark.parametrize("step", NO_STEPS)
def test_s00_what_cannot_be_called_with_engine_and_batch_is_refused(step: Any) -> None:
    with pytest.raises(ValueError, match=r"step\(engine, batch\)"):
        Engine(step)


STEPS: list[Any] = [
    echo,
    Steps(),
    Steps().method,
    lambda *all_: 1,
    functools.partial(three, factor=2),
]


@pytest.mark.parametrize("step", STEPS)
def test_s00_any_callable_of_engine_and_batch_is_a_step(step: Any) -> None:
    assert Engine(step).run([1]).iteration == 1


def test_s00_the_refusal_names_the_step_and_its_signature() -> None:
    with pytest.raises(ValueError, match=r"three\(engine.*factor"):
        Engine(three)  # type: ignore[arg-type]  # what the test is about


def test_s01_a_run_fires_its_events_in_the_order_of_the_diagram(watch: Watch) -> None:
    engine = Engine(echo)
    log = watch(engine)
    engine.run([7, 8])
    assert log == [
        "STARTED 0.0",
        "EPOCH_STARTED 1.0",
        *("GET_BATCH_STARTED 1.0", "GET_BATCH_COMPLETED 1.0"),
        *("ITERATION_STARTED 1.1", "ITERATION_COMPLETED 1.1"),
        *("GET_BATCH_STARTED 1.1", "GET_BATCH_COMPLETED 1.1"),
        *("ITERATION_STARTED 1.2", "ITERATION_COMPLETED 1.2"),
        "EPOCH_COMPLETED 1.2",
        "COMPLETED 1.2",
    ]


def test_s01_run_returns_the_state() -> None:
    engine = Engine(echo)
    assert engine.run([1]) is engine.state


def test_s01_counters_are_zero_before_the_first() -> None:
    state: Any = Engine(echo).state
    assert (state.epoch, state.iteration) == (0, 0)


def test_s01_the_step_sees_the_count_of_its_iteration() -> None:
    seen: list[tuple[int, int]] = []
    engine = Engine[int, None](lambda e, b: seen.append((e.state.epoch, e.state.iteration)))
    engine.run([1, 2], max_epochs=2)
    assert seen == [(1, 1), (1, 2), (2, 3), (2, 4)]


@pytest.mark.parametrize("event", [Events.EPOCH_COMPLETED, Events.COMPLETED])
def test_s01_handlers_see_the_time_before_them_and_afterwards_it_includes_theirs(
    event: Events, clock: Any
) -> None:
    engine = Engine[int, None](lambda e, b: clock.sleep(1))
    seen: list[float] = []

    @engine.on(event)
    def slow(engine: Engine[int, None]) -> None:
        seen.append(engine.state.times[event.name] or 0.0)
        clock.sleep(2)

    state = engine.run([1])
    assert (seen, state.times[event.name]) == ([1], 1 + 2)


def test_s01_the_time_of_an_epoch_is_that_epochs_alone(clock: Any) -> None:
    engine = Engine[float, None](lambda e, b: clock.sleep(b))
    times: list[float] = []
    engine.add_event_handler(
        Events.EPOCH_COMPLETED, lambda e: times.append(e.state.times["EPOCH_COMPLETED"])
    )
    engine.run(iter([8, 3]), max_epochs=2, epoch_length=1)
    assert times == [8, 3]


def test_s02_a_handler_of_iteration_started_may_replace_the_batch() -> None:
    engine = Engine[int, int](lambda e, batch: batch + 1)

    @engine.on(Events.ITERATION_STARTED)
    def replace(engine: Engine[int, int]) -> None:
        engine.state.batch = 40 + engine.state.batch

    assert engine.run([1]).output == 42


def test_s02_batch_and_output_of_the_last_iteration_stand_after_the_run() -> None:
    state = Engine[int, int](lambda e, batch: -batch).run([1, 2])
    assert (state.batch, state.output) == (2, -2)


def test_s01_the_time_of_a_run_is_that_runs_alone(clock: Any) -> None:
    engine = Engine[float, None](lambda e, b: clock.sleep(b))
    engine.run([8])
    clock.sleep(100)
    assert engine.run([3]).times["COMPLETED"] == 3


def test_s01_times_are_seconds_of_the_real_clock() -> None:
    times = Engine[float, None](lambda e, b: time.sleep(b)).run([0.01]).times
    assert (times["COMPLETED"] or 0) >= (times["EPOCH_COMPLETED"] or 0) >= 0.01
