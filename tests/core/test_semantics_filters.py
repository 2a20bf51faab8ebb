"""Lines 18 and 19 of the contract: which firings a filter lets through, and what it counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from glowplug import Engine, EventEnum, Events


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


E = Events.ITERATION_COMPLETED
FIRINGS: list[tuple[Any, list[int]]] = [
    (E(every=7), [7, 14, 21, 28]),
    (E(every=1), [*range(1, 31)]),
    (E(every=31), []),
    (E(once=4), [4]),
    (E(once=[20, 4, 4]), [4, 20]),
    (E(once=(3, 99)), [3]),
    (E(before=4), [1, 2, 3]),
    (E(before=1), []),
    (E(after=27), [28, 29, 30]),
    (E(before=6, after=3), [4, 5]),
    (E(before=4, after=3), []),
    (E(before=3, after=5), []),
    (E(every=5, before=100), [5, 10, 15, 20, 25, 30]),
    (E(every=5, before=25), [5, 10, 15, 20]),
    (E(every=10, after=8), [9, 19, 29]),
    (E(every=5, before=25, after=8), [9, 14, 19, 24]),
    (E(event_filter=lambda engine, count: count % 11 == 0), [11, 22]),
]


@pytest.mark.parametrize(("event", "fired"), FIRINGS, ids=lambda value: str(value)[:60])
def test_s18_a_filter_fires_at_these_counts(event: Any, fired: list[int]) -> None:
    assert iterations(event) == fired


def test_s18_every_with_before_is_exclusive_at_its_bound() -> None:
    assert iterations(E(every=5, before=100), total=200) == [*range(5, 100, 5)]


def test_s18_numbers_may_be_anything_that_is_an_index() -> None:
    class Number:
        def __index__(self) -> int:
            return 10

    assert iterations(E(every=Number())) == [10, 20, 30]


def always(engine: Any, count: int) -> bool:
    return True


MIXTURES: list[dict[str, Any]] = [
    {},
    {"event_filter": always, "every": 2},
    {"event_filter": always, "once": 2},
    {"event_filter": always, "before": 2},
    {"once": 1, "every": 2},
    {"once": 1, "before": 2},
    {"once": 1, "after": 2},
]


@pytest.mark.parametrize("mixture", MIXTURES, ids=str)
def test_s18_other_mixtures_are_refused_at_the_call(mixture: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="an event takes event_filter=, or once=, or any of"):
        E(**mixture)


WRONG: list[dict[str, Any]] = [
    *({name: value} for name in ("every", "before", "after") for value in (0, -1, 1.5, "2", True)),
    *({"once": value} for value in (0, -3, 1.0, "4", True, [1, 0], [2, "x"], [])),
    *({"event_filter": value} for value in (3, "f", lambda: True, lambda engine: True)),
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_s18_wrong_types_and_numbers_that_are_not_positive_are_refused_at_the_call(
    wrong: dict[str, Any],
) -> None:
    (name,) = wrong
    with pytest.raises(ValueError, match=rf"^{name} must .*(positive integer|callable)"):
        E(**wrong)


def test_s18_a_function_gets_the_engine_and_the_count(engine: Engine[Any, Any]) -> None:
    seen: list[tuple[Any, int]] = []

    def note(engine: Engine[Any, Any], count: int) -> bool:
        seen.append((engine, count))
        return False

    engine.add_event_handler(E(event_filter=note), lambda: None)
    engine.run("abc")
    assert seen == [(engine, 1), (engine, 2), (engine, 3)]


def test_s18_a_function_may_return_anything_true(engine: Engine[Any, Any]) -> None:
    seen: list[str] = []
    engine.add_event_handler(E(event_filter=lambda e, count: [count]), lambda: seen.append("run"))  # type: ignore[arg-type, return-value]  # what the test is about
    engine.run("ab")
    assert seen == ["run", "run"]


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
