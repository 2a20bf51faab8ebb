"""Lines 9 to 12 of the contract: terminate and terminate_epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from glowplug import Engine, Events
from glowplug.errors import NothingToEnd

Watch = Callable[[Engine[Any, Any]], list[str]]
Call = Callable[[Engine[Any, Any]], None]


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


def terminate_epoch(engine: Engine[Any, Any]) -> None:
    engine.terminate_epoch()


# What follows ITERATION_COMPLETED of epoch 1, iteration 2 of 3, up to the next epoch or the end.
TABLE: list[tuple[Call, list[str]]] = [
    (
        lambda e: None,
        [
            *("GET_BATCH_STARTED 1.2", "GET_BATCH_COMPLETED 1.2"),
            *("ITERATION_STARTED 1.3", "ITERATION_COMPLETED 1.3"),
            *("EPOCH_COMPLETED 1.3", "EPOCH_STARTED 2.3"),
        ],
    ),
    (
        lambda e: e.terminate_epoch(),
        ["TERMINATE_SINGLE_EPOCH 1.2", "EPOCH_COMPLETED 1.2", "EPOCH_STARTED 2.2"],
    ),
    (
        lambda e: e.terminate_epoch(skip_epoch_completed=True),
        ["TERMINATE_SINGLE_EPOCH 1.2", "EPOCH_STARTED 2.2"],
    ),
    (lambda e: e.terminate(), ["TERMINATE 1.2", "COMPLETED 1.2"]),
    (lambda e: e.terminate(skip_completed=True), ["TERMINATE 1.2"]),
]
ROWS = ["none", "terminate_epoch", "skip_epoch_completed", "terminate", "skip_completed"]


@pytest.mark.parametrize(("call", "following"), TABLE, ids=ROWS)
def test_s09_each_call_is_followed_by_what_its_row_says(
    engine: Engine[Any, Any], watch: Watch, call: Call, following: list[str]
) -> None:
    log = watch(engine)
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=2), call)
    engine.run("abc", max_epochs=2)
    position = log.index("ITERATION_COMPLETED 1.2") + 1
    assert log[position : position + len(following)] == following
    assert following[-1].startswith("EPOCH_STARTED") or log[-1] == following[-1]


@pytest.mark.parametrize(("call", "following"), TABLE, ids=ROWS)
def test_s09_the_run_that_goes_on_ends_with_completed(
    engine: Engine[Any, Any], watch: Watch, call: Call, following: list[str]
) -> None:
    log = watch(engine)
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=2), call)
    engine.run("abc", max_epochs=2)
    completed = [entry for entry in log if entry.startswith("COMPLETED")]
    assert len(completed) == (0 if following[-1] == "TERMINATE 1.2" else 1)


@pytest.mark.parametrize(
    ("skip", "following"),
    [(False, ["TERMINATE 1.2", "COMPLETED 1.2"]), (True, ["TERMINATE 1.2"])],
)
def test_s09_terminate_in_epoch_completed_comes_after_it(
    engine: Engine[Any, Any], watch: Watch, skip: bool, following: list[str]
) -> None:
    log = watch(engine)
    engine.add_event_handler(Events.EPOCH_COMPLETED, lambda e: e.terminate(skip_completed=skip))
    engine.run("ab", max_epochs=2)
    assert log[-len(following) - 1 :] == ["EPOCH_COMPLETED 1.2", *following]


COUNTS = [
    # Two iterations are begun before the third batch, and before the next epoch's first.
    (Events.GET_BATCH_STARTED(once=2), [2, 0]),
    (Events.GET_BATCH_COMPLETED(once=2), [2, 0]),
    (Events.ITERATION_STARTED(once=2), [2]),
    (Events.ITERATION_COMPLETED(once=2), [2]),
    (Events.ITERATION_COMPLETED(once=5), [2]),
    (Events.ITERATION_STARTED(once=4), [1]),
    (Events.GET_BATCH_COMPLETED(once=3), [0]),
]


@pytest.mark.parametrize(("event", "begun"), COUNTS, ids=str)
def test_s09_iter_counter_counts_the_iterations_begun_in_the_epoch(
    engine: Engine[Any, Any], event: Any, begun: list[int]
) -> None:
    counters: list[int] = []
    engine.add_event_handler(event, terminate_epoch)
    engine.add_event_handler(Events.TERMINATE_SINGLE_EPOCH, lambda e, n: counters.append(n))
    engine.run("abc", max_epochs=2)
    assert counters == begun


def test_s09_the_last_call_of_several_says_what_is_skipped(
    engine: Engine[Any, Any], watch: Watch
) -> None:
    log = watch(engine)
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda e: e.terminate(skip_completed=True))
    engine.add_event_handler(Events.ITERATION_COMPLETED, terminate)
    engine.run("ab")
    assert log[-2:] == ["TERMINATE 1.1", "COMPLETED 1.1"]


@pytest.mark.parametrize("calls", [[terminate, terminate_epoch], [terminate_epoch, terminate]])
def test_s09_terminate_wins_over_terminate_epoch(
    engine: Engine[Any, Any], watch: Watch, calls: list[Call]
) -> None:
    log = watch(engine)
    for call in calls:
        engine.add_event_handler(Events.ITERATION_COMPLETED, call)
    engine.run("ab", max_epochs=2)
    assert log[-3:] == ["ITERATION_COMPLETED 1.1", "TERMINATE 1.1", "COMPLETED 1.1"]


def test_s09_terminate_in_the_end_of_an_epoch_leaves_its_completion_out(
    engine: Engine[Any, Any], watch: Watch
) -> None:
    log = watch(engine)
    engine.add_event_handler(Events.ITERATION_COMPLETED, terminate_epoch)
    engine.add_event_handler(Events.TERMINATE_SINGLE_EPOCH, lambda e, _: e.terminate())
    engine.run("ab", max_epochs=2)
    assert log[-3:] == ["TERMINATE_SINGLE_EPOCH 1.1", "TERMINATE 1.1", "COMPLETED 1.1"]


def test_s09_terminate_in_terminate_may_still_skip_completed(
    engine: Engine[Any, Any], watch: Watch
) -> None:
    log = watch(engine)
    engine.add_event_handler(Events.ITERATION_COMPLETED, terminate)
    engine.add_event_handler(Events.TERMINATE, lambda e: e.terminate(skip_completed=True))
    engine.run("ab")
    assert log[-1] == "TERMINATE 1.1"
    assert log.count("TERMINATE 1.1") == 1


def test_s09_terminate_in_completed_fires_nothing_more(
    engine: Engine[Any, Any], watch: Watch
) -> None:
    log = watch(engine)
    engine.add_event_handler(Events.COMPLETED, terminate)
    engine.run("ab")
    assert log[-2:] == ["EPOCH_COMPLETED 1.2", "COMPLETED 1.2"]
    assert engine.should_terminate


# The first firing of each event that happens in a run of three epochs over two batches of data.
IN_A_RUN = [
    Events.STARTED,
    Events.EPOCH_STARTED,
    Events.GET_BATCH_STARTED,
    Events.GET_BATCH_COMPLETED,
    Events.ITERATION_STARTED,
    Events.ITERATION_COMPLETED,
    Events.DATALOADER_STOP_ITERATION,
    Events.EPOCH_COMPLETED,
]
IN_AN_EPOCH = [*IN_A_RUN[2:-1]]


@pytest.mark.parametrize("event", IN_A_RUN)
def test_s10_the_other_handlers_of_the_event_run_and_then_the_run_ends_at_once(
    engine: Engine[Any, Any], watch: Watch, event: Events
) -> None:
    after: list[str] = []
    engine.add_event_handler(event, terminate)
    engine.add_event_handler(event, lambda: after.append("run"))
    log = watch(engine)
    engine.run("ab", max_epochs=3, epoch_length=3)
    assert after == ["run"]
    assert [entry.split()[0] for entry in log[-3:]] == [event.name, "TERMINATE", "COMPLETED"]


@pytest.mark.parametrize("event", IN_AN_EPOCH)
def test_s10_the_other_handlers_of_the_event_run_and_then_the_epoch_ends_at_once(
    engine: Engine[Any, Any], watch: Watch, event: Events
) -> None:
    after: list[str] = []
    handle = engine.add_event_handler(event, terminate_epoch)
    engine.add_event_handler(event, handle.remove)
    engine.add_event_handler(event, lambda: after.append("run"))
    log = watch(engine)
    engine.run("ab", max_epochs=3, epoch_length=3)
    end = next(n for n, entry in enumerate(log) if entry.startswith("TERMINATE_SINGLE_EPOCH"))
    assert after
    assert log[end - 1].split()[0] == event.name
    assert log[end + 1].split()[0] == "EPOCH_COMPLETED"


def test_s10_a_termination_in_iteration_started_skips_the_step() -> None:
    steps: list[int] = []
    engine = Engine[int, None](lambda e, batch: steps.append(batch))
    engine.add_event_handler(Events.ITERATION_STARTED(once=2), lambda e: e.terminate())
    engine.run([1, 2, 3])
    assert steps == [1]


def test_s10_from_started_it_ends_the_run_before_the_first_epoch(
    engine: Engine[Any, Any], watch: Watch
) -> None:
    log = watch(engine)
    engine.add_event_handler(Events.STARTED, terminate)
    engine.run("ab")
    assert log == ["STARTED 0.0", "TERMINATE 0.0", "COMPLETED 0.0"]


@pytest.mark.parametrize("call", [terminate, terminate_epoch])
def test_s10_a_call_in_the_step_takes_effect_after_iteration_completed(
    watch: Watch, call: Call
) -> None:
    engine = Engine[str, None](lambda e, batch: call(e))
    log = watch(engine)
    engine.run("ab")
    assert log[5] == "ITERATION_COMPLETED 1.1"
    assert log[6] in ("TERMINATE 1.1", "TERMINATE_SINGLE_EPOCH 1.1")


def test_s10_after_terminate_epoch_a_fresh_iterator_and_counters_go_on(
    engine: Engine[Any, Any], watch: Watch
) -> None:
    log, batches = watch(engine), batches_of(engine)
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=2), terminate_epoch)
    engine.run("abc", max_epochs=3)
    assert "".join(batches) == "ab" + "abc" + "abc"
    assert log[-1] == "COMPLETED 3.8"
    assert "GET_BATCH_STARTED 2.2" in log
    assert "DATALOADER_STOP_ITERATION 2.2" not in log


def test_s10_after_terminate_epoch_the_length_is_still_found_by_exhaustion(
    engine: Engine[Any, Any],
) -> None:
    class Unsized:
        def __iter__(self) -> Any:
            return iter("abc")

    engine.add_event_handler(Events.ITERATION_COMPLETED(once=1), terminate_epoch)
    state = engine.run(Unsized(), max_epochs=3)
    assert (state.epoch_length, state.iteration) == (3, 7)


@pytest.mark.parametrize("event", [Events.STARTED, Events.EPOCH_STARTED])
def test_s11_terminate_epoch_where_no_epochs_data_runs_is_an_error(
    engine: Engine[Any, Any], event: Events
) -> None:
    engine.add_event_handler(event, terminate_epoch)
    with pytest.raises(RuntimeError, match=f"called in {event.name}, where no epoch's data runs"):
        engine.run("ab")


def test_s11_terminate_epoch_outside_a_run_is_an_error(engine: Engine[Any, Any]) -> None:
    with pytest.raises(NothingToEnd, match="outside a run"):
        engine.terminate_epoch()
    engine.run("ab")
    with pytest.raises(NothingToEnd, match="outside a run"):
        engine.terminate_epoch()


@pytest.mark.parametrize("event", [Events.EPOCH_COMPLETED, Events.COMPLETED])
def test_s11_terminate_epoch_does_nothing_once_the_epoch_is_completed(
    engine: Engine[Any, Any], watch: Watch, event: Events
) -> None:
    log, batches = watch(engine), batches_of(engine)
    engine.add_event_handler(event, terminate_epoch)
    engine.run("abc", max_epochs=2, epoch_length=2)
    assert not any("TERMINATE" in entry for entry in log)
    assert batches == ["a", "b", "c", "a"]
