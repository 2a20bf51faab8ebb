"""Line 19 of the contract: what a filter counts, and filters on filtered events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from glowplug import Engine, EventEnum, Events

E = Events.ITERATION_COMPLETED


def echo(engine: Engine[Any, Any], batch: Any) -> Any:
    return batch


@pytest.fixture
def engine() -> Engine[Any, Any]:
    return Engine(echo)


def iterations(event: Any, total: int = 30) -> list[int]:
    """Return the iterations at which a handler of an event ran."""
    seen: list[int] = []
    engine = Engine(echo)
    engine.add_event_handler(event, lambda e: seen.append(e.state.iteration))
    engine.run(range(total))
    return seen


def counts(event: Any) -> list[int]:
    """Return the counts that a filter on an event saw in two epochs of four iterations."""
    seen: list[int] = []
    engine = Engine(echo)
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=4), lambda e: e.terminate_epoch())
    engine.add_event_handler(
        event(event_filter=lambda engine, count: not seen.append(count)),  # type: ignore[func-returns-value]  # it logs
        lambda *_: None,
    )
    engine.run("ab", max_epochs=2, epoch_length=4)
    return seen


COUNTED: list[tuple[Events, list[int]]] = [
    (Events.STARTED, [0]),
    (Events.EPOCH_STARTED, [1, 2]),
    (Events.GET_BATCH_STARTED, [*range(8)]),
    (Events.GET_BATCH_COMPLETED, [*range(8)]),
    (Events.ITERATION_STARTED, [*range(1, 9)]),
    (Events.ITERATION_COMPLETED, [*range(1, 9)]),
    (Events.EPOCH_COMPLETED, [1, 2]),
    (Events.COMPLETED, [2]),
    (Events.DATALOADER_STOP_ITERATION, [1, 2]),
    (Events.TERMINATE_SINGLE_EPOCH, [1]),
]


@pytest.mark.parametrize(("event", "expected"), COUNTED)
def test_s19_a_filter_sees_the_count_of_its_event(event: Events, expected: list[int]) -> None:
    assert counts(event) == expected


def test_s19_an_event_that_nothing_maps_counts_its_own_firings(engine: Engine[Any, Any]) -> None:
    seen: list[int] = []
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda e: e.terminate())
    engine.add_event_handler(Events.TERMINATE(every=2), lambda e: seen.append(e.state.epoch))
    for _ in range(5):
        engine.run("ab", max_epochs=5)
    assert seen == [2, 4]


def test_s19_these_counts_live_as_long_as_the_engine(engine: Engine[Any, Any]) -> None:
    seen: list[str] = []
    engine.add_event_handler(Events.DATALOADER_STOP_ITERATION(once=3), lambda: seen.append("run"))
    for _ in range(4):
        engine.run("ab", epoch_length=3)
    assert seen == ["run"]


def test_s19_they_count_without_a_handler_too(engine: Engine[Any, Any]) -> None:
    seen: list[str] = []
    engine.run("ab", epoch_length=3)
    engine.add_event_handler(Events.DATALOADER_STOP_ITERATION(once=2), lambda: seen.append("run"))
    engine.run("ab", epoch_length=3)
    assert seen == ["run"]


class Backprop(EventEnum):
    STEPPED = "stepped"


def test_s19_a_custom_event_counts_its_own_firings(engine: Engine[Any, Any]) -> None:
    seen: list[int] = []
    engine.register_events(*Backprop)
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda e: e.fire_event(Backprop.STEPPED))
    engine.add_event_handler(Backprop.STEPPED(every=3), lambda e: seen.append(e.state.iteration))
    engine.run(range(10))
    assert seen == [3, 6, 9]


def test_s19_a_mapped_event_counts_by_its_attribute(engine: Engine[Any, Any]) -> None:
    seen: list[int] = []
    engine.register_events(*Backprop, event_to_attr={Backprop.STEPPED: "steps"})

    @engine.on(Events.ITERATION_COMPLETED)
    def advance(engine: Engine[Any, Any]) -> None:
        engine.state.steps += 10
        engine.fire_event(Backprop.STEPPED)

    engine.add_event_handler(Backprop.STEPPED(every=20), lambda e: seen.append(e.state.steps))
    engine.run(range(5))
    assert seen == [20, 40]


def test_s19_a_filter_on_a_filtered_event_narrows_it() -> None:
    assert iterations(E(every=2)(every=3)) == [6, 12, 18, 24, 30]
    assert iterations(E(after=10)(before=13)) == [11, 12]
    assert iterations(E(every=4)(event_filter=lambda e, count: count > 20)) == [24, 28]


def test_s19_narrowing_leaves_the_wider_one_as_it_was() -> None:
    wide = E(every=10)
    wide(once=20)
    assert iterations(wide) == [10, 20, 30]


def test_s19_a_function_is_asked_only_where_the_wider_filter_lets_through() -> None:
    asked: list[int] = []

    def note(engine: Any, count: int) -> bool:
        asked.append(count)
        return True

    assert iterations(E(every=10)(event_filter=note)) == [10, 20, 30]
    assert asked == [10, 20, 30]


ZERO: list[tuple[dict[str, Any], bool]] = [
    ({"every": 1}, True),
    ({"every": 2}, False),
    ({"before": 3}, True),
    ({"every": 2, "before": 3}, False),
    ({"every": 1, "before": 3}, True),
    ({"after": 1}, False),
    ({"once": 1}, False),
]


@pytest.mark.parametrize(("arguments", "fires"), ZERO, ids=str)
def test_s19_at_a_count_of_zero_every_n_does_not_fire_and_before_does(
    engine: Engine[Any, Any], arguments: dict[str, Any], fires: bool
) -> None:
    seen: list[str] = []
    engine.add_event_handler(Events.STARTED(**arguments), lambda: seen.append("run"))
    engine.run("ab")
    assert bool(seen) is fires


MOVES: list[tuple[str, int, int, list[int]]] = [
    ("handler", 12, 3, [5, 10, 5, 10, 15]),
    ("handler", 14, 0, [5, 10, 5, 10, 15]),
    ("handler", 3, 8, [10, 15]),
    ("step", 3, 8, [10, 15]),
    ("step", 3, 10, [10, 15]),
]


@pytest.mark.parametrize(("place", "at", "to", "fired"), MOVES)
def test_s19_a_filter_follows_a_counter_that_is_moved(
    place: str, at: int, to: int, fired: list[int]
) -> None:
    seen: list[int] = []
    moved: list[int] = []

    def move(engine: Engine[Any, Any], *_: Any) -> None:
        if engine.state.iteration == at and not moved:
            moved.append(at)
            engine.state.iteration = to

    engine = Engine[Any, Any](move if place == "step" else echo)
    engine.add_event_handler(E(every=5), lambda e: seen.append(e.state.iteration))
    if place == "handler":
        engine.add_event_handler(E, move)
    engine.run(range(at + 15 - to))
    assert seen == fired


@pytest.mark.parametrize("event", [Events.GET_BATCH_STARTED, Events.ITERATION_COMPLETED])
def test_s19_a_filter_follows_a_counter_that_an_earlier_event_moved_forward(
    engine: Engine[Any, Any], event: Events
) -> None:
    seen: list[int] = []
    engine.add_event_handler(Events.ITERATION_STARTED(once=3), move_on)
    engine.add_event_handler(event(once=10), lambda e: seen.append(e.state.iteration))
    engine.run(range(5))
    assert seen == [10]


def move_on(engine: Engine[Any, Any]) -> None:
    engine.state.iteration = 10


def test_s19_a_filtered_handler_added_in_the_middle_joins_in(engine: Engine[Any, Any]) -> None:
    seen: list[int] = []
    later: Callable[[Engine[Any, Any]], None] = lambda e: seen.append(e.state.iteration)  # noqa: E731
    engine.add_event_handler(E(every=10), lambda: None)
    engine.add_event_handler(E(once=13), lambda e: e.add_event_handler(E(every=4), later))
    engine.run(range(22))
    assert seen == [16, 20]


def test_s19_a_filter_follows_a_counter_that_was_moved_between_two_parts_of_a_run(
    engine: Engine[Any, Any],
) -> None:
    seen: list[int] = []
    engine.add_event_handler(E(every=5), lambda e: seen.append(e.state.iteration))
    engine.add_event_handler(E(once=12), lambda e: e.interrupt())
    engine.run(range(20))
    engine.state.iteration = 3
    engine.run()
    assert seen == [5, 10, 5, 10]


def test_s19_the_end_of_an_epoch_follows_an_epoch_counter_that_was_turned_back_within_it(
    engine: Engine[Any, Any],
) -> None:
    seen: list[int] = []
    engine.add_event_handler(
        Events.EPOCH_COMPLETED(every=1), lambda e: seen.append(e.state.iteration)
    )
    engine.add_event_handler(E(once=2), lambda e: setattr(e.state, "epoch", 0))
    engine.run("a", max_iters=4)
    assert seen == [1, 2, 3, 4]


def test_s19_a_filter_sees_each_run_anew(engine: Engine[Any, Any]) -> None:
    seen: list[str] = []
    engine.add_event_handler(Events.STARTED(before=1), lambda: seen.append("run"))
    engine.add_event_handler(Events.STARTED, lambda e: e.terminate())
    for _ in range(3):
        engine.run("ab")
    assert seen == ["run"] * 3
