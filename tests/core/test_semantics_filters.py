"""Line 18 of the contract: which firings a filter lets through."""

from __future__ import annotations

from typing import Any

import pytest

from glowplug import Engine, Events


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


@pytest.mark.parametrize("mixture", MIXTURES, ids=" and ".join)
def test_s18_other_mixtures_are_refused_at_the_call(mixture: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="an event takes event_filter=, or once=, or any of"):
        E(**mixture)


WRONG: list[dict[str, Any]] = [
    *({name: value} for name in ("every", "before", "after") for value in (0, -1, 1.5, "2", True)),
    *({"once": value} for value in (0, -3, 1.0, "4", True, [1, 0], [2, "x"], [])),
    *({"event_filter": value} for value in (3, "f", lambda: True, lambda engine: True)),
]


@pytest.mark.parametrize("wrong", WRONG, ids=" and ".join)
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
