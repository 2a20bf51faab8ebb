"""Lines 6 to 8 of the contract: where a run ends, what the next one does, other data meanwhile."""

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


def batches_of(engine: Engine[Any, Any]) -> list[Any]:
    seen: list[Any] = []
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda e: seen.append(e.state.batch))
    return seen


def test_s06_a_run_is_of_one_epoch_by_default(engine: Engine[Any, Any]) -> None:
    state = engine.run([1, 2])
    assert (state.max_epochs, state.max_iters, state.epoch) == (1, None, 1)


def test_s06_max_epochs_and_max_iters_exclude_each_other(engine: Engine[Any, Any]) -> None:
    with pytest.raises(ValueError, match="max_epochs=2 and max_iters=3 exclude each other"):
        engine.run([1], max_epochs=2, max_iters=3)


@pytest.mark.parametrize(("max_iters", "epochs"), [(1, 1), (3, 2), (4, 2), (5, 3)])
def test_s06_max_iters_counts_over_epochs(
    engine: Engine[Any, Any], max_iters: int, epochs: int
) -> None:
    state = engine.run([1, 2], max_iters=max_iters)
    assert (state.iteration, state.epoch, state.max_epochs) == (max_iters, epochs, None)


@pytest.mark.parametrize("data", [[1, 2], None])
def test_s06_max_iters_inside_an_epoch_fires_no_epoch_completed_and_no_terminate(
    engine: Engine[Any, Any], watch: Watch, data: Any
) -> None:
    log = watch(engine)
    engine.run(data, max_iters=3, epoch_length=2)
    assert log[-2:] == ["ITERATION_COMPLETED 2.3", "COMPLETED 2.3"]
    assert "TERMINATE 2.3" not in log
    assert not engine.should_terminate


def test_s06_max_iters_at_the_end_of_an_epoch_completes_it(
    engine: Engine[Any, Any], watch: Watch
) -> None:
    log = watch(engine)
    engine.run([1, 2], max_iters=4)
    assert log[-3:] == ["ITERATION_COMPLETED 2.4", "EPOCH_COMPLETED 2.4", "COMPLETED 2.4"]


def test_s06_max_iters_fetches_no_batch_beyond_the_last(engine: Engine[Any, Any]) -> None:
    data = iter("abcde")
    engine.run(data, max_iters=3)
    assert list(data) == ["d", "e"]


def test_s07_run_on_a_done_engine_starts_anew(engine: Engine[Any, Any]) -> None:
    engine.run([1, 2], max_epochs=5)
    state = engine.run([1, 2, 3])
    assert (state.epoch, state.iteration, state.epoch_length, state.max_epochs) == (1, 3, 3, 1)


def test_s07_a_new_run_may_change_to_the_other_mode_back_from_done(
    engine: Engine[Any, Any],
) -> None:
    engine.run([1, 2], max_iters=3)
    state = engine.run([1, 2])
    assert (state.iteration, state.max_epochs, state.max_iters) == (2, 1, None)


@pytest.mark.parametrize(
    ("first", "second"),
    [({"max_epochs": 5}, {"max_epochs": 5}), ({"max_iters": 4}, {"max_iters": 4})],
)
def test_s07_the_same_end_once_more_starts_anew(
    engine: Engine[Any, Any], watch: Watch, first: dict[str, int], second: dict[str, int]
) -> None:
    engine.run([1, 2], **first)
    log = watch(engine)
    engine.run([1, 2], **second)
    assert log[:2] == ["STARTED 0.0", "EPOCH_STARTED 1.0"]


def test_s07_a_larger_max_epochs_goes_on_though_the_run_was_done(
    engine: Engine[Any, Any], watch: Watch
) -> None:
    engine.run([1, 2], max_epochs=5)
    log = watch(engine)
    state = engine.run([1, 2], max_epochs=7)
    assert log[:3] == ["STARTED 5.10", "EPOCH_STARTED 6.10", "GET_BATCH_STARTED 6.10"]
    assert (state.epoch, state.iteration) == (7, 14)


def test_s07_a_larger_max_iters_goes_on_with_the_next_epoch(
    engine: Engine[Any, Any], watch: Watch
) -> None:
    engine.run("abc", max_iters=4)
    log, batches = watch(engine), batches_of(engine)
    state = engine.run("abc", max_iters=8)
    assert log[:2] == ["STARTED 2.4", "EPOCH_STARTED 3.4"]
    assert batches == ["a", "b", "c", "a"]
    assert (state.epoch, state.iteration) == (4, 8)


def test_s07_going_on_without_data_keeps_the_last_data(engine: Engine[Any, Any]) -> None:
    engine.run("ab")
    batches = batches_of(engine)
    engine.run(max_epochs=2)
    assert batches == ["a", "b"]


def test_s07_going_on_with_other_data_keeps_the_epoch_length(engine: Engine[Any, Any]) -> None:
    engine.run("ab")
    batches = batches_of(engine)
    assert engine.run("xyz", max_epochs=3).epoch_length == 2
    assert batches == ["x", "y", "z", "x"]


REFUSED: list[tuple[dict[str, int], dict[str, int], str]] = [
    ({"max_epochs": 3}, {"max_epochs": 2}, "max_epochs=2 is less than the 3 epochs"),
    ({"max_iters": 5}, {"max_iters": 4}, "max_iters=4 is less than the 5 iterations"),
    ({"max_epochs": 3}, {"max_epochs": 4, "epoch_length": 5}, "epochs of 2 iterations"),
    ({"max_epochs": 3}, {"max_iters": 9}, "max_epochs = None first"),
    ({"max_iters": 5}, {"max_epochs": 9}, "max_iters = None first"),
]


@pytest.mark.parametrize(("first", "second", "message"), REFUSED)
def test_s07_an_end_that_contradicts_the_progress_is_refused(
    engine: Engine[Any, Any],
    watch: Watch,
    first: dict[str, int],
    second: dict[str, int],
    message: str,
) -> None:
    engine.run([1, 2], **first)
    log, before = watch(engine), dict(vars(engine.state))
    with pytest.raises(ValueError, match=message):
        engine.run([1, 2], **second)
    assert log == []
    assert vars(engine.state) == before


def test_s07_another_epoch_length_is_no_error_on_a_done_engine(engine: Engine[Any, Any]) -> None:
    engine.run([1, 2])
    assert engine.run([1, 2], epoch_length=3).iteration == 3


@pytest.mark.parametrize(
    ("mode", "second"),
    [("max_epochs", {"max_iters": 3}), ("max_iters", {"max_epochs": 2})],
)
def test_s07_the_mode_may_be_switched_once_the_other_end_is_none(
    engine: Engine[Any, Any], watch: Watch, mode: str, second: dict[str, int]
) -> None:
    engine.run([1, 2], **{mode: 4})
    setattr(engine.state, mode, None)
    log = watch(engine)
    engine.run([1, 2], **second)
    assert log[0] == "STARTED 0.0"


def test_s07_an_end_of_none_makes_any_run_a_new_one(engine: Engine[Any, Any]) -> None:
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=3), lambda e: e.terminate())
    engine.run([1, 2], max_epochs=5)
    engine.state.max_epochs = None
    state = engine.run([1, 2, 3])
    assert (state.epoch, state.max_epochs, state.epoch_length) == (1, 1, 3)


class Endless:
    """Data whose batches tell its name, and that counts how often it is iterated."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.passes = 0

    def __iter__(self) -> Iterator[str]:
        self.passes += 1
        while True:
            yield self.name


EVENTS_BEFORE_A_FETCH = [
    Events.STARTED,
    Events.EPOCH_STARTED,
    Events.GET_BATCH_STARTED,
]
EVENTS_AFTER_A_FETCH = [
    Events.GET_BATCH_COMPLETED,
    Events.ITERATION_STARTED,
    Events.ITERATION_COMPLETED,
]


@pytest.mark.parametrize("event", EVENTS_BEFORE_A_FETCH)
def test_s08_set_data_before_a_fetch_gives_that_batch(
    engine: Engine[Any, Any], event: Events
) -> None:
    batches = batches_of(engine)
    engine.add_event_handler(event, lambda e: e.set_data(Endless("b")))
    engine.run(Endless("a"), epoch_length=2)
    assert batches == ["b", "b"]


@pytest.mark.parametrize("event", EVENTS_AFTER_A_FETCH)
def test_s08_set_data_after_a_fetch_gives_the_next_batch(
    engine: Engine[Any, Any], event: Events
) -> None:
    batches = batches_of(engine)
    engine.add_event_handler(event, lambda e: e.set_data(Endless("b")))
    engine.run(Endless("a"), epoch_length=3)
    assert batches == ["a", "b", "b"]


def test_s08_set_data_in_the_step_gives_the_next_batch() -> None:
    def step(engine: Engine[Any, Any], batch: str) -> None:
        engine.set_data(Endless(batch + "+"))

    engine = Engine(step)
    batches = batches_of(engine)
    engine.run(Endless("a"), epoch_length=3)
    assert batches == ["a", "a+", "a++"]


def test_s08_set_data_in_epoch_completed_feeds_the_next_epoch(engine: Engine[Any, Any]) -> None:
    batches = batches_of(engine)
    engine.add_event_handler(Events.EPOCH_COMPLETED, lambda e: e.set_data("xyz"))
    assert engine.run("ab", max_epochs=2).epoch_length == 2
    assert batches == ["a", "b", "x", "y"]


def test_s08_set_data_where_the_data_ended_replaces_the_restart(
    engine: Engine[Any, Any], watch: Watch
) -> None:
    log, batches = watch(engine), batches_of(engine)
    engine.add_event_handler(Events.DATALOADER_STOP_ITERATION, lambda e: e.set_data("xyz"))
    engine.run("ab", epoch_length=4)
    assert batches == ["a", "b", "x", "y"]
    assert log.count("GET_BATCH_STARTED 1.2") == 1


@pytest.mark.parametrize("event", [*EVENTS_BEFORE_A_FETCH, *EVENTS_AFTER_A_FETCH])
def test_s08_set_data_changes_no_event(
    engine: Engine[Any, Any], watch: Watch, event: Events
) -> None:
    undisturbed = watch(engine)
    engine.run(Endless("a"), max_epochs=2, epoch_length=2)
    disturbed = Engine(echo)
    log = watch(disturbed)
    disturbed.add_event_handler(event, lambda e: e.set_data(Endless("b")))
    disturbed.run(Endless("a"), max_epochs=2, epoch_length=2)
    assert log == undisturbed


def test_s08_set_data_makes_one_iterator(engine: Engine[Any, Any]) -> None:
    data = Endless("b")
    engine.add_event_handler(Events.ITERATION_STARTED(once=1), lambda e: e.set_data(data))
    engine.run(Endless("a"), max_epochs=2, epoch_length=3)
    assert data.passes == 1


BAD_DATA: list[tuple[Any, type[Exception], str]] = [
    (3, TypeError, "iterable"),
    ([], ValueError, "empty"),
]


@pytest.mark.parametrize(("data", "error", "message"), BAD_DATA)
def test_s08_set_data_refuses_what_run_refuses_and_changes_nothing(
    engine: Engine[Any, Any], data: Any, error: type[Exception], message: str
) -> None:
    engine.run("ab")
    with pytest.raises(error, match=message):
        engine.set_data(data)
    assert engine.state.dataloader == "ab"
