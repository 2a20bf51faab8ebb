"""Recorded runs, recording handlers, and how a difference is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from glowplug import Engine, EventEnum, Events
from glowplug.errors import InvalidArgument, UnknownEvent
from glowplug.testing import Call, Fired, Recorder, Recording, run_engine


def echo(engine: Engine[Any, Any], batch: Any) -> Any:
    """Return the batch, as a step."""
    return batch


class Backprop(EventEnum):
    """Events of a plugin, one of which is counted."""

    STEPPED = "stepped"
    SKIPPED = "skipped"

    @classmethod
    def event_to_attr(cls) -> dict[EventEnum, str]:
        return {cls.STEPPED: "steps"}


class Other(EventEnum):
    """A set with a member of the same name."""

    STEPPED = "stepped"


def step_twice(engine: Engine[Any, Any], batch: Any) -> None:
    """Fire what is counted and what is not."""
    for _ in range(2):
        engine.state.steps += 10
        engine.fire_event(Backprop.STEPPED)
        engine.fire_event(Backprop.SKIPPED)


def test_every_firing_of_a_run_is_recorded_with_its_counters() -> None:
    assert run_engine(echo, [7], max_epochs=2) == [
        ("STARTED", 0, 0, 0),
        ("EPOCH_STARTED", 1, 0, 1),
        ("GET_BATCH_STARTED", 1, 0, 0),
        ("GET_BATCH_COMPLETED", 1, 0, 0),
        ("ITERATION_STARTED", 1, 1, 1),
        ("ITERATION_COMPLETED", 1, 1, 1),
        ("EPOCH_COMPLETED", 1, 1, 1),
        ("EPOCH_STARTED", 2, 1, 2),
        ("GET_BATCH_STARTED", 2, 1, 1),
        ("DATALOADER_STOP_ITERATION", 2, 1, 1),
        ("GET_BATCH_COMPLETED", 2, 1, 1),
        ("ITERATION_STARTED", 2, 2, 2),
        ("ITERATION_COMPLETED", 2, 2, 2),
        ("EPOCH_COMPLETED", 2, 2, 2),
        ("COMPLETED", 2, 2, 2),
    ]


def test_custom_events_are_recorded_by_their_own_counts() -> None:
    engine: Engine[Any, Any] = Engine(step_twice, events=[Backprop])
    fired = run_engine(engine, [1, 2])
    assert [f.number for f in fired.only(Backprop.STEPPED)] == [10, 20, 30, 40]
    assert [f.number for f in fired.only(Backprop.SKIPPED)] == [1, 2, 3, 4]


def test_events_of_two_sets_with_one_name_are_told_apart() -> None:
    engine: Engine[Any, Any] = Engine(step_twice, events=[Backprop, Other])
    fired = run_engine(engine, [1])
    assert len(fired.only("Backprop.STEPPED")) == 2
    assert fired.only("Other.STEPPED") == []


def test_an_event_is_recorded_before_what_its_handlers_fire() -> None:
    engine: Engine[Any, Any] = Engine(echo, events=[Backprop])
    engine.add_event_handler(Events.STARTED, lambda: engine.fire_event(Backprop.SKIPPED))
    assert run_engine(engine, [1]).names[:2] == ["STARTED", "SKIPPED"]


def test_an_engine_that_was_given_is_left_without_what_watched() -> None:
    engine: Engine[Any, Any] = Engine(echo)
    run_engine(engine, max_iters=2, epoch_length=2)
    assert not any(engine.listens(event) for event in Events)
    assert engine.state.iteration == 2


def test_nothing_watches_an_engine_whose_run_failed() -> None:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: 1 / batch)
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        run_engine(engine, [0])
    assert not any(engine.listens(event) for event in Events)


def test_a_misspelt_event_is_no_empty_list() -> None:
    with pytest.raises(UnknownEvent, match=r"no event EPOCH_COMPLETD was watched; did you mean"):
        run_engine(echo, [1]).only("EPOCH_COMPLETD")


def test_a_difference_is_shown_as_two_tables(judge: Callable[..., Any]) -> None:
    verdicts = judge("""
        from glowplug.testing import run_engine

        def test_it():
            fired = run_engine(lambda engine, batch: batch, [1]).only("STARTED", "COMPLETED")
            assert fired == [("STARTED", 0, 0, 0), ("COMPLETED", 1, 2, 1)]
    """)
    assert "Recording == list (- left, + right)" in verdicts.said["it"]
    assert "- COMPLETED      1          1       1" in verdicts.said["it"]
    assert "+ COMPLETED      1          2       1" in verdicts.said["it"]


def test_other_comparisons_are_left_to_pytest(judge: Callable[..., Any]) -> None:
    verdicts = judge("def test_it(): assert [1] == [2]")
    assert "At index 0 diff: 1 != 2" in verdicts.said["it"]


def test_what_is_no_firing_is_shown_as_it_is() -> None:
    recording = Recording([Fired("STARTED", 0, 0, 0)])
    recording.append("EPOCH_STARTED")  # type: ignore[arg-type]  # on purpose
    assert repr(recording).splitlines()[-1] == "'EPOCH_STARTED'"


def test_a_recorder_writes_down_how_it_was_called() -> None:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: 1 / batch)
    recorder = Recorder()
    engine.add_event_handler(Events.ITERATION_COMPLETED, recorder, "mine", key="word")
    engine.add_event_handler(Events.EXCEPTION_RAISED, recorder)
    with pytest.raises(ZeroDivisionError, match="division by zero") as raised:
        engine.run([2, 0])
    assert recorder.calls == [
        Call("ITERATION_COMPLETED", 1, 1, 0.5, ("mine",), {"key": "word"}),
        Call("EXCEPTION_RAISED", 1, 2, None, (raised.value,), {}),
    ]


def test_a_recorder_attaches_itself_to_all_events_and_detaches() -> None:
    engine: Engine[Any, Any] = Engine(step_twice, events=[Backprop])
    recorder = Recorder()
    recorder.attach(engine)
    engine.run([1])
    assert recorder.names[-4:] == ["SKIPPED", "ITERATION_COMPLETED", "EPOCH_COMPLETED", "COMPLETED"]
    recorder.detach(engine)
    engine.run([1])
    assert recorder.names[-1] == "COMPLETED"
    assert recorder.names.count("COMPLETED") == 1


def test_a_recorder_records_each_firing_once() -> None:
    engine: Engine[Any, Any] = Engine(echo)
    recorder = Recorder()
    recorder.attach(engine, Events.STARTED)
    with pytest.raises(InvalidArgument, match="attached to STARTED already"):
        recorder.attach(engine, Events.COMPLETED, Events.STARTED)
    assert not engine.listens(Events.COMPLETED)


def test_a_recorder_that_is_detached_from_another_engine_stays() -> None:
    engine: Engine[Any, Any] = Engine(echo)
    recorder = Recorder()
    recorder.attach(engine, Events.STARTED(once=1) | Events.COMPLETED)
    recorder.detach(Engine(echo))
    assert engine.has_event_handler(recorder)
    recorder.detach(engine)
    assert not engine.has_event_handler(recorder)
