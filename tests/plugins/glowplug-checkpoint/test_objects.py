from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from glowplug import Engine
from glowplug.errors import InvalidArgument, InvalidType
from glowplug_checkpoint import Checkpoint, DiskSaver, StateRefused, UnverifiedWarning


def engine() -> Engine[Any, Any]:
    return Engine(lambda engine, batch: batch)


def model(fill: float = 0.0) -> nn.Module:
    """Return a model of a linear layer and a normalization, filled with a number."""
    made = nn.Sequential(OrderedDict(layer=nn.Linear(2, 1), norm=nn.BatchNorm1d(1)))
    for parameter in made.parameters():
        nn.init.constant_(parameter, fill)
    return made


def compiled(made: Any) -> Any:
    return torch.compile(made, backend="eager")


def compiled_within(made: Any) -> Any:
    made.layer = compiled(made.layer)
    return made


def parallel_within(made: Any) -> Any:
    made.norm = nn.DataParallel(made.norm)
    return made


WRAPPERS: dict[str, Callable[[Any], Any]] = {
    "bare": lambda made: made,
    "in parallel": nn.DataParallel,
    "compiled": compiled,
    "compiled in parallel": lambda made: nn.DataParallel(compiled(made)),
    "parallel and compiled": lambda made: compiled(nn.DataParallel(made)),
    "compiled within": compiled_within,
    "parallel within": parallel_within,
    "within and outside": lambda made: compiled(parallel_within(compiled_within(made))),
}


def values(wrapped: nn.Module) -> set[float]:
    return {value for parameter in wrapped.parameters() for value in parameter.flatten().tolist()}


@pytest.mark.parametrize("loads", WRAPPERS)
@pytest.mark.parametrize("saves", WRAPPERS)
def test_a_model_is_saved_bare_and_loaded_however_it_is_wrapped(
    folder: Path, saves: str, loads: str
) -> None:
    checkpoint = Checkpoint({"model": WRAPPERS[saves](model(0.5))}, folder)
    checkpoint(engine())
    content = torch.load(folder / "model_0.pt", weights_only=True)
    assert list(content) == list(model().state_dict())
    other = WRAPPERS[loads](model())
    Checkpoint.load_objects({"model": other}, folder / "model_0.pt")
    assert values(other) == {0.5}


@pytest.mark.parametrize("saves", ["bare", "compiled within"])
def test_what_torch_notes_of_a_modules_version_is_kept(folder: Path, saves: str) -> None:
    Checkpoint({"model": WRAPPERS[saves](model())}, folder)(engine())
    content = torch.load(folder / "model_0.pt", weights_only=True)
    assert content._metadata["norm"] == {"version": 2}
    assert content._metadata["layer"] == {"version": 1}


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod."])
@pytest.mark.parametrize("loads", ["bare", "in parallel", "compiled"])
def test_a_state_that_was_saved_with_the_prefix_of_a_wrapper_is_loaded(
    prefix: str, loads: str
) -> None:
    content = {prefix + name: value for name, value in model(0.5).state_dict().items()}
    other = WRAPPERS[loads](model())
    Checkpoint.load_objects({"model": other}, content)
    assert values(other) == {0.5}


def test_the_same_module_wrapped_and_bare_is_one_object() -> None:
    made = model()
    with pytest.raises(InvalidArgument, match="'a' and 'b' are the same object"):
        Checkpoint({"a": made, "b": nn.DataParallel(made)}, print)


def trained() -> tuple[nn.Module, torch.optim.Optimizer, Engine[Any, Any]]:
    made, trainer = model(0.5), engine()
    optimizer = torch.optim.Adam(made.parameters(), lr=0.25)
    made(torch.ones(4, 2)).sum().backward()
    optimizer.step()
    trainer.run(epoch_length=2, max_epochs=3)
    return made, optimizer, trainer


def test_several_objects_come_back(folder: Path) -> None:
    names = ("model", "optimizer", "trainer")
    saved: dict[str, Any] = dict(zip(names, trained(), strict=True))
    checkpoint = Checkpoint(saved, folder)
    checkpoint(saved["trainer"])
    made = model()
    loaded: dict[str, Any] = {
        "model": made,
        "optimizer": torch.optim.Adam(made.parameters()),
        "trainer": engine(),
    }
    Checkpoint.load_objects(loaded, checkpoint.last_checkpoint or "")
    assert values(made) == values(saved["model"])
    assert repr(loaded["optimizer"].state_dict()) == repr(saved["optimizer"].state_dict())
    assert loaded["trainer"].state.iteration == 6


def test_some_of_several_objects_can_be_loaded(folder: Path) -> None:
    made, optimizer, _ = trained()
    Checkpoint({"model": made, "optimizer": optimizer}, DiskSaver(folder))(engine())
    other = model()
    Checkpoint.load_objects({"model": other}, str(folder / "checkpoint_0.pt"))
    assert values(other) == values(made)


def test_a_single_object_may_have_another_name_than_in_its_file(folder: Path) -> None:
    Checkpoint({"model": model(0.5)}, folder)(engine())
    other = model()
    Checkpoint.load_objects({"backbone": other}, folder / "model_0.pt")
    assert values(other) == {0.5}


def test_an_engine_that_is_not_in_a_checkpoint_of_another_is_told(folder: Path) -> None:
    trainer = engine()
    checkpoint = Checkpoint({"trainer": trainer}, folder)
    checkpoint(trainer)
    with pytest.raises(InvalidArgument, match=r"no 'trainr' .* did you mean 'trainer'"):
        Checkpoint.load_objects({"trainr": engine()}, folder / "trainer_0.pt")


class Listed:
    """Has a state that is no mapping."""

    def __init__(self) -> None:
        self.state: Any = [1, 2]

    def state_dict(self) -> Any:
        return self.state

    def load_state_dict(self, state: Any) -> None:
        self.state = state


def test_a_state_that_is_no_mapping_comes_back(folder: Path) -> None:
    saved, loaded = Listed(), Listed()
    saved.state = ["a", 1]
    Checkpoint({"listed": saved}, folder)(engine())
    Checkpoint.load_objects({"listed": loaded}, folder / "listed_0.pt")
    assert loaded.state == ["a", 1]


def test_a_file_of_plain_torch_is_loaded_with_a_warning(folder: Path) -> None:
    torch.save({"model": model(0.5).state_dict()}, folder / "old.pt")
    other = model()
    with pytest.warns(UnverifiedWarning, match=r"old\.pt has no manifest"):
        Checkpoint.load_objects({"model": other}, folder / "old.pt")
    assert values(other) == {0.5}


def test_keyword_arguments_go_to_modules_alone() -> None:
    state = {"epoch_length": 1, "iteration": 1, "max_epochs": 2}
    content = {"a": {"weight": torch.ones(1, 2)}, "t": state}
    layer, trainer = nn.Linear(2, 1), engine()
    Checkpoint.load_objects({"a": layer, "t": trainer}, content, strict=False)
    assert (layer.weight.tolist(), trainer.state.iteration) == ([[1.0, 1.0]], 1)


CONTENT = {"model": model(0.5).state_dict(), "optimizer": {}, "trainer": {}}


def test_all_that_is_missing_is_told_at_once_with_what_is_near() -> None:
    objects = {"modl": model(), "optimiser": engine(), "trainer": engine()}
    with pytest.raises(InvalidArgument, match="cannot load") as raised:
        Checkpoint.load_objects(objects, CONTENT)
    assert "no 'modl' in the checkpoint; did you mean 'model'?" in str(raised.value)
    assert "no 'optimiser' in the checkpoint; did you mean 'optimizer'?" in str(raised.value)


def test_a_single_object_that_is_none_of_several_is_told() -> None:
    with pytest.raises(InvalidArgument, match=r"no 'modl' .* did you mean 'model'"):
        Checkpoint.load_objects({"modl": model()}, CONTENT)


def test_a_shape_that_differs_is_told_with_its_object_and_nothing_is_changed() -> None:
    fits, narrow = model(), nn.Linear(2, 1)
    content = {"fits": model(0.5).state_dict(), "narrow": nn.Linear(3, 1).state_dict()}
    words = r"'narrow': weight has the shape \(1, 2\) here and \(1, 3\) in the checkpoint"
    with pytest.raises(InvalidArgument, match=words):
        Checkpoint.load_objects({"fits": fits, "narrow": narrow}, content)
    assert values(fits) == {0.0}


def test_parameters_of_other_names_are_told_with_their_object_and_nothing_is_changed() -> None:
    fits = model()
    content = {"fits": model(0.5).state_dict(), "head": {"weigth": torch.ones(1, 2)}}
    with pytest.raises(InvalidArgument, match="cannot load") as raised:
        Checkpoint.load_objects({"fits": fits, "head": nn.Linear(2, 1)}, content)
    assert "'head': the checkpoint lacks 'weight', 'bias'; did you mean 'weigth'?" in str(
        raised.value
    )
    assert "'head': the checkpoint has 'weigth', which the module has not" in str(raised.value)
    assert values(fits) == {0.0}


def test_of_many_parameters_a_few_are_named() -> None:
    deep = nn.Sequential(*(nn.Linear(1, 1) for _ in range(9)))
    with pytest.raises(InvalidArgument, match=r"lacks '0\.weight', .* and 13 more"):
        Checkpoint.load_objects({"deep": deep}, {"deep": {}})


def test_a_module_takes_no_other_state_than_a_mapping() -> None:
    with pytest.raises(
        InvalidArgument, match=r"'m': the state of a module is a mapping, got .*int"
    ):
        Checkpoint.load_objects({"m": model()}, {"m": 3})


def test_an_object_that_refuses_its_state_is_named_with_those_that_have_theirs() -> None:
    content = {"model": model().state_dict(), "trainer": {}}
    words = "'trainer' of type Engine did not take .*; 'model' have theirs already: InvalidArgument"
    with pytest.raises(StateRefused, match=words) as raised:
        Checkpoint.load_objects({"model": model(), "trainer": engine()}, content)
    assert (raised.value.name, raised.value.loaded) == ("trainer", ("model",))


class Renaming(nn.Linear):
    """Takes states of an older form."""

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *rest: Any) -> None:
        state_dict[prefix + "weight"] = state_dict.pop(prefix + "w").reshape(1, 2)
        super()._load_from_state_dict(state_dict, prefix, *rest)


def test_a_module_that_loads_in_a_way_of_its_own_is_let_do_so() -> None:
    made = Renaming(2, 1)
    Checkpoint.load_objects({"m": made}, {"m": {"w": torch.ones(2), "bias": torch.ones(1)}})
    assert values(made) == {1.0}


def test_a_lazy_module_takes_whatever_shape_comes() -> None:
    made = nn.LazyLinear(1)
    Checkpoint.load_objects({"m": made}, {"m": nn.Linear(3, 1).state_dict()})
    assert made.weight.shape == (1, 3)


def test_a_normalization_of_an_old_file_lacks_its_count() -> None:
    state = nn.BatchNorm1d(1).state_dict()
    del state["num_batches_tracked"]
    state._metadata.clear()  # type: ignore[attr-defined]  # as in files of old versions
    Checkpoint.load_objects({"m": nn.BatchNorm1d(1)}, {"m": state})


@pytest.mark.parametrize(
    ("to_load", "checkpoint", "error", "message"),
    [
        ([model()], CONTENT, InvalidType, "to_load must be a mapping"),
        ({}, CONTENT, InvalidArgument, "to_load is empty"),
        ({"a": 3, "b": None}, CONTENT, InvalidType, "'a' is of type int.*; 'b' is None"),
        ({"m": model()}, 3, InvalidType, "the path or URL of a file; got 3 of type int"),
    ],
)
def test_what_cannot_be_loaded_is_refused(
    to_load: Any, checkpoint: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Checkpoint.load_objects(to_load, checkpoint)


def test_a_folder_is_no_checkpoint_and_its_files_are_told(folder: Path) -> None:
    Checkpoint({"m": model()}, folder)(engine())
    with pytest.raises(InvalidArgument, match=r"is a folder; .* \(it holds m_0\.pt\)"):
        Checkpoint.load_objects({"m": model()}, folder)
