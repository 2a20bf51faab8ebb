"""What an engine tells of itself: its handlers in order, whose they are, and where from."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glowplug import Engine, EventEnum, Events, PluginManager
from glowplug.description import in_seconds
from glowplug.tables import Column, Section, as_html, as_text

HERE = Path(__file__).name


def echo(engine: Any, batch: Any) -> Any:
    return batch


def act(engine: Any) -> None:
    """Stand for a user's handler."""


class Report:
    glowplug_phase = "report"

    def attach(self, engine: Engine[Any, Any]) -> None:
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.show)

    def show(self) -> None:
        """Stand for a logger."""


@pytest.fixture
def engine() -> Engine[Any, Any]:
    return Engine(echo, plugins=PluginManager(only=[]))


def test_handlers_are_listed_event_by_event_in_the_order_in_which_they_run(
    engine: Engine[Any, Any],
) -> None:
    Report().attach(engine)
    engine.add_event_handler(Events.EPOCH_COMPLETED(every=2)(after=3), act)
    engine.add_event_handler(Events.STARTED, functools.partial(act))
    assert [
        (str(row.handler.event), row.handler.name, row.handler.filter, row.handler.phase.value)
        for row in engine.describe().rows
    ] == [
        ("STARTED", "act", "", "act"),
        ("EPOCH_COMPLETED", "act", "(every=2)(after=3)", "act"),
        ("EPOCH_COMPLETED", "Report.show", "", "report"),
    ]


def test_events_of_other_sets_are_listed_too(engine: Engine[Any, Any]) -> None:
    class Mine(EventEnum):
        BELL = "bell"

    engine.register_events(*Mine, "knock")
    engine.on(Mine.BELL)(act)
    engine.on("knock")(act)
    assert [row.handler.event for row in engine.describe().rows] == [Mine.BELL, "knock"]


def test_the_line_is_the_one_that_attached_the_handler(engine: Engine[Any, Any]) -> None:
    engine.add_event_handler(Events.STARTED, act)  # this line
    (row,) = engine.describe().rows
    assert row.handler.site is not None
    assert row.handler.site.file == __file__
    line = Path(__file__).read_text(encoding="utf-8").splitlines()[row.handler.site.line - 1]
    assert line.strip() == "engine.add_event_handler(Events.STARTED, act)  # this line"


def test_a_component_of_a_plugin_was_attached_where_the_user_wrote_so(
    manager: Callable[..., PluginManager],
) -> None:
    engine = Engine(echo, handlers=["nan-stop"], plugins=manager("nan-stop"))  # this line
    (row,) = engine.describe().rows
    assert (row.handler.plugin, row.handler.version) == ("nan-stop", "0.1.0")
    assert row.handler.name == "NanStop"
    assert row.handler.site is not None
    assert row.handler.site.file == __file__


def test_what_a_hook_attached_is_its_plugins(manager: Callable[..., PluginManager]) -> None:
    engine = Engine(echo, plugins=manager("acme-hooks"))
    owners = {(row.handler.plugin, row.handler.version) for row in engine.describe().rows}
    assert owners == {("acme-hooks", "2.0")}


def test_an_object_goes_by_its_class(engine: Engine[Any, Any]) -> None:
    class Stateful:
        def __call__(self, engine: Any) -> None:
            """Stand for a handler with a state."""

    engine.add_event_handler(Events.STARTED, Stateful())
    (row,) = engine.describe().rows
    assert row.handler.name.endswith("Stateful")


def test_the_description_is_of_the_moment_at_which_it_was_asked_for(
    engine: Engine[Any, Any],
) -> None:
    handle = engine.add_event_handler(Events.STARTED, act)
    description = engine.describe()
    handle.remove()
    assert len(description.rows) == 1
    assert engine.describe().rows == ()


def test_text_fits_the_terminal(engine: Engine[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    engine.add_event_handler(Events.ITERATION_COMPLETED(every=100), act)
    Report().attach(engine)
    engine.time_calls()
    engine.run(range(200))
    for columns in (60, 80, 120, 200):
        monkeypatch.setenv("COLUMNS", str(columns))
        lines = str(engine.describe()).splitlines()
        assert all(len(line) <= columns for line in lines[1:])
        assert "Report.show" in "".join(lines)
    assert any("act (every=100)" in line and f"{HERE}:" in line for line in lines)


def test_an_engine_without_handlers_says_so(engine: Engine[Any, Any]) -> None:
    assert str(engine.describe()).endswith("echo\nno handlers")


def test_a_notebook_shows_a_table_in_which_everything_is_escaped(
    engine: Engine[Any, Any],
) -> None:
    engine.add_event_handler(Events.STARTED, lambda: None)
    table = engine.describe()._repr_html_()
    assert "&lt;lambda&gt;" in table
    assert "<lambda>" not in table
    assert table.startswith("<table><caption>step ")


def test_machines_get_json(engine: Engine[Any, Any]) -> None:
    engine.add_event_handler(Events.ITERATION_COMPLETED(every=2), act)
    plain = json.loads(engine.describe().to_json())
    ((event, handlers),) = ((e["event"], e["handlers"]) for e in plain["events"])
    assert event == "ITERATION_COMPLETED"
    assert handlers[0] == {
        "handler": "act", "module": __name__, "filter": "(every=2)", "phase": "act",
        "plugin": None, "version": None, "file": __file__, "line": handlers[0]["line"],
        "removed": False, "calls": None, "seconds": None, "mean": None, "share": None,
    }  # fmt: skip  # as it is printed


def test_calls_are_counted_where_that_was_asked_for(engine: Engine[Any, Any]) -> None:
    engine.add_event_handler(Events.ITERATION_COMPLETED(every=3), act)
    with engine.time_calls():
        engine.run(range(10), max_epochs=2)
    engine.run(range(10), max_epochs=4)
    plain = engine.describe().to_dict()
    assert (plain["step"]["calls"], plain["run"]["calls"]) == (20, 1)
    assert plain["events"][0]["handlers"][0]["calls"] == 6


def test_shares_are_those_of_the_timed_runs(clock: Any) -> None:
    def batches() -> Iterator[int]:
        for batch in range(20):
            clock.sleep(1)
            yield batch

    engine: Engine[Any, Any] = Engine(lambda engine, batch: clock.sleep(2))
    engine.on(Events.ITERATION_COMPLETED)(lambda: clock.sleep(1))
    engine.time_calls()
    engine.run(batches(), epoch_length=20)
    plain = engine.describe().to_dict()
    step, handler = plain["step"], plain["events"][0]["handlers"][0]
    assert (step["seconds"], step["mean"], step["share"]) == (40, 2, 0.5)
    assert (handler["seconds"], handler["mean"], handler["share"]) == (20, 1, 0.25)


def test_by_the_real_clock_a_step_takes_its_seconds() -> None:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: time.sleep(0.01))
    engine.time_calls()
    engine.run([1, 2])
    assert engine.describe().to_dict()["step"]["mean"] >= 0.01


def test_counting_begins_anew_when_it_is_asked_for_again(engine: Engine[Any, Any]) -> None:
    engine.time_calls()
    engine.run([1, 2])
    engine.time_calls()
    engine.run([1])
    assert engine.describe().to_dict()["step"]["calls"] == 1


def test_a_handler_that_has_left_is_shown_with_what_it_took(engine: Engine[Any, Any]) -> None:
    engine.time_calls()
    with engine.add_event_handler(Events.STARTED, act):
        engine.run([1])
    (row,) = engine.describe().rows
    assert row.removed
    assert row.calls is not None
    assert row.calls.number == 1
    assert "act removed" in str(engine.describe())


@given(st.floats(1e-9, 1e5))
def test_a_time_is_shown_with_three_digits_in_the_unit_that_suits_it(seconds: float) -> None:
    number, unit = in_seconds(seconds).split()
    factor = {"s": 1, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9}[unit]
    assert float(number) * factor == pytest.approx(seconds, rel=0.006, abs=0.51e-9)
    assert "e" not in number
    assert unit == "s" or float(number) < 1000


CELLS = st.text(alphabet="ab /.-é", max_size=30)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=5), st.integers(40, 120))
def test_a_table_keeps_to_its_width_and_its_numbers_whole(rows: list[Any], width: int) -> None:
    columns = [
        Column("name"),
        Column("file", keeps_end=True, gives_way=True),
        Column("calls", number=True),
    ]
    numbered = [(name, file, str(len(name))) for name, file, _ in rows]
    lines = as_text(columns, [Section("S", numbered)], width).splitlines()
    assert all(len(line) <= width for line in lines)
    ends = [line.split()[-1] for line in lines if line.split()]
    assert all(number in ends for _, _, number in numbered)


def test_html_has_a_row_for_each_row_and_a_heading_for_each_section() -> None:
    table = as_html([Column("a"), Column("n", number=True)], [Section("S", [("x&y", "1")] * 3)])
    assert table.count("<td>x&amp;y</td>") == 3
    assert table.count('scope="rowgroup" colspan="2"') == 1
