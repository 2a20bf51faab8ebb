from __future__ import annotations

import copy
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from glowplug import Engine, Events, Phase, component
from glowplug.errors import InvalidArgument, InvalidType, UnknownEvent
from glowplug_checkpoint import (
    Checkpoint,
    CheckpointEvents,
    CheckpointWarning,
    DiskSaver,
    ModelCheckpoint,
    NameTaken,
    SaveFailed,
    checkpoints,
    global_step_from_engine,
    store_at,
)
from glowplug_checkpoint.runs import adopt, run_of

MODEL = torch.nn.BatchNorm1d(1)


def at(iteration: int) -> Engine[Any, Any]:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: batch)
    engine.state.iteration = iteration
    return engine


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.pt"))


def test_it_saves_at_the_end_of_every_epoch(folder: Path) -> None:
    checkpoint, trainer = Checkpoint({"m": MODEL}, folder, n_saved=None), at(0)
    checkpoint.attach(trainer)
    trainer.run([1, 2], max_epochs=3)
    assert files(folder) == ["m_2.pt", "m_4.pt", "m_6.pt"]


def test_it_is_a_handler_of_any_event(folder: Path) -> None:
    checkpoint, trainer = Checkpoint({"m": MODEL}, folder, n_saved=None), at(0)
    events = Events.ITERATION_COMPLETED(every=3) | Events.COMPLETED
    trainer.add_event_handler(events, checkpoint)
    trainer.run([1, 2], max_epochs=4)
    assert files(folder) == ["m_3.pt", "m_6.pt", "m_8.pt"]


def test_it_saves_what_all_other_handlers_left_behind(folder: Path) -> None:
    checkpoint, trainer = Checkpoint({"m": MODEL}, folder), at(0)
    checkpoint.attach(trainer)
    seen = []
    trainer.add_event_handler(
        Events.EPOCH_COMPLETED, lambda: seen.append(checkpoint.last_checkpoint)
    )
    trainer.run([1])
    assert seen == [None]
    assert Checkpoint.glowplug_phase is Phase.PERSIST


def test_detached_it_saves_no_more(folder: Path) -> None:
    checkpoint, trainer = Checkpoint({"m": MODEL}, folder), at(0)
    checkpoint.attach(trainer, Events.ITERATION_COMPLETED).remove()
    trainer.run([1])
    assert files(folder) == []


def test_attaching_it_twice_to_an_event_is_refused_and_to_two_events_is_not(folder: Path) -> None:
    checkpoint, trainer = Checkpoint({"m": MODEL}, folder), at(0)
    checkpoint.attach(trainer)
    checkpoint.attach(trainer, Events.COMPLETED)
    with pytest.raises(InvalidArgument, match="attached to EPOCH_COMPLETED of this engine already"):
        checkpoint.attach(trainer)


def test_an_event_that_the_engine_does_not_have_is_refused(folder: Path) -> None:
    checkpoint, trainer = Checkpoint({"m": MODEL}, folder), at(0)
    with pytest.raises(UnknownEvent, match="no_such_event"):
        checkpoint.attach(trainer, "no_such_event")
    assert not trainer.has_registered_events(CheckpointEvents.SAVED_CHECKPOINT)


def test_the_catalog_has_its_components() -> None:
    assert component("handler", "checkpoint") is Checkpoint
    assert component("handler", "model-checkpoint") is ModelCheckpoint
    assert component("events", "checkpoint") is CheckpointEvents


def test_an_event_fires_when_a_file_is_complete(folder: Path) -> None:
    checkpoint, trainer = Checkpoint({"m": MODEL}, folder), at(0)
    checkpoint.attach(trainer)
    seen = []

    @trainer.on(CheckpointEvents.SAVED_CHECKPOINT)
    def saved(engine: Engine[Any, Any]) -> None:
        seen.append((engine.state.epoch, files(folder)))

    trainer.run([1], max_epochs=2)
    assert seen == [(1, ["m_1.pt"]), (2, ["m_2.pt"])]


def test_an_engine_that_has_the_events_from_its_birth_hears_a_plain_handler(folder: Path) -> None:
    trainer: Engine[Any, Any] = Engine(lambda engine, batch: batch, events=["checkpoint"])
    seen = []
    trainer.add_event_handler(CheckpointEvents.SAVED_CHECKPOINT, lambda: seen.append(1))
    trainer.add_event_handler(Events.EPOCH_COMPLETED, Checkpoint({"m": MODEL}, folder))
    trainer.run([1], max_epochs=2)
    assert seen == [1, 1]


def test_no_event_fires_for_what_is_not_saved(folder: Path) -> None:
    checkpoint = Checkpoint({"m": MODEL}, folder, score_function=lambda e: -e.state.epoch)
    trainer, seen = at(0), []
    checkpoint.attach(trainer)
    trainer.add_event_handler(CheckpointEvents.SAVED_CHECKPOINT, lambda: seen.append(1))
    trainer.run([1], max_epochs=3)
    assert seen == [1]


def test_the_last_of_what_is_kept_is_the_best_where_there_is_a_score(folder: Path) -> None:
    scores = [0.1, 0.5, 0.3]
    checkpoint = Checkpoint(
        {"m": MODEL}, folder, n_saved=2, score_function=lambda e: scores[e.state.iteration]
    )
    assert checkpoint.last_checkpoint is None
    for iteration in range(3):
        checkpoint(at(iteration))
    assert checkpoint.last_checkpoint == str(folder / "m_0.5000.pt")


def test_a_manifest_has_the_counters_of_the_engine_that_the_step_is_from(folder: Path) -> None:
    trainer, evaluator = at(0), at(0)
    trainer.run([1, 2], max_epochs=3)
    step = global_step_from_engine(trainer)
    checkpoint = Checkpoint({"m": MODEL}, folder, global_step_transform=step)
    evaluator.add_event_handler(Events.COMPLETED, checkpoint)
    evaluator.run([1])
    (manifest,) = checkpoints(store_at(folder))
    assert (manifest.file, manifest.iteration, manifest.epoch) == ("m_3.pt", 6, 3)
    assert manifest.run == run_of(trainer) != run_of(evaluator)


def test_a_file_of_another_run_is_neither_overwritten_nor_removed(folder: Path) -> None:
    Checkpoint({"m": MODEL}, folder)(at(1))
    before = (folder / "m_1.pt").read_bytes()
    other = Checkpoint({"m": torch.nn.BatchNorm1d(2)}, folder, require_empty=False)
    with pytest.raises(NameTaken, match=r"m_1\.pt: .* another filename_prefix") as raised:
        other(at(1))
    assert isinstance(raised.value, FileExistsError)
    assert (folder / "m_1.pt").read_bytes() == before
    assert other.state_dict()["saved"] == []
    other(at(2))
    assert files(folder) == ["m_1.pt", "m_2.pt"]


def test_a_file_without_a_manifest_is_somebody_elses(folder: Path) -> None:
    torch.save({}, folder / "m_1.pt")
    checkpoint = Checkpoint({"m": MODEL}, folder, require_empty=False)
    with pytest.raises(NameTaken, match="there is one that is not of this run"):
        checkpoint(at(1))


def test_two_of_one_run_do_not_overwrite_each_others_files(folder: Path) -> None:
    trainer = at(1)
    first, second = (
        Checkpoint({"m": MODEL}, folder),
        Checkpoint({"m": MODEL}, os.path.relpath(folder)),
    )
    first(trainer)
    with pytest.raises(NameTaken, match="another Checkpoint of this process keeps it"):
        second(trainer)
    assert second.last_checkpoint is None


def test_two_with_prefixes_of_their_own_share_a_saver(folder: Path) -> None:
    saver, trainer = DiskSaver(folder), at(0)
    for prefix in ("a", "b"):
        Checkpoint({"m": MODEL}, saver, prefix).attach(trainer)
    trainer.run([1], max_epochs=2)
    assert files(folder) == ["a_m_2.pt", "b_m_2.pt"]


def test_a_resumed_run_replaces_what_was_saved_after_the_state_it_goes_on_from(
    folder: Path,
) -> None:
    killed = at(1)
    checkpoint = Checkpoint({"m": MODEL}, folder)
    checkpoint(killed)
    run = run_of(killed)
    del checkpoint
    trainer = at(1)
    adopt(trainer, run)
    resumed = Checkpoint({"m": MODEL}, folder, require_empty=False)
    resumed(trainer)
    assert resumed.last_checkpoint == str(folder / "m_1.pt")


def test_what_was_kept_before_is_removed_when_its_turn_comes(folder: Path) -> None:
    checkpoint = Checkpoint({"m": MODEL}, folder)
    checkpoint(at(1))
    resumed = Checkpoint({"m": MODEL}, folder, require_empty=False)
    resumed.load_state_dict(checkpoint.state_dict())
    resumed(at(2))
    assert files(folder) == ["m_2.pt"]


def test_a_best_file_that_was_removed_by_hand_counts_no_more(folder: Path) -> None:
    checkpoint = Checkpoint({"m": MODEL}, folder, score_function=lambda e: -e.state.iteration)
    checkpoint(at(1))
    (folder / "m_-1.pt").unlink()
    with pytest.warns(CheckpointWarning, match="m_-1.pt should be kept and is gone"):
        checkpoint(at(2))
    assert files(folder) == ["m_-2.pt"]


def test_a_save_that_fails_leaves_everything_as_it_was(folder: Path) -> None:
    checkpoint, trainer, seen = Checkpoint({"m": MODEL}, folder), at(0), []
    checkpoint.attach(trainer)
    trainer.add_event_handler(CheckpointEvents.SAVED_CHECKPOINT, lambda: seen.append(1))

    @trainer.on(Events.EPOCH_STARTED(once=2))
    def block() -> None:
        (folder / "m_2.pt").mkdir()

    with pytest.raises(SaveFailed, match=r"cannot save .*m_2\.pt"):
        trainer.run([1], max_epochs=2)
    assert checkpoint.state_dict() == {"saved": [[1, "m_1.pt"]], "outranked": []}
    assert (seen, (folder / "m_1.pt").is_file()) == ([1], True)


def test_a_state_with_a_file_in_another_folder_does_no_harm(folder: Path, tmp_path: Path) -> None:
    checkpoint = Checkpoint({"m": MODEL}, tmp_path / "a")
    checkpoint(at(1))
    moved = Checkpoint({"m": MODEL}, tmp_path / "b")
    moved.load_state_dict(checkpoint.state_dict())
    moved(at(2))
    assert (files(tmp_path / "a"), files(tmp_path / "b")) == (["m_1.pt"], ["m_2.pt"])


def test_its_own_state_is_saved_and_loaded_with_the_objects(folder: Path) -> None:
    checkpoint = Checkpoint({"m": MODEL}, folder, n_saved=2, include_self=True)
    for iteration in (1, 2, 3):
        checkpoint(at(iteration))
    resumed = Checkpoint({"m": MODEL}, folder, n_saved=2, require_empty=False)
    objects = {"m": torch.nn.BatchNorm1d(1), "checkpointer": resumed}
    Checkpoint.load_objects(objects, folder / "m_3.pt")
    resumed(at(4))
    assert files(folder) == ["m_3.pt", "m_4.pt"]


def test_it_can_be_among_its_own_objects(folder: Path) -> None:
    checkpoint = Checkpoint({"m": MODEL}, folder)
    checkpoint = Checkpoint({"m": MODEL, "kept": checkpoint}, folder)
    checkpoint(at(1))
    assert files(folder) == ["checkpoint_1.pt"]


def test_copies_save_too(folder: Path) -> None:
    checkpoint = Checkpoint({"m": MODEL}, folder)
    copies = copy.deepcopy(checkpoint), pickle.loads(pickle.dumps(checkpoint))
    for number, copied in enumerate(copies):
        copied(at(number))
    assert files(folder) == ["m_0.pt", "m_1.pt"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"to_save": None}, InvalidType, "to_save must be a mapping .* None of type NoneType"),
        ({"to_save": [MODEL]}, InvalidType, "to_save must be a mapping"),
        ({"to_save": {}}, InvalidArgument, "to_save is empty"),
        ({"to_save": {"a": None, "b": 3}}, InvalidType, "'a' is None.*; 'b' is of type int"),
        ({"to_save": {1: MODEL}}, InvalidType, "1 is a name of type int"),
        ({"to_save": {"m": torch.nn.Linear}}, InvalidType, "'m' is of type type"),
        ({"to_save": {"a": MODEL, "b": MODEL}}, InvalidArgument, "'a' and 'b' are the same"),
        ({"n_saved": 0}, InvalidArgument, "n_saved must be 1 or more, or None for all, got 0"),
        ({"n_saved": 1.0}, InvalidType, "n_saved must be a number of files, .* got 1.0"),
        ({"n_saved": True}, InvalidType, "n_saved must be a number of files"),
        ({"score_function": 3}, InvalidType, r"score_function must be a function f\(engine\)"),
        ({"global_step_transform": 3}, InvalidType, "global_step_transform must be a function"),
        ({"save_on_rank": None}, InvalidType, "save_on_rank must be an integer"),
        ({"no_such": 3}, InvalidArgument, "no_such: for the DiskSaver"),
        ({"include_self": True, "to_save": {"checkpointer": MODEL}}, InvalidArgument, "own state"),
    ],
)
def test_an_impossible_argument_is_refused(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Checkpoint(**{"to_save": {"m": MODEL}, "save_handler": print, **arguments})


def test_a_refused_handler_has_not_made_its_folder(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="n_saved"):
        Checkpoint({"m": MODEL}, tmp_path / "a", n_saved=0)
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("fallback", ["epoch", "iteration"])
def test_an_event_that_nothing_counts_has_the_fallback_as_its_step(fallback: str) -> None:
    trainer = at(7)
    trainer.state.epoch = 3
    step = global_step_from_engine(trainer, fallback_attr=fallback)
    wanted = {"epoch": 3, "iteration": 7}[fallback]
    assert step(trainer, CheckpointEvents.SAVED_CHECKPOINT) == wanted


def test_the_step_of_another_event_can_be_taken() -> None:
    trainer = at(7)
    step = global_step_from_engine(trainer, Events.ITERATION_COMPLETED)
    assert step(trainer, Events.EPOCH_COMPLETED) == 7


def test_a_step_of_nothing_is_an_error_that_says_what_there_is() -> None:
    step = global_step_from_engine(at(7), fallback_attr="epochs")
    with pytest.raises(InvalidArgument, match="no attribute 'epochs'; did you mean 'epoch'"):
        step(at(0), CheckpointEvents.SAVED_CHECKPOINT)


def test_a_step_is_taken_of_an_engine() -> None:
    with pytest.raises(InvalidType, match="expected an Engine, got 3 of type int"):
        global_step_from_engine(3)  # type: ignore[arg-type]  # that is the test
    with pytest.raises(InvalidType, match="fallback_attr must be the name of an attribute"):
        global_step_from_engine(at(0), fallback_attr=None)  # type: ignore[arg-type]  # so is this
