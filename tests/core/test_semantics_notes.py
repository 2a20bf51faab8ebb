"""Line 16 of the contract: what an exception says of the handler that it left."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any

import pytest

from glowplug import Engine, EventEnum, Events
from glowplug.plugins import PluginManager


def echo(engine: Engine[Any, Any], batch: Any) -> Any:
    return batch


@pytest.fixture
def engine() -> Engine[Any, Any]:
    return Engine(echo)


class Custom(EventEnum):
    PING = "ping"


def broken(*_: Any) -> Any:
    raise KeyError("x")


Notes = Callable[[BaseException], list[str]]


@pytest.fixture
def notes(caplog: pytest.LogCaptureFixture) -> Notes:
    """A function that returns what was noted: on the exception, or in the log before 3.11."""
    if sys.version_info < (3, 11):
        return lambda error: [text for text in caplog.messages if "in handler" in text]
    return lambda error: list(getattr(error, "__notes__", ()))


def test_s16_the_note_names_handler_event_epoch_and_iteration(
    engine: Engine[Any, Any], notes: Notes
) -> None:
    def culprit() -> None:
        raise KeyError("x")

    engine.add_event_handler(Events.ITERATION_COMPLETED(every=2), culprit)
    with pytest.raises(KeyError, match="x") as raised:
        engine.run("abc", max_epochs=2)
    (note,) = notes(raised.value)
    assert f"{culprit.__module__}.{culprit.__qualname__}" in note
    assert note.endswith("at ITERATION_COMPLETED(every=2), epoch 1, iteration 2")


def test_s16_the_note_names_plugin_and_version(
    manager: Callable[..., PluginManager], notes: Notes
) -> None:
    engine = Engine(echo, handlers=["nan-stop"], plugins=manager("nan-stop"))
    with pytest.raises(TypeError, match="must be real number") as raised:
        engine.run(["no number"])
    (note,) = notes(raised.value)
    assert "in handler nan_stop.NanStop of plugin nan-stop 0.1.0" in note


def test_s16_an_exception_in_a_filter_names_the_handler_it_guards(
    engine: Engine[Any, Any], notes: Notes
) -> None:
    def guarded() -> None: ...

    def broken_filter(engine: Engine[Any, Any], count: int) -> bool:
        raise KeyError("x")

    engine.add_event_handler(Events.STARTED(event_filter=broken_filter), guarded)
    with pytest.raises(KeyError, match="x") as raised:
        engine.run("ab")
    (note,) = notes(raised.value)
    assert "guarded" in note
    assert "broken_filter" in note


def test_s16_a_nested_firing_notes_each_handler_on_the_way(
    engine: Engine[Any, Any], notes: Notes
) -> None:
    def outer(engine: Engine[Any, Any]) -> None:
        engine.fire_event(Custom.PING)

    def inner() -> None:
        raise KeyError("x")

    engine.register_events(*Custom)
    engine.add_event_handler(Custom.PING, inner)
    engine.add_event_handler(Events.STARTED, outer)
    with pytest.raises(KeyError, match="x") as raised:
        engine.run("ab")
    first, second = notes(raised.value)
    assert ("inner" in first, "PING" in first) == (True, True)
    assert ("outer" in second, "STARTED" in second) == (True, True)


def test_s16_a_handler_that_removed_itself_is_named_all_the_same(
    engine: Engine[Any, Any], notes: Notes
) -> None:
    def leaving() -> None:
        handle.remove()
        raise KeyError("x")

    handle = engine.add_event_handler(Events.STARTED, leaving)
    with pytest.raises(KeyError, match="x") as raised:
        engine.run("ab")
    assert "leaving" in notes(raised.value)[0]


def test_s16_of_two_registrations_of_one_handler_the_one_that_failed_is_named(
    engine: Engine[Any, Any], notes: Notes
) -> None:
    def twice(engine: Engine[Any, Any]) -> None:
        if engine.state.iteration == 3:
            raise KeyError("x")

    engine.add_event_handler(Events.ITERATION_STARTED(once=1), twice)
    engine.add_event_handler(Events.ITERATION_STARTED(once=3), twice)
    with pytest.raises(KeyError, match="x") as raised:
        engine.run("abc")
    assert "(once=3)" in notes(raised.value)[0]


def test_s16_an_exception_of_the_step_carries_no_note(notes: Notes) -> None:
    with pytest.raises(KeyError, match="x") as raised:
        Engine(broken).run("ab")
    assert notes(raised.value) == []


def test_s16_on_a_python_without_notes_the_text_is_logged(
    engine: Engine[Any, Any], caplog: pytest.LogCaptureFixture
) -> None:
    engine.add_event_handler(Events.STARTED, broken)
    with caplog.at_level(logging.ERROR), pytest.raises(KeyError, match="x"):
        engine.run("ab")
    logged = [text for text in caplog.messages if text.startswith("KeyError: in handler")]
    assert len(logged) == (1 if sys.version_info < (3, 11) else 0)
