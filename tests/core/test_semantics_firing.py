"""Lines 22, 23 and 34 of the contract: registering events, firing them by hand, their names."""

from __future__ import annotations

import copy
import pickle
from enum import Enum
from typing import Any

import pytest

from glowplug import Engine, EventEnum, Events
from glowplug.errors import UnknownEvent
from glowplug.events import EventUnion, FilteredEvent


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


def test_s22_members_and_strings_can_be_registered(engine: Engine[Any, Any]) -> None:
    engine.register_events(*Mine, "custom")
    assert engine.has_registered_events(Mine.PING)
    assert engine.has_registered_events("custom")
    assert not engine.has_registered_events(Theirs.PING)


def test_s22_registering_again_keeps_the_handlers(engine: Engine[Any, Any]) -> None:
    engine.register_events(*Mine)
    engine.add_event_handler(Mine.PING, print)
    engine.register_events(*Mine)
    assert engine.has_event_handler(print, Mine.PING)


@pytest.mark.parametrize("event", [3, None, Plain.PING, Mine, Events.STARTED(every=2)])
def test_s22_what_is_no_event_cannot_be_registered(engine: Engine[Any, Any], event: Any) -> None:
    with pytest.raises(TypeError, match="a member of an EventEnum or a string, got"):
        engine.register_events("fine", event)
    assert not engine.has_registered_events("fine")


@pytest.mark.parametrize("mapping", ["steps", [("a", "b")], 3])
def test_s22_event_to_attr_must_be_a_dict(engine: Engine[Any, Any], mapping: Any) -> None:
    with pytest.raises(ValueError, match="event_to_attr must be a dict"):
        engine.register_events(*Mine, event_to_attr=mapping)
    assert not engine.has_registered_events(Mine.PING)


def test_s22_the_attribute_appears_with_zero_on_this_engines_state_alone(
    engine: Engine[Any, Any],
) -> None:
    other = Engine(echo)
    engine.register_events(*Mine, event_to_attr={Mine.PING: "pings"})
    assert engine.state.pings == 0
    assert engine.state.get_event_attrib_value(Mine.PING) == 0
    assert not hasattr(other.state, "pings")
    with pytest.raises(UnknownEvent, match="PING"):
        other.state.get_event_attrib_value(Mine.PING)


def test_s22_an_attribute_that_is_there_keeps_its_value(engine: Engine[Any, Any]) -> None:
    engine.state.pings = 7
    engine.register_events(*Mine, event_to_attr={Mine.PING: "pings"})
    assert engine.state.pings == 7


def test_s22_attaching_to_an_unregistered_event_names_near_ones(engine: Engine[Any, Any]) -> None:
    with pytest.raises(ValueError, match=r"did you mean .*'EPOCH_STARTED'"):
        engine.add_event_handler("EPOCH_STARTD", print)
    with pytest.raises(ValueError, match=r"Mine.PING is not registered"):
        engine.add_event_handler(Mine.PING(every=2), print)


def test_s22_firing_an_unregistered_event_is_an_error(engine: Engine[Any, Any]) -> None:
    with pytest.raises(ValueError, match=r"Mine.PING is not registered"):
        engine.fire_event(Mine.PING)


def test_s23_fire_event_runs_the_handlers_at_once_nested_firing_included(
    engine: Engine[Any, Any],
) -> None:
    order: list[str] = []
    engine.register_events(*Mine)

    @engine.on(Events.ITERATION_STARTED)
    def outer(engine: Engine[Any, Any]) -> None:
        order.append("before")
        engine.fire_event(Mine.PING)
        order.append("after")

    @engine.on(Mine.PING)
    def inner(engine: Engine[Any, Any]) -> None:
        order.append("inner")

    engine.run("a")
    assert order == ["before", "inner", "after"]


def test_s23_an_event_may_be_fired_from_its_own_handler(engine: Engine[Any, Any]) -> None:
    depths: list[int] = []

    @engine.on(Events.COMPLETED)
    def nest(engine: Engine[Any, Any]) -> None:
        depths.append(len(depths))
        if len(depths) < 3:
            engine.fire_event(Events.COMPLETED)

    engine.run("a")
    assert depths == [0, 1, 2]


def test_s23_fire_event_takes_what_the_event_carries(engine: Engine[Any, Any]) -> None:
    seen: list[Any] = []
    engine.add_event_handler(Events.TERMINATE_SINGLE_EPOCH, lambda e, n: seen.append(n))
    with pytest.raises(ValueError, match=r"carries iter_counter, got \(\)"):
        engine.fire_event(Events.TERMINATE_SINGLE_EPOCH)
    engine.fire_event(Events.TERMINATE_SINGLE_EPOCH, 7)
    assert seen == [7]


def test_s34_fire_event_works_outside_a_run(engine: Engine[Any, Any]) -> None:
    seen: list[int] = []
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda e: seen.append(e.state.iteration))
    engine.fire_event(Events.ITERATION_COMPLETED)
    engine.state.iteration = 5
    engine.fire_event(Events.ITERATION_COMPLETED)
    assert seen == [0, 5]


def test_s34_a_filter_lets_the_same_count_through_as_often_as_it_is_fired(
    engine: Engine[Any, Any],
) -> None:
    seen: list[str] = []
    engine.add_event_handler(Events.EPOCH_COMPLETED(once=3), lambda: seen.append("run"))
    engine.state.epoch = 3
    engine.fire_event(Events.EPOCH_COMPLETED)
    engine.fire_event(Events.EPOCH_COMPLETED)
    assert seen == ["run", "run"]


def test_s34_names_values_and_look_up_by_name_work() -> None:
    assert Events["EPOCH_COMPLETED"] is Events.EPOCH_COMPLETED
    assert Events("epoch_completed") is Events.EPOCH_COMPLETED
    assert (Mine.PING.name, Mine.PING.value) == ("PING", "ping")


def test_s34_an_event_with_a_filter_keeps_the_name_of_its_event() -> None:
    filtered = Events.EPOCH_COMPLETED(every=2)(before=9)
    assert isinstance(filtered, FilteredEvent)
    assert (filtered.name, filtered.value) == ("EPOCH_COMPLETED", "epoch_completed")
    assert filtered.event is Events.EPOCH_COMPLETED


EVENTS: list[Any] = [
    Events.STARTED,
    Mine.PING(every=2),
    Mine.PING(once=[1, 2])(before=5),
    Events.STARTED | Mine.PING(after=2),
]


@pytest.mark.parametrize("event", EVENTS, ids=str)
def test_s34_events_can_be_copied_and_pickled(event: Any) -> None:
    assert copy.deepcopy(event) == event
    assert pickle.loads(pickle.dumps(event)) == event


def test_s34_events_read_as_they_are_written() -> None:
    union = Events.STARTED | Mine.PING(every=2, before=9)(once=4)
    assert isinstance(union, EventUnion)
    assert str(union) == "STARTED | PING(every=2, before=9)(once=4)"


def test_s23_firing_by_hand_takes_nothing_from_the_runs_own_firing(
    engine: Engine[Any, Any],
) -> None:
    seen: list[int] = []
    for event in (Events.EPOCH_COMPLETED(once=1), Events.ITERATION_COMPLETED(once=1)):
        engine.add_event_handler(event, lambda e: seen.append(e.state.iteration))

    @engine.on(Events.ITERATION_STARTED(once=1))
    def by_hand(engine: Engine[Any, Any]) -> None:
        engine.fire_event(Events.EPOCH_COMPLETED)
        engine.fire_event(Events.ITERATION_COMPLETED)

    engine.run("ab")
    assert seen == [1, 1, 1, 2]
