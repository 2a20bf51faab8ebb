from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from glowplug import Engine, Events
from glowplug.errors import InvalidArgument, InvalidType
from glowplug_checkpoint import (
    BackgroundSaver,
    Checkpoint,
    DiskSaver,
    ModelCheckpoint,
    SlowSavingWarning,
)


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


def during(trainer: Engine[Any, Any], iteration: int, do: Callable[[], object]) -> None:
    """Do something at the beginning of an iteration."""
    trainer.add_event_handler(Events.ITERATION_STARTED(once=iteration), lambda: do())


def has_ended(gate: Any) -> None:
    """Let the gate's saves go on, and wait until they are over."""
    gate.open.set()
    for thread in gate.threads:
        thread.join()


def test_a_copy_has_nothing_under_way(gate: Any, folder: Path) -> None:
    checkpoint = Checkpoint({"m": Counting()}, folder, background=True)
    trainer: Engine[Any, Any] = Engine(lambda engine, batch: None)
    checkpoint.attach(trainer, Events.ITERATION_COMPLETED(once=2))
    copies: list[Checkpoint] = []
    during(trainer, 3, lambda: copies.append(pickle.loads(pickle.dumps(checkpoint))))
    during(trainer, 3, lambda: copies.append(copy.deepcopy(checkpoint)))
    trainer.run(range(3))
    for copied in copies:
        copied.wait()
        assert copied.last_checkpoint is None
    assert checkpoint.last_checkpoint == str(folder / "m_2.pt")


def test_the_objects_of_a_model_checkpoint_are_saved_in_the_background(folder: Path) -> None:
    model = Counting()
    trainer: Engine[Any, Any] = Engine(model.step)
    handler = ModelCheckpoint(folder, n_saved=None, background=True)
    handler.attach(trainer, Events.ITERATION_COMPLETED(once=2), {"m": model})
    trainer.run(range(3))
    assert isinstance(handler.save_handler, DiskSaver)
    assert handler.save_handler.load("m_2.pt")["steps"] == [2]


def test_a_function_that_keeps_what_it_is_given_has_what_it_was_given() -> None:
    kept: list[Any] = []
    model = Counting()
    trainer: Engine[Any, Any] = Engine(model.step)
    saver = lambda content, name: kept.append(content["weights"])  # noqa: E731  # said in a line
    checkpoint = Checkpoint({"m": model}, saver, background=True)
    checkpoint.attach(trainer, Events.ITERATION_COMPLETED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SlowSavingWarning)
        trainer.run(range(3))
    assert [float(weights[0]) for weights in kept] == [1.0, 2.0, 3.0]
    assert checkpoint.save_handler is saver


@pytest.mark.parametrize("background", [1, "yes", None])
def test_background_is_true_or_false(folder: Path, background: Any) -> None:
    with pytest.raises(InvalidType, match="background must be True or False, got"):
        Checkpoint({"m": Counting()}, folder, background=background)


def test_a_saver_in_the_background_is_not_put_there_again(folder: Path) -> None:
    saver = BackgroundSaver(DiskSaver(folder))
    assert Checkpoint({"m": Counting()}, saver, background=True).save_handler is saver.save_handler
    with pytest.raises(InvalidArgument, match="saves in the background already"):
        BackgroundSaver(saver)


def test_by_itself_a_saver_is_waited_for_at_the_end_of_a_with(gate: Any) -> None:
    weights = torch.zeros(2)
    with BackgroundSaver(gate) as saver:
        under_way = saver({"weights": weights}, "last.pt")
        weights += 1
        assert not under_way.done()
        gate.open.set()
    assert under_way.done()
    assert torch.equal(saver.load("last.pt")["weights"], torch.zeros(2))


def test_by_itself_a_saver_raises_at_the_next_call_what_nobody_asked_for(gate: Any) -> None:
    saver = BackgroundSaver(gate)
    gate.error = ValueError("the first")
    gate.open.set()
    saver({}, "a.pt")
    with pytest.raises(ValueError, match="the first"):
        saver({}, "b.pt")
    gate.error = None
    saver({}, "b.pt")
    saver.wait()
    assert saver.names() == ["b.pt"]


def test_an_error_that_nobody_can_ask_for_any_more_is_logged(
    gate: Any, caplog: pytest.LogCaptureFixture
) -> None:
    gate.error = ValueError("unheard")
    saver = BackgroundSaver(gate)
    saver({}, "a.pt")
    del saver
    has_ended(gate)
    assert "a.pt was not saved, and nobody asked what came of it: unheard" in caplog.text
