"""The guard against stragglers: what it finds among times, in one process, and among real ranks."""

from __future__ import annotations

import copy
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import glowplug_torch as gt
from glowplug import Engine, Events
from glowplug.errors import InvalidArgument, InvalidType
from glowplug_handlers import StragglerGuard, StragglerWarning
from glowplug_handlers.stragglers_comparison import Limits, slow_handlers, slow_ranks
from glowplug_handlers.stragglers_times import Times, Window

LIMITS = Limits(ratio=1.5, share=0.05, handler_ratio=1.0)


def times(step: float, between: float = 0.0, **handlers: float) -> Times:
    return Times("node-7", step, between, handlers)


def found(*ranks: Times) -> list[str]:
    return [name for name, _ in slow_ranks(ranks, LIMITS)]


def test_a_rank_whose_steps_take_longer_is_found() -> None:
    assert found(times(1.0), times(1.0), times(2.0), times(1.1)) == ["step 2"]


def test_a_rank_whose_data_take_longer_is_found_though_the_others_wait_in_their_steps() -> None:
    assert found(times(2.0, 0.1), times(1.1, 1.0)) == ["between 1"]


def test_ranks_that_wait_for_each_other_are_not_taken_for_slow() -> None:
    assert found(times(2.0, 0.1), times(1.0, 1.1), times(2.0, 0.1)) == ["between 1"]


@given(st.floats(1e-6, 1e3), st.floats(1e-6, 1e3), st.integers(2, 9))
def test_equal_ranks_are_never_found(step: float, between: float, ranks: int) -> None:
    assert found(*[times(step, between)] * ranks) == []


@given(st.lists(st.floats(1.0, 1.4), min_size=2, max_size=8))
def test_ranks_within_the_ratio_are_never_found(steps: list[float]) -> None:
    assert found(*map(times, steps)) == []


@given(st.integers(2, 8), st.data())
def test_the_one_slow_rank_of_many_is_found_wherever_it_is(count: int, data: Any) -> None:
    slow = data.draw(st.integers(0, count - 1))
    assert found(*(times(2.0 if rank == slow else 1.0) for rank in range(count))) == [
        f"step {slow}"
    ]


def test_a_difference_that_costs_nothing_is_not_told() -> None:
    assert found(times(1.0, 0.001), times(1.0, 0.004)) == []


def test_the_warning_says_who_where_and_how_much() -> None:
    ranks = [times(0.1, 0.01, save=0.001), times(0.1, 0.31, save=0.29), times(0.1, 0.01)]
    ((_, warning),) = slow_ranks(ranks, LIMITS)
    assert str(warning) == (
        "rank 1 on node-7 takes 31.0 times as long as the other ranks for data and handlers between"
        " two steps (290 ms more in save): 310 ms an iteration, the others 10 ms (median); all of "
        "them wait for it"
    )
    assert (warning.rank, warning.handler, round(warning.factor)) == (1, None, 31)


def test_a_handler_that_takes_longer_than_all_the_rest_is_found() -> None:
    ((name, warning),) = slow_handlers(times(0.1, 0.5, save=0.4, show=0.1), LIMITS)
    assert (name, warning.handler, round(warning.factor)) == ("save", "save", 2)
    assert "save takes 400 ms of each iteration, 2.0 times as long as the step" in str(warning)


@contextmanager
def told() -> Iterator[list[Any]]:
    """Collect the warnings of stragglers."""
    caught: list[Any] = []
    with warnings.catch_warnings(record=True) as every:
        warnings.simplefilter("always")
        yield caught
    caught += [w for w in every if isinstance(w.message, StragglerWarning)]


@pytest.fixture
def slow_engine(clock: Any) -> Engine[Any, Any]:
    """An engine whose handler takes ten times as long as its step."""
    engine: Engine[Any, Any] = Engine(lambda engine, batch: time.sleep(0.001))
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda: time.sleep(0.01))
    return engine


def test_a_slow_handler_is_told_once_and_at_the_line_that_attached_it(slow_engine: Any) -> None:
    StragglerGuard(window=4).attach(slow_engine)
    with told() as caught:
        slow_engine.run(range(40))
        slow_engine.run(range(40))
    (warning,) = caught
    assert warning.filename == __file__
    assert warning.message.handler == "slow_engine.<locals>.<lambda> at ITERATION_COMPLETED"
    assert warning.message.factor == pytest.approx(10)


def test_the_first_window_and_a_single_slow_one_are_not_told(slow_engine: Any) -> None:
    StragglerGuard(window=4).attach(slow_engine)
    with told() as caught:
        slow_engine.run(range(11))  # the warm-up, and one window
    assert caught == []


def test_a_handler_that_is_slow_now_and_then_is_not_told(clock: Any) -> None:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: time.sleep(0.001))
    engine.add_event_handler(Events.ITERATION_COMPLETED(every=8), lambda: time.sleep(0.1))
    StragglerGuard(window=4).attach(engine)
    with told() as caught:
        engine.run(range(40))
    assert caught == []


def test_a_guard_that_came_off_tells_nothing_and_costs_nothing(slow_engine: Any) -> None:
    engine, guard = slow_engine, StragglerGuard(window=4)
    guard.attach(engine)
    with pytest.raises(InvalidArgument, match="attached to the engine already"):
        guard.attach(engine)
    guard.detach(engine)
    with told() as caught:
        engine.run(range(20))
    assert (caught, engine._observers) == ([], ())


def test_a_copy_of_an_engine_is_watched_by_nobody(slow_engine: Any) -> None:
    StragglerGuard(window=4).attach(slow_engine)
    with told() as caught:
        copy.deepcopy(slow_engine).run(range(20))
    assert caught == []


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"window": 0}, InvalidArgument, "window must be 1 or more, got 0"),
        ({"window": 1.5}, InvalidType, "window must be a whole number, got 1.5"),
        ({"ratio": 1.0}, InvalidArgument, "ratio must be above 1, got 1.0"),
        ({"share": 1}, InvalidArgument, "share must be above 0 and below 1, got 1"),
        ({"handler_ratio": "2"}, InvalidType, "handler_ratio must be a number, got '2'"),
        ({"in_a_row": 0}, InvalidArgument, "in_a_row must be 1 or more, got 0"),
    ],
)
def test_an_impossible_number_is_refused(arguments: Any, error: Any, said: str) -> None:
    with pytest.raises(error, match=said):
        StragglerGuard(**arguments)


def test_by_the_real_clock_a_step_takes_its_seconds() -> None:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: time.sleep(0.01))
    engine.observe(window := Window("nobody"))
    engine.run([1, 2])
    assert window.times("here").step >= 0.01


def train(local_rank: int, folder: Path, clock: Any, slow: str, in_step: bool) -> None:
    """Train on this rank, the second of which is slow, and keep what was told."""
    rank = gt.get_rank()

    def step(engine: Engine[Any, Any], batch: Any) -> None:
        clock.sleep(0.03 if (rank, slow) == (1, "step") else 0.005)
        if in_step:  # all go on when the last one has come
            clock.sleep(gt.all_reduce(clock.perf_counter(), op="MAX") - clock.perf_counter())

    def handle() -> None:
        clock.sleep(0.03 if (rank, slow) == (1, "handler") else 0.001)

    engine: Engine[Any, Any] = Engine(step)
    engine.add_event_handler(Events.ITERATION_COMPLETED, handle)
    StragglerGuard(window=5, handler_ratio=100).attach(engine)
    with told() as caught:
        engine.run(range(30))
    lines = [f"{warning.message.rank} {warning.message}" for warning in caught]
    (folder / str(rank)).write_text("\n".join(lines))


@pytest.fixture
def told_by_ranks(tmp_path: Path, clock: Any) -> Callable[..., list[str]]:
    """A function that trains on three ranks, each with its clock, and returns what they told."""

    def run(slow: str, *, in_step: bool) -> list[str]:
        arguments = (tmp_path, clock, slow, in_step)
        gt.spawn("gloo", train, arguments, None, 3, start_method="fork")  # the clock stays in place
        return [(tmp_path / str(rank)).read_text() for rank in range(3)]

    return run


def test_a_rank_with_slow_steps_is_named_by_the_first_rank(told_by_ranks: Any) -> None:
    assert told_by_ranks("step", in_step=False) == [
        f"1 rank 1 on {gt.hostname()} takes 6.0 times as long as the other ranks for a step: "
        "30 ms an iteration, the others 5 ms (median); all of them wait for it",
        "",
        "",
    ]


def test_a_rank_with_slow_handlers_is_named_though_the_others_wait_in_their_steps(
    told_by_ranks: Any,
) -> None:
    first, *_ = told_by_ranks("handler", in_step=True)
    assert first == (
        f"1 rank 1 on {gt.hostname()} takes 30.0 times as long as the other ranks for data and "
        "handlers between two steps (29 ms more in train.<locals>.handle at ITERATION_COMPLETED): "
        "30 ms an iteration, the others 1 ms (median); all of them wait for it"
    )
