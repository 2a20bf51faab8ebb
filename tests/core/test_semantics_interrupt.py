"""Line 13 of the contract: interrupt, and the run that continues at exactly that point."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from glowplug import Engine, Events
from glowplug.errors import DataWarning

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


def interrupt(engine: Engine[Any, Any], *_: Any) -> None:
    engine.interrupt()


def prepared(engine: Engine[Any, Any]) -> Engine[Any, Any]:
    """Let a run over "ab" in three epochs of three fire every event but EXCEPTION_RAISED."""
    engine.add_event_handler(Events.ITERATION_STARTED(once=5), lambda e: e.terminate_epoch())
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=7), lambda e: e.terminate())
    return engine


ALL = [event for event in Events if event not in (Events.EXCEPTION_RAISED, Events.INTERRUPT)]


def undisturbed(watch: Watch) -> list[str]:
    engine = prepared(Engine(echo))
    log = watch(engine)
    engine.run("ab", max_epochs=3, epoch_length=3)
    return log


@pytest.mark.parametrize("event", ALL)
def test_s13_interrupt_in_any_event_continues_at_exactly_that_point(
    engine: Engine[Any, Any], watch: Watch, event: Events
) -> None:
    log = watch(prepared(engine))
    engine.add_event_handler(event, interrupt)
    engine.run("ab", max_epochs=3, epoch_length=3)
    while not log[-2].startswith("COMPLETED") and not log[-1].startswith("COMPLETED"):
        engine.run()
    assert [entry for entry in log if not entry.startswith("INTERRUPT")] == undisturbed(watch)


@pytest.mark.parametrize("event", ALL)
def test_s13_interrupt_fires_after_the_handlers_of_the_event_and_run_returns(
    engine: Engine[Any, Any], watch: Watch, event: Events
) -> None:
    engine.add_event_handler(event, interrupt)
    log = watch(prepared(engine))
    assert engine.run("ab", max_epochs=3, epoch_length=3) is engine.state
    assert [entry.split()[0] for entry in log[-2:]] == [event.name, "INTERRUPT"]


def test_s13_started_is_not_fired_again(engine: Engine[Any, Any], watch: Watch) -> None:
    log = watch(engine)
    engine.add_event_handler(Events.STARTED, interrupt)
    engine.run("ab")
    assert log == ["STARTED 0.0", "INTERRUPT 0.0"]
    engine.run()
    assert log[2] == "EPOCH_STARTED 1.0"


def test_s13_the_same_iterator_goes_on(engine: Engine[Any, Any]) -> None:
    passes: list[int] = []

    class Data:
        def __iter__(self) -> Iterator[int]:
            passes.append(len(passes))
            yield from range(10)

        def __len__(self) -> int:
            return 10

    batches = batches_of(engine)
    engine.add_event_handler(Events.ITERATION_COMPLETED(every=3), interrupt)
    data = Data()
    for _ in range(4):
        engine.run(data)
    assert batches == list(range(10))
    assert passes == [0]


def test_s13_interrupt_in_the_step_takes_effect_after_iteration_completed(watch: Watch) -> None:
    engine = Engine[str, None](lambda e, batch: e.interrupt())
    log = watch(engine)
    engine.run("ab")
    assert log[-2:] == ["ITERATION_COMPLETED 1.1", "INTERRUPT 1.1"]
    engine.run()
    assert log[7] == "GET_BATCH_STARTED 1.1"


def test_s13_between_fetch_and_step_the_batch_is_kept(engine: Engine[Any, Any]) -> None:
    batches = batches_of(engine)
    engine.add_event_handler(Events.GET_BATCH_COMPLETED, interrupt)
    engine.run(iter("ab"), epoch_length=2)
    assert engine.state.batch == "a"
    engine.run()
    engine.run()
    assert batches == ["a", "b"]


def test_s13_a_replaced_batch_is_kept_too(engine: Engine[Any, Any]) -> None:
    @engine.on(Events.ITERATION_STARTED)
    def replace(engine: Engine[Any, Any]) -> None:
        engine.state.batch = "replaced"
        engine.interrupt()

    engine.run("a")
    assert engine.run().output == "replaced"


def test_s13_before_the_run_is_resumed_it_is_not_done(engine: Engine[Any, Any]) -> None:
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=2), interrupt)
    engine.run("ab")
    assert engine.state.iteration == 2
    batches = batches_of(engine)
    assert engine.run("ab") is engine.state
    assert batches == []


def test_s13_interrupt_in_completed_ends_the_run_and_the_next_is_a_new_one(
    engine: Engine[Any, Any], watch: Watch
) -> None:
    log = watch(engine)
    engine.add_event_handler(Events.COMPLETED, interrupt)
    engine.run("ab")
    assert log[-2:] == ["COMPLETED 1.2", "INTERRUPT 1.2"]
    engine.run("ab")
    assert log.count("STARTED 0.0") == 2


def test_s13_interrupt_in_interrupt_does_nothing_more(
    engine: Engine[Any, Any], watch: Watch
) -> None:
    log = watch(engine)
    engine.add_event_handler(Events.STARTED, interrupt)
    engine.add_event_handler(Events.INTERRUPT, interrupt)
    engine.run("ab")
    engine.run()
    assert log.count("INTERRUPT 0.0") == 1
    assert log[-1] == "COMPLETED 1.2"


@pytest.mark.parametrize("order", [1, -1])
def test_s13_terminate_wins_over_interrupt(
    engine: Engine[Any, Any], watch: Watch, order: int
) -> None:
    calls = [interrupt, lambda e: e.terminate()][::order]
    log = watch(engine)
    for call in calls:
        engine.add_event_handler(Events.ITERATION_STARTED, call)
    engine.run("ab", max_epochs=2)
    assert log[-3:] == ["ITERATION_STARTED 1.1", "TERMINATE 1.1", "COMPLETED 1.1"]


@pytest.mark.parametrize("order", [1, -1])
def test_s13_with_terminate_epoch_the_end_of_the_epoch_comes_at_the_next_run(
    engine: Engine[Any, Any], watch: Watch, order: int
) -> None:
    calls = [interrupt, lambda e: e.terminate_epoch()][::order]
    log = watch(engine)
    for call in calls:
        engine.add_event_handler(Events.ITERATION_COMPLETED(once=1), call)
    engine.run("ab", max_epochs=2)
    assert log[-2:] == ["ITERATION_COMPLETED 1.1", "INTERRUPT 1.1"]
    position = len(log)
    engine.run()
    assert log[position : position + 3] == [
        *("TERMINATE_SINGLE_EPOCH 1.1", "EPOCH_COMPLETED 1.1", "EPOCH_STARTED 2.1"),
    ]


def test_s13_terminate_in_interrupt_ends_the_run_at_once(
    engine: Engine[Any, Any], watch: Watch
) -> None:
    log = watch(engine)
    engine.add_event_handler(Events.ITERATION_COMPLETED, interrupt)
    engine.add_event_handler(Events.INTERRUPT, lambda e: e.terminate())
    engine.run("ab", max_epochs=2)
    assert log[-3:] == ["INTERRUPT 1.1", "TERMINATE 1.1", "COMPLETED 1.1"]
    engine.run("ab")
    assert "STARTED 1.1" in log


def test_s13_a_larger_end_may_be_given_at_the_resumption(
    engine: Engine[Any, Any], watch: Watch
) -> None:
    handle = engine.add_event_handler(Events.EPOCH_COMPLETED, interrupt)
    engine.run("abc", max_epochs=1, epoch_length=2)
    handle.remove()
    log, batches = watch(engine), batches_of(engine)
    engine.run(max_epochs=2)
    assert log[0] == "EPOCH_STARTED 2.2"
    assert batches == ["c", "a"]


def test_s13_a_larger_max_iters_goes_on_inside_the_epoch(engine: Engine[Any, Any]) -> None:
    handle = engine.add_event_handler(Events.ITERATION_COMPLETED(once=2), interrupt)
    engine.run("abc", max_iters=2)
    handle.remove()
    batches = batches_of(engine)
    assert engine.run(max_iters=4).epoch == 2
    assert batches == ["c", "a"]


def test_s13_a_refused_run_leaves_the_position_as_it_was(
    engine: Engine[Any, Any], watch: Watch
) -> None:
    engine.add_event_handler(Events.GET_BATCH_COMPLETED(once=1), interrupt)
    engine.run("abc", max_epochs=2)
    log = watch(engine)
    with pytest.raises(ValueError, match="epoch_length=7"):
        engine.run("abc", epoch_length=7)
    engine.run()
    assert log[0] == "ITERATION_STARTED 1.2"


def test_s13_an_end_of_none_drops_the_position(engine: Engine[Any, Any], watch: Watch) -> None:
    engine.add_event_handler(Events.ITERATION_STARTED(once=1), interrupt)
    engine.run("abc", max_epochs=2)
    engine.state.max_epochs = None
    log = watch(engine)
    engine.run("abc")
    assert log[0] == "STARTED 0.0"


def test_s13_other_data_at_the_resumption_feeds_the_next_fetch(engine: Engine[Any, Any]) -> None:
    batches = batches_of(engine)
    engine.add_event_handler(Events.GET_BATCH_COMPLETED(once=1), interrupt)
    engine.run("abc")
    engine.run("xyz")
    assert batches == ["a", "b", "x"]


def test_s13_set_data_between_feeds_the_next_fetch(engine: Engine[Any, Any]) -> None:
    batches = batches_of(engine)
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=1), interrupt)
    engine.run("abc")
    engine.set_data("xyz")
    engine.run()
    assert batches == ["a", "x", "y"]


def test_s13_data_that_gave_out_warns_after_the_resumption(
    engine: Engine[Any, Any], watch: Watch
) -> None:
    engine.add_event_handler(Events.DATALOADER_STOP_ITERATION, interrupt)
    engine.run(iter("ab"), epoch_length=3)
    log = watch(engine)
    with pytest.warns(DataWarning, match="after 2 of 3"):
        engine.run()
    assert log == ["EPOCH_COMPLETED 1.2", "COMPLETED 1.2"]


def test_s13_the_time_between_is_not_counted(engine: Engine[Any, Any], clock: Any) -> None:
    engine.add_event_handler(Events.ITERATION_STARTED, lambda: clock.sleep(1))
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=1), interrupt)
    engine.run("ab")
    clock.sleep(100)
    state = engine.run()
    assert (state.times["EPOCH_COMPLETED"], state.times["COMPLETED"]) == (2, 2)


def test_s13_no_frame_is_suspended_meanwhile(engine: Engine[Any, Any]) -> None:
    engine.add_event_handler(Events.ITERATION_STARTED, interrupt)
    engine.run("abc")
    held = [*vars(engine).values(), *vars(engine.state).values()]
    assert not [value for value in held if inspect.isgenerator(value) or inspect.isframe(value)]
