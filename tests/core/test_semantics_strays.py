"""Lines 14 and 15 of the contract: exits, the engine afterwards, and stray StopIterations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from glowplug import Engine, EventEnum, Events
from glowplug.errors import StrayStopIteration

Watch = Callable[[Engine[Any, Any]], list[str]]


def echo(engine: Engine[Any, Any], batch: Any) -> Any:
    return batch


@pytest.fixture
def engine() -> Engine[Any, Any]:
    return Engine(echo)


def raising(error: BaseException) -> Callable[..., Any]:
    def step(*_: Any) -> Any:
        raise error

    return step


@pytest.mark.parametrize("error", [KeyboardInterrupt("^C"), SystemExit(3)])
def test_s14_exits_take_the_same_way(watch: Watch, error: BaseException) -> None:
    engine = Engine(raising(error))
    log = watch(engine)
    with pytest.raises(type(error), match=str(error)[-1]):
        engine.run("abc")
    assert log[-1] == "EXCEPTION_RAISED 1.1"


def test_s14_a_handler_may_turn_ctrl_c_into_an_orderly_end(watch: Watch) -> None:
    engine = Engine(raising(KeyboardInterrupt()))
    log = watch(engine)

    @engine.on(Events.EXCEPTION_RAISED)
    def stop(engine: Engine[Any, Any], error: BaseException) -> None:
        if isinstance(error, KeyboardInterrupt):
            engine.terminate()

    engine.run("abc")
    assert log[-2:] == ["TERMINATE 1.1", "COMPLETED 1.1"]


def test_s14_generator_exit_does_not(watch: Watch) -> None:
    engine = Engine(raising(GeneratorExit("closed")))
    log = watch(engine)
    with pytest.raises(GeneratorExit, match="closed"):
        engine.run("abc")
    assert log[-1] == "ITERATION_STARTED 1.1"


FAILURES: list[BaseException] = [KeyError("x"), KeyboardInterrupt("x"), GeneratorExit("x")]


@pytest.mark.parametrize("error", FAILURES)
def test_s14_the_engine_is_usable_again_at_once(watch: Watch, error: BaseException) -> None:
    failures = [error]

    def step(engine: Engine[Any, Any], batch: str) -> str:
        if batch == "b" and failures:
            raise failures.pop()
        return batch

    engine = Engine(step)
    with pytest.raises(type(error), match="x"):
        engine.run("abc", max_epochs=2)
    log = watch(engine)
    state = engine.run("abc")
    assert log[:2] == ["STARTED 1.2", "EPOCH_STARTED 2.2"]
    assert (state.epoch, state.iteration, state.output) == (2, 5, "c")


def test_s14_after_an_exception_the_next_run_takes_a_fresh_iterator(
    engine: Engine[Any, Any],
) -> None:
    @engine.on(Events.ITERATION_COMPLETED(once=1))
    def fail() -> None:
        raise KeyError("once")

    with pytest.raises(KeyError, match="once"):
        engine.run("abcdef", max_epochs=2, epoch_length=2)
    seen: list[str] = []
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda e: seen.append(e.state.batch))
    engine.run("abcdef")
    assert seen == ["a", "b"]


def test_s14_an_exception_in_the_first_event_loses_nothing(
    engine: Engine[Any, Any], watch: Watch
) -> None:
    handle = engine.add_event_handler(Events.STARTED, raising(KeyError("x")))
    with pytest.raises(KeyError, match="x"):
        engine.run("ab", max_epochs=2)
    handle.remove()
    assert engine.run("ab").iteration == 4


def stop(*_: Any) -> Any:
    raise StopIteration("stray")


class Custom(EventEnum):
    PING = "ping"


PLACES: dict[str, Callable[[], Engine[Any, Any]]] = {}


def place(make: Callable[[], Engine[Any, Any]]) -> Callable[[], Engine[Any, Any]]:
    PLACES[make.__name__] = make
    return make


@place
def step() -> Engine[Any, Any]:
    return Engine(stop)


@place
def handler() -> Engine[Any, Any]:
    engine = Engine(echo)
    engine.add_event_handler(Events.ITERATION_STARTED, stop)
    return engine


@place
def handler_of_the_end_of_the_data() -> Engine[Any, Any]:
    engine = Engine(echo)
    engine.add_event_handler(Events.DATALOADER_STOP_ITERATION, stop)
    return engine


@place
def event_filter() -> Engine[Any, Any]:
    engine = Engine(echo)
    engine.add_event_handler(Events.GET_BATCH_STARTED(event_filter=stop), lambda: None)
    return engine


@place
def nested() -> Engine[Any, Any]:
    engine = Engine[Any, Any](lambda e, batch: e.fire_event(Custom.PING))
    engine.register_events(*Custom)
    engine.add_event_handler(Custom.PING, stop)
    return engine


@place
def handler_of_exceptions() -> Engine[Any, Any]:
    engine = Engine(raising(KeyError("first")))
    engine.add_event_handler(Events.EXCEPTION_RAISED, stop)
    return engine


@pytest.mark.parametrize("make", PLACES.values(), ids=PLACES.keys())
def test_s15_a_stray_stop_iteration_is_a_runtime_error_from_it(
    make: Callable[[], Engine[Any, Any]],
) -> None:
    with pytest.raises(RuntimeError, match="a StopIteration left") as raised:
        make().run("ab", epoch_length=3)
    assert isinstance(raised.value, StrayStopIteration)
    assert isinstance(raised.value.__cause__, StopIteration)


def test_s15_exception_raised_carries_the_runtime_error() -> None:
    engine = Engine(stop)
    caught: list[BaseException] = []
    engine.add_event_handler(Events.EXCEPTION_RAISED, caught.append)
    with pytest.raises(StrayStopIteration, match="left the step") as raised:
        engine.run("ab")
    assert caught == [raised.value]


def test_s15_a_stop_iteration_of_the_data_ends_the_data(engine: Engine[Any, Any]) -> None:
    class Three:
        def __init__(self) -> None:
            self.left = 3

        def __iter__(self) -> Iterator[int]:
            return self

        def __next__(self) -> int:
            self.left -= 1
            if self.left < 0:
                raise StopIteration
            return self.left

    assert engine.run(Three()).epoch_length == 3


def test_s15_a_stop_iteration_inside_a_generator_of_data_is_pythons_error(
    engine: Engine[Any, Any],
) -> None:
    def produce() -> Iterator[int]:
        yield 1
        yield next(iter(()))

    with pytest.raises(RuntimeError, match="generator raised StopIteration"):
        engine.run(produce())
