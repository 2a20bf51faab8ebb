"""Random runs, and the rules that any picture of one must keep."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from glowplug import Engine, Events, Phase
from glowplug_trace import Trace

HANDLED = [event for event in Events if event is not Events.EXCEPTION_RAISED]
ACTIONS = ("nothing", "fire", "end epoch", "end run", "interrupt", "fail", "handled failure")

runs = st.fixed_dictionaries(
    {
        "epochs": st.integers(1, 3),
        "length": st.integers(1, 4),
        "with data": st.booleans(),
        "attached": st.lists(
            st.tuples(st.sampled_from(HANDLED), st.sampled_from(Phase), st.booleans()), max_size=5
        ),
        "action": st.sampled_from(ACTIONS),
        "at": st.sampled_from([Events.ITERATION_STARTED, Events.ITERATION_COMPLETED]),
        "when": st.integers(1, 6),
    }
)


def act(engine: Engine[Any, Any], action: str) -> None:
    if action == "fire":
        engine.fire_event("odd")
    elif action == "end epoch":
        engine.terminate_epoch()
    elif action == "end run":
        engine.terminate()
    elif action == "interrupt":
        engine.interrupt()
    elif "fail" in action:
        raise ValueError("as drawn")


def go(plan: dict[str, Any], path: Path) -> None:
    """Do what was drawn: handlers on both sides of the trace, one of which acts."""
    engine: Engine[Any, Any] = Engine(lambda engine, batch: sum(range(50)))
    engine.register_events("odd")
    engine.add_event_handler("odd", lambda: None)
    attached = [("before" if early else "after", e, phase) for e, phase, early in plan["attached"]]
    trace = Trace(path, overwrite=True)
    for turn in ("before", "trace", "after"):
        if turn == "trace":
            trace.attach(engine, "trainer")
        for side, event, phase in attached:
            if side == turn:
                with engine.in_phase(phase):
                    engine.add_event_handler(event, lambda *_: sum(range(20)))
    engine.add_event_handler(plan["at"](once=plan["when"]), act, plan["action"])
    if plan["action"] == "handled failure":
        engine.add_event_handler(Events.EXCEPTION_RAISED, lambda e: engine.terminate_epoch())
    settings = {"max_epochs": plan["epochs"], "epoch_length": plan["length"]}
    data = list(range(plan["length"])) if plan["with data"] else None
    try:
        engine.run(data, **settings)
        if plan["action"] == "interrupt" and engine.state.iteration < plan["epochs"] * 4:
            engine.run(data, **settings)
    except ValueError as error:
        if str(error) != "as drawn":
            raise


@example(
    plan={
        "epochs": 1,
        "length": 1,
        "with data": False,
        "attached": [(Events.EPOCH_COMPLETED, Phase.COMPUTE, False)],
        "action": "interrupt",  # after an epoch's last iteration: its end comes with the next run
        "at": Events.ITERATION_COMPLETED,
        "when": 1,
    }
)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(plan=runs)
def test_spans_lie_inside_each_other_as_their_rounds_do(
    plan: dict[str, Any], path: Path, picture: Callable[[Path], Any]
) -> None:
    go(plan, path)
    seen = picture(path)
    assert seen.open == []
    for one, other in combinations(seen.spans, 2):
        if one.track == other.track:
            assert one.is_apart(other) or one.holds(other) or other.holds(one)
    for inner, outer in (("epoch", "run"), ("iteration", "epoch"), ("data", "epoch")):
        for span in seen.of(inner):
            assert sum(around.holds(span) for around in seen.of(outer)) == 1
    for span in seen.of("iteration"):
        (epoch,) = [epoch for epoch in seen.of("epoch") if epoch.holds(span)]
        assert epoch.args["epoch"] == span.args["epoch"]
    for span in seen.of("step"):
        (around,) = [around for around in seen.of("iteration") if around.holds(span)]
        assert around.args == span.args
    for span in seen.of("handler"):
        event = span.args["event"].partition("(")[0]
        if event.startswith("ITERATION"):
            around = [around for around in seen.of("iteration") if around.holds(span)]
            assert [a.args["iteration"] for a in around] == [span.args["iteration"]]
        elif event.startswith(("EPOCH", "GET")):
            assert [e.args["epoch"] for e in seen.of("epoch") if e.holds(span)] == [
                span.args["epoch"]
            ]
        if event != "DATALOADER_STOP_ITERATION":
            assert all(data.is_apart(span) for data in seen.of("data"))


def test_as_many_spans_are_drawn_as_there_were_rounds(
    path: Path, picture: Callable[[Path], Any]
) -> None:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: batch)
    Trace(path).attach(engine, "trainer")
    engine.run(range(7), max_epochs=3)
    seen = picture(path)
    counted = {kind: len(seen.of(kind)) for kind in ("run", "epoch", "iteration", "data", "step")}
    assert counted == {"run": 1, "epoch": 3, "iteration": 21, "data": 21, "step": 21}
    assert [s.args["iteration"] for s in seen.of("iteration")] == list(range(1, 22))


def test_every_firing_is_an_instant_in_its_order(
    path: Path, picture: Callable[[Path], Any]
) -> None:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: batch)
    Trace(path).attach(engine, "trainer")
    engine.run([1], max_epochs=1)
    assert picture(path).instants == [
        "STARTED",
        "EPOCH_STARTED",
        "GET_BATCH_STARTED",
        "GET_BATCH_COMPLETED",
        "ITERATION_STARTED",
        "ITERATION_COMPLETED",
        "EPOCH_COMPLETED",
        "COMPLETED",
    ]


def test_an_evaluator_inside_a_handler_lies_inside_its_span(
    path: Path, picture: Callable[[Path], Any]
) -> None:
    trainer: Engine[Any, Any] = Engine(lambda engine, batch: batch)
    evaluator: Engine[Any, Any] = Engine(lambda engine, batch: batch)

    @trainer.on(Events.EPOCH_COMPLETED)
    def evaluate() -> None:
        evaluator.run(range(2))

    trace = Trace(path)
    trace.attach(trainer, "trainer")
    trace.attach(evaluator, "evaluator")
    trainer.run(range(3), max_epochs=2)
    seen = picture(path)
    calls = [span for span in seen.of("handler", "trainer") if "evaluate" in span.name]
    inner = seen.of("run", "evaluator")
    assert [call.holds(run) for call, run in zip(calls, inner, strict=True)] == [True, True]


def test_an_iteration_lasts_until_a_handler_that_fires_events_has_run(
    path: Path, picture: Callable[[Path], Any]
) -> None:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: batch)
    engine.register_events("odd")
    engine.add_event_handler("odd", lambda: None)
    Trace(path).attach(engine)
    engine.add_event_handler(Events.ITERATION_COMPLETED, act, "fire")
    engine.add_event_handler(Events.ITERATION_COMPLETED, print_nothing)
    engine.run(range(3))
    seen = picture(path)
    for name in ("act", "print_nothing"):
        pairs = zip(seen.of("iteration"), seen.named(name), strict=True)
        assert [iteration.holds(call) for iteration, call in pairs] == [True] * 3


def test_each_event_has_the_fields_that_the_format_asks_for(path: Path) -> None:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: batch)
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda: None)
    Trace(path).attach(engine, "100 %d trainer")
    engine.run(range(3), max_epochs=2)
    fields = {"M": {"name", "args"}, "E": {"ts"}, "B": {"name", "ts"}}
    fields |= {"X": {"name", "ts", "dur"}, "i": {"name", "ts", "s"}}
    last = 0.0
    for event in json.loads(path.read_text()):
        assert set(event) >= {"ph", "pid", "tid"} | fields[event["ph"]]
        assert type(event["pid"]) is type(event["tid"]) is int
        assert event.get("dur", 0) >= 0
        assert event.get("s", "t") == "t"
        if event["ph"] in "BE":
            assert event["ts"] >= last
            last = event["ts"]


def test_a_handler_is_drawn_with_what_is_known_of_it(
    path: Path, picture: Callable[[Path], Any]
) -> None:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: batch)
    line = test_a_handler_is_drawn_with_what_is_known_of_it.__code__.co_firstlineno + 6
    with engine.in_phase("report"):
        engine.add_event_handler(Events.ITERATION_COMPLETED(every=2), print_nothing)
    Trace(path).attach(engine)
    engine.run(range(3))
    (span,) = picture(path).of("handler")
    assert span.name == "print_nothing"
    assert span.args.pop("attached").endswith(f"test_nesting.py:{line}")
    expected = {"event": "ITERATION_COMPLETED(every=2)", "phase": "report"}
    assert span.args == {**expected, "epoch": 1, "iteration": 2}


def print_nothing(engine: Any) -> None:
    pass


@pytest.mark.parametrize("phase", list(Phase))
def test_a_handler_that_runs_before_the_traces_own_is_inside_the_iteration(
    phase: Phase, path: Path, picture: Callable[[Path], Any]
) -> None:
    engine: Engine[Any, Any] = Engine(lambda engine, batch: batch)
    with engine.in_phase(phase):
        engine.add_event_handler(Events.ITERATION_STARTED, lambda: None)
    Trace(path).attach(engine)
    engine.run([1])
    seen = picture(path)
    (handler,), (iteration,) = seen.of("handler"), seen.of("iteration")
    assert iteration.holds(handler)
