"""A graceful stop within this process: order, what is saved, what is put back, nested runs."""

from __future__ import annotations

import logging
import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glowplug import Engine, Events, component
from glowplug.errors import InvalidArgument, InvalidHandler, InvalidType
from glowplug_handlers import GracefulStop, NotInMainThread

TERM, INT = signal.SIGTERM, signal.SIGINT
Trainer = Engine[Any, Any]


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Whatever a test does, the process takes its signals as before."""
    before = {number: signal.getsignal(number) for number in (TERM, INT)}
    yield
    assert {number: signal.getsignal(number) for number in before} == before


@pytest.fixture
def trainer() -> Trainer:
    """An engine that returns its batches."""
    return Engine(lambda engine, batch: batch)


@pytest.fixture
def saved() -> list[dict[str, Any]]:
    """What was saved."""
    return []


@pytest.fixture
def save(saved: list[dict[str, Any]]) -> Callable[[Trainer], None]:
    """A handler that saves the state of an engine."""
    return lambda engine: saved.append(engine.state_dict())


def raise_at(engine: Trainer, event: Any, number: int = TERM) -> None:
    """Let a signal come at an event, before what others do at it."""
    with engine.in_phase("compute"):
        engine.add_event_handler(event, signal.raise_signal, number)


def exit_code(engine: Trainer, data: Any = range(4), epochs: int = 3) -> Any:
    """Run an engine, which leaves the process, and return the exit code."""
    with pytest.raises(SystemExit, check=lambda error: error.code is not None) as left:
        engine.run(data, max_epochs=epochs)
    return left.value.code


@pytest.mark.parametrize(("number", "code"), [(TERM, 143), (INT, 130)])
def test_the_exit_code_is_that_of_a_process_which_the_signal_ended(
    trainer: Trainer, number: int, code: int
) -> None:
    GracefulStop().attach(trainer)
    raise_at(trainer, Events.ITERATION_STARTED(once=2), number)
    assert exit_code(trainer) == code


def test_the_running_step_is_finished_and_no_other_begun(
    trainer: Trainer, save: Any, saved: list[Any]
) -> None:
    GracefulStop(save).attach(trainer)
    raise_at(trainer, Events.ITERATION_STARTED(once=6))
    exit_code(trainer)
    assert (trainer.state.output, trainer.state.iteration) == (1, 6)
    assert saved == [{"epoch_length": 4, "iteration": 6, "max_epochs": 3}]


def test_it_saves_once_and_after_all_other_handlers(trainer: Trainer) -> None:
    order: list[str] = []
    with trainer.in_phase("persist"):
        trainer.add_event_handler(Events.ITERATION_COMPLETED(once=2), order.append, "before")
        GracefulStop(lambda: order.append("saved")).attach(trainer)
        trainer.add_event_handler(Events.ITERATION_COMPLETED(once=2), order.append, "after")
        trainer.add_event_handler(Events.TERMINATE, order.append, "terminated")
    trainer.add_event_handler(Events.EXCEPTION_RAISED, lambda error: order.append("left"))
    raise_at(trainer, Events.ITERATION_STARTED(once=2))
    exit_code(trainer)
    assert order == ["before", "after", "terminated", "saved", "left"]


def test_several_handlers_save_each_as_it_takes_the_engine(
    trainer: Trainer, save: Any, saved: list[Any]
) -> None:
    GracefulStop([save, lambda: saved.append("without")]).attach(trainer)
    raise_at(trainer, Events.ITERATION_STARTED(once=1))
    exit_code(trainer)
    assert [type(what) for what in saved] == [dict, str]


def test_the_end_of_an_epoch_is_handled_before_the_run_is_saved(
    trainer: Trainer, saved: list[Any]
) -> None:
    GracefulStop(lambda: saved.append("saved")).attach(trainer)
    trainer.add_event_handler(Events.EPOCH_COMPLETED, saved.append, "epoch completed")
    raise_at(trainer, Events.ITERATION_STARTED(once=4))
    exit_code(trainer)
    assert saved == ["epoch completed", "saved"]


@given(signalled=st.integers(1, 14), length=st.integers(1, 5))
def test_a_run_stopped_anywhere_and_resumed_handles_each_event_once(
    signalled: int, length: int
) -> None:
    def engine() -> Trainer:
        made: Trainer = Engine(lambda engine, batch: batch)
        made.add_event_handler(Events.ITERATION_COMPLETED, lambda e: seen.append(e.state.iteration))
        made.add_event_handler(Events.EPOCH_COMPLETED, lambda e: seen.append(-e.state.epoch))
        return made

    seen: list[int] = []
    engine().run(range(length), max_epochs=15)
    expected, seen = seen, []
    first, states = engine(), []
    GracefulStop(lambda e: states.append(e.state_dict())).attach(first)
    raise_at(first, Events.ITERATION_STARTED(once=signalled))
    exit_code(first, range(length), 15)
    second = engine()
    second.load_state_dict(states[0])
    second.run(range(length))
    assert seen == expected


def test_the_run_returns_where_the_process_shall_not_be_left(
    trainer: Trainer, save: Any, saved: list[Any]
) -> None:
    stop, ends = GracefulStop(save, leave=False), []
    stop.attach(trainer)
    trainer.add_event_handler(Events.TERMINATE, lambda: ends.append("TERMINATE"))
    trainer.add_event_handler(Events.COMPLETED, lambda: ends.append("COMPLETED"))
    raise_at(trainer, Events.ITERATION_STARTED(once=5))
    assert trainer.run(range(4), max_epochs=3).iteration == 5
    assert (stop.received, ends, len(saved)) == (TERM, ["TERMINATE", "COMPLETED"], 1)


def test_what_came_is_forgotten_when_the_next_run_begins(trainer: Trainer) -> None:
    stop = GracefulStop(leave=False)
    stop.attach(trainer)
    with trainer.add_event_handler(Events.STARTED, signal.raise_signal, INT):
        assert trainer.run(range(4)).iteration == 1
    assert stop.received is INT
    trainer.state.max_epochs = None
    assert trainer.run(range(4)).iteration == 4
    assert stop.received is None


def test_a_signal_while_the_run_completes_is_obeyed_too(
    trainer: Trainer, save: Any, saved: list[Any]
) -> None:
    GracefulStop(save).attach(trainer)
    raise_at(trainer, Events.COMPLETED)
    assert exit_code(trainer) == 143
    assert len(saved) == 1


def test_an_epoch_that_is_not_where_its_length_says_stops_at_the_next_iteration(
    trainer: Trainer, save: Any, saved: list[Any]
) -> None:
    GracefulStop(save).attach(trainer)
    trainer.add_event_handler(Events.ITERATION_COMPLETED(once=2), lambda e: e.terminate_epoch())
    raise_at(trainer, Events.ITERATION_STARTED(once=4))
    exit_code(trainer)
    assert saved[0]["iteration"] == 5


@pytest.mark.parametrize("event", [Events.STARTED, Events.ITERATION_STARTED, Events.COMPLETED])
def test_what_was_there_is_put_back_when_a_handler_fails(trainer: Trainer, event: Events) -> None:
    def fail() -> None:
        assert signal.getsignal(TERM) is not signal.SIG_DFL
        raise KeyError("broken")

    GracefulStop().attach(trainer)
    trainer.add_event_handler(event, fail)
    with pytest.raises(KeyError, match="broken"):
        trainer.run(range(4))


def test_what_was_there_is_put_back_even_if_handlers_of_the_error_fail(trainer: Trainer) -> None:
    def fail(*_: Any) -> None:
        raise KeyError("broken")

    trainer.add_event_handler(Events.EXCEPTION_RAISED, fail)
    GracefulStop().attach(trainer)
    trainer.add_event_handler(Events.ITERATION_STARTED, fail)
    with pytest.raises(KeyError, match="broken"):
        trainer.run(range(4))


def test_what_was_there_is_put_back_without_completed(trainer: Trainer) -> None:
    GracefulStop().attach(trainer)
    trainer.add_event_handler(
        Events.ITERATION_STARTED(once=2), lambda e: e.terminate(skip_completed=True)
    )
    trainer.run(range(4))


def test_an_interrupted_run_is_stopped_when_it_goes_on(
    trainer: Trainer, save: Any, saved: list[Any]
) -> None:
    GracefulStop(save).attach(trainer)
    trainer.add_event_handler(Events.ITERATION_COMPLETED(once=2), lambda e: e.interrupt())
    trainer.run(range(4), max_epochs=3)
    assert signal.getsignal(TERM) is signal.SIG_DFL
    raise_at(trainer, Events.ITERATION_STARTED(once=5))
    assert exit_code(trainer) == 143
    assert saved[0]["iteration"] == 5


def test_a_step_that_fails_after_a_signal_fails_as_ever(
    save: Any, saved: list[Any], caplog: Any
) -> None:
    def step(engine: Trainer, batch: int) -> None:
        signal.raise_signal(TERM)
        raise KeyError("broken")

    trainer: Trainer = Engine(step)
    GracefulStop(save).attach(trainer)
    with pytest.raises(KeyError, match="broken"):
        trainer.run(range(4))
    assert saved == []


def broken_data() -> Iterator[int]:
    """Data that fail after a signal, as those do whose workers it ended."""
    yield 1
    yield 2
    signal.raise_signal(TERM)
    raise ConnectionError("no worker")


def test_data_that_fail_after_a_signal_do_not_cost_what_was_done(
    trainer: Trainer, save: Any, saved: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    GracefulStop(save).attach(trainer)
    assert exit_code(trainer, broken_data()) == 143
    assert [state["iteration"] for state in saved] == [2]
    assert "ConnectionError: no worker" in caplog.text


def test_data_that_fail_after_a_signal_end_a_run_that_returns(
    trainer: Trainer, save: Any, saved: list[Any]
) -> None:
    GracefulStop(save, leave=False).attach(trainer)
    assert trainer.run(broken_data()).iteration == 2
    assert len(saved) == 1


def test_a_save_that_fails_is_the_error_of_the_run(trainer: Trainer) -> None:
    def fail() -> None:
        raise OSError("disk full")

    GracefulStop(fail).attach(trainer)
    raise_at(trainer, Events.ITERATION_STARTED(once=2))
    with pytest.raises(OSError, match="disk full"):
        trainer.run(range(4))


def nested(stop: GracefulStop, *, attached: bool) -> tuple[Trainer, Trainer]:
    """Return a trainer and the evaluator that runs when an epoch of it is completed."""
    trainer: Trainer = Engine(lambda engine, batch: batch)
    evaluator: Trainer = Engine(lambda engine, batch: batch)
    stop.attach(trainer)
    if attached:
        stop.attach(evaluator)
    trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda: evaluator.run(range(10)))
    raise_at(evaluator, Events.ITERATION_STARTED(once=3))
    return trainer, evaluator


def test_an_evaluator_runs_to_its_end_before_the_trainer_stops(save: Any, saved: list[Any]) -> None:
    trainer, evaluator = nested(GracefulStop(save), attached=False)
    assert exit_code(trainer) == 143
    assert (evaluator.state.iteration, saved[0]["iteration"]) == (10, 4)


@pytest.mark.parametrize("leave", [True, False])
def test_an_evaluator_that_is_attached_is_cut_short_and_the_trainer_saved(
    save: Any, saved: list[Any], leave: bool
) -> None:
    after: list[str] = []
    trainer, evaluator = nested(GracefulStop(save, leave=leave), attached=True)
    trainer.add_event_handler(Events.EPOCH_COMPLETED, after.append, "with half a validation")
    if leave:
        exit_code(trainer)
    else:
        trainer.run(range(4), max_epochs=3)
    assert (evaluator.state.iteration, len(saved), saved[0]["iteration"]) == (3, 1, 4)
    assert after == []


def test_an_evaluator_alone_is_saved_like_a_trainer(save: Any, saved: list[Any]) -> None:
    evaluator: Trainer = Engine(lambda engine, batch: batch)
    GracefulStop(save).attach(evaluator)
    raise_at(evaluator, Events.ITERATION_STARTED(once=3))
    exit_code(evaluator)
    assert saved[0]["iteration"] == 3


def test_a_signal_that_is_ignored_stays_so(trainer: Trainer) -> None:
    before = signal.signal(TERM, signal.SIG_IGN)
    try:
        GracefulStop().attach(trainer)
        raise_at(trainer, Events.ITERATION_STARTED(once=2))
        assert trainer.run(range(4)).iteration == 4
    finally:
        signal.signal(TERM, before)


def test_a_handler_installed_during_the_run_is_left_in_place(trainer: Trainer) -> None:
    def theirs(*_: Any) -> None: ...

    before = signal.getsignal(TERM)
    try:
        GracefulStop().attach(trainer)
        trainer.add_event_handler(Events.ITERATION_STARTED(once=2), signal.signal, TERM, theirs)
        trainer.run(range(4))
        assert signal.getsignal(TERM) is theirs
    finally:
        signal.signal(TERM, before)


def test_a_run_in_another_thread_is_refused(trainer: Trainer) -> None:
    GracefulStop().attach(trainer)
    errors: list[BaseException] = []

    def run() -> None:
        with pytest.raises(NotInMainThread, match="this run is in 'side'; run it in") as refused:
            trainer.run(range(4))
        errors.append(refused.value)

    thread = threading.Thread(target=run, name="side")
    thread.start()
    thread.join()
    assert len(errors) == 1


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"save": 3}, InvalidType, "save must be a handler such as a checkpoint, or several"),
        ({"save": "best.pt"}, InvalidType, "save must be a handler .* got 'best.pt'"),
        ({"save": lambda a, b, c: None}, InvalidHandler, "can be called neither as"),
        ({"signals": 15}, InvalidType, "signals must be several numbers of signals, .* got 15"),
        ({"signals": ["TERM"]}, InvalidType, "a signal is a number such as signal.SIGTERM"),
        ({"signals": [signal.SIGKILL]}, InvalidArgument, "is none that a process can take"),
        ({"signals": [1000]}, InvalidArgument, "signal 1000 is none that a process can take"),
        ({"signals": []}, InvalidArgument, "signals is empty: name at least one"),
        ({"leave": 1}, InvalidType, "leave must be True or False, got 1"),
        ({"agree_every": 0}, InvalidArgument, "agree_every must be 1 or more, got 0"),
        ({"agree_every": 0.5}, InvalidType, "agree_every must be a whole number, got 0.5"),
    ],
)
def test_an_impossible_argument_is_refused(arguments: Any, error: Any, said: str) -> None:
    with pytest.raises(error, match=said):
        GracefulStop(**arguments)


def test_a_copy_of_an_engine_stops_by_itself(trainer: Trainer) -> None:
    GracefulStop(agree_every=3).attach(trainer)
    raise_at(trainer, Events.ITERATION_STARTED(once=2))
    copied = pickle.loads(pickle.dumps(GracefulStop(agree_every=3)))
    copied.attach(trainer)
    copied.detach(trainer)
    assert exit_code(trainer) == 143


@pytest.mark.parametrize("background", [False, True])
def test_a_checkpoint_is_complete_before_the_process_is_left(
    trainer: Trainer, tmp_path: Path, background: bool
) -> None:
    checkpoint = component("handler", "checkpoint")
    folder = str(tmp_path)
    GracefulStop(checkpoint({"trainer": trainer}, folder, background=background)).attach(trainer)
    raise_at(trainer, Events.ITERATION_STARTED(once=6))
    trainer.add_event_handler(
        Events.EXCEPTION_RAISED, lambda error: names.extend(os.listdir(tmp_path))
    )
    names: list[str] = []
    exit_code(trainer)
    assert "trainer_6.pt" in names
    resumed: Trainer = Engine(lambda engine, batch: batch)
    checkpoint.load_objects({"trainer": resumed}, tmp_path / "trainer_6.pt")
    assert resumed.state.iteration == 6


def test_it_says_when_nothing_is_set_to_save(trainer: Trainer, caplog: Any) -> None:
    GracefulStop().attach(trainer)
    raise_at(trainer, Events.ITERATION_STARTED(once=2))
    exit_code(trainer)
    assert caplog.record_tuples == [
        (
            "glowplug.Engine",
            logging.WARNING,
            "SIGTERM: the run stops after iteration 2, epoch 1; nothing is set to save",
        )
    ]
