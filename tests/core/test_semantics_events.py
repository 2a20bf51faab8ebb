"""Lines 17, 20 and 21 of the contract: the events, unions, and what makes two events one."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any

import pytest

from glowplug import Engine, EventEnum, Events
from glowplug.errors import InvalidArgument, UnknownEvent


def echo(engine: Engine[Any, Any], batch: Any) -> Any:
    return batch


@pytest.fixture
def engine() -> Engine[Any, Any]:
    return Engine(echo)


class Mine(EventEnum):
    STARTED = "started"
    PING = "ping"


class Theirs(EventEnum):
    STARTED = "started"
    PING = "ping"


class Plain(Enum):
    PING = "ping"


def test_s17_these_are_the_events() -> None:
    assert [event.name for event in Events] == [
        *("STARTED", "EPOCH_STARTED", "GET_BATCH_STARTED", "GET_BATCH_COMPLETED"),
        *("ITERATION_STARTED", "ITERATION_COMPLETED", "EPOCH_COMPLETED", "COMPLETED"),
        *("DATALOADER_STOP_ITERATION", "EXCEPTION_RAISED", "TERMINATE_SINGLE_EPOCH"),
        *("TERMINATE", "INTERRUPT"),
    ]


@pytest.mark.parametrize("with_handlers", [False, True])
def test_s17_last_event_name_is_the_last_that_was_fired(with_handlers: bool) -> None:
    seen: list[Any] = []

    class Data:
        def __iter__(self) -> Iterator[int]:
            seen.append(watched.last_event_name)
            yield 1
            seen.append(watched.last_event_name)
            yield 2

    watched = Engine[int, None](lambda e, batch: seen.append(e.last_event_name))
    if with_handlers:
        for event in Events:
            watched.add_event_handler(event, lambda *_: None)
    assert watched.last_event_name is None
    watched.run(Data(), epoch_length=2)
    assert seen == [
        *(Events.GET_BATCH_STARTED, Events.ITERATION_STARTED),
        *(Events.GET_BATCH_STARTED, Events.ITERATION_STARTED),
    ]
    assert watched.last_event_name is Events.COMPLETED


@pytest.mark.parametrize("event", [Events.ITERATION_COMPLETED, Events.EPOCH_STARTED])
def test_s17_a_handler_finds_its_own_event_there(engine: Engine[Any, Any], event: Events) -> None:
    seen: list[Any] = []
    engine.add_event_handler(event(every=2), lambda e: seen.append(e.last_event_name))
    engine.run("ab", max_epochs=2)
    assert set(seen) == {event}


def test_s17_a_nested_firing_is_the_last_one(engine: Engine[Any, Any]) -> None:
    engine.register_events(*Mine)
    engine.fire_event(Events.STARTED)
    engine.fire_event(Mine.PING)
    assert engine.last_event_name is Mine.PING


def test_s20_a_handler_of_a_union_is_attached_to_each(engine: Engine[Any, Any]) -> None:
    seen: list[tuple[str, int]] = []

    @engine.on(Events.STARTED | Events.ITERATION_COMPLETED(every=3) | Events.COMPLETED)
    def note(engine: Engine[Any, Any]) -> None:
        seen.append((str(engine.last_event_name), engine.state.iteration))

    engine.run(range(7))
    assert seen == [
        *(("STARTED", 0), ("ITERATION_COMPLETED", 3), ("ITERATION_COMPLETED", 6)),
        ("COMPLETED", 7),
    ]


def test_s20_a_union_is_a_value() -> None:
    one = Events.STARTED | Events.COMPLETED
    before = one.events
    more = one | Events.EPOCH_STARTED(every=2)
    assert one.events == before
    assert len(more.events) == 3
    assert one == Events.STARTED | Events.COMPLETED
    assert hash(one) == hash(Events.STARTED | Events.COMPLETED)


def test_s20_unions_join_in_any_grouping() -> None:
    a, b, c, d = Events.STARTED, Events.COMPLETED(every=2), Events.TERMINATE, Events.INTERRUPT
    assert (a | b) | (c | d) == a | (b | c) | d


def test_s20_an_event_named_twice_is_attached_twice(engine: Engine[Any, Any]) -> None:
    seen: list[int] = []
    twice = Events.ITERATION_COMPLETED(every=2) | Events.ITERATION_COMPLETED(every=3)
    engine.add_event_handler(twice, lambda e: seen.append(e.state.iteration))
    engine.run(range(6))
    assert seen == [2, 3, 4, 6, 6]


@pytest.mark.parametrize("other", [None, "STARTED", 3, Plain.PING])
def test_s20_only_events_can_be_joined(other: Any) -> None:
    with pytest.raises(TypeError, match=r"unsupported operand type"):
        Events.STARTED | other
    with pytest.raises(TypeError, match=r"unsupported operand type"):
        (Events.STARTED | Events.COMPLETED) | other


def test_s20_a_handler_that_one_member_refuses_is_attached_to_none(
    engine: Engine[Any, Any],
) -> None:
    with pytest.raises(UnknownEvent, match="PING"):
        engine.add_event_handler(Events.STARTED | Mine.PING, print)
    assert not engine.has_event_handler(print)


def test_s21_members_of_the_same_name_do_not_meet(engine: Engine[Any, Any]) -> None:
    seen: list[str] = []
    engine.register_events(*Mine, *Theirs)
    engine.add_event_handler(Mine.STARTED, lambda: seen.append("mine"))
    engine.add_event_handler(Theirs.STARTED, lambda: seen.append("theirs"))
    engine.add_event_handler(Events.STARTED, lambda: seen.append("events"))
    engine.fire_event(Theirs.STARTED)
    assert seen == ["theirs"]
    assert len({Mine.STARTED, Theirs.STARTED, Events.STARTED}) == 3


def test_s21_an_event_is_not_equal_to_its_name_or_value() -> None:
    started: Any = Events.STARTED
    assert started != "STARTED"
    assert started != "started"
    assert started != Mine.STARTED


def test_s21_two_events_of_a_set_cannot_share_a_value() -> None:
    with pytest.raises(InvalidArgument, match="share the value 'x'"):

        class Twins(EventEnum):
            ONE = "x"
            TWO = "x"


E = Events.ITERATION_COMPLETED


def test_s21_a_filter_makes_another_thing_of_an_event_when_it_is_removed(
    engine: Engine[Any, Any],
) -> None:
    engine.add_event_handler(E(every=2), print)
    with pytest.raises(ValueError, match=r"not attached to ITERATION_COMPLETED\(every=5\)"):
        engine.remove_event_handler(print, E(every=5))
    assert not engine.has_event_handler(print, E(every=5))
    assert engine.has_event_handler(print, E(every=2))


def test_s21_the_plain_event_finds_the_filtered_ones_too(engine: Engine[Any, Any]) -> None:
    engine.add_event_handler(E(every=2), print)
    engine.add_event_handler(E(once=2), print)
    assert engine.has_event_handler(print, E)
    engine.remove_event_handler(print, E)
    assert not engine.has_event_handler(print)


def test_s21_a_filtered_event_does_not_find_the_plain_one(engine: Engine[Any, Any]) -> None:
    engine.add_event_handler(E, print)
    assert not engine.has_event_handler(print, E(every=2))


def test_s21_equal_filters_make_equal_events() -> None:
    assert E(every=2, before=9) == E(before=9, every=2)
    assert E(once=3) == E(once=[3, 3])
    assert E(every=2) != E(every=2)(every=2)
    assert E(every=2) != Events.ITERATION_STARTED(every=2)
    assert hash(E(every=2)) == hash(E(every=2))


@pytest.mark.parametrize("name", ["STARTED", "mine"])
def test_s21_a_plain_string_may_name_a_registered_event(
    engine: Engine[Any, Any], name: str
) -> None:
    seen: list[str] = []
    engine.register_events("mine")
    assert engine.has_registered_events(name)
    engine.add_event_handler(name, lambda: seen.append(name))
    engine.fire_event(name)
    assert seen == [name]
    assert engine.listens(name)


def test_s21_a_string_that_fits_several_events_is_refused(engine: Engine[Any, Any]) -> None:
    engine.register_events(*Mine)
    with pytest.raises(UnknownEvent, match=r"fits several events: Events.STARTED, Mine.STARTED"):
        engine.add_event_handler("STARTED", print)
