"""What an explanation says, what it refuses, and what it costs."""

from __future__ import annotations

import json
import re
import sys
import tracemalloc
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from glowplug import Engine, EventEnum, Events, State
from glowplug.errors import CannotWrite, EngineBusy, InvalidArgument, InvalidType
from glowplug.explain.explanation import Explanation


class Mine(EventEnum):
    FIRED_BY_A_HANDLER = "fired_by_a_handler"
    COUNTED = "counted"


def step(engine: Any, batch: Any) -> Any:
    return batch


def log(engine: Any) -> None: ...


def refuse(engine: Any, count: int) -> bool:
    raise AssertionError("a filter function is never called to explain")


@pytest.fixture
def engine() -> Engine[Any, Any]:
    return Engine(step, events=[Mine])


def marks(explanation: Explanation) -> dict[str, str]:
    """Return the mark of each handler by its event and filter."""
    entries = (entry for expected in explanation.events for entry in expected.handlers)
    return {f"{e.handler.event}{e.handler.filter}": e.mark.value for e in entries}


def test_a_run_is_told_firing_by_firing(engine: Engine[Any, Any]) -> None:
    engine.add_event_handler(Events.ITERATION_COMPLETED(every=2), log)
    firings = list(engine.explain(1, max_epochs=2).firings())
    assert [(str(f.event), f.epoch, f.iteration, f.count, len(f.called)) for f in firings] == [
        ("STARTED", 0, 0, 0, 0),
        ("EPOCH_STARTED", 1, 0, 1, 0),
        ("GET_BATCH_STARTED", 1, 0, 0, 0),
        ("GET_BATCH_COMPLETED", 1, 0, 0, 0),
        ("ITERATION_STARTED", 1, 1, 1, 0),
        ("ITERATION_COMPLETED", 1, 1, 1, 0),
        ("EPOCH_COMPLETED", 1, 1, 1, 0),
        ("EPOCH_STARTED", 2, 1, 2, 0),
        ("GET_BATCH_STARTED", 2, 1, 1, 0),
        ("DATALOADER_STOP_ITERATION", 2, 1, 1, 0),
        ("GET_BATCH_COMPLETED", 2, 1, 1, 0),
        ("ITERATION_STARTED", 2, 2, 2, 0),
        ("ITERATION_COMPLETED", 2, 2, 2, 1),
        ("EPOCH_COMPLETED", 2, 2, 2, 0),
        ("COMPLETED", 2, 2, 2, 0),
    ]


def test_handlers_are_marked_by_what_the_run_has_for_them(engine: Engine[Any, Any]) -> None:
    for event in (
        Events.EPOCH_COMPLETED,
        Events.EPOCH_COMPLETED(every=2),
        Events.EPOCH_COMPLETED(after=3),
        Events.EPOCH_COMPLETED(event_filter=refuse),
        Events.EPOCH_COMPLETED(event_filter=refuse)(once=9),
        Mine.FIRED_BY_A_HANDLER,
        Mine.COUNTED(before=1),
        Events.TERMINATE,
    ):
        engine.add_event_handler(event, log)
    assert marks(engine.explain(10, max_epochs=3)) == {
        "EPOCH_COMPLETED": "always",
        "EPOCH_COMPLETED(every=2)": "sometimes",
        "EPOCH_COMPLETED(after=3)": "never",
        "EPOCH_COMPLETED(event_filter=refuse)": "perhaps",
        "EPOCH_COMPLETED(event_filter=refuse)(once=9)": "never",
        "FIRED_BY_A_HANDLER": "only when fired",
        "COUNTED(before=1)": "never",
        "TERMINATE": "only when fired",
    }


def test_a_run_without_data_never_calls_those_who_wait_for_batches(
    engine: Engine[Any, Any],
) -> None:
    engine.add_event_handler(Events.GET_BATCH_COMPLETED | Events.DATALOADER_STOP_ITERATION, log)
    assert set(marks(engine.explain(10, max_epochs=3)).values()) == {"always"}
    assert set(marks(engine.explain(10, max_epochs=3, data=False)).values()) == {"never"}


def test_a_filter_on_a_counter_that_users_move_is_passed_perhaps(engine: Engine[Any, Any]) -> None:
    engine.register_events(event_to_attr={Events.EPOCH_COMPLETED: "improvements"})
    engine.add_event_handler(Events.EPOCH_COMPLETED(every=2), log)
    engine.add_event_handler(Events.EPOCH_COMPLETED, log)
    assert marks(engine.explain(10)) == {
        "EPOCH_COMPLETED(every=2)": "perhaps",
        "EPOCH_COMPLETED": "always",
    }


def test_who_is_never_called_is_listed(engine: Engine[Any, Any]) -> None:
    engine.add_event_handler(Events.EPOCH_COMPLETED, log)
    engine.add_event_handler(Events.EPOCH_COMPLETED(every=5), log)
    assert [handler.filter for handler in engine.explain(10, 4).never] == ["(every=5)"]
    assert engine.explain(10, 5).never == ()


def test_a_run_that_is_over_is_explained_anew(engine: Engine[Any, Any]) -> None:
    engine.run(range(4), max_epochs=3)
    explanation = engine.explain()
    assert [f.epoch for f in explanation.firings()][-1] == 1
    assert "a new run" in str(explanation)


def test_a_longer_run_is_explained_from_where_it_goes_on(engine: Engine[Any, Any]) -> None:
    engine.run(range(4), max_epochs=3)
    firings = list(engine.explain(max_epochs=5).firings())
    assert (firings[1].epoch, firings[-1].iteration) == (4, 20)


def test_a_loaded_state_is_explained_from_within_its_epoch(engine: Engine[Any, Any]) -> None:
    engine.load_state_dict({"epoch_length": 5, "iteration": 7, "max_epochs": 2})
    explanation = engine.explain()
    started = [f.iteration for f in explanation.firings() if f.event is Events.ITERATION_STARTED]
    assert started == [8, 9, 10]
    assert "going on after epoch 1, iteration 7" in str(explanation)


def test_a_loaded_position_is_explained_from_exactly_there(engine: Engine[Any, Any]) -> None:
    position = {"epoch": 0, "iteration": 3, "within": 3}
    engine.load_state_dict({"epoch_length": 3, "max_epochs": 1, **position})
    fired = [str(firing.event) for firing in engine.explain().firings()]
    assert fired == ["STARTED", "EPOCH_STARTED", "EPOCH_COMPLETED", "COMPLETED"]


def test_an_interrupted_run_is_explained_from_the_event_where_it_stands(
    engine: Engine[Any, Any],
) -> None:
    with engine.add_event_handler(Events.ITERATION_STARTED(once=3), engine.interrupt):
        engine.run(range(4), max_epochs=1)
    explanation = engine.explain()
    assert [str(f.event) for f in explanation.firings()][:2] == [
        "ITERATION_COMPLETED",
        "GET_BATCH_STARTED",
    ]
    assert "resumed in epoch 1, after iteration 3" in str(explanation)
    engine.run()
    assert engine.state.iteration == 4


def test_an_interrupted_run_without_data_stays_without(engine: Engine[Any, Any]) -> None:
    with engine.add_event_handler(Events.ITERATION_STARTED(once=3), engine.interrupt):
        engine.run(epoch_length=4)
    assert Events.GET_BATCH_STARTED not in {f.event for f in engine.explain().firings()}


def test_a_length_that_is_not_known_must_be_given(engine: Engine[Any, Any]) -> None:
    with pytest.raises(InvalidArgument, match=r"length of an epoch is not known.*len\(data\)"):
        engine.explain(max_epochs=3)


def test_a_length_that_the_state_presets_need_not_be_given(engine: Engine[Any, Any]) -> None:
    engine.state = State(epoch_length=7)
    assert [f.iteration for f in engine.explain().firings()][-1] == 7


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epoch_length": 0}, "epoch_length must be an integer of at least 1"),
        ({"epoch_length": 3, "max_epochs": 0}, "max_epochs must be an integer of at least 1"),
        ({"epoch_length": 3, "max_epochs": 2, "max_iters": 2}, "exclude each other"),
    ],
)
def test_what_run_refuses_cannot_be_explained(
    engine: Engine[Any, Any], arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidArgument, match=message):
        engine.explain(**arguments)


def test_data_in_place_of_the_word_on_it_is_refused(engine: Engine[Any, Any]) -> None:
    with pytest.raises(InvalidType, match=r"True or False; got a value of type list.*len\(data\)"):
        engine.explain(3, data=[1, 2])  # type: ignore[arg-type]  # the test is about it


def test_an_engine_in_the_middle_of_a_run_cannot_be_explained(engine: Engine[Any, Any]) -> None:
    engine.add_event_handler(Events.ITERATION_STARTED, lambda: engine.explain(3))
    with pytest.raises(EngineBusy, match="explain it before, or after"):
        engine.run([1])


@pytest.mark.parametrize(("length", "epochs"), [(10_000, 100), (10**6, 10**6), (1, 10**6)])
def test_long_runs_take_few_calls_and_little_memory(
    engine: Engine[Any, Any], length: int, epochs: int
) -> None:
    engine.add_event_handler(Events.ITERATION_COMPLETED, log)
    engine.add_event_handler(Events.ITERATION_COMPLETED(every=2), log)
    engine.add_event_handler(Events.ITERATION_COMPLETED(every=3, after=5), log)
    events: list[str] = []
    tracemalloc.start()
    sys.setprofile(lambda frame, event, argument: events.append(event))
    try:
        explanation = engine.explain(length, max_epochs=epochs)
        size = len(explanation.to_json()) + len(str(explanation)) + len(explanation.to_html())
    finally:
        sys.setprofile(None)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert len(events) < 100_000, "calls and returns, of any function"
    assert max(size, most) < 1_000_000


def test_text_tells_what_repeats_itself_once(
    engine: Engine[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    engine.add_event_handler(Events.ITERATION_COMPLETED(every=100), log)
    text = str(engine.explain(1000, max_epochs=50))
    assert "epochs 2-50\n" in text
    assert "  iterations 2-1000 of each: as iterations 1-1000\n" in text
    assert "100, 200, 300, … 50000" in text
    assert max(map(len, text.splitlines()[1:])) <= 80


def test_json_comes_back_as_it_was(engine: Engine[Any, Any]) -> None:
    engine.add_event_handler(Events.EPOCH_COMPLETED(once=[2, 3, 9]), log)
    explanation = engine.explain(10, max_epochs=9)
    assert json.loads(explanation.to_json()) == explanation.to_dict()
    (event,) = [e for e in explanation.to_dict()["events"] if e["event"] == "EPOCH_COMPLETED"]
    assert event["handlers"][0]["calls"] == [[2, 3, 1], [9, 9, 1]]


def test_the_page_takes_nothing_from_elsewhere(engine: Engine[Any, Any]) -> None:
    page = engine.explain(10).to_html()
    assert "http:" not in page
    assert "https:" not in page
    assert re.findall(r'(?:src|href)="([^"]*)"', page) == ["data:,"]
    assert "default-src 'none'" in page


def test_nothing_that_the_page_shows_is_markup(engine: Engine[Any, Any]) -> None:
    def handler(engine: Any) -> None: ...

    handler.__qualname__ = "</script><script>alert(1)</script>$title"
    engine.add_event_handler(Events.STARTED, handler)
    page = engine.explain(10).to_html()
    assert "alert(1)</script>" not in page
    (data,) = re.findall(r'type="application/json">(.*?)</script>', page)
    assert json.loads(data)["events"][0]["handlers"][0]["handler"] == handler.__qualname__


def test_a_notebook_gets_the_page_in_a_frame(engine: Engine[Any, Any]) -> None:
    explanation = engine.explain(10)
    (frame,) = re.findall(r'srcdoc="([^"]*)"', explanation._repr_html_())
    assert unescape(frame) == explanation.to_html()


def test_a_page_is_written_and_replaced_only_if_asked(
    engine: Engine[Any, Any], tmp_path: Path
) -> None:
    explanation = engine.explain(10)
    path = explanation.write_html(tmp_path / "run.html")
    with pytest.raises(CannotWrite, match=r"run\.html exists already; .*overwrite=True"):
        engine.explain(20).write_html(path)
    assert path.read_text("utf-8") == explanation.to_html()
    engine.explain(20).write_html(str(path), overwrite=True)
    assert path.read_text("utf-8") != explanation.to_html()


def test_a_page_that_cannot_be_written_says_so(engine: Engine[Any, Any], tmp_path: Path) -> None:
    with pytest.raises(CannotWrite, match=r"cannot write .*nowhere"):
        engine.explain(10).write_html(tmp_path / "nowhere" / "run.html")


def test_to_explain_logs_nothing(
    engine: Engine[Any, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    engine.explain(10, max_epochs=3)
    assert caplog.records == []


def test_handlers_and_step_are_not_called(watch: Callable[..., list[str]]) -> None:
    called: list[Any] = []
    engine = Engine[Any, Any](lambda engine, batch: called.append(batch))
    seen = watch(engine)
    list(engine.explain(10, max_epochs=3).firings())
    assert (called, seen) == ([], [])
