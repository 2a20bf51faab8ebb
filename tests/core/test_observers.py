"""Observers: they are told of every call, and an engine without them calls directly."""

from __future__ import annotations

import gc
import pickle
import sys
import weakref
from copy import deepcopy
from typing import Any

import pytest

from glowplug import Engine, Events, Observer, RemovableEventHandle
from glowplug.attached import AttachedHandler
from glowplug.errors import InvalidType


def echo(engine: Any, batch: Any) -> Any:
    return batch


def nothing() -> None:
    """Stand for a handler."""


class Log(Observer):
    def __init__(self) -> None:
        self.told: list[str] = []
        self.spans: list[tuple[int, int]] = []
        self.handlers: list[AttachedHandler] = []

    def run_began(self, at: int) -> None:
        self.told.append("run began")

    def run_ended(self, at: int) -> None:
        self.told.append("run ended")

    def step_ran(self, began: int, ended: int) -> None:
        self.told.append("step")
        self.spans.append((began, ended))

    def handler_ran(self, handler: AttachedHandler, began: int, ended: int) -> None:
        self.told.append(f"{handler.event} {handler.name}")
        self.spans.append((began, ended))
        self.handlers.append(handler)


@pytest.fixture
def engine() -> Engine[Any, Any]:
    return Engine(echo)


def test_calls_are_told_in_the_order_in_which_they_end(engine: Engine[Any, Any]) -> None:
    log = Log()
    engine.add_event_handler(Events.STARTED | Events.ITERATION_COMPLETED(every=2), nothing)
    engine.observe(log)
    engine.run([1, 2])
    assert log.told == [
        "run began", "STARTED nothing", "step", "step", "ITERATION_COMPLETED nothing", "run ended",
    ]  # fmt: skip  # on one line
    assert all(began <= ended for began, ended in log.spans)
    assert log.spans == sorted(log.spans)


def test_an_engine_that_nobody_observes_calls_its_step_and_handlers_directly(
    engine: Engine[Any, Any],
) -> None:
    engine.add_event_handler(Events.STARTED, nothing)
    (registration,) = engine._table.slots[Events.STARTED].registrations
    direct, plain = registration.call, engine._called_step
    with engine.observe(Log()):
        assert registration.call is not direct
        assert engine._called_step is not plain
    assert registration.call is direct
    assert engine._called_step is plain is echo


def test_a_handler_that_comes_later_is_observed_too(engine: Engine[Any, Any]) -> None:
    log = Log()
    engine.observe(log)
    engine.on(Events.STARTED)(nothing)
    engine.run([1])
    assert "STARTED nothing" in log.told


def test_each_handler_stays_the_same_object_whoever_else_observes(
    engine: Engine[Any, Any],
) -> None:
    log = Log()
    engine.on(Events.ITERATION_COMPLETED)(nothing)
    engine.observe(log)
    engine.run([1])
    engine.observe(Log())
    engine.run([1])
    assert log.handlers[0] is log.handlers[1] is engine.describe().rows[0].handler


def test_several_observers_are_told_the_same(engine: Engine[Any, Any]) -> None:
    first, second = Log(), Log()
    engine.observe(first)
    engine.observe(second)
    engine.observe(second)
    engine.on(Events.EPOCH_COMPLETED)(nothing)
    engine.run([1, 2])
    assert first.told == second.told
    assert first.spans == second.spans


def test_an_observation_that_begins_within_a_run_hears_of_the_rest(
    engine: Engine[Any, Any],
) -> None:
    log = Log()
    engine.on(Events.ITERATION_COMPLETED(once=2))(lambda: engine.observe(log))
    engine.run([1, 2, 3])
    assert log.told == ["run began", "step", "run ended"]


def test_one_that_ends_within_a_run_hears_no_more(engine: Engine[Any, Any]) -> None:
    log = Log()
    observation = engine.observe(log)
    engine.on(Events.ITERATION_COMPLETED(once=1))(observation.remove)
    engine.run([1, 2, 3])
    assert log.told[:2] == ["run began", "step"]
    assert log.told[2:] in (["run ended"], ["run ended", "ITERATION_COMPLETED Observation.remove"])
    observation.remove()


def test_what_is_left_by_an_error_was_called_too(engine: Engine[Any, Any]) -> None:
    log = Log()
    engine.observe(log)

    @engine.on(Events.ITERATION_STARTED)
    def fail() -> None:
        raise ZeroDivisionError("on purpose")

    with pytest.raises(ZeroDivisionError, match="on purpose") as caught:
        engine.run([1])
    assert log.told == ["run began", f"ITERATION_STARTED {fail.__qualname__}", "run ended"]
    assert fail.__qualname__ in str(getattr(caught.value, "__notes__", fail.__qualname__))


def test_a_handler_that_is_removed_while_its_event_fires_is_not_called_though_observed(
    engine: Engine[Any, Any],
) -> None:
    log = Log()
    engine.observe(log)
    handles: list[RemovableEventHandle] = []
    engine.on(Events.STARTED)(lambda: handles.pop().remove())
    handles.append(engine.add_event_handler(Events.STARTED, nothing))
    engine.run([1])
    assert "STARTED nothing" not in log.told


def test_what_an_event_carries_reaches_an_observed_handler(engine: Engine[Any, Any]) -> None:
    seen: list[Any] = []
    engine.observe(Log())
    engine.on(Events.TERMINATE_SINGLE_EPOCH)(lambda engine, iter_counter: seen.append(iter_counter))
    engine.on(Events.ITERATION_COMPLETED(once=2))(lambda: engine.terminate_epoch())
    engine.run([1, 2, 3])
    assert seen == [2]


def test_a_copy_is_not_observed(engine: Engine[Any, Any]) -> None:
    log = Log()
    engine.on(Events.STARTED)(nothing)
    engine.observe(log)
    for copied in (deepcopy(engine), pickle.loads(pickle.dumps(engine))):
        copied.run([1])
        assert copied.describe().rows[0].handler.name == "nothing"
    assert log.told == []


def test_an_observed_engine_is_freed_when_it_goes_out_of_scope() -> None:
    engine: Engine[Any, Any] = Engine(echo)
    engine.on(Events.STARTED)(nothing)
    observation = engine.observe(Log())
    engine.time_calls()
    engine.run([1])
    engine.describe()
    gone = weakref.ref(engine)
    gc.disable()
    try:
        del engine
        assert gone() is None
    finally:
        gc.enable()
    observation.remove()


def test_the_error_of_an_observer_says_whose_it_is(engine: Engine[Any, Any]) -> None:
    class Broken(Observer):
        def handler_ran(self, handler: AttachedHandler, began: int, ended: int) -> None:
            raise ZeroDivisionError("on purpose")

    engine.on(Events.STARTED)(nothing)
    engine.observe(Broken())
    with pytest.raises(ZeroDivisionError, match="on purpose") as caught:
        engine.run([1])
    if sys.version_info >= (3, 11):
        first, *_ = caught.value.__notes__
        assert "raised by the observer" in first
        assert Broken.__qualname__ in first


def test_an_observer_must_be_one(engine: Engine[Any, Any]) -> None:
    with pytest.raises(InvalidType, match=r"derives from glowplug.Observer, got 3 of type int"):
        engine.observe(3)  # type: ignore[arg-type]  # on purpose
