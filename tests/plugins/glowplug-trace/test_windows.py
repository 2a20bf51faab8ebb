from __future__ import annotations

import copy
import gc
import pickle
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from glowplug import Engine, EventEnum, Events, component
from glowplug.errors import InvalidArgument, InvalidType
from glowplug.testing import assert_plugin_ok
from glowplug_trace import Trace


class Odd(EventEnum):
    HEARD = "heard"
    UNHEARD = "unheard"


@pytest.fixture
def engine() -> Engine[Any, Any]:
    return Engine(step)


def step(engine: Any, batch: Any) -> Any:
    return batch


def iterations(seen: Any) -> list[int]:
    return [span.args["iteration"] for span in seen.of("iteration")]


@pytest.mark.parametrize("data", [range(4), None])
def test_the_first_iterations_are_recorded_and_no_more(
    engine: Engine[Any, Any], path: Path, picture: Callable[[Path], Any], data: Any
) -> None:
    Trace(path, first=6).attach(engine)
    engine.run(data, max_epochs=3, epoch_length=4)
    seen = picture(path)
    assert iterations(seen) == [1, 2, 3, 4, 5, 6]
    assert [span.args["iteration"] for span in seen.of("step")] == [1, 2, 3, 4, 5, 6]
    assert seen.open == []


def test_after_the_first_iterations_the_engine_is_as_before(
    engine: Engine[Any, Any], path: Path
) -> None:
    called = []
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda: called.append(1))
    Trace(path, first=2).attach(engine)
    engine.run(range(5))
    assert len(called) == 5
    assert [row.handler.event for row in engine.describe().rows] == [Events.ITERATION_COMPLETED]
    size = path.stat().st_size
    engine.run(range(50))
    assert path.stat().st_size == size


@pytest.mark.parametrize("data", [range(4), None])
def test_the_last_iterations_are_recorded_when_the_run_is_over(
    engine: Engine[Any, Any], path: Path, picture: Callable[[Path], Any], data: Any
) -> None:
    sizes = []
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda: sizes.append(path.stat().st_size))
    Trace(path, last=3).attach(engine)
    engine.run(data, max_epochs=3, epoch_length=4)
    seen = picture(path)
    assert iterations(seen) == [10, 11, 12]
    assert len(seen.of("handler")) == 3
    assert [span.args["epoch"] for span in seen.of("epoch")] == [1, 2, 3]


def test_the_last_iterations_are_those_before_an_error(
    path: Path, picture: Callable[[Path], Any]
) -> None:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: 1 / batch)
    Trace(path, last=2).attach(engine)
    with pytest.raises(ZeroDivisionError, match="division"):
        engine.run([5, 4, 3, 2, 1, 0])
    seen = picture(path)
    assert iterations(seen) == [5, 6]
    assert "EXCEPTION_RAISED" in seen.instants


def test_both_ends_are_recorded(
    engine: Engine[Any, Any], path: Path, picture: Callable[[Path], Any]
) -> None:
    Trace(path, first=2, last=3).attach(engine)
    engine.run(range(50))
    assert iterations(picture(path)) == [1, 2, 48, 49, 50]


def test_an_evaluators_last_iterations_wait_for_the_outermost_run(
    engine: Engine[Any, Any], path: Path, picture: Callable[[Path], Any]
) -> None:
    evaluator: Engine[Any, Any] = Engine(step)
    engine.add_event_handler(Events.EPOCH_COMPLETED, lambda: evaluator.run(range(3)))
    trace = Trace(path, last=2)
    trace.attach(engine, "trainer")
    trace.attach(evaluator, "evaluator")
    engine.run(range(4), max_epochs=5)
    assert len(picture(path).of("iteration", "evaluator")) == 2


def test_what_was_recorded_stays_when_the_engine_is_detached(
    engine: Engine[Any, Any], path: Path, picture: Callable[[Path], Any]
) -> None:
    trace = Trace(path)
    trace.attach(engine)
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=3), lambda e: trace.detach(e))
    engine.run(range(5))
    seen = picture(path)
    assert iterations(seen) == [1, 2, 3]
    assert seen.open == []


def test_a_trace_may_come_in_the_middle_of_a_run(
    engine: Engine[Any, Any], path: Path, picture: Callable[[Path], Any]
) -> None:
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=3), lambda e: Trace(path).attach(e))
    engine.run(range(5))
    seen = picture(path)
    assert iterations(seen)[-2:] == [4, 5]
    assert len(seen.of("run")) == len(seen.of("epoch")) == 1


def test_an_event_of_ones_own_is_recorded_where_somebody_listens(
    engine: Engine[Any, Any], path: Path, picture: Callable[[Path], Any]
) -> None:
    engine.register_events(*Odd)
    Trace(path).attach(engine)
    engine.add_event_handler(Odd.HEARD, lambda: None)
    engine.add_event_handler(Events.COMPLETED, lambda e: e.fire_event(Odd.HEARD))
    engine.run(range(2))
    assert not engine.listens(Odd.UNHEARD)
    assert str(Odd.HEARD) in picture(path).instants


@pytest.mark.parametrize(
    "event", [Events.COMPLETED, Events.EPOCH_STARTED, Events.ITERATION_STARTED]
)
def test_an_event_that_fires_between_two_runs_is_recorded_at_once(
    engine: Engine[Any, Any], path: Path, picture: Callable[[Path], Any], event: Events
) -> None:
    Trace(path).attach(engine)
    engine.fire_event(event)
    seen = picture(path)
    assert seen.instants == [event.name]
    assert (seen.open, seen.of("epoch"), seen.of("iteration")) == ([], [], [])


def test_an_engine_is_recorded_once(engine: Engine[Any, Any], path: Path) -> None:
    trace = Trace(path)
    trace.attach(engine)
    with pytest.raises(InvalidArgument, match="records the engine already"):
        trace.attach(engine)


def test_engines_have_the_names_of_their_steps_or_given_ones(
    path: Path, picture: Callable[[Path], Any]
) -> None:
    trace = Trace(path)
    engines: list[Engine[Any, Any]] = [Engine(step) for _ in range(3)]
    for engine, name in zip(engines, (None, None, "mine"), strict=True):
        trace.attach(engine, name)
        engine.run([1])
    groups = [span.group for span in picture(path).of("run")]
    own = f"{step.__module__}.step"
    assert groups == [own, f"{own} 2", "mine"]


@pytest.mark.parametrize("given", [None, "engine", 3])
def test_what_is_no_engine_is_refused(path: Path, given: Any) -> None:
    trace = Trace(path)
    with pytest.raises(InvalidType, match="expected an Engine, got"):
        trace.attach(given)
    with pytest.raises(InvalidArgument, match="this trace does not record"):
        trace.detach(given)


def test_a_name_is_a_text(engine: Engine[Any, Any], path: Path) -> None:
    with pytest.raises(InvalidType, match="name must be a text, got 3"):
        Trace(path).attach(engine, 3)  # type: ignore[arg-type]  # what is tested


def test_a_trace_says_why_it_is_not_copied(engine: Engine[Any, Any], path: Path) -> None:
    Trace(path).attach(engine)
    for refused in (pickle.dumps, copy.deepcopy):
        with pytest.raises(InvalidType, match=r"writes to a file.* trace.detach\(engine\)"):
            refused(engine)


def test_a_traced_engine_is_freed_at_once(path: Path) -> None:
    trace, engine = Trace(path), Engine[Any, Any](step)
    trace.attach(engine)
    engine.run([1])
    known, engine = weakref.ref(engine), None  # type: ignore[assignment]  # lets it go
    gc.disable()
    try:
        assert known() is None
    finally:
        gc.enable()
    assert trace.path == path


def test_the_component_is_found_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Engine(step, handlers=["trace"]).run([1, 2])
    assert component("handler", "trace") is Trace
    assert (tmp_path / "trace.json").stat().st_size > 1000


def test_each_plugin_has_a_track_of_its_own(
    make_plugin: Any, plugin_manager: Any, path: Path, picture: Callable[[Path], Any]
) -> None:
    source = "def log(engine):\n    pass\n"
    points = {"glowplug.handlers": {"log": "acme_log:log"}}
    make_plugin("acme-log", modules={"acme_log": source}, entry_points=points)
    engine: Engine[Any, Any] = Engine(step, plugins=plugin_manager())
    import acme_log  # type: ignore[import-not-found]  # laid down above

    engine.add_event_handler(Events.ITERATION_COMPLETED, acme_log.log)
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda: None)
    Trace(path).attach(engine)
    engine.run([1, 2])
    seen = picture(path)
    assert seen.tracks == {"run", "step", "acme-log", "functions of your own"}
    (span, _) = (span for span in seen.of("handler") if span.track == "acme-log")
    assert (span.name, span.args["version"]) == ("log", "1.0")


def test_the_plugin_is_whole() -> None:
    assert_plugin_ok("glowplug-trace")
