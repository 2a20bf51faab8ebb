"""Waiting for the GPU, in torch's words: no GPU takes part."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest

from glowplug import Engine, Events
from glowplug_budgets import HandlerBudget, SynchronizationWarning

torch = pytest.importorskip("torch")

TEXT = "called a synchronizing CUDA operation (Triggered internally at CUDAFunctions.cpp:108.)"


class Mode:
    """What torch.cuda would keep, in its own numbers."""

    def __init__(self) -> None:
        self.now: int = 0
        self.history: list[int] = []
        self.is_initialized = True

    def set(self, mode: int) -> None:
        self.now = mode
        self.history.append(mode)


@pytest.fixture
def mode(monkeypatch: pytest.MonkeyPatch) -> Mode:
    """CUDA as torch shows it where there is one."""
    mode = Mode()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: mode.is_initialized)
    monkeypatch.setattr(torch.cuda, "get_sync_debug_mode", lambda: mode.now)
    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", mode.set)
    return mode


@pytest.fixture
def synchronize(mode: Mode) -> Callable[[], None]:
    """What a synchronizing operation does in the mode that warns."""

    def item() -> None:
        if mode.now == 1:
            warnings.warn(TEXT, stacklevel=1)

    return item


@pytest.fixture
def quiet() -> Engine[Any, Any]:
    return Engine(lambda engine, batch: batch)


def test_the_handler_that_waits_is_named_once(
    quiet: Engine[Any, Any], synchronize: Any, complaints: Any
) -> None:
    def log_loss(engine: Any) -> None:
        synchronize()

    quiet.add_event_handler(Events.ITERATION_COMPLETED, lambda: None)
    quiet.add_event_handler(Events.ITERATION_COMPLETED, log_loss)
    HandlerBudget(warm_up=2).attach(quiet)
    with complaints() as found:
        quiet.run(range(10), max_epochs=2)
    (warning,) = found
    assert isinstance(warning, SynchronizationWarning)
    assert warning.name.endswith("log_loss")
    for said in ("log_loss at ITERATION_COMPLETED, attached at ", "test_synchronizations.py:"):
        assert said in str(warning)
    assert "made the CPU wait for the GPU" in str(warning)


def test_two_handlers_that_wait_in_one_line_are_both_named(
    quiet: Engine[Any, Any], synchronize: Any, complaints: Any
) -> None:
    def first() -> None:
        synchronize()

    def second() -> None:
        synchronize()

    for handler in (first, second):
        quiet.add_event_handler(Events.ITERATION_COMPLETED, handler)
    HandlerBudget(warm_up=0).attach(quiet)
    with complaints() as found:
        quiet.run(range(5))
    assert [warning.name.rpartition(".")[2] for warning in found] == ["first", "second"]


def test_the_step_is_named_as_the_step(synchronize: Any, complaints: Any) -> None:
    def train(engine: Any, batch: Any) -> None:
        synchronize()

    engine: Engine[Any, Any] = Engine(train)
    HandlerBudget(warm_up=1).attach(engine)
    with complaints() as found:
        engine.run(range(5))
    (warning,) = found
    assert "the step" in str(warning)
    assert warning.name.endswith("train")


def test_the_innermost_handler_is_named(
    quiet: Engine[Any, Any], synchronize: Any, complaints: Any
) -> None:
    quiet.register_events("inner")

    def outer(engine: Any) -> None:
        engine.fire_event("inner")

    def inner() -> None:
        synchronize()

    quiet.add_event_handler("inner", inner)
    quiet.add_event_handler(Events.ITERATION_COMPLETED, outer)
    HandlerBudget(warm_up=0).attach(quiet)
    with complaints() as found:
        quiet.run(range(5))
    assert [warning.name.rpartition(".")[2] for warning in found] == ["inner"]


def test_an_evaluators_step_is_named_and_not_who_runs_it(
    quiet: Engine[Any, Any], synchronize: Any, complaints: Any, mode: Mode
) -> None:
    def evaluate(engine: Any, batch: Any) -> None:
        synchronize()

    evaluator: Engine[Any, Any] = Engine(evaluate)
    quiet.add_event_handler(Events.EPOCH_COMPLETED, lambda: evaluator.run([1, 2]))
    budget = HandlerBudget(warm_up=0)
    budget.attach(quiet)
    budget.attach(evaluator)
    with complaints() as found:
        quiet.run(range(3), max_epochs=2)
    assert [warning.name.rpartition(".")[2] for warning in found] == ["evaluate"]
    assert mode.history == [1, 0]


def test_what_waits_between_handlers_is_nobodys(
    quiet: Engine[Any, Any], synchronize: Any, complaints: Any
) -> None:
    def batches() -> Any:
        for number in range(5):
            synchronize()
            yield number

    quiet.add_event_handler(Events.ITERATION_COMPLETED, lambda: None)
    HandlerBudget(warm_up=0).attach(quiet)
    with complaints() as found:
        quiet.run(batches())
    assert found == []


@pytest.mark.parametrize("fails", [False, True])
def test_after_the_run_everything_is_as_before(
    quiet: Engine[Any, Any], mode: Mode, fails: bool
) -> None:
    before = warnings.showwarning, list(warnings.filters)

    @quiet.on(Events.ITERATION_COMPLETED(once=4))
    def look() -> None:
        assert mode.now == 1
        assert warnings.showwarning is not before[0]
        if fails:
            raise ValueError("too bad")

    HandlerBudget(warm_up=2).attach(quiet)
    if fails:
        with pytest.raises(ValueError, match="too bad"):
            quiet.run(range(6))
    else:
        quiet.run(range(6))
    assert mode.history == [1, 0]
    assert (warnings.showwarning, list(warnings.filters)) == before


def test_warnings_of_others_are_shown_as_before(
    quiet: Engine[Any, Any], mode: Mode, complaints: Any
) -> None:
    quiet.add_event_handler(Events.COMPLETED, lambda: warnings.warn("mine", stacklevel=1))
    HandlerBudget(warm_up=0).attach(quiet)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        quiet.run(range(5))
    assert [str(warning.message) for warning in caught] == ["mine"]
    assert mode.history == [1, 0]


def test_a_mode_that_the_user_chose_stays(
    quiet: Engine[Any, Any], mode: Mode, synchronize: Any
) -> None:
    mode.now = 1
    quiet.add_event_handler(Events.COMPLETED, synchronize)
    HandlerBudget(warm_up=0).attach(quiet)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        quiet.run(range(5))
    assert mode.history == []
    kinds = [warning.category.__name__ for warning in caught]
    assert kinds == ["UserWarning", "SynchronizationWarning"]


def test_nothing_is_listened_to_where_cuda_is_not_in_use(
    quiet: Engine[Any, Any], mode: Mode
) -> None:
    mode.is_initialized = False
    HandlerBudget(warm_up=0).attach(quiet)
    quiet.run(range(5))
    assert mode.history == []


def test_nothing_is_listened_to_where_the_user_does_without(
    quiet: Engine[Any, Any], mode: Mode
) -> None:
    HandlerBudget(warm_up=0, synchronizations=False).attach(quiet)
    quiet.run(range(5))
    assert mode.history == []


def test_the_warm_up_may_wait_as_it_likes(
    quiet: Engine[Any, Any], synchronize: Any, complaints: Any, mode: Mode
) -> None:
    @quiet.on(Events.ITERATION_COMPLETED(before=4))
    def warms_up() -> None:
        synchronize()

    HandlerBudget(warm_up=4).attach(quiet)
    with complaints() as found:
        quiet.run(range(10))
    assert found == []
    assert mode.history == [1, 0]
