"""The phases of a firing: metrics, then everybody's handlers, then reports, then what persists."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glowplug import Engine, Events, Kind, Phase, PluginManager
from glowplug.errors import InvalidArgument

PHASES = [phase.value for phase in Phase]


def echo(engine: Any, batch: Any) -> Any:
    return batch


class Part:
    """A component that leaves its name at the end of the run, in the phase that it declares."""

    def __init__(self, name: str, log: list[str], phase: Any = None) -> None:
        self.name, self.log = name, log
        if phase is not None:
            self.glowplug_phase = phase

    def attach(self, engine: Engine[Any, Any]) -> None:
        engine.add_event_handler(Events.COMPLETED, self.note)

    def note(self) -> None:
        self.log.append(self.name)


class CallablePart(Part):
    def attach(self, engine: Engine[Any, Any]) -> None:
        engine.add_event_handler(Events.COMPLETED, partial(self, "really"))

    def __call__(self, _: str, engine: Engine[Any, Any]) -> None:
        self.log.append(self.name)


@given(st.lists(st.sampled_from([None, *PHASES, *Phase]), max_size=8))
def test_handlers_run_phase_by_phase_and_within_a_phase_in_the_order_of_adding(
    declared: list[Any],
) -> None:
    log: list[str] = []
    parts = [Part(str(place), log, phase) for place, phase in enumerate(declared)]
    Engine(echo, handlers=parts, plugins=PluginManager(only=[])).run([1])
    places = [PHASES.index(Phase.of(phase or "act").value) for phase in declared]
    assert log == [str(place) for _, place in sorted(zip(places, range(len(places)), strict=True))]


@pytest.mark.parametrize("kind", [Part, CallablePart])
def test_a_plain_function_stands_between_what_computes_and_what_reports(kind: type[Part]) -> None:
    log: list[str] = []
    engine = Engine(echo)
    kind("saves", log, "persist").attach(engine)
    kind("reports", log, "report").attach(engine)
    engine.on(Events.COMPLETED)(lambda: log.append("acts"))
    kind("computes", log, "compute").attach(engine)
    engine.run([1])
    assert log == ["computes", "acts", "reports", "saves"]


def test_a_method_may_declare_another_phase_than_its_object() -> None:
    log: list[str] = []

    class Both(Part):
        glowplug_phase = "compute"

        def late(self) -> None:
            self.log.append("late")

        late.glowplug_phase = "persist"  # type: ignore[attr-defined]  # functions take attributes

    engine, both = Engine(echo), Both("early", log)
    engine.add_event_handler(Events.COMPLETED, both.late)
    engine.on(Events.COMPLETED)(lambda: log.append("acts"))
    both.attach(engine)
    engine.run([1])
    assert log == ["early", "acts", "late"]


def test_in_phase_is_for_handlers_that_declare_none() -> None:
    log: list[str] = []
    engine = Engine(echo)
    with engine.in_phase("persist"):
        engine.on(Events.COMPLETED)(lambda: log.append("function"))
        Part("computes", log, "compute").attach(engine)
    engine.on(Events.COMPLETED)(lambda: log.append("acts"))
    engine.run([1])
    assert log == ["computes", "acts", "function"]


def test_what_a_component_attaches_within_attach_is_of_the_phase_that_it_declares() -> None:
    log: list[str] = []

    class Lambdas(Part):
        glowplug_phase = Phase.REPORT

        def attach(self, engine: Engine[Any, Any]) -> None:
            engine.on(Events.COMPLETED)(lambda: log.append("reports"))

    engine = Engine(echo, handlers=[Lambdas("", log)])
    engine.on(Events.COMPLETED)(lambda: log.append("acts"))
    engine.run([1])
    assert log == ["acts", "reports"]


LOGGER = """
class Lines:
    log = []

    def attach(self, engine):
        engine.on("COMPLETED")(lambda: self.log.append("reports"))
"""


def test_a_logger_that_is_asked_for_by_name_reports_though_it_declares_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, offering: Callable[..., PluginManager]
) -> None:
    (tmp_path / "lines_for_phases.py").write_text(LOGGER)
    monkeypatch.syspath_prepend(str(tmp_path))
    manager = offering(Kind.LOGGER, "lines", "lines_for_phases:Lines")
    engine = Engine(echo, handlers=["lines"], plugins=manager)
    log = manager.component("logger", "lines").log
    engine.on(Events.COMPLETED)(lambda: log.append("acts"))
    engine.run([1])
    assert log == ["acts", "reports"]


def test_a_handler_that_is_put_back_stays_in_its_phase() -> None:
    log: list[str] = []
    engine, part = Engine(echo), Part("reports", log, "report")
    handle = engine.add_event_handler(Events.COMPLETED, part.note)
    engine.on(Events.COMPLETED)(lambda: log.append("acts"))
    handle.remove()
    with handle:
        engine.on(Events.COMPLETED)(lambda: log.append("acts too"))
        engine.run([1])
    assert log == ["acts", "acts too", "reports"]


def note_act(engine: Engine[Any, Any]) -> None:
    engine.state.metrics.setdefault("log", []).append("acts")


class Report:
    glowplug_phase = "report"

    def __call__(self, engine: Engine[Any, Any]) -> None:
        engine.state.metrics.setdefault("log", []).append("reports")


def test_a_pickled_engine_keeps_the_order_of_its_handlers() -> None:
    engine = Engine(echo)
    engine.add_event_handler(Events.COMPLETED, Report())
    engine.add_event_handler(Events.COMPLETED, note_act)
    copied: Engine[Any, Any] = pickle.loads(pickle.dumps(engine))
    assert copied.run([1]).metrics["log"] == ["acts", "reports"]


@pytest.mark.parametrize("wrong", ["reports", 3, ["report"]])
def test_what_is_no_phase_is_refused_before_anything_is_attached(wrong: Any) -> None:
    engine = Engine(echo)
    with pytest.raises(InvalidArgument, match=r"glowplug_phase of .*compute, act, report, persist"):
        engine.add_event_handler(Events.STARTED | Events.COMPLETED, Part("", [], wrong).note)
    assert not engine.listens(Events.STARTED)
    with pytest.raises(InvalidArgument, match="expected a phase, one of compute, act"):
        engine.in_phase(wrong)


class Obliging:
    """An object that answers whatever it is asked for, as mocks do."""

    def __call__(self) -> None:
        """Stand for a handler."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return Obliging()


def test_what_an_object_makes_up_is_no_declaration() -> None:
    engine = Engine(echo)
    engine.add_event_handler(Events.STARTED, Obliging())
    (row,) = engine.describe().rows
    assert row.handler.phase is Phase.ACT


def test_a_phase_may_be_a_property() -> None:
    class Chosen(Part):
        @property
        def glowplug_phase(self) -> str:
            return "persist"

        @glowplug_phase.setter
        def glowplug_phase(self, phase: str) -> None:
            raise AssertionError(phase)

    log: list[str] = []
    engine = Engine(echo)
    Chosen("saves", log).attach(engine)
    Part("acts", log).attach(engine)
    engine.run([1])
    assert log == ["acts", "saves"]


def test_a_near_phase_is_suggested() -> None:
    with pytest.raises(InvalidArgument, match="did you mean 'report'"):
        Phase.of("reports")
