from __future__ import annotations

import io
import math
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from glowplug import Engine
from glowplug.errors import InvalidArgument, InvalidType
from glowplug_checkpoint import BaseSaveHandler, Checkpoint, CheckpointWarning

SCORES = st.sampled_from([0.0, -0.0, 0.25, 0.5, 1, -1.5, math.inf, -math.inf, math.nan])


class InMemory(BaseSaveHandler):
    """Keeps files in a dict, and writes down what happens to them."""

    def __init__(self) -> None:
        self.files: dict[str, Any] = {}
        self.actions: list[str] = []

    def __call__(self, checkpoint: Any, filename: str, metadata: Any = None) -> None:
        self.files[filename] = checkpoint
        self.actions.append(f"+{filename}")

    def remove(self, filename: str) -> None:
        del self.files[filename]
        self.actions.append(f"-{filename}")


class Saved:
    """An object with a state, which is always the same."""

    def state_dict(self) -> dict[str, Any]:
        return {"a": 1}


def at(iteration: int) -> Engine[Any, Any]:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: batch)
    engine.state.iteration = iteration
    return engine


def best(scores: list[float], n: int | None, or_equal: bool) -> list[int]:
    """Return the places of the scores that are kept, the slow and obvious way."""
    kept: list[int] = []
    for place, score in enumerate(scores):
        numbers = [k for k in kept if not math.isnan(scores[k])]
        if n is None or (len(kept) < n and not (math.isnan(score) and numbers)):
            kept.append(place)
            continue
        others = [k for k in kept if math.isnan(scores[k])]  # a NaN is the first to go
        if others:
            worst, beaten = others[0], not math.isnan(score) or (or_equal and not numbers)
        else:
            worst = next(k for k in kept if scores[k] == min(scores[k] for k in kept))
            beaten = score > scores[worst] or (or_equal and score == scores[worst])
        if beaten:
            kept.remove(worst)
            kept.append(place)
    return sorted(kept)


def through_a_file(state: Mapping[str, Any]) -> Any:
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@pytest.mark.filterwarnings("ignore::glowplug_checkpoint.CheckpointWarning")
@given(
    scores=st.lists(SCORES, max_size=12),
    n=st.none() | st.integers(1, 4),
    or_equal=st.booleans(),
    stop=st.integers(0, 12),
)
def test_the_best_are_kept_by_a_run_that_is_resumed_anywhere(
    scores: list[float], n: int | None, or_equal: bool, stop: int
) -> None:
    memory = InMemory()

    def make() -> Checkpoint:
        return Checkpoint(
            {"m": Saved()},
            memory,
            score_function=lambda engine: scores[engine.state.iteration],
            n_saved=n,
            global_step_transform=lambda engine, event: engine.state.iteration,
            greater_or_equal=or_equal,
        )

    checkpoint = make()
    for place in range(len(scores)):
        if place == stop:
            state = through_a_file(checkpoint.state_dict())
            checkpoint = make()
            checkpoint.load_state_dict(state)
        checkpoint(at(place))
    places = sorted(int(name.split("_")[1]) for name in memory.files)
    assert places == best(scores, n, or_equal)


@given(scores=st.lists(st.floats(allow_nan=False), max_size=12), n=st.integers(1, 4))
def test_the_scores_that_are_kept_are_the_largest(scores: list[float], n: int) -> None:
    checkpoint = Checkpoint(
        {"m": Saved()},
        InMemory(),
        score_function=lambda engine: scores[engine.state.iteration],
        n_saved=n,
        global_step_transform=lambda engine, event: engine.state.iteration,
    )
    for place in range(len(scores)):
        checkpoint(at(place))
    kept = [score for score, _ in checkpoint.state_dict()["saved"]]
    assert kept == sorted(scores)[-n:]


@given(count=st.integers(0, 9), n=st.integers(1, 4))
def test_without_scores_the_latest_are_kept(count: int, n: int) -> None:
    memory = InMemory()
    checkpoint = Checkpoint({"m": Saved()}, memory, n_saved=n)
    for iteration in range(count):
        checkpoint(at(iteration))
    assert list(memory.files) == [f"m_{i}.pt" for i in range(count)][-n:]


def test_a_run_that_starts_anew_saves_again() -> None:
    memory = InMemory()
    checkpoint = Checkpoint({"m": Saved()}, memory, n_saved=2)
    for iteration in (3, 4, 1, 2):
        checkpoint(at(iteration))
    assert list(memory.files) == ["m_1.pt", "m_2.pt"]


def test_an_old_file_goes_after_the_new_one_is_complete() -> None:
    memory = InMemory()
    checkpoint = Checkpoint({"m": Saved()}, memory)
    for iteration in (1, 2):
        checkpoint(at(iteration))
    assert memory.actions == ["+m_1.pt", "+m_2.pt", "-m_1.pt"]


def test_a_file_that_is_replaced_by_one_of_its_name_is_not_removed() -> None:
    memory = InMemory()
    checkpoint = Checkpoint({"m": Saved()}, memory, filename_pattern="last.{ext}")
    for iteration in (1, 2):
        checkpoint(at(iteration))
    assert memory.actions == ["+last.pt", "+last.pt"]


def scored(memory: InMemory, scores: list[Any], **kwargs: Any) -> Checkpoint:
    """Return a Checkpoint that has seen some scores."""
    checkpoint = Checkpoint(
        {"m": Saved()}, memory, score_function=lambda e: scores[e.state.iteration], **kwargs
    )
    for place in range(len(scores)):
        checkpoint(at(place))
    return checkpoint


def test_a_worse_one_does_not_take_the_name_of_a_better_one() -> None:
    memory = InMemory()
    scored(memory, [0.5, 0.4], n_saved=2, filename_pattern="best.{ext}")
    assert memory.actions == ["+best.pt"]


def test_scores_that_four_digits_do_not_tell_apart_have_files_of_their_own() -> None:
    memory = InMemory()
    scored(memory, [0.30002, 0.30001], n_saved=2)
    assert list(memory.files) == ["m_0.3000.pt", "m_0.30001.pt"]


@pytest.mark.parametrize(("or_equal", "count"), [(False, 1), (True, 3)])
def test_of_equal_scores_the_new_one_is_saved_as_greater_or_equal_says(
    or_equal: bool, count: int
) -> None:
    memory = InMemory()
    scored(memory, [0.5, 0.5, 0.5], greater_or_equal=or_equal)
    assert memory.actions == ["+m_0.5000.pt"] * count


def test_a_nan_is_not_saved_where_a_number_is_kept_and_a_warning_says_so() -> None:
    memory = InMemory()
    with pytest.warns(CheckpointWarning, match="m_nan.pt is NaN, .* it is not saved"):
        scored(memory, [0.5, math.nan], n_saved=3)
    assert list(memory.files) == ["m_0.5000.pt"]


def test_a_nan_is_saved_where_there_is_nothing_else_and_goes_before_any_number() -> None:
    memory = InMemory()
    with pytest.warns(CheckpointWarning, match="m_nan.pt is NaN, .* it is saved"):
        scored(memory, [math.nan, -math.inf])
    assert memory.actions == ["+m_nan.pt", "+m_-inf.pt", "-m_nan.pt"]


def test_more_than_there_is_room_for_goes_when_fewer_are_to_be_kept() -> None:
    memory = InMemory()
    state = scored(memory, [0.1, 0.2, 0.3], n_saved=None).state_dict()
    fewer = Checkpoint({"m": Saved()}, memory, score_function=lambda e: 0.4, n_saved=2)
    fewer.load_state_dict(state)
    fewer(at(9))
    assert list(memory.files) == ["m_0.3000.pt", "m_0.4000.pt"]


class Stubborn(InMemory):
    """Does not let files go, at first."""

    refuses = True

    def remove(self, filename: str) -> None:
        if self.refuses:
            raise PermissionError("it is in use")
        super().remove(filename)


def test_a_file_that_cannot_be_removed_is_tried_again_at_the_next_save() -> None:
    memory = Stubborn()
    checkpoint = Checkpoint({"m": Saved()}, memory)
    checkpoint(at(1))
    with pytest.warns(CheckpointWarning, match="cannot remove m_1.pt, .* it is in use"):
        checkpoint(at(2))
    assert checkpoint.state_dict() == {"saved": [[2, "m_2.pt"]], "outranked": ["m_1.pt"]}
    memory.refuses = False
    checkpoint(at(3))
    assert list(memory.files) == ["m_3.pt"]


def test_the_state_in_a_file_is_that_after_the_save() -> None:
    memory = InMemory()
    checkpoint = Checkpoint({"m": Saved()}, memory, include_self=True)
    for iteration in (1, 2):
        checkpoint(at(iteration))
    saved = {"saved": [[2, "m_2.pt"]], "outranked": ["m_1.pt"]}
    assert memory.files["m_2.pt"] == {"m": {"a": 1}, "checkpointer": saved}


def test_what_a_kill_left_behind_goes_at_the_next_save() -> None:
    memory = InMemory()
    memory.files["m_1.pt"] = memory.files["m_2.pt"] = {}
    resumed = Checkpoint({"m": Saved()}, memory)
    resumed.load_state_dict({"saved": [[2, "m_2.pt"]], "outranked": ["m_1.pt"]})
    resumed(at(3))
    assert list(memory.files) == ["m_3.pt"]


def test_the_state_of_pytorch_ignites_checkpoint_can_be_loaded() -> None:
    checkpoint = Checkpoint({"m": Saved()}, InMemory(), n_saved=2)
    checkpoint.load_state_dict({"_saved": [(4, "m_4.pt"), (6, "m_6.pt")]})
    assert checkpoint.last_checkpoint == "m_6.pt"


@pytest.mark.parametrize(
    ("state", "error", "message"),
    [
        ([1], InvalidType, "a mapping such as state_dict"),
        ({}, InvalidArgument, "a list 'saved' of scores and names"),
        ({"saved": [[1]]}, InvalidArgument, r"pairs of a score and a name .* \[1\]"),
        ({"saved": [["m", 1]]}, InvalidArgument, "pairs of a score and a name"),
        ({"saved": [], "outranked": [3]}, InvalidArgument, "names in 'outranked'; got 3"),
    ],
)
def test_a_state_of_another_form_is_refused_and_changes_nothing(
    state: Any, error: type[Exception], message: str
) -> None:
    checkpoint = Checkpoint({"m": Saved()}, InMemory())
    checkpoint(at(1))
    with pytest.raises(error, match=message):
        checkpoint.load_state_dict(state)
    assert checkpoint.last_checkpoint == "m_1.pt"
