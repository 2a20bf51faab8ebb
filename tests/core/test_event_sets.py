"""Sets of events that are published by packages: by name, with counters and filters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from glowplug import Engine, EventEnum, Events, Kind, PluginManager
from glowplug.errors import InvalidArgument, InvalidType, UnknownComponent, UnknownEvent


def echo(engine: Any, batch: Any) -> Any:
    return batch


class Stretches(EventEnum):
    BEGUN = "begun"
    ENDED = "ended"
    LOST = "lost"

    @classmethod
    def event_to_attr(cls) -> Mapping[EventEnum, str]:
        return dict.fromkeys((cls.BEGUN, cls.ENDED), "stretches")


class Visits(EventEnum):
    BEGUN = "begun"

    @classmethod
    def event_to_attr(cls) -> Mapping[EventEnum, str]:
        return {cls.BEGUN: "visits"}


def test_a_set_comes_with_the_counters_that_it_declares() -> None:
    engine = Engine(echo, events=[Stretches])
    assert all(engine.has_registered_events(event) for event in Stretches)
    assert engine.state.stretches == 0
    assert engine.state.get_event_attrib_value(Stretches.ENDED) == 0


def test_filters_see_the_declared_counter() -> None:
    engine, seen = Engine(echo, events=[Stretches]), []
    engine.on(Stretches.ENDED(every=2))(lambda engine: seen.append(engine.state.stretches))
    for count in range(1, 6):
        engine.state.stretches = count
        engine.fire_event(Stretches.ENDED)
    assert seen == [2, 4]


def test_a_member_without_a_counter_counts_its_own_firings() -> None:
    engine, seen = Engine(echo, events=[Stretches]), []
    engine.on(Stretches.LOST(once=2))(lambda: seen.append("second"))
    for _ in range(3):
        engine.fire_event(Stretches.LOST)
    assert seen == ["second"]


def test_two_sets_with_members_of_one_name_do_not_meet() -> None:
    engine, seen = Engine(echo, events=[Stretches, Visits]), []
    engine.on(Stretches.BEGUN)(lambda: seen.append("stretch"))
    engine.on(Visits.BEGUN)(lambda: seen.append("visit"))
    engine.fire_event(Visits.BEGUN)
    assert seen == ["visit"]
    with pytest.raises(UnknownEvent, match=r"'BEGUN' fits several events: Stretches\.BEGUN"):
        engine.fire_event("BEGUN")


def test_a_set_that_is_registered_twice_is_there_once() -> None:
    engine = Engine(echo, events=[Stretches])
    engine.state.stretches = 3
    engine.register_events(*Stretches)
    assert engine.state.stretches == 3


def test_the_user_may_give_another_counter() -> None:
    engine = Engine(echo)
    engine.register_events(*Stretches, event_to_attr={Stretches.BEGUN: "laps"})
    assert (engine.state.laps, engine.state.stretches) == (0, 0)
    assert engine.state.counter_of(Stretches.BEGUN) == "laps"


def test_two_sets_do_not_share_a_counter_unknowingly() -> None:
    class Rival(EventEnum):
        TURNED = "turned"

        @classmethod
        def event_to_attr(cls) -> Mapping[EventEnum, str]:
            return {cls.TURNED: "stretches"}

    engine = Engine(echo, events=[Stretches])
    with pytest.raises(InvalidArgument, match=r"Rival declares that state.stretches counts TURNED"):
        engine.register_events(*Rival)
    assert not engine.has_registered_events(Rival.TURNED)


def test_a_counter_of_another_sets_member_is_refused() -> None:
    class Confused(EventEnum):
        MINE = "mine"

        @classmethod
        def event_to_attr(cls) -> Mapping[EventEnum, str]:
            return {Visits.BEGUN: "visits"}

    with pytest.raises(InvalidArgument, match=r"Confused.event_to_attr\(\) names <Visits.BEGUN"):
        Engine(echo, events=[Confused])


def test_the_counters_are_there_again_on_a_new_state() -> None:
    engine = Engine(echo, events=[Stretches])
    engine.state = type(engine.state)(max_epochs=1)
    assert engine.state.stretches == 0


def test_a_set_is_found_by_its_name(
    manager: Callable[..., PluginManager],
) -> None:
    acme = manager("acme-kinds")
    engine = Engine(echo, events=["acme-events"], plugins=acme)
    published = acme.component(Kind.EVENTS, "acme-events")
    assert all(engine.has_registered_events(event) for event in published)
    with pytest.raises(UnknownComponent, match="did you mean 'acme-events'"):
        Engine(echo, events=["acme-event"], plugins=acme)


@pytest.mark.parametrize("wrong", ["acme-events", Events, 3])
def test_events_must_be_a_list(wrong: Any) -> None:
    with pytest.raises(InvalidType, match="events must be a list of sets of events"):
        Engine(echo, events=wrong)


@pytest.mark.parametrize("wrong", [Stretches.BEGUN, int, 3])
def test_each_must_be_a_set(wrong: Any) -> None:
    with pytest.raises(InvalidType, match=r"is no set of events: expected a name"):
        Engine(echo, events=[wrong])


def test_handlers_that_are_given_beside_them_can_use_the_events() -> None:
    class Counts:
        def attach(self, engine: Engine[Any, Any]) -> None:
            engine.add_event_handler("LOST", lambda: None)

    assert Engine(echo, events=[Stretches], handlers=[Counts()]).listens(Stretches.LOST)
