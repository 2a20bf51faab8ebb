from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from glowplug import Engine, Events
from glowplug.errors import InvalidArgument, InvalidType
from glowplug_budgets import HandlerBudget


def save(engine: Any) -> None:
    pass


def test_a_name_that_nobody_has_is_an_error_before_the_first_step(engine: Engine[Any, Any]) -> None:
    engine.add_event_handler(Events.EPOCH_COMPLETED, save)
    HandlerBudget(budgets={"sav": 0.5}).attach(engine)
    with pytest.raises(InvalidArgument, match=r"'sav', but no handler .* did you mean 'save'"):
        engine.run([1])
    assert engine.state.iteration == 0


def test_a_handler_inside_a_function_goes_by_its_own_name(engine: Engine[Any, Any]) -> None:
    @engine.on(Events.EPOCH_COMPLETED)
    def inner() -> None:
        pass

    HandlerBudget(budgets={"inner": 0.5}).attach(engine)
    assert engine.run([1]).epoch == 1


def test_a_plugin_goes_by_its_name_with_or_without_ours(engine: Engine[Any, Any]) -> None:
    for name in ("glowplug-budgets", "budgets"):  # it is attached itself
        budget = HandlerBudget(budgets={name: 0.5})
        budget.attach(engine)
        assert engine.run([1]).epoch == 1
        budget.detach(engine)


def test_the_names_of_all_watched_engines_count(engine: Engine[Any, Any]) -> None:
    other: Engine[Any, Any] = Engine(lambda engine, batch: batch)
    other.add_event_handler(Events.EPOCH_COMPLETED, save)
    budget = HandlerBudget(budgets={"save": 0.5})
    budget.attach(engine)
    budget.attach(other)
    assert engine.run([1]).epoch == 1


@pytest.mark.parametrize("share", [0, -0.1, 1.5, float("nan")])
@pytest.mark.parametrize("name", ["share", "per_plugin"])
def test_a_share_is_above_nothing_and_at_most_all(name: str, share: float) -> None:
    with pytest.raises(InvalidArgument, match=f"{name} must be a share above 0 and at most 1"):
        HandlerBudget(**{name: share})  # type: ignore[arg-type]  # either name
    with pytest.raises(InvalidArgument, match=r"budgets\['x'\] must be a share above 0"):
        HandlerBudget(budgets={"x": share})


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"share": "0.1"}, "share must be a share of the run, such as 0.1; got '0.1' of type str"),
        ({"budgets": ["save"]}, "budgets must be a dict from names"),
        ({"budgets": {1: 0.5}}, "names in budgets must be texts, got 1"),
        ({"warm_up": 1.5}, "warm_up must be a number of iterations, got 1.5"),
        ({"at_least": "5"}, "at_least must be a number of seconds, got '5'"),
        ({"synchronizations": 1}, "synchronizations must be True or False, got 1"),
    ],
)
def test_an_argument_of_the_wrong_type_is_refused(settings: Any, said: str) -> None:
    with pytest.raises(InvalidType, match=said):
        HandlerBudget(**settings)


@pytest.mark.parametrize("name", ["warm_up", "at_least"])
def test_a_time_is_not_below_nothing(name: str) -> None:
    with pytest.raises(InvalidArgument, match=f"{name} must be 0 .* or more, got -1"):
        HandlerBudget(**{name: -1})  # type: ignore[arg-type]  # either name


@pytest.mark.parametrize("given", [None, "engine"])
def test_what_is_no_engine_is_refused(given: Any) -> None:
    with pytest.raises(InvalidType, match="expected an Engine, got"):
        HandlerBudget().attach(given)
    with pytest.raises(InvalidArgument, match="does not watch"):
        HandlerBudget().detach(given)


def test_a_copy_has_the_settings_and_watches_nobody() -> None:
    engine: Engine[Any, Any] = Engine(step)
    engine.add_event_handler(Events.EPOCH_COMPLETED, save)
    budget = HandlerBudget(budgets={"save": 0.5})
    budget.attach(engine)
    for copied in (copy.deepcopy(engine), pickle.loads(pickle.dumps(engine))):
        assert copied.run([1]).epoch == 1
    twin = pickle.loads(pickle.dumps(budget))
    with pytest.raises(InvalidArgument, match="does not watch"):
        twin.detach(engine)
    twin.attach(engine)


def step(engine: Any, batch: Any) -> Any:
    return batch
