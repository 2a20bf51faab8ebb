"""Line 14 of the contract: an exception in a step, a handler or the data."""

from __future__ import annotations

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


def failing(engine: Engine[Any, Any], batch: Any) -> Any:
    if engine.state.iteration == 2:
        raise KeyError("broken step")
    return batch


def broken(*_: Any) -> None:
    raise KeyError("broken handler")


def broken_data() -> Iterator[int]:
    yield 1
    raise OSError("broken data")


def names(log: list[str]) -> list[str]:
    return [entry.split()[0] for entry in log]


def terminate(engine: Engine[Any, Any], _: BaseException) -> None:
    engine.terminate()


def terminate_epoch(engine: Engine[Any, Any], _: BaseException) -> None:
    engine.terminate_epoch()


def with_ends(engine: Engine[Any, Any]) -> Engine[Any, Any]:
    """Let a run over "ab" in two epochs of three fire every event but the one of exceptions."""
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=2), lambda e: e.interrupt())
    engine.add_event_handler(Events.ITERATION_STARTED(once=4), lambda e: e.terminate_epoch())
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=5), lambda e: e.terminate())
    return engine


def run_all(engine: Engine[Any, Any]) -> None:
    engine.run("ab", max_epochs=3, epoch_length=3)
    engine.run()


EVERYWHERE = [event for event in Events if event is not Events.EXCEPTION_RAISED]


@pytest.mark.parametrize("event", EVERYWHERE)
def test_s14_an_exception_in_any_handler_fires_once_and_leaves_run(
    engine: Engine[Any, Any], watch: Watch, event: Events
) -> None:
    caught: list[BaseException] = []
    engine.add_event_handler(Events.EXCEPTION_RAISED, caught.append)
    log = watch(with_ends(engine))
    engine.add_event_handler(event, broken)
    with pytest.raises(KeyError, match="broken handler") as raised:
        run_all(engine)
    assert caught == [raised.value]
    assert names(log[-2:]) == [event.name, "EXCEPTION_RAISED"]


def test_s14_an_exception_in_the_step_fires_once_and_leaves_run(watch: Watch) -> None:
    engine = Engine(failing)
    log = watch(engine)
    with pytest.raises(KeyError, match="broken step"):
        engine.run("abc")
    assert log[-2:] == ["ITERATION_STARTED 1.2", "EXCEPTION_RAISED 1.2"]


def test_s14_an_exception_in_the_data_fires_once_and_leaves_run(
    engine: Engine[Any, Any], watch: Watch
) -> None:
    log = watch(engine)
    with pytest.raises(OSError, match="broken data"):
        engine.run(broken_data())
    assert log[-2:] == ["GET_BATCH_STARTED 1.1", "EXCEPTION_RAISED 1.1"]


def test_s14_an_exception_in_making_the_iterator_is_no_other(
    engine: Engine[Any, Any], watch: Watch
) -> None:
    class Broken:
        def __iter__(self) -> Iterator[int]:
            raise OSError("no workers")

    log = watch(engine)
    with pytest.raises(OSError, match="no workers"):
        engine.run(Broken())
    assert names(log[-1:]) == ["EXCEPTION_RAISED"]


def test_s14_a_handler_that_only_watches_swallows_nothing() -> None:
    engine = Engine(failing)
    engine.add_event_handler(Events.EXCEPTION_RAISED, lambda e, error: True)
    with pytest.raises(KeyError, match="broken step"):
        engine.run("abc")


@pytest.mark.parametrize(
    ("skip", "following"), [(False, ["TERMINATE 1.2", "COMPLETED 1.2"]), (True, ["TERMINATE 1.2"])]
)
def test_s14_terminate_in_exception_raised_asks_for_an_orderly_end(
    watch: Watch, skip: bool, following: list[str]
) -> None:
    engine = Engine(failing)
    log = watch(engine)
    engine.add_event_handler(
        Events.EXCEPTION_RAISED, lambda e, error: e.terminate(skip_completed=skip)
    )
    assert engine.run("abc") is engine.state
    assert log[-len(following) - 1 :] == ["EXCEPTION_RAISED 1.2", *following]


@pytest.mark.parametrize(
    "event",
    [Events.STARTED, Events.EPOCH_STARTED, Events.GET_BATCH_STARTED, Events.EPOCH_COMPLETED],
)
def test_s14_the_orderly_end_comes_wherever_the_exception_was(
    engine: Engine[Any, Any], watch: Watch, event: Events
) -> None:
    log = watch(engine)
    engine.add_event_handler(event, broken)
    engine.add_event_handler(Events.EXCEPTION_RAISED, terminate)
    engine.run("abc")
    assert names(log[-4:]) == [event.name, "EXCEPTION_RAISED", "TERMINATE", "COMPLETED"]


def test_s14_an_orderly_end_after_a_broken_completed_does_not_fire_it_again(
    engine: Engine[Any, Any], watch: Watch
) -> None:
    log = watch(engine)
    engine.add_event_handler(Events.COMPLETED, broken)
    engine.add_event_handler(Events.EXCEPTION_RAISED, terminate)
    engine.run("a")
    assert names(log).count("COMPLETED") == 1


@pytest.mark.parametrize(("skip", "last"), [(False, "COMPLETED"), (True, "EXCEPTION_RAISED")])
def test_s14_an_orderly_end_after_a_broken_terminate_goes_on_to_completed_unless_skipped(
    engine: Engine[Any, Any], watch: Watch, skip: bool, last: str
) -> None:
    log = watch(engine)
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda e: e.terminate())
    engine.add_event_handler(Events.TERMINATE, broken)
    engine.add_event_handler(
        Events.EXCEPTION_RAISED, lambda e, error: e.terminate(skip_completed=skip)
    )
    engine.run("a")
    assert names(log)[-1] == last
    assert names(log).count("TERMINATE") == 1


def test_s14_terminate_epoch_in_exception_raised_ends_the_epoch_and_the_run_goes_on(
    watch: Watch,
) -> None:
    engine = Engine(failing)
    log = watch(engine)
    engine.add_event_handler(Events.EXCEPTION_RAISED, terminate_epoch)
    engine.run("abc", max_epochs=2)
    assert log[8:13] == [
        *("ITERATION_STARTED 1.2", "EXCEPTION_RAISED 1.2", "TERMINATE_SINGLE_EPOCH 1.2"),
        *("EPOCH_COMPLETED 1.2", "EPOCH_STARTED 2.2"),
    ]
    assert log[-1] == "COMPLETED 2.5"


@pytest.mark.parametrize(
    ("event", "begun"), [(Events.ITERATION_STARTED, 2), (Events.GET_BATCH_COMPLETED, 2)]
)
def test_s14_the_epoch_so_ended_counts_the_iterations_begun(
    engine: Engine[Any, Any], event: Events, begun: int
) -> None:
    counters: list[int] = []
    engine.add_event_handler(event(once=2), broken)
    engine.add_event_handler(Events.EXCEPTION_RAISED, terminate_epoch)
    engine.add_event_handler(Events.TERMINATE_SINGLE_EPOCH, lambda e, n: counters.append(n))
    engine.run("abc")
    assert counters == [begun]


def test_s14_the_epoch_ended_by_a_broken_step_counts_that_iteration() -> None:
    engine = Engine(failing)
    counters: list[int] = []
    engine.add_event_handler(Events.EXCEPTION_RAISED, terminate_epoch)
    engine.add_event_handler(Events.TERMINATE_SINGLE_EPOCH, lambda e, n: counters.append(n))
    engine.run("abc")
    assert counters == [2]


def test_s14_where_no_epochs_data_runs_terminate_epoch_is_an_error_chained_to_the_first(
    engine: Engine[Any, Any],
) -> None:
    engine.add_event_handler(Events.STARTED, broken)
    engine.add_event_handler(Events.EXCEPTION_RAISED, terminate_epoch)
    with pytest.raises(RuntimeError, match="no epoch's data runs") as raised:
        engine.run("abc")
    assert isinstance(raised.value.__context__, KeyError)


@pytest.mark.parametrize("event", [Events.COMPLETED, Events.TERMINATE])
def test_s14_terminate_epoch_saves_nothing_where_the_run_is_ending_already(
    engine: Engine[Any, Any], watch: Watch, event: Events
) -> None:
    failures: list[int] = []

    @engine.on(event)
    def fail_at_first() -> None:
        failures.append(1)
        if len(failures) < 3:  # so that an engine that runs in circles ends all the same
            raise KeyError("broken end")

    engine.add_event_handler(Events.ITERATION_COMPLETED(once=1), lambda e: e.terminate())
    engine.add_event_handler(Events.EXCEPTION_RAISED, terminate_epoch)
    with pytest.raises(KeyError, match="broken end"):
        engine.run("abc", max_epochs=2)
    assert len(failures) == 1


@pytest.mark.parametrize("order", [1, -1])
def test_s14_terminate_epoch_and_interrupt_in_exception_raised_are_both_obeyed(
    watch: Watch, order: int
) -> None:
    engine = Engine(failing)
    log = watch(engine)
    for call in [terminate_epoch, lambda e, error: e.interrupt()][::order]:
        engine.add_event_handler(Events.EXCEPTION_RAISED, call)
    engine.run("abc", max_epochs=2)
    assert log[-2:] == ["EXCEPTION_RAISED 1.2", "INTERRUPT 1.2"]
    engine.run()
    assert "TERMINATE_SINGLE_EPOCH 1.2" in log
    assert log[-1] == "COMPLETED 2.5"


def test_s14_interrupt_alone_does_not_save_the_run() -> None:
    engine = Engine(failing)
    engine.add_event_handler(Events.EXCEPTION_RAISED, lambda e, error: e.interrupt())
    with pytest.raises(KeyError, match="broken step"):
        engine.run("abc")


def test_s14_a_handler_that_raises_another_exception_lets_that_one_out_chained() -> None:
    def worse(engine: Engine[Any, Any], error: BaseException) -> None:
        raise ValueError("while handling")

    engine = Engine(failing)
    engine.add_event_handler(Events.EXCEPTION_RAISED, worse)
    with pytest.raises(ValueError, match="while handling") as raised:
        engine.run("abc")
    assert isinstance(raised.value.__context__, KeyError)


def test_s14_a_call_before_the_exception_in_the_same_event_saves_nothing(
    engine: Engine[Any, Any],
) -> None:
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda e: e.terminate())
    engine.add_event_handler(Events.ITERATION_COMPLETED, broken)
    with pytest.raises(KeyError, match="broken handler"):
        engine.run("abc")
