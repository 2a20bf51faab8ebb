from __future__ import annotations

import copy
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from glowplug import Engine, Events
from glowplug.testing import ComponentContract
from glowplug_checkpoint import (
    Checkpoint,
    CheckpointEvents,
    SaveFailed,
    SlowSavingWarning,
    UnsavableContent,
    global_step_from_engine,
)

SAVED = CheckpointEvents.SAVED_CHECKPOINT


class Counting:
    """A state that every step changes, in a tensor and in a list."""

    def __init__(self) -> None:
        self.weights, self.steps = torch.zeros(1000), [0]

    def step(self, engine: Any = None, batch: Any = None) -> None:
        self.weights += 1
        self.steps[0] += 1

    def state_dict(self) -> dict[str, Any]:
        return {"weights": self.weights, "steps": self.steps}

    def load_state_dict(self, state_dict: Any) -> None:
        self.weights, self.steps = state_dict["weights"], state_dict["steps"]


def trainer_of(
    saver: Any, *at: int, **how: Any
) -> tuple[Engine[Any, Any], Checkpoint, list[str | None]]:
    """Return a trainer that saves after some iterations, and what is kept whenever one is saved."""
    model = Counting()
    trainer: Engine[Any, Any] = Engine(model.step)
    checkpoint = Checkpoint({"model": model}, saver, background=True, **how)
    checkpoint.attach(trainer, Events.ITERATION_COMPLETED(once=list(at)))
    entered: list[str | None] = []
    trainer.add_event_handler(SAVED, lambda: entered.append(checkpoint.last_checkpoint))
    return trainer, checkpoint, entered


def during(trainer: Engine[Any, Any], iteration: int, do: Callable[[], object]) -> None:
    """Do something at the beginning of an iteration."""
    trainer.add_event_handler(Events.ITERATION_STARTED(once=iteration), lambda: do())


def has_ended(gate: Any) -> None:
    """Let the gate's saves go on, and wait until they are over."""
    gate.open.set()
    for thread in gate.threads:
        thread.join()


def opened_by_waiting(gate: Any) -> None:
    """Let the gate's save go on when somebody waits for its thread, and not before."""
    assert gate.begun.wait(60)
    (thread,) = gate.threads

    def join() -> None:
        gate.open.set()
        threading.Thread.join(thread)

    thread.join = join


def test_the_run_goes_on_while_a_checkpoint_is_saved(gate: Any) -> None:
    trainer, checkpoint, entered = trainer_of(gate, 2)
    there: list[list[str]] = []
    during(trainer, 5, lambda: entered.append(checkpoint.last_checkpoint))
    during(trainer, 5, lambda: there.append(gate.names()))
    during(trainer, 5, gate.open.set)  # had an iteration waited, nobody would
    trainer.run(range(8))
    assert (there, entered) == ([[]], [None, checkpoint.last_checkpoint])
    assert gate.names() == ["model_2.pt"]
    assert gate.threads != [threading.main_thread()]


def test_it_is_entered_once_after_the_iteration_that_finds_it_complete(gate: Any) -> None:
    trainer, _checkpoint, _entered = trainer_of(gate, 2)
    at: list[tuple[int, threading.Thread]] = []
    trainer.add_event_handler(
        SAVED, lambda: at.append((trainer.state.iteration, threading.current_thread()))
    )
    during(trainer, 5, lambda: has_ended(gate))
    trainer.run(range(8))
    assert at == [(5, threading.main_thread())]


def test_what_later_steps_do_is_not_in_the_file(gate: Any) -> None:
    trainer, _checkpoint, _ = trainer_of(gate, 2)
    during(trainer, 6, gate.open.set)
    trainer.run(range(8))
    saved = gate.load("model_2.pt")
    assert saved["steps"] == [2]
    assert torch.equal(saved["weights"], torch.full((1000,), 2.0))


def test_a_slow_file_has_the_optimizer_the_average_and_the_random_numbers_of_its_step(
    gate: Any,
) -> None:
    model = torch.nn.Linear(3, 3)
    average = torch.optim.swa_utils.AveragedModel(model)
    optimizer = torch.optim.Adam(model.parameters())

    class Numbers:
        def state_dict(self) -> dict[str, Any]:
            return {"torch": torch.get_rng_state()}

    def step(engine: Any, batch: Any) -> None:
        optimizer.zero_grad()
        model(torch.randn(2, 3)).sum().backward()
        optimizer.step()
        average.update_parameters(model)

    objects: dict[str, Any] = {"m": model, "a": average, "o": optimizer, "n": Numbers()}
    trainer: Engine[Any, Any] = Engine(step)
    checkpoint = Checkpoint(objects, gate, background=True)
    checkpoint.attach(trainer, Events.ITERATION_COMPLETED(once=2))
    expected: dict[str, Any] = {}

    def remember() -> None:
        expected.update(copy.deepcopy({k: v.state_dict() for k, v in objects.items()}))

    trainer.add_event_handler(Events.ITERATION_COMPLETED(once=2), remember)
    during(trainer, 6, gate.open.set)
    trainer.run(range(6))
    torch.testing.assert_close(gate.load("checkpoint_2.pt"), expected, rtol=0, atol=0)


def test_the_file_is_the_one_that_is_saved_in_line(folder: Path) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
    model(torch.randn(4, 2)).sum().backward()
    optimizer = torch.optim.Adam(model.parameters())
    optimizer.step()
    objects: dict[str, Any] = {"model": model, "optimizer": optimizer}
    engine: Engine[Any, Any] = Engine(lambda engine, batch: None)
    Checkpoint(objects, folder / "a")(engine)
    Checkpoint(objects, folder / "b", background=True)(engine)
    name = "checkpoint_0.pt"
    assert (folder / "a" / name).read_bytes() == (folder / "b" / name).read_bytes()


def test_the_next_save_waits_for_the_one_before_and_says_so_once(gate: Any) -> None:
    trainer, _checkpoint, entered = trainer_of(gate, 2, 3, 4, n_saved=None)
    during(trainer, 3, lambda: opened_by_waiting(gate))
    with pytest.warns(SlowSavingWarning, match=r"model_2.pt was still being written") as warned:
        trainer.run(range(5))
    assert len([w for w in warned if w.category is SlowSavingWarning]) == 1
    assert gate.names() == ["model_2.pt", "model_3.pt", "model_4.pt"]
    assert len(entered) == 3


def test_one_that_is_over_when_the_next_is_due_makes_nobody_wait(gate: Any) -> None:
    gate.open.set()
    trainer, _checkpoint, entered = trainer_of(gate, 2, 4)
    during(trainer, 4, lambda: has_ended(gate))
    trainer.run(range(5))
    assert len(entered) == 2


@pytest.mark.parametrize("end", ["COMPLETED", "terminate", "skip_completed", "interrupt", "error"])
def test_a_run_that_ends_waits_for_the_save(gate: Any, end: str) -> None:
    trainer, checkpoint, entered = trainer_of(gate, 2)

    def stop() -> None:
        opened_by_waiting(gate)
        if end == "interrupt":
            trainer.interrupt()
        elif end == "error":
            raise ZeroDivisionError("of the step")
        elif end != "COMPLETED":
            trainer.terminate(skip_completed=end == "skip_completed")

    during(trainer, 3, stop)
    if end == "error":
        with pytest.raises(ZeroDivisionError, match="of the step"):
            trainer.run(range(3))
    else:
        trainer.run(range(3))
    assert entered == [checkpoint.last_checkpoint]
    assert gate.names() == ["model_2.pt"]


def test_no_handler_is_left_when_a_save_is_complete(gate: Any) -> None:
    trainer, _checkpoint, _ = trainer_of(gate, 2)
    heard: list[bool] = []
    for iteration in (2, 3, 6):
        trainer.add_event_handler(
            Events.ITERATION_STARTED(once=iteration),
            lambda: heard.append(trainer.listens(Events.INTERRUPT)),
        )
    during(trainer, 4, lambda: has_ended(gate))
    trainer.run(range(8))
    assert heard == [False, True, False]


def test_an_old_file_goes_when_the_new_one_is_complete(gate: Any) -> None:
    gate.open.set()
    trainer, _checkpoint, _ = trainer_of(gate, 1, 3)
    there: list[list[str]] = []
    during(trainer, 3, lambda: has_ended(gate))
    during(trainer, 3, gate.open.clear)
    during(trainer, 5, lambda: there.append(gate.names()))
    during(trainer, 5, lambda: has_ended(gate))
    trainer.run(range(6))
    assert there == [["model_1.pt"]]
    assert gate.names() == ["model_3.pt"]


def test_an_error_leaves_the_run_with_a_note_of_the_save_that_it_is_of(gate: Any) -> None:
    gate.error = SaveFailed("the disk is full", "model_2.pt")
    trainer, checkpoint, entered = trainer_of(gate, 2)
    during(trainer, 4, lambda: has_ended(gate))
    with pytest.raises(SaveFailed, match="the disk is full") as raised:
        trainer.run(range(8))
    assert trainer.state.iteration == 4
    assert (entered, checkpoint.last_checkpoint) == ([], None)
    if sys.version_info >= (3, 11):
        note = "of the save of model_2.pt in the background, which began in epoch 1 after iterat"
        assert any(note in note_ for note_ in raised.value.__notes__)


def test_after_an_error_the_next_run_saves_again(gate: Any) -> None:
    gate.error = ValueError("once")
    trainer, _checkpoint, _entered = trainer_of(gate, 2, 6)
    gate.open.set()
    with pytest.raises(ValueError, match="once"):
        trainer.run(range(4))
    gate.error = None
    trainer.run(range(4), max_epochs=3)
    assert gate.names() == ["model_6.pt"]


def test_what_cannot_be_read_back_is_told_with_the_object(folder: Path) -> None:
    class Odd:
        def state_dict(self) -> dict[str, Any]:
            return {"deep": [range(3), threading.Thread]}

    checkpoint = Checkpoint({"odd": Odd()}, folder, background=True)
    with pytest.raises(UnsavableContent, match=r"'odd' cannot be saved: deep\.0 is a range"):
        checkpoint(Engine(lambda engine, batch: None))


def test_a_thread_that_is_ended_is_an_error_too(gate: Any) -> None:
    gate.error = SystemExit(3)
    gate.open.set()
    trainer, _, _ = trainer_of(gate, 2)
    with pytest.raises(SaveFailed, match=r"model_2.pt was not saved: SystemExit\(3\) ended it"):
        trainer.run(range(3))


def test_outside_a_run_a_call_waits(folder: Path) -> None:
    checkpoint = Checkpoint({"m": Counting()}, folder, background=True)
    checkpoint(Engine(lambda engine, batch: None))
    assert checkpoint.last_checkpoint == str(folder / "m_0.pt")


@pytest.mark.parametrize("event", [Events.TERMINATE, Events.COMPLETED, Events.EXCEPTION_RAISED])
def test_two_that_save_at_the_end_of_a_run_are_complete_after_it(
    folder: Path, event: Events
) -> None:
    trainer: Engine[Any, Any] = Engine(lambda engine, batch: None)
    saving = [
        Checkpoint({"m": Counting()}, folder, filename_prefix=name, background=True)
        for name in "ab"
    ]

    def save(engine: Engine[Any, Any], *_: Any) -> None:
        for each in saving:
            each(engine)

    trainer.add_event_handler(event, save)

    def stop() -> None:
        if event is Events.EXCEPTION_RAISED:
            raise ZeroDivisionError("of the step")
        trainer.terminate()

    during(trainer, 2, stop)
    trainer.add_event_handler(Events.EXCEPTION_RAISED, lambda error: trainer.terminate())
    trainer.run(range(3))
    assert [bool(checkpoint.last_checkpoint) for checkpoint in saving] == [True, True]


def test_the_trainer_goes_on_where_an_evaluator_saves_for_it(gate: Any) -> None:
    model = Counting()
    trainer: Engine[Any, Any] = Engine(model.step)
    evaluator: Engine[Any, Any] = Engine(lambda engine, batch: None)
    step = global_step_from_engine(trainer, Events.EPOCH_COMPLETED)
    checkpoint = Checkpoint({"m": model}, gate, global_step_transform=step, background=True)
    checkpoint.attach(evaluator, Events.COMPLETED)
    trainer.add_event_handler(Events.EPOCH_COMPLETED(once=1), lambda: evaluator.run([1]))
    during(trainer, 4, lambda: has_ended(gate))
    entered: list[int] = []
    evaluator.add_event_handler(SAVED, lambda: entered.append(trainer.state.iteration))
    trainer.run(range(2), max_epochs=3)
    assert entered == [4]
    assert gate.names() == ["m_1.pt"]


def test_wait_enters_what_is_under_way(gate: Any) -> None:
    trainer, checkpoint, entered = trainer_of(gate, 2)

    def wait() -> None:
        gate.open.set()
        checkpoint.wait()

    during(trainer, 3, wait)
    during(trainer, 3, lambda: entered.append("waited"))
    trainer.run(range(5))
    assert entered == [checkpoint.last_checkpoint, "waited"]


def test_a_state_that_is_saved_meanwhile_counts_it_as_complete(gate: Any) -> None:
    trainer, checkpoint, _ = trainer_of(gate, 2)
    states: list[Any] = []
    during(trainer, 3, lambda: states.append(checkpoint.state_dict()))
    during(trainer, 4, gate.open.set)
    trainer.run(range(5))
    assert states == [checkpoint.state_dict()]


def test_loading_a_state_waits_for_the_save(gate: Any) -> None:
    trainer, checkpoint, entered = trainer_of(gate, 2)
    state = {"saved": [[1, "model_1.pt"]], "outranked": []}

    def load() -> None:
        gate.open.set()
        checkpoint.load_state_dict(state)

    during(trainer, 3, load)
    trainer.run(range(5))
    assert len(entered) == 1
    assert checkpoint.state_dict() == state


def test_what_is_under_way_can_be_reloaded_by_its_name(gate: Any) -> None:
    trainer, checkpoint, _ = trainer_of(gate, 2)
    model = Counting()

    def reload() -> None:
        gate.open.set()
        checkpoint.reload_objects({"model": model}, global_step=2)

    during(trainer, 4, reload)
    trainer.run(range(5))
    assert model.steps == [2]


def test_a_forked_process_does_not_enter_the_save_of_the_one_that_it_is_of(gate: Any) -> None:
    trainer, checkpoint, entered = trainer_of(gate, 2)
    codes: list[int] = []

    def fork() -> None:
        child = os.fork()
        if child == 0:
            checkpoint.wait()
            os._exit(7 if not entered else 8)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

    during(trainer, 3, fork)
    during(trainer, 4, gate.open.set)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a fork of several threads
        trainer.run(range(5))
    assert codes == [7]
    assert len(entered) == 1


class TestContract(ComponentContract):
    """It keeps the contract of the handler that saves in line."""

    component = "checkpoint"
    attaching_twice = "error"
    leaves = ("SAVED_CHECKPOINT",)

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> Iterator[None]:
        self.folder, self.made = tmp_path, 0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SlowSavingWarning)  # four batches are soon over
            yield

    def make(self) -> Checkpoint:
        self.made += 1
        model = torch.nn.BatchNorm1d(1)
        folder = self.folder / str(self.made)
        return Checkpoint({"model": model}, folder, n_saved=2, background=True)
