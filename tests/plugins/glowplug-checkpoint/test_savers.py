from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from glowplug import Engine
from glowplug.errors import InvalidArgument, InvalidType
from glowplug_checkpoint import (
    BaseSaveHandler,
    Checkpoint,
    DamagedCheckpoint,
    DiskSaver,
    NoCheckpoint,
    SaveFailed,
    UnsavableContent,
    checkpoints,
    store_at,
)

MODEL = torch.nn.BatchNorm1d(1)


def at(iteration: int) -> Engine[Any, Any]:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: batch)
    engine.state.iteration = iteration
    return engine


def test_what_is_saved_is_loaded_again(folder: Path) -> None:
    saver = DiskSaver(folder)
    saver({"a": torch.ones(2)}, "x.pt")
    assert torch.equal(saver.load("x.pt")["a"], torch.ones(2))


def test_plain_torch_reads_a_file(folder: Path) -> None:
    DiskSaver(folder)({"a": 1}, "x.pt")
    assert torch.load(folder / "x.pt", weights_only=True) == {"a": 1}


def test_keyword_arguments_go_to_torch_save(folder: Path) -> None:
    saver = DiskSaver(folder, _use_new_zipfile_serialization=False)
    saver({"a": 1}, "x.pt")
    assert not (folder / "x.pt").read_bytes().startswith(b"PK")
    assert saver.load("x.pt") == {"a": 1}


def test_a_manifest_tells_what_a_file_is_of(folder: Path) -> None:
    metadata = {"iteration": 7, "epoch": 2, "run": "r", "versions": {"mine": "3"}}
    DiskSaver(folder)({"a": 1}, "x.pt", metadata)
    (manifest,) = checkpoints(store_at(folder))
    assert (manifest.iteration, manifest.epoch, manifest.run) == (7, 2, "r")
    assert manifest.versions["mine"] == "3"
    assert {"glowplug", "glowplug-checkpoint", "torch"} <= set(manifest.versions)


def test_the_later_of_two_files_is_the_newer_whatever_their_iterations(folder: Path) -> None:
    saver = DiskSaver(folder)
    saver({}, "b.pt", {"iteration": 9})
    saver({}, "a.pt", {"iteration": 1})
    assert [manifest.file for manifest in checkpoints(store_at(folder))] == ["a.pt", "b.pt"]


def test_a_file_goes_with_its_manifest(folder: Path) -> None:
    saver = DiskSaver(folder)
    saver({}, "x.pt")
    saver.remove("x.pt")
    assert list(folder.iterdir()) == []


def test_removing_what_is_not_there_is_an_error(folder: Path) -> None:
    with pytest.raises(NoCheckpoint, match=r"there is no checkpoint .*x\.pt"):
        DiskSaver(folder).remove("x.pt")


def test_a_damaged_file_is_not_loaded(folder: Path) -> None:
    saver = DiskSaver(folder)
    saver({"a": 1}, "x.pt")
    (folder / "x.pt").write_bytes((folder / "x.pt").read_bytes()[:-1])
    with pytest.raises(DamagedCheckpoint, match=r"x\.pt is cut off"):
        saver.load("x.pt")


def test_a_folder_is_made(tmp_path: Path) -> None:
    DiskSaver(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_a_folder_that_is_not_there_is_refused_where_none_is_to_be_made(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="no such folder; make it, or pass create_dir=True"):
        DiskSaver(tmp_path / "a", create_dir=False)


@pytest.mark.parametrize("name", ["a.pt", "b_12.pt"])
def test_a_folder_with_checkpoints_is_refused(folder: Path, name: str) -> None:
    (folder / name).touch()
    with pytest.raises(InvalidArgument, match=f"checkpoints already: {name}; .*require_empty"):
        DiskSaver(folder)


@pytest.mark.parametrize("name", ["a.txt", "a.pth", "a.safetensors", "pt"])
def test_a_folder_with_other_files_counts_as_empty(folder: Path, name: str) -> None:
    (folder / name).touch()
    DiskSaver(folder)({}, "x.pt")
    assert (folder / name).exists()


def test_many_checkpoints_in_a_folder_are_not_all_named(folder: Path) -> None:
    for number in range(9):
        (folder / f"{number}.pt").touch()
    with pytest.raises(InvalidArgument, match=r"4.pt and 4 more; take another folder"):
        DiskSaver(folder)


def test_a_file_in_the_place_of_the_folder_is_an_error_that_names_it(folder: Path) -> None:
    (folder / "file").touch()
    with pytest.raises(SaveFailed, match=r"cannot make the folder .*file: File exists"):
        DiskSaver(folder / "file")


def test_safetensors_are_written_on_request(folder: Path) -> None:
    checkpoint = Checkpoint({"m": MODEL}, folder, format="safetensors")
    checkpoint(at(1))
    from safetensors.torch import load_file

    assert checkpoint.last_checkpoint == str(folder / "m_1.safetensors")
    assert set(load_file(folder / "m_1.safetensors")) >= {"running_mean", "weight"}
    Checkpoint.load_objects({"m": torch.nn.BatchNorm1d(1)}, folder / "m_1.safetensors")


def test_a_format_that_there_is_not_is_refused(folder: Path) -> None:
    with pytest.raises(InvalidArgument, match="'safetensor'; did you mean 'safetensors'"):
        DiskSaver(folder, format="safetensor")


@pytest.mark.parametrize(
    ("argument", "error", "message"),
    [
        ({"dirname": 3}, InvalidType, "dirname must be a path or a URL, got 3"),
        ({"save_on_rank": "0"}, InvalidType, "save_on_rank must be an integer, got '0'"),
        ({"save_on_rank": -1}, InvalidArgument, "save_on_rank must be 0 or more, got -1"),
    ],
)
def test_an_impossible_argument_is_refused(
    folder: Path, argument: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        DiskSaver(**{"dirname": folder, **argument})


def test_a_url_is_a_folder_too() -> None:
    url = "memory://test_savers/runs"
    checkpoint = Checkpoint({"m": MODEL}, url)
    checkpoint(at(1))
    checkpoint(at(2))
    assert checkpoint.last_checkpoint == f"{url}/m_2.pt"
    assert checkpoint.save_handler.names() == ["m_2.pt"]
    Checkpoint.load_objects({"m": torch.nn.BatchNorm1d(1)}, f"{url}/m_2.pt")


def test_a_saver_travels_to_another_process(folder: Path) -> None:
    copied = pickle.loads(pickle.dumps(DiskSaver(folder)))
    copied({}, "x.pt")
    assert copied.names() == ["x.pt"]


def test_a_function_that_saves_is_given_content_name_and_metadata() -> None:
    given: list[Any] = []
    Checkpoint({"m": MODEL}, lambda *arguments: given.append(arguments), "p")(at(3))
    content, name, metadata = given[0]
    assert (set(content), name) == (set(MODEL.state_dict()), "p_m_3.pt")
    assert (metadata["basename"], metadata["score_name"], metadata["priority"]) == ("p_m", None, 3)
    assert (metadata["iteration"], metadata["epoch"]) == (3, 0)


def test_a_function_may_do_without_the_metadata() -> None:
    names = []
    Checkpoint({"m": MODEL}, lambda content, name: names.append(name))(at(3))
    assert names == ["m_3.pt"]


def test_a_function_that_takes_something_else_is_refused() -> None:
    with pytest.raises(InvalidArgument, match=r"called as save\(checkpoint, filename, metadata\)"):
        Checkpoint({"m": MODEL}, lambda content: None)


@pytest.mark.parametrize("handler", [None, 3, DiskSaver])
def test_what_cannot_save_is_refused(handler: Any) -> None:
    with pytest.raises(InvalidType, match="save_handler must be a path or a URL"):
        Checkpoint({"m": MODEL}, handler)


def test_options_of_a_folder_are_refused_where_no_folder_is_made(folder: Path) -> None:
    with pytest.raises(InvalidArgument, match="format: for the DiskSaver that is made of a path"):
        Checkpoint({"m": MODEL}, DiskSaver(folder), format="safetensors")


def test_the_handler_can_be_asked_for(folder: Path) -> None:
    saver = DiskSaver(folder)
    function = print
    assert Checkpoint({"m": MODEL}, saver).save_handler is saver
    assert Checkpoint({"m": MODEL}, function).save_handler is function


class Background(BaseSaveHandler):
    """Saves when it is waited for."""

    error: Exception | None = None

    def __init__(self) -> None:
        self.saved: list[str] = []

    def __call__(self, checkpoint: Any, filename: str, metadata: Any = None) -> Any:
        saver = self

        class UnderWay:
            def done(self) -> bool:
                return False

            def result(self) -> None:
                if saver.error is not None:
                    raise saver.error
                saver.saved.append(filename)

        return UnderWay()

    def remove(self, filename: str) -> None:
        self.saved.remove(filename)


def test_a_save_under_way_is_waited_for() -> None:
    saver = Background()
    checkpoint = Checkpoint({"m": MODEL}, saver)
    checkpoint(at(1))
    checkpoint(at(2))
    assert saver.saved == ["m_2.pt"]


def test_an_error_of_a_save_under_way_leaves_everything_as_it_was() -> None:
    saver = Background()
    checkpoint = Checkpoint({"m": MODEL}, saver)
    checkpoint(at(1))
    saver.error = SaveFailed("the line is cut")
    with pytest.raises(SaveFailed, match="the line is cut"):
        checkpoint(at(2))
    assert checkpoint.last_checkpoint == "m_1.pt"
    assert saver.saved == ["m_1.pt"]


class Odd:
    """Has a state that cannot be read back."""

    def state_dict(self) -> dict[str, Any]:
        return {"deep": [object()]}


def test_what_could_not_be_read_back_is_told_with_the_object(folder: Path) -> None:
    alone = Checkpoint({"odd": Odd()}, folder)
    with pytest.raises(UnsavableContent, match=r"'odd' cannot be saved: deep\.0 is an object"):
        alone(at(1))
    several = Checkpoint({"m": MODEL, "odd": Odd()}, folder)
    with pytest.raises(UnsavableContent, match=r"odd\.deep\.0 is an object"):
        several(at(1))
    assert list(folder.iterdir()) == []
