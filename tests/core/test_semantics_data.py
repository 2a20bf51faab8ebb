"""Lines 3 to 5 of the contract: the length of an epoch, data that ends, no data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from glowplug import Engine, Events
from glowplug.errors import DataWarning

Watch = Callable[[Engine[Any, Any]], list[str]]


def echo(engine: Engine[Any, Any], batch: Any) -> Any:
    return batch


class Source:
    """Data that can be iterated again, and that shows which pass over it a batch comes from."""

    def __init__(self, batches: int) -> None:
        self.batches = batches
        self.passes = 0

    def __iter__(self) -> Iterator[str]:
        self.passes += 1
        number = self.passes
        return (f"{number}.{batch}" for batch in range(self.batches))


class Sized(Source):
    """The same with a length."""

    def __len__(self) -> int:
        return self.batches


def batches_of(engine: Engine[Any, Any]) -> list[Any]:
    seen: list[Any] = []
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda e: seen.append(e.state.batch))
    return seen


def test_s03_epoch_length_is_the_length_of_the_data() -> None:
    assert Engine(echo).run(Sized(3), max_epochs=2).epoch_length == 3


def test_s03_a_len_that_raises_type_error_counts_as_none() -> None:
    class Streaming(Source):
        def __len__(self) -> int:
            raise TypeError("an iterable dataset has no length")

    assert Engine(echo).run(Streaming(4)).epoch_length == 4


def test_s03_without_a_length_the_first_exhaustion_defines_the_epoch(watch: Watch) -> None:
    engine = Engine(echo)
    log = watch(engine)
    engine.run(Source(2), max_epochs=2)
    assert engine.state.epoch_length == 2
    assert log[9:17] == [
        *("ITERATION_COMPLETED 1.2", "GET_BATCH_STARTED 1.2", "EPOCH_COMPLETED 1.2"),
        *("EPOCH_STARTED 2.2", "GET_BATCH_STARTED 2.2", "DATALOADER_STOP_ITERATION 2.2"),
        *("GET_BATCH_COMPLETED 2.2", "ITERATION_STARTED 2.3"),
    ]


IMPOSSIBLE: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"data": []}, ValueError, "empty"),
    ({"data": {}}, ValueError, "empty"),
    ({"data": iter([])}, ValueError, "empty"),
    ({"data": [], "epoch_length": 2}, ValueError, "empty"),
    ({"data": [1], "epoch_length": 0}, ValueError, "epoch_length must be .* at least 1, got 0"),
    ({"data": [1], "epoch_length": -1}, ValueError, "epoch_length must be"),
    ({"data": [1], "max_epochs": 0}, ValueError, "max_epochs must be"),
    ({"data": [1], "max_epochs": 1.5}, ValueError, "max_epochs must be .* got 1.5"),
    ({"data": [1], "max_iters": 0}, ValueError, "max_iters must be"),
    ({"data": [1], "max_iters": "2"}, ValueError, "max_iters must be .* got '2'"),
    ({"data": 3}, TypeError, "iterable, got 3 of type int"),
    ({"data": object()}, TypeError, "iterable"),
]


@pytest.mark.parametrize(("arguments", "error", "message"), IMPOSSIBLE)
def test_s03_what_cannot_be_run_is_an_error_before_started(
    arguments: dict[str, Any], error: type[Exception], message: str, watch: Watch
) -> None:
    engine = Engine(echo)
    log, before = watch(engine), dict(vars(engine.state))
    with pytest.raises(error, match=message):
        engine.run(**arguments)
    assert log == []
    assert vars(engine.state) == before


def test_s03_data_that_turns_out_empty_is_the_same_error() -> None:
    with pytest.raises(ValueError, match="data is empty"):
        Engine(echo).run(value for value in [0] if value)


def test_s04_shorter_data_restarts_without_a_second_get_batch_started(watch: Watch) -> None:
    engine = Engine(echo)
    log = watch(engine)
    batches = batches_of(engine)
    engine.run(Sized(2), epoch_length=3)
    assert log[9:13] == [
        *("ITERATION_COMPLETED 1.2", "GET_BATCH_STARTED 1.2", "DATALOADER_STOP_ITERATION 1.2"),
        "GET_BATCH_COMPLETED 1.2",
    ]
    assert batches == ["1.0", "1.1", "2.0"]


def test_s04_longer_data_goes_on_where_it_stood_in_the_next_epoch() -> None:
    engine = Engine(echo)
    batches = batches_of(engine)
    engine.run(Sized(5), max_epochs=3, epoch_length=2)
    assert batches == ["1.0", "1.1", "1.2", "1.3", "1.4", "2.0"]


def test_s04_a_handler_of_the_datas_end_may_put_a_fresh_iterator_in_place() -> None:
    engine = Engine(echo)
    batches = batches_of(engine)

    @engine.on(Events.DATALOADER_STOP_ITERATION)
    def refill(engine: Engine[Any, Any]) -> None:
        engine.state.dataloader = iter("xyz")

    engine.run(iter("ab"), epoch_length=4)
    assert batches == ["a", "b", "x", "y"]


def test_s04_a_restart_that_yields_nothing_ends_the_run_with_a_warning(watch: Watch) -> None:
    engine = Engine(echo)
    log = watch(engine)
    with pytest.warns(DataWarning, match="after 3 of 6 iterations"):
        engine.run(iter([1, 2, 3]), max_epochs=3, epoch_length=2)
    assert log[-4:] == [
        *("GET_BATCH_STARTED 2.3", "DATALOADER_STOP_ITERATION 2.3"),
        *("EPOCH_COMPLETED 2.3", "COMPLETED 2.3"),
    ]


def test_s04_the_warning_counts_to_max_iters_where_that_is_the_end() -> None:
    with pytest.warns(DataWarning, match="after 2 of 5 iterations"):
        assert Engine(echo).run(iter([1, 2]), max_iters=5, epoch_length=3).iteration == 2


def test_s04_a_one_shot_iterator_without_a_length_ends_so_in_the_second_epoch() -> None:
    engine = Engine(echo)
    with pytest.warns(DataWarning, match="after 3 of 6 iterations"):
        engine.run((n for n in range(3)), max_epochs=2)
    assert (engine.state.epoch, engine.state.epoch_length) == (2, 3)


def test_s04_an_engine_whose_data_gave_out_goes_on_with_better_data() -> None:
    engine = Engine(echo)
    with pytest.warns(DataWarning, match="after 3 of 4 iterations"):
        engine.run(iter([1, 2, 3]), max_epochs=2, epoch_length=2)
    assert engine.run([1, 2], max_epochs=3).iteration == 5


def test_s05_data_none_needs_epoch_length(watch: Watch) -> None:
    engine = Engine(echo)
    log = watch(engine)
    with pytest.raises(ValueError, match="without data needs epoch_length"):
        engine.run(max_epochs=2)
    assert log == []


def test_s05_without_data_the_batch_is_none_and_no_batch_event_fires(watch: Watch) -> None:
    engine = Engine(echo)
    log, batches = watch(engine), batches_of(engine)
    engine.run(epoch_length=2)
    assert batches == [None, None]
    assert log == [
        *("STARTED 0.0", "EPOCH_STARTED 1.0", "ITERATION_STARTED 1.1", "ITERATION_COMPLETED 1.1"),
        *("ITERATION_STARTED 1.2", "ITERATION_COMPLETED 1.2", "EPOCH_COMPLETED 1.2"),
        "COMPLETED 1.2",
    ]


def test_s05_without_data_a_handler_may_still_put_a_batch_in_place() -> None:
    engine = Engine[Any, Any](lambda e, batch: batch)

    @engine.on(Events.ITERATION_STARTED)
    def make(engine: Engine[Any, Any]) -> None:
        engine.state.batch = engine.state.iteration * 10

    assert engine.run(epoch_length=3).output == 30
