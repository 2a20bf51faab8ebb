"""Line 30 of the contract, to the iteration: a run goes on from exactly where its position says."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glowplug import Engine, EventEnum, Events

WITHIN_A_RUN = [
    Events.STARTED,
    Events.EPOCH_STARTED,
    Events.GET_BATCH_STARTED,
    Events.GET_BATCH_COMPLETED,
    Events.ITERATION_STARTED,
    Events.ITERATION_COMPLETED,
    Events.EPOCH_COMPLETED,
    Events.COMPLETED,
]
FIRED_AGAIN = {Events.STARTED, Events.EPOCH_STARTED, Events.COMPLETED}
BEGUN_ANEW = {Events.GET_BATCH_STARTED, Events.GET_BATCH_COMPLETED, Events.ITERATION_STARTED}


class Other(EventEnum):
    FIRED_BY_HAND = "fired_by_hand"


class Program(NamedTuple):
    """A run, and the firing at which its position is taken.

    Args:
        epoch_length: iterations in an epoch; each has its own number as its batch.
        end: where the run ends.
        cuts: iterations after which their epoch is ended.
        event: the event in whose handler the position is taken.
        firing: at which of its firings.
        by_hand: whether another event is fired by hand just before.
    """

    epoch_length: int
    end: dict[str, int]
    cuts: set[int]
    event: EventEnum
    firing: int
    by_hand: bool


programs = st.builds(
    Program,
    epoch_length=st.integers(1, 4),
    end=st.one_of(
        st.fixed_dictionaries({"max_epochs": st.integers(1, 4)}),
        st.fixed_dictionaries({"max_iters": st.integers(1, 9)}),
    ),
    cuts=st.sets(st.integers(1, 9), max_size=2),
    event=st.sampled_from(WITHIN_A_RUN),
    firing=st.integers(1, 9),
    by_hand=st.booleans(),
)

Log = list[tuple[EventEnum, int, int]]


def made(program: Program, log: Log) -> Engine[Any, Any]:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: batch)
    engine.register_events(*Other)
    for event in WITHIN_A_RUN:
        engine.add_event_handler(event, note, event, log)
    engine.add_event_handler(
        Events.ITERATION_COMPLETED(event_filter=lambda _, count: count in program.cuts),
        lambda e: e.terminate_epoch(),
    )
    return engine


def note(engine: Engine[Any, Any], event: EventEnum, log: Log) -> None:
    log.append((event, engine.state.epoch, engine.state.iteration))


@settings(max_examples=300)
@given(programs)
def test_a_run_that_goes_on_from_a_position_does_what_was_still_to_be_done(
    program: Program,
) -> None:
    whole: Log = []
    saved: list[tuple[int, dict[str, Any]]] = []
    engine = made(program, whole)

    def save() -> None:
        ends_now = engine.state.iteration in program.cuts  # as was asked in this very event
        if program.event is Events.ITERATION_COMPLETED and ends_now:
            return
        if [event for event, *_ in whole].count(program.event) == program.firing and not saved:
            if program.by_hand:
                engine.fire_event(Other.FIRED_BY_HAND)
            saved.append((len(whole), {**engine.state_dict(), **engine.position()}))

    engine.add_event_handler(program.event, save)
    data = range(program.epoch_length)
    engine.run(data, **program.end)
    if not saved:
        return
    at, state = saved[0]
    rest: Log = []
    resumed = made(program, rest)
    resumed.load_state_dict(state)
    resumed.run(data)

    def shown(log: Log) -> Log:
        return [entry for entry in log if entry[0] not in FIRED_AGAIN]

    expected = shown(whole[at:])
    if program.event in BEGUN_ANEW:  # what belongs to an iteration not done comes once more
        before = whole[:at]
        while before and before[-1][0] in BEGUN_ANEW:
            expected.insert(0, before.pop())
    assert shown(rest) == expected


def test_a_position_at_the_end_of_an_epochs_iterations_has_its_end_before_it() -> None:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: None)
    fired: list[str] = []
    for event in (Events.STARTED, Events.EPOCH_COMPLETED, Events.COMPLETED):
        engine.add_event_handler(event, lambda name: fired.append(name), event.name)
    position = {"epoch": 0, "iteration": 3, "within": 3}
    engine.load_state_dict({"epoch_length": 3, "max_epochs": 1, **position})
    engine.run("abc")
    assert fired == ["STARTED", "EPOCH_COMPLETED", "COMPLETED"]


def test_from_a_position_at_the_end_of_the_run_nothing_is_trained_again() -> None:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: batch)
    engine.run("abc", max_epochs=2)
    later: Engine[Any, Any] = Engine(lambda engine, batch: batch)
    later.load_state_dict({**engine.state_dict(), **engine.position()})
    assert later.run("abc").iteration == 6
    assert later.state.output is None, "no step was called"
    assert later.run("abc", max_epochs=3).iteration == 9


def test_a_position_is_of_what_is_done_when_a_step_fails() -> None:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: 1 / batch)
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        engine.run([1, 2, 0, 3])
    assert engine.position() == {"epoch": 0, "iteration": 2, "within": 2}


def test_a_loaded_position_is_where_the_engine_stands() -> None:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: batch)
    position = {"epoch": 1, "iteration": 5, "within": 2}
    engine.load_state_dict({"epoch_length": 3, "max_epochs": 4, **position})
    assert engine.position() == position


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"within": 4}, "'within' is at most 3 here, got 4"),
        ({"within": -1}, "'within' must be an integer of at least 0, got -1"),
        ({"epoch": 4, "within": 1}, "5 epochs begun are beyond its end at 4"),
    ],
)
def test_an_impossible_position_is_refused_and_changes_nothing(
    wrong: dict[str, int], said: str
) -> None:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: batch)
    whole = {"epoch_length": 3, "max_epochs": 4, "epoch": 1, "iteration": 5, "within": 2}
    with pytest.raises(ValueError, match=said):
        engine.load_state_dict({**whole, **wrong})
    assert engine.state_dict() == {"epoch_length": None, "iteration": 0, "max_epochs": None}


def test_a_position_needs_both_counters() -> None:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: batch)
    with pytest.raises(ValueError, match="'within' without 'epoch'"):
        engine.load_state_dict({"epoch_length": 3, "max_epochs": 4, "iteration": 5, "within": 2})
