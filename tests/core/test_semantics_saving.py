"""Line 30 of the contract: state_dict, load_state_dict, and the run that goes on from there."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from glowplug import Engine, Events
from glowplug.errors import EngineBusy

Watch = Callable[[Engine[Any, Any]], list[str]]


def echo(engine: Engine[Any, Any], batch: Any) -> Any:
    return batch


@pytest.fixture
def engine() -> Engine[Any, Any]:
    return Engine(echo)


def batches_of(engine: Engine[Any, Any]) -> list[Any]:
    seen: list[Any] = []
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda e: seen.append(e.state.batch))
    return seen


def test_s30_what_is_saved_of_a_run_of_epochs(engine: Engine[Any, Any]) -> None:
    engine.run("abc", max_epochs=2)
    assert engine.state_dict() == {"epoch_length": 3, "iteration": 6, "max_epochs": 2}


def test_s30_what_is_saved_of_a_run_of_iterations(engine: Engine[Any, Any]) -> None:
    engine.run("abc", max_iters=4)
    assert engine.state_dict() == {"epoch_length": 3, "iteration": 4, "max_iters": 4}


def test_s30_the_users_keys_are_saved_and_loaded(engine: Engine[Any, Any]) -> None:
    engine.state_dict_user_keys.append("best")
    engine.state.best = 0.9
    engine.run("abc")
    saved = engine.state_dict()
    assert saved["best"] == 0.9
    other = Engine(echo)
    other.state_dict_user_keys.append("best")
    other.load_state_dict(saved)
    assert other.state.best == 0.9


def test_s30_a_users_key_that_the_state_lacks_is_an_error(engine: Engine[Any, Any]) -> None:
    engine.state_dict_user_keys.append("best")
    with pytest.raises(ValueError, match=r"\['best'\], which the state does not have"):
        engine.state_dict()


def test_s30_two_engines_share_no_users_keys(engine: Engine[Any, Any]) -> None:
    engine.state_dict_user_keys.append("best")
    assert Engine(echo).state_dict_user_keys == []


def test_s30_what_is_saved_is_plain(engine: Engine[Any, Any]) -> None:
    engine.run("abc", max_epochs=2)
    saved = engine.state_dict()
    assert json.loads(json.dumps(saved)) == saved
    saved["iteration"] = 99
    assert engine.state.iteration == 6


LOADABLE: list[tuple[dict[str, Any], tuple[int, int]]] = [
    ({"iteration": 4, "epoch_length": 3, "max_epochs": 2}, (1, 4)),
    ({"iteration": 3, "epoch_length": 3, "max_epochs": 2}, (1, 3)),
    ({"epoch": 1, "epoch_length": 3, "max_epochs": 2}, (1, 3)),
    ({"iteration": 0, "epoch_length": 3, "max_epochs": 2}, (0, 0)),
    ({"iteration": 5, "epoch_length": 3, "max_iters": 9}, (1, 5)),
    ({"epoch": 0, "epoch_length": None, "max_epochs": None}, (0, 0)),
]


@pytest.mark.parametrize(("saved", "counters"), LOADABLE, ids=str)
def test_s30_iteration_or_epoch_say_what_is_done(
    engine: Engine[Any, Any], saved: dict[str, Any], counters: tuple[int, int]
) -> None:
    engine.load_state_dict(saved)
    state = engine.state
    assert (state.epoch, state.iteration) == counters
    assert (state.max_epochs, state.max_iters) == (saved.get("max_epochs"), saved.get("max_iters"))


WHOLE: dict[str, Any] = {"iteration": 1, "epoch_length": 3, "max_epochs": 2}
UNLOADABLE: list[tuple[dict[str, Any], str]] = [
    ({**WHOLE, "epoch": 0}, "both 'iteration' and 'epoch'"),
    ({"epoch_length": 3, "max_epochs": 2}, "neither 'iteration' and 'epoch'"),
    ({**WHOLE, "max_iters": 5}, "both 'max_epochs' and 'max_iters'"),
    ({"iteration": 1, "epoch_length": 3}, "neither 'max_epochs' and 'max_iters'"),
    ({"iteration": 1, "max_epochs": 2}, "no 'epoch_length'"),
    ({**WHOLE, "iteration": -1}, "'iteration' must be .* got -1"),
    ({**WHOLE, "iteration": 1.5}, "'iteration' must be .* got 1.5"),
    ({**WHOLE, "iteration": None}, "'iteration' must be .* got None"),
    ({**WHOLE, "epoch_length": 0}, "'epoch_length' must be .* got 0"),
    ({**WHOLE, "max_epochs": "2"}, "'max_epochs' must be .* got '2'"),
    ({**WHOLE, "iteration": 7}, "7"),
    ({"epoch": 1, "epoch_length": None, "max_epochs": 2}, "'epoch' without 'epoch_length'"),
    ({}, "epoch_length.*max_epochs.*iteration"),
]


@pytest.mark.parametrize(("saved", "message"), UNLOADABLE, ids=str)
def test_s30_all_is_checked_before_anything_changes(
    engine: Engine[Any, Any], saved: dict[str, Any], message: str
) -> None:
    engine.run("abcd", max_epochs=2)
    before = dict(vars(engine.state))
    with pytest.raises(ValueError, match=message):
        engine.load_state_dict(saved)
    assert vars(engine.state) == before


def test_s30_a_missing_users_key_is_an_error_that_changes_nothing(
    engine: Engine[Any, Any],
) -> None:
    engine.state_dict_user_keys.append("best")
    with pytest.raises(ValueError, match="no 'best'"):
        engine.load_state_dict(WHOLE)
    assert engine.state.iteration == 0


@pytest.mark.parametrize("saved", [None, 3, [("iteration", 1)], "iteration"])
def test_s30_only_a_mapping_can_be_loaded(engine: Engine[Any, Any], saved: Any) -> None:
    with pytest.raises(TypeError, match="a saved state is a mapping"):
        engine.load_state_dict(saved)


def test_s30_loading_leaves_the_users_attributes_alone(engine: Engine[Any, Any]) -> None:
    engine.state.mine, engine.state.metrics["loss"] = "kept", 0.5
    engine.load_state_dict({**WHOLE, "mine": "other"})
    assert (engine.state.mine, engine.state.metrics) == ("kept", {"loss": 0.5})


def test_s30_nothing_can_be_loaded_within_a_run(engine: Engine[Any, Any]) -> None:
    engine.add_event_handler(Events.STARTED, lambda e: e.load_state_dict(WHOLE))
    with pytest.raises(EngineBusy, match="no state can be loaded"):
        engine.run("abc")


def test_s30_after_loading_run_goes_on_inside_the_epoch(
    engine: Engine[Any, Any], watch: Watch
) -> None:
    engine.load_state_dict({"iteration": 4, "epoch_length": 3, "max_epochs": 3})
    log, batches = watch(engine), batches_of(engine)
    engine.run("abc")
    assert log[:4] == [
        *("STARTED 1.4", "EPOCH_STARTED 2.4", "GET_BATCH_STARTED 2.4", "GET_BATCH_COMPLETED 2.4"),
    ]
    assert "".join(batches) == "bc" + "abc"
    assert log[-1] == "COMPLETED 3.9"


def test_s30_iter_counter_counts_from_the_place_in_the_epoch(engine: Engine[Any, Any]) -> None:
    counters: list[int] = []
    engine.load_state_dict({"iteration": 4, "epoch_length": 3, "max_epochs": 2})
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda e: e.terminate_epoch())
    engine.add_event_handler(Events.TERMINATE_SINGLE_EPOCH, lambda e, n: counters.append(n))
    engine.run("abc")
    assert counters == [2]


def test_s30_saved_in_the_first_epoch_of_data_of_unknown_length_it_goes_on_inside_it(
    engine: Engine[Any, Any],
) -> None:
    class Unsized:
        def __iter__(self) -> Iterator[str]:
            return iter("abcde")

    engine.load_state_dict({"iteration": 3, "epoch_length": None, "max_epochs": 2})
    batches = batches_of(engine)
    state = engine.run(Unsized())
    assert "".join(batches) == "de" + "abcde"
    assert (state.epoch, state.iteration, state.epoch_length) == (2, 10, 5)


def test_s30_a_loaded_run_that_is_done_starts_anew(engine: Engine[Any, Any]) -> None:
    engine.load_state_dict({"iteration": 6, "epoch_length": 3, "max_epochs": 2})
    assert engine.run("ab").iteration == 2


def test_s30_a_loaded_run_may_be_given_a_larger_end(engine: Engine[Any, Any]) -> None:
    engine.load_state_dict({"iteration": 6, "epoch_length": 3, "max_epochs": 2})
    assert engine.run("abc", max_epochs=3).iteration == 9


def test_s30_fetching_to_the_place_is_logged(
    engine: Engine[Any, Any], caplog: pytest.LogCaptureFixture
) -> None:
    engine.load_state_dict({"iteration": 2, "epoch_length": 3, "max_epochs": 1})
    with caplog.at_level(logging.INFO):
        engine.run("abc")
    assert "fetching and dropping 2 batches of str to go on inside the epoch" in caplog.messages


class Sampler:
    """A sampler that can be told where to begin."""

    def __init__(self) -> None:
        self.start_iteration: int | None = None


class Loader:
    """A loader in the manner of PyTorch, over the indices of "abc"."""

    def __init__(self, **attributes: Any) -> None:
        vars(self).update(attributes)
        self.fetched: list[str] = []

    def __len__(self) -> int:
        return 3

    def __iter__(self) -> Iterator[str]:
        sampler = getattr(self, "batch_sampler", None) or getattr(self, "sampler", None)
        first = 0
        if isinstance(sampler, Sampler):
            first, sampler.start_iteration = sampler.start_iteration or 0, None
        elif getattr(self, "next_iter_state", None) is not None:
            first = vars(self).pop("next_iter_state")
        for batch in "abc"[first:]:
            self.fetched.append(batch)
            yield batch


PLACED: list[dict[str, Any]] = [
    {"batch_sampler": Sampler()},
    {"batch_sampler": None, "sampler": Sampler()},
    {"next_iter_state": 2},
]


@pytest.mark.parametrize("attributes", PLACED, ids=["batch_sampler", "sampler", "own state"])
def test_s30_a_loader_that_can_find_its_place_does_so_without_fetching(
    engine: Engine[Any, Any], attributes: dict[str, Any]
) -> None:
    loader = Loader(**attributes)
    engine.load_state_dict({"iteration": 2, "epoch_length": 3, "max_epochs": 2})
    engine.run(loader)
    assert "".join(loader.fetched) == "c" + "abc"


def test_s30_data_shorter_than_the_place_starts_over(engine: Engine[Any, Any]) -> None:
    engine.load_state_dict({"iteration": 3, "epoch_length": 5, "max_epochs": 1})
    batches = batches_of(engine)
    engine.run("ab")
    assert batches == ["b", "a"]


def test_s30_data_that_ends_before_the_place_for_good_is_an_error(
    engine: Engine[Any, Any],
) -> None:
    engine.load_state_dict({"iteration": 3, "epoch_length": 5, "max_epochs": 1})
    with pytest.raises(ValueError, match="ended after 2 and does not start over"):
        engine.run(iter("ab"))
