from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from glowplug import Engine, Events
from glowplug.errors import InvalidArgument, InvalidHandler, InvalidType
from glowplug_checkpoint import CheckpointEvents, ModelCheckpoint

MODEL = torch.nn.BatchNorm1d(1)


def engine() -> Engine[Any, Any]:
    return Engine(lambda engine, batch: batch)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.pt"))


def test_it_saves_the_objects_that_it_is_attached_with(folder: Path) -> None:
    trainer, handler = engine(), ModelCheckpoint(folder, "best", n_saved=2)
    trainer.add_event_handler(Events.EPOCH_COMPLETED(every=2), handler, {"model": MODEL})
    trainer.run([1], max_epochs=6)
    assert files(folder) == ["best_model_4.pt", "best_model_6.pt"]
    assert handler.last_checkpoint == str(folder / "best_model_6.pt")


def test_it_can_be_called(folder: Path) -> None:
    handler = ModelCheckpoint(folder)
    handler(engine(), {"model": MODEL})
    assert files(folder) == ["model_0.pt"]


def test_it_attaches_itself_with_its_objects(folder: Path) -> None:
    trainer, handler, seen = engine(), ModelCheckpoint(folder), []
    handler.attach(trainer, Events.ITERATION_COMPLETED(every=3), {"a": MODEL, "b": trainer})
    trainer.add_event_handler(CheckpointEvents.SAVED_CHECKPOINT, lambda: seen.append(1))
    trainer.run(range(7))
    assert (files(folder), seen) == (["checkpoint_6.pt"], [1, 1])


@pytest.mark.parametrize(
    ("to_save", "error", "message"),
    [
        (None, InvalidArgument, "no objects to save; give them by name"),
        ({}, InvalidArgument, "to_save is empty"),
        ([MODEL], InvalidType, "to_save must be a mapping"),
        ({"m": 3}, InvalidType, "'m' is of type int, which has no state_dict"),
    ],
)
def test_what_cannot_be_saved_is_refused_and_nothing_is_attached(
    folder: Path, to_save: Any, error: type[Exception], message: str
) -> None:
    trainer, handler = engine(), ModelCheckpoint(folder)
    with pytest.raises(error, match=message):
        handler.attach(trainer, to_save=to_save)
    assert not trainer.has_event_handler(handler)
    with pytest.raises(error, match=message):
        handler(trainer, to_save)


def test_attached_without_its_objects_it_is_refused(folder: Path) -> None:
    with pytest.raises(InvalidHandler, match="to_save"):
        engine().add_event_handler(Events.EPOCH_COMPLETED, ModelCheckpoint(folder))


def test_it_saves_to_folders_only() -> None:
    with pytest.raises(InvalidType, match="dirname must be a path or a URL"):
        ModelCheckpoint(print)  # type: ignore[arg-type]  # that is the test


def test_a_folder_must_be_empty_and_be_there_as_asked(folder: Path, tmp_path: Path) -> None:
    (folder / "a.pt").touch()
    with pytest.raises(InvalidArgument, match="require_empty=False"):
        ModelCheckpoint(folder)
    with pytest.raises(InvalidArgument, match="create_dir=True"):
        ModelCheckpoint(tmp_path / "none", create_dir=False)
    ModelCheckpoint(folder, require_empty=False)(engine(), {"m": MODEL})
    assert files(folder) == ["a.pt", "m_0.pt"]


def test_a_score_with_all_parts_of_a_name_is_kept_by_pytorch_ignites_rules(folder: Path) -> None:
    handler = ModelCheckpoint(
        folder,
        filename_prefix="best",
        score_function=lambda engine: [0.1, 0.5, 0.3, 0.5][engine.state.epoch - 1],
        score_name="acc",
        n_saved=2,
        global_step_transform=lambda engine, event: engine.state.epoch,
        include_self=True,
    )
    trainer = engine()
    handler.attach(trainer, to_save={"model": MODEL})
    trainer.run([1], max_epochs=4)
    assert files(folder) == ["best_model_2_acc=0.5000.pt", "best_model_4_acc=0.5000.pt"]


def test_options_reach_the_saver(folder: Path) -> None:
    handler = ModelCheckpoint(folder, format="safetensors", atomic=False)
    handler(engine(), {"m": MODEL})
    assert handler.last_checkpoint == str(folder / "m_0.safetensors")
