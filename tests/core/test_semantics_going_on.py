"""Line 12 of the contract: the run after a termination, and termination from elsewhere."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from glowplug import Engine, Events

Watch = Callable[[Engine[Any, Any]], list[str]]


def echo(engine: Engine[Any, Any], batch: Any) -> Any:
    return batch


@pytest.fixture
def engine() -> Engine[Any, Any]:
    return Engine(echo)


def batches_of(engine: Engine[Any, Any]) -> list[Any]:
    seen: list[Any] = []
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda e: seen.append(e.state.batch))
    return seen


def terminate(engine: Engine[Any, Any]) -> None:
    engine.terminate()


def test_s12_run_after_terminate_goes_on_from_the_next_epoch(
    engine: Engine[Any, Any], watch: Watch
) -> None:
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=4), terminate)
    engine.run("abc", max_epochs=3)
    log, batches = watch(engine), batches_of(engine)
    state = engine.run("abc")
    assert log[:2] == ["STARTED 2.4", "EPOCH_STARTED 3.4"]
    assert batches == ["a", "b", "c"]
    assert (state.epoch, state.iteration, log[-1]) == (3, 7, "COMPLETED 3.7")


def test_s12_run_after_terminate_takes_a_fresh_iterator_of_longer_data(
    engine: Engine[Any, Any],
) -> None:
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=1), terminate)
    engine.run("abcdef", max_epochs=2, epoch_length=2)
    batches = batches_of(engine)
    engine.run("abcdef")
    assert batches == ["a", "b"]


def test_s12_run_after_terminate_from_started_has_lost_nothing(engine: Engine[Any, Any]) -> None:
    handle = engine.add_event_handler(Events.STARTED, terminate)
    engine.run("ab", max_epochs=2)
    handle.remove()
    assert engine.run("ab").iteration == 4


def test_s12_run_after_terminate_in_the_last_epoch_starts_anew(
    engine: Engine[Any, Any], watch: Watch
) -> None:
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=3), terminate)
    engine.run("ab", max_epochs=2)
    log = watch(engine)
    engine.run("ab")
    assert log[0] == "STARTED 0.0"


def test_s12_run_after_terminate_goes_on_to_max_iters(
    engine: Engine[Any, Any], watch: Watch
) -> None:
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=3), terminate)
    engine.run("ab", max_iters=7)
    log = watch(engine)
    state = engine.run("ab")
    assert log[1] == "EPOCH_STARTED 3.3"
    assert (state.epoch, state.iteration) == (4, 7)


def test_s12_a_length_that_is_not_known_yet_may_be_given_at_the_next_run(
    engine: Engine[Any, Any],
) -> None:
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=1), terminate)
    engine.run((n for n in range(9)), max_epochs=2)
    assert engine.state.epoch_length is None
    assert engine.run((n for n in range(9)), epoch_length=3).iteration == 4


def test_s12_should_terminate_is_readable_after_the_run_and_reset_at_the_next(
    engine: Engine[Any, Any],
) -> None:
    seen: list[bool] = []
    engine.add_event_handler(Events.STARTED, lambda e: seen.append(e.should_terminate))
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=1), terminate)
    engine.run("ab", max_epochs=2)
    assert engine.should_terminate
    engine.run("ab")
    assert seen == [False, False]
    assert not engine.should_terminate


@pytest.mark.parametrize("call", [terminate, lambda engine: engine.interrupt()])
def test_s12_a_call_outside_a_run_does_not_reach_the_next(
    engine: Engine[Any, Any], call: Callable[[Engine[Any, Any]], None]
) -> None:
    call(engine)
    assert engine.run("ab").iteration == 2


def test_s12_a_call_between_an_interruption_and_its_resumption_does_not_reach_the_run(
    engine: Engine[Any, Any],
) -> None:
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=1), lambda e: e.interrupt())
    engine.run("ab", max_epochs=2)
    engine.terminate()
    assert engine.run().iteration == 4
    assert not engine.should_terminate


def test_s12_another_thread_may_terminate_a_run() -> None:
    begun, asked = threading.Event(), threading.Event()

    def step(engine: Engine[Any, Any], batch: int) -> None:
        begun.set()
        assert asked.wait(60)

    engine = Engine(step)

    def stop() -> None:
        begun.wait(60)
        engine.terminate()
        asked.set()

    thread = threading.Thread(target=stop)
    thread.start()
    assert engine.run(range(1000)).iteration == 1
    thread.join()


def test_s12_a_signal_handler_may_terminate_a_run(watch: Watch) -> None:
    def step(engine: Engine[Any, Any], batch: int) -> None:
        if batch == 5:
            signal.raise_signal(signal.SIGINT)

    engine = Engine(step)
    log = watch(engine)
    before = signal.signal(signal.SIGINT, lambda *_: engine.terminate())
    try:
        engine.run(range(1000))
    finally:
        signal.signal(signal.SIGINT, before)
    assert log[-3:] == ["ITERATION_COMPLETED 1.6", "TERMINATE 1.6", "COMPLETED 1.6"]


def test_s12_data_may_terminate_the_run_that_fetches_from_it(engine: Engine[Any, Any]) -> None:
    def produce() -> Iterator[int]:
        yield from (1, 2)
        engine.terminate()
        yield from (3, 4, 5)

    assert engine.run(produce(), epoch_length=5).iteration <= 3
    assert engine.should_terminate


@pytest.mark.parametrize("event", [Events.GET_BATCH_COMPLETED, Events.ITERATION_STARTED])
def test_s12_when_a_call_from_the_data_is_obeyed_does_not_hang_on_who_listens(
    event: Events,
) -> None:
    def steps_of(listener: Events | None) -> list[int]:
        steps: list[int] = []
        engine = Engine[int, None](lambda e, batch: steps.append(batch))

        def produce() -> Iterator[int]:
            yield 1
            engine.terminate()
            yield from (2, 3)

        if listener is not None:
            engine.add_event_handler(listener, lambda: None)
        engine.run(produce(), epoch_length=3)
        return steps

    assert steps_of(event) == steps_of(None)
