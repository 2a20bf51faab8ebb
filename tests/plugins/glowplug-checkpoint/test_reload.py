from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from glowplug import Engine
from glowplug.errors import InvalidArgument, InvalidType
from glowplug_checkpoint import Checkpoint, NoCheckpoint


class Number:
    """Keeps a number."""

    def __init__(self, value: float = 0.0) -> None:
        self.value = value

    def state_dict(self) -> dict[str, float]:
        return {"value": self.value}

    def load_state_dict(self, state: dict[str, float]) -> None:
        self.value = state["value"]


def saved(folder: Path, values: list[float], **kwargs: Any) -> Checkpoint:
    """Return a Checkpoint that has saved some numbers, at steps 10, 20, ..."""
    number, engine = Number(), Engine[Any, Any](lambda engine, batch: batch)
    checkpoint = Checkpoint({"number": number}, folder, n_saved=None, **kwargs)
    for place, value in enumerate(values):
        number.value, engine.state.iteration = value, 10 * (place + 1)
        checkpoint(engine)
    return checkpoint


def test_without_a_word_the_last_is_loaded(folder: Path) -> None:
    number = Number()
    saved(folder, [1.0, 2.0]).reload_objects({"number": number})
    assert number.value == 2.0


def test_a_step_names_a_file(folder: Path) -> None:
    number = Number()
    saved(folder, [1.0, 2.0]).reload_objects({"number": number}, global_step=10)
    assert number.value == 1.0


@pytest.mark.parametrize("score", [0.25, "0.2500", torch.tensor(0.25).item()])
def test_a_score_names_a_file_as_a_number_or_as_it_is_shown(folder: Path, score: Any) -> None:
    number = Number()
    by_score = {"score_function": lambda e: e.state.iteration / 40, "score_name": "half"}
    saved(folder, [1.0, 2.0, 3.0], **by_score).reload_objects({"number": number}, score=score)
    assert number.value == 1.0


def test_a_part_of_a_name_will_do_where_only_one_has_it(folder: Path) -> None:
    number = Number()
    checkpoint = saved(
        folder,
        [1.0, 2.0],
        score_function=lambda e: 0.5,
        global_step_transform=lambda e, event: e.state.iteration,
    )
    checkpoint.reload_objects({"number": number}, global_step=20)
    assert number.value == 2.0


def test_a_part_that_several_have_is_not_enough(folder: Path) -> None:
    checkpoint = saved(
        folder,
        [1.0, 2.0],
        score_function=lambda e: 0.5,
        global_step_transform=lambda e, event: e.state.iteration,
    )
    with pytest.raises(
        NoCheckpoint, match=r"2 checkpoints have such a name: number_10_0.5000.pt, "
    ):
        checkpoint.reload_objects({"number": Number()}, score=0.5)


def test_a_new_one_finds_the_files_of_an_earlier_process(folder: Path) -> None:
    saved(folder, [1.0, 2.0])
    number = Number()
    later = Checkpoint({"number": number}, folder, require_empty=False)
    later.reload_objects({"number": number}, global_step=10)
    assert number.value == 1.0


def test_the_name_can_be_that_of_another_object(folder: Path) -> None:
    saved(folder, [1.0])
    other, number = Checkpoint({"x": Number()}, folder, require_empty=False), Number()
    other.reload_objects({"x": number}, name="number", global_step=10)
    assert number.value == 1.0


def test_a_format_in_the_pattern_is_minded(folder: Path) -> None:
    number = Number()
    checkpoint = saved(folder, [1.0, 2.0], filename_pattern="{name}{global_step:05d}.{ext}")
    checkpoint.reload_objects({"number": number}, global_step=10)
    assert number.value == 1.0


def test_keyword_arguments_of_loading_are_passed_on(folder: Path) -> None:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: batch)
    checkpoint = Checkpoint({"m": nn.Linear(2, 1, bias=False)}, folder)
    checkpoint(engine)
    wider = nn.Linear(2, 1)
    with pytest.raises(InvalidArgument, match="lacks 'bias'"):
        checkpoint.reload_objects({"m": wider}, global_step=0)
    how = {"strict": False, "map_location": "cpu", "verify": False}
    checkpoint.reload_objects({"m": wider}, how, global_step=0)


def test_a_file_that_there_is_not_is_told_with_those_that_there_are(folder: Path) -> None:
    with pytest.raises(NoCheckpoint, match="no checkpoint has such a name; there are: number_10"):
        saved(folder, [1.0]).reload_objects({"number": Number()}, global_step=11)


def test_before_anything_is_kept_there_is_nothing_to_load(folder: Path) -> None:
    with pytest.raises(NoCheckpoint, match="nothing is kept; say which file"):
        saved(folder, []).reload_objects({"number": Number()})


def test_a_component_that_names_do_not_have_is_refused(folder: Path) -> None:
    with pytest.raises(InvalidArgument, match="have no 'global_stp'; did you mean 'global_step'"):
        saved(folder, [1.0]).reload_objects({"number": Number()}, global_stp=10)


def test_objects_that_cannot_load_are_refused(folder: Path) -> None:
    with pytest.raises(InvalidType, match="'number' is of type int"):
        saved(folder, [1.0]).reload_objects({"number": 3})


def test_what_saves_elsewhere_says_how_to_load() -> None:
    checkpoint = Checkpoint({"number": Number()}, lambda content, name: None)
    checkpoint(Engine(lambda engine, batch: batch))
    with pytest.raises(InvalidArgument, match="does not load what it saves"):
        checkpoint.reload_objects({"number": Number()})
