"""The tests of what the audit writes down."""

from __future__ import annotations

import doctest
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from glowplug import Engine, Events, PluginManager
from glowplug.testing import HooksContract, assert_plugin_ok

import acme_audit.audit
import acme_audit.log
import acme_audit.records

Lines = Callable[[], list[dict[str, Any]]]


class TestHooks(HooksContract):
    """It keeps the contract of every hook plugin."""

    plugin = "acme-audit"


def divide(engine: Engine[Any, Any], batch: int) -> float:
    """Divide by the batch, so that 0 fails."""
    return 1 / batch


@pytest.fixture
def engine() -> Engine[Any, Any]:
    """An engine on which this plugin acts, and no other."""
    return Engine(divide, plugins=PluginManager(only=["acme-audit"]))


def said(lines: Lines) -> list[tuple[Any, ...]]:
    """Return what each line is about and how far the run had come."""
    return [(line["what"], line.get("epochs"), line.get("iterations")) for line in lines()]


def test_a_run_that_completes_leaves_two_lines(engine: Engine[Any, Any], lines: Lines) -> None:
    engine.run([1, 2, 4], max_epochs=2)
    assert said(lines) == [("began", None, None), ("completed", 2, 6)]
    assert len({line["run"] for line in lines()}) == 1


def test_a_beginning_says_which_step_runs_over_which_data(
    engine: Engine[Any, Any], lines: Lines
) -> None:
    engine.run([1, 2, 4], max_epochs=2)
    began = lines()[0]
    assert began["step"].endswith("divide")
    assert began["data"] == {"type": "builtins.list", "length": 3}
    assert (began["epoch_length"], began["max_epochs"], began["max_iters"]) == (3, 2, None)
    assert began["plugins"] == {"acme-audit": "0.1.0"}


def test_an_end_says_how_long_the_run_and_its_last_epoch_took(
    engine: Engine[Any, Any], lines: Lines
) -> None:
    engine.run([1, 2])
    ended = lines()[-1]
    assert 0 <= ended["last_epoch_seconds"] <= ended["seconds"] < 60


def test_a_terminated_run_is_no_completed_one(engine: Engine[Any, Any], lines: Lines) -> None:
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=2), lambda e: e.terminate())
    engine.run([1, 2, 4])
    assert said(lines) == [("began", None, None), ("terminated", 1, 2)]


def test_an_interrupted_run_that_goes_on_is_one_run(engine: Engine[Any, Any], lines: Lines) -> None:
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=2), lambda e: e.interrupt())
    engine.run([1, 2, 4])
    engine.run()
    assert said(lines) == [("began", None, None), ("interrupted", 1, 2), ("completed", 1, 3)]
    assert len({line["run"] for line in lines()}) == 1


def test_an_interruption_at_the_very_end_leaves_a_completed_run(
    engine: Engine[Any, Any], lines: Lines
) -> None:
    engine.add_event_handler(Events.COMPLETED, lambda e: e.interrupt())
    engine.run([1])
    assert [what for what, *_ in said(lines)] == ["began", "completed"]


def test_an_error_is_named(engine: Engine[Any, Any], lines: Lines) -> None:
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        engine.run([1, 0])
    assert said(lines) == [("began", None, None), ("error", 1, 2)]
    assert (lines()[-1]["error"], lines()[-1]["message"]) == (
        "ZeroDivisionError",
        "division by zero",
    )


def test_an_error_that_is_answered_by_an_orderly_end_is_followed_by_it(
    engine: Engine[Any, Any], lines: Lines
) -> None:
    engine.add_event_handler(Events.EXCEPTION_RAISED, lambda e, error: e.terminate())
    engine.run([1, 0])
    assert [what for what, *_ in said(lines)] == ["began", "error", "terminated"]


def test_a_run_that_fails_at_its_very_end_has_not_completed(
    engine: Engine[Any, Any], lines: Lines
) -> None:
    engine.add_event_handler(Events.COMPLETED, lambda: divide(engine, 0))
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        engine.run([1])
    assert said(lines) == [("began", None, None), ("error", 1, 1)]


def test_a_run_that_fails_before_the_audit_hears_of_it_has_both_lines(lines: Lines) -> None:
    class Broken:
        glowplug_phase = "compute"

        def attach(self, engine: Engine[Any, Any]) -> None:
            engine.add_event_handler(Events.STARTED, lambda: divide(engine, 0))

    broken = Engine(divide, handlers=[Broken()], plugins=PluginManager(only=["acme-audit"]))
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        broken.run([1])
    assert said(lines) == [("began", None, None), ("error", 0, 0)]


def test_a_second_run_is_another_run(engine: Engine[Any, Any], lines: Lines) -> None:
    engine.run([1])
    engine.run([1])
    assert len({line["run"] for line in lines()}) == 2


def test_only_events_that_happen_once_a_run_are_handled(engine: Engine[Any, Any]) -> None:
    ends = {Events.TERMINATE, Events.COMPLETED, Events.INTERRUPT, Events.EXCEPTION_RAISED}
    assert {event for event in Events if engine.listens(event)} == {Events.STARTED} | ends


def test_a_log_that_cannot_be_written_is_said_once_and_the_run_goes_on(
    engine: Engine[Any, Any], log: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log.parent.write_text("a file where the folder would be")
    for _ in range(3):
        engine.run([1, 2])
    assert engine.state.iteration == 2
    ((name, level, message),) = caplog.record_tuples
    assert (name, level) == ("acme_audit", logging.WARNING)
    assert message.startswith(f"runs are missing from {log} (")


def test_data_and_errors_that_refuse_to_be_described_do_no_harm(
    engine: Engine[Any, Any], lines: Lines
) -> None:
    class Hostile(Exception):
        def __str__(self) -> str:
            raise ValueError("no")

    class Data(list[int]):
        @property
        def dataset(self) -> Any:
            raise Hostile

    def fail(engine: Engine[Any, Any]) -> None:
        raise Hostile

    engine.add_event_handler(Events.COMPLETED, fail)
    with pytest.raises(Hostile, check=lambda error: type(error) is Hostile):
        engine.run(Data([1]))
    assert lines()[-1]["message"] == ""


def test_what_json_lacks_becomes_text(engine: Engine[Any, Any], lines: Lines) -> None:
    class Length(int):
        pass

    acme_audit.log.append({"path": Path("a"), "length": Length(3)})
    assert lines() == [{"path": "a", "length": 3}]


@pytest.mark.parametrize("module", [acme_audit.audit, acme_audit.log, acme_audit.records])
def test_the_examples_of_the_docstrings_hold(module: Any) -> None:
    assert doctest.testmod(module).failed == 0


def test_the_installed_plugin_is_whole() -> None:
    assert_plugin_ok("acme-audit")
