from __future__ import annotations

from typing import Any

import pytest
import torch

from glowplug import Engine
from glowplug.errors import InvalidArgument, InvalidType
from glowplug_checkpoint import Checkpoint


def half(engine: Any) -> float:
    return 0.5


def epoch(engine: Any, event: Any) -> int:
    return int(engine.state.epoch)


def name_of(*objects: str, **kwargs: Any) -> str:
    """Return the name under which objects are saved in epoch 3, after iteration 12."""
    names: list[str] = []
    engine: Engine[Any, Any] = Engine(lambda engine, batch: batch)
    engine.state.iteration, engine.state.epoch = 12, 3
    to_save = {name: torch.nn.BatchNorm1d(1) for name in objects or ("model",)}
    Checkpoint(to_save, lambda content, name: names.append(name), **kwargs)(engine)
    return names[0]


@pytest.mark.parametrize(
    ("kwargs", "name"),
    [
        ({}, "model_12.pt"),
        ({"filename_prefix": "best"}, "best_model_12.pt"),
        ({"global_step_transform": epoch}, "model_3.pt"),
        ({"score_function": half}, "model_0.5000.pt"),
        ({"score_function": half, "score_name": "acc"}, "model_acc=0.5000.pt"),
        ({"score_function": half, "global_step_transform": epoch}, "model_3_0.5000.pt"),
        (
            {
                "score_function": half,
                "score_name": "acc",
                "global_step_transform": epoch,
                "filename_prefix": "best",
            },
            "best_model_3_acc=0.5000.pt",
        ),
    ],
)
def test_a_file_is_named_after_what_is_known_of_it(kwargs: dict[str, Any], name: str) -> None:
    assert name_of(**kwargs) == name


def test_several_objects_are_called_checkpoint() -> None:
    assert name_of("model", "optimizer", filename_prefix="last") == "last_checkpoint_12.pt"


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("{name}.{ext}", "model.pt"),
        ("{name}-at-{global_step:05d}.{ext}", "model-at-00012.pt"),
        ("{score_name}_{score}_{filename_prefix}", "acc_0.5000_p"),
        ("last", "last"),
    ],
)
def test_a_pattern_of_ones_own_is_filled_in(pattern: str, name: str) -> None:
    more = {"filename_prefix": "p", "score_name": "acc", "score_function": half}
    assert name_of(filename_pattern=pattern, **more) == name


@pytest.mark.parametrize(
    ("kwargs", "error", "message"),
    [
        ({"filename_pattern": "{nam}.pt"}, InvalidArgument, "names 'nam'; did you mean 'name'"),
        ({"filename_pattern": "{"}, InvalidArgument, "must be a format string"),
        ({"filename_pattern": "{}.pt"}, InvalidArgument, "names ''"),
        ({"filename_pattern": "{score}.pt"}, InvalidArgument, "give a score_function"),
        ({"filename_pattern": "{score_name}"}, InvalidArgument, "give a score_name"),
        ({"filename_pattern": "{name:d}.pt"}, InvalidArgument, "cannot be filled in"),
        ({"filename_pattern": "{name.x}.pt"}, InvalidArgument, "cannot be filled in"),
        ({"filename_pattern": "a/{name}.pt"}, InvalidArgument, "without a folder"),
        ({"filename_pattern": 3}, InvalidType, "filename_pattern must be a string, got 3"),
        ({"filename_prefix": None}, InvalidType, "filename_prefix must be a string, got None"),
        ({"filename_prefix": "a/b"}, InvalidArgument, "without a folder; got 'a/b_model"),
        ({"score_name": "val/acc"}, InvalidArgument, "without a folder"),
        ({"score_name": 3}, InvalidType, "score_name must be a string, got 3"),
    ],
)
def test_a_name_that_cannot_be_made_is_told_when_the_handler_is_made(
    kwargs: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Checkpoint({"model": torch.nn.BatchNorm1d(1)}, lambda content, name: None, **kwargs)


def test_an_objects_name_must_be_one_that_a_file_can_have() -> None:
    with pytest.raises(InvalidArgument, match=r"without a folder; got 'a/b_1.pt'"):
        Checkpoint({"a/b": torch.nn.BatchNorm1d(1)}, lambda content, name: None)


@pytest.mark.parametrize(
    ("parts", "pattern"),
    [
        ((True, True, True, True), "{filename_prefix}_{name}_{global_step}_{score_name}={score}"),
        ((True, True, False, True), "{filename_prefix}_{name}_{global_step}_{score}"),
        ((False, True, True, False), "{name}_{score_name}={score}"),
        ((False, False, False, True), "{name}_{global_step}"),
    ],
)
def test_a_pattern_is_set_up_of_the_parts_asked_for(
    parts: tuple[bool, bool, bool, bool], pattern: str
) -> None:
    assert Checkpoint.setup_filename_pattern(*parts) == pattern + ".{ext}"


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((True, False, True, True), "with_score_name=True needs with_score=True"),
        ((True, False, False, False), "with_score=True or with_global_step=True"),
    ],
)
def test_a_pattern_that_names_nothing_is_refused(
    parts: tuple[bool, bool, bool, bool], message: str
) -> None:
    with pytest.raises(InvalidArgument, match=message):
        Checkpoint.setup_filename_pattern(*parts)


def test_a_step_that_is_no_integer_is_refused() -> None:
    with pytest.raises(InvalidType, match="must return an integer, got 'three' of type str"):
        name_of(global_step_transform=lambda engine, event: "three")
