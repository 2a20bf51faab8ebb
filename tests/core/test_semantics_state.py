"""Lines 29 and 32 of the contract: the fields of a state, and a state put in place by the user."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from glowplug import Engine, EventEnum, Events, State
from glowplug.errors import EngineBusy

Watch = Callable[[Engine[Any, Any]], list[str]]


def echo(engine: Engine[Any, Any], batch: Any) -> Any:
    return batch


@pytest.fixture
def engine() -> Engine[Any, Any]:
    return Engine(echo)


FIELDS: dict[str, Any] = {
    **{"iteration": 0, "epoch": 0, "epoch_length": None, "max_epochs": None, "max_iters": None},
    **{"output": None, "batch": None, "metrics": {}, "dataloader": None, "seed": None},
    "times": {"EPOCH_COMPLETED": None, "COMPLETED": None},
}


def test_s29_these_are_the_fields_and_their_first_values() -> None:
    state: Any = State()
    assert {name: getattr(state, name) for name in FIELDS} == FIELDS


def test_s29_two_states_share_nothing() -> None:
    one, other = State[Any, Any](), State[Any, Any]()
    one.metrics["accuracy"] = 1.0
    one.times["COMPLETED"] = 3.0
    assert (other.metrics, other.times["COMPLETED"]) == ({}, None)


def test_s29_users_may_add_attributes_freely(engine: Engine[Any, Any]) -> None:
    engine.state.mine = [1]
    assert engine.state.mine == [1]
    assert State(yours=2).yours == 2
    with pytest.raises(AttributeError, match="nobodys"):
        _ = engine.state.nobodys


def test_s29_a_run_leaves_metrics_and_the_users_attributes_in_place(
    engine: Engine[Any, Any],
) -> None:
    engine.state.mine, engine.state.seed = "kept", 12
    metrics = engine.state.metrics
    metrics["loss"] = 0.5
    for _ in range(2):
        engine.run("ab")
    assert (engine.state.mine, engine.state.seed) == ("kept", 12)
    assert engine.state.metrics is metrics


def test_s29_its_repr_names_every_attribute() -> None:
    text = repr(State(mine=1))
    for name in (*FIELDS, "mine"):
        assert f"\t{name}: " in text


def test_s29_its_repr_shows_numbers_and_strings_and_the_types_of_the_rest() -> None:
    text = repr(State(iteration=7, name="Ann", rate=0.5, output=[1, 2], metrics={"secret": 1}))
    assert "iteration: 7\n" in text
    assert "name: Ann\n" in text
    assert "rate: 0.5\n" in text
    assert "output: <class 'list'>\n" in text
    assert "secret" not in text


COUNTED: list[tuple[Any, int]] = [
    (Events.ITERATION_STARTED, 7),
    (Events.GET_BATCH_COMPLETED(every=2), 7),
    (Events.EPOCH_COMPLETED, 2),
    (Events.STARTED, 2),
    ("COMPLETED", 2),
]


@pytest.mark.parametrize(("event", "count"), COUNTED, ids=str)
def test_s29_the_count_of_an_event_can_be_asked_for(event: Any, count: int) -> None:
    assert State(iteration=7, epoch=2).get_event_attrib_value(event) == count


@pytest.mark.parametrize("event", [Events.TERMINATE, "EPOCH_STARTD", "x"])
def test_s29_an_event_that_no_attribute_counts_is_an_error(event: Any) -> None:
    with pytest.raises(ValueError, match=rf"no attribute of this state counts {event}"):
        State().get_event_attrib_value(event)


def test_s32_what_is_preset_is_kept(engine: Engine[Any, Any]) -> None:
    engine.state = State(max_epochs=5, epoch_length=10, mine=1)
    state = engine.run(range(100))
    assert state is engine.state
    assert (state.epoch, state.iteration, state.mine) == (5, 50, 1)


def test_s32_a_preset_length_serves_a_run_without_data(engine: Engine[Any, Any]) -> None:
    engine.state = State(epoch_length=3)
    assert engine.run(max_epochs=2).iteration == 6


def test_s32_a_preset_end_may_be_max_iters(engine: Engine[Any, Any]) -> None:
    engine.state = State(max_iters=5)
    assert engine.run("ab").iteration == 5


def test_s32_preset_counters_are_gone_on_from(engine: Engine[Any, Any], watch: Watch) -> None:
    log = watch(engine)
    engine.state = State(epoch=2, iteration=20, max_epochs=3)
    state = engine.run(range(10))
    assert log[:2] == ["STARTED 2.20", "EPOCH_STARTED 3.20"]
    assert (state.epoch, state.iteration, log[-1]) == (3, 30, "COMPLETED 3.30")


def test_s32_preset_counters_inside_an_epoch_go_on_inside_it(
    engine: Engine[Any, Any], watch: Watch
) -> None:
    seen: list[str] = []
    engine.state = State(epoch=1, iteration=5, epoch_length=3, max_epochs=2)
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda e: seen.append(e.state.batch))
    engine.run("abc")
    assert seen == ["c"]


def test_s32_without_an_end_or_done_it_is_a_new_run(engine: Engine[Any, Any]) -> None:
    for preset in (State[Any, Any](epoch=2, iteration=4), State[Any, Any](epoch=2, max_epochs=2)):
        engine.state = preset
        assert engine.run("ab").iteration == 2


def test_s32_a_state_may_be_replaced_before_each_run(
    engine: Engine[Any, Any], watch: Watch
) -> None:
    engine.run("ab", max_epochs=3)
    first, engine.state = engine.state, State()
    log = watch(engine)
    engine.run("abc")
    assert (log[0], log[-1]) == ("STARTED 0.0", "COMPLETED 1.3")
    assert (first.epoch, first.iteration) == (3, 6)


def test_s32_replacing_the_state_gives_an_interrupted_position_up(
    engine: Engine[Any, Any], watch: Watch
) -> None:
    handle = engine.add_event_handler(Events.ITERATION_STARTED, lambda e: e.interrupt())
    engine.run("ab", max_epochs=2)
    handle.remove()
    engine.state = State(max_epochs=1)
    log = watch(engine)
    engine.run("xyz")
    assert (log[0], log[-1]) == ("STARTED 0.0", "COMPLETED 1.3")


def test_s32_the_counters_of_registered_events_move_to_the_new_state(
    engine: Engine[Any, Any],
) -> None:
    class Mine(EventEnum):
        PING = "ping"

    engine.register_events(*Mine, event_to_attr={Mine.PING: "pings"})
    engine.state = State(max_epochs=1)
    assert engine.state.pings == 0
    engine.state = State(pings=5)
    assert engine.state.get_event_attrib_value(Mine.PING) == 5


def test_s32_the_state_cannot_be_replaced_within_a_run(engine: Engine[Any, Any]) -> None:
    engine.add_event_handler(Events.STARTED, lambda e: setattr(e, "state", State()))
    before = engine.state
    with pytest.raises(EngineBusy, match="its state cannot be replaced"):
        engine.run("ab")
    assert engine.state is before


@pytest.mark.parametrize("value", [None, {}, 3])
def test_s32_only_a_state_can_be_put_in_place(engine: Engine[Any, Any], value: Any) -> None:
    before = engine.state
    with pytest.raises(TypeError, match="State"):
        engine.state = value
    assert engine.state is before
