from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from glowplug import Engine
from glowplug.errors import InvalidArgument, InvalidType
from glowplug_trace import Trace
from glowplug_trace.clocks import Clock

torch = pytest.importorskip("torch")


@pytest.fixture
def engine() -> Engine[Any, Any]:
    weight = torch.rand(200, 200)
    return Engine(lambda engine, batch: torch.mm(weight, weight).sum())


def profiled(**settings: Any) -> Any:
    return torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], **settings)


def multiplied_inside(events: list[dict[str, Any]]) -> list[int]:
    """How many matrix products lie inside each step, by their times alone."""
    steps = [event for event in events if event.get("cat") == "step"]
    products = [event for event in events if event.get("name") == "aten::mm"]
    return [
        sum(
            step["ts"] < product["ts"] and product["ts"] + product["dur"] < step["ts"] + step["dur"]
            for product in products
        )
        for step in steps
    ]


def test_a_step_encloses_the_operators_that_ran_in_it(
    engine: Engine[Any, Any], path: Path, events: Callable[[Path], list[Any]]
) -> None:
    trace = Trace(path)
    trace.attach(engine, "trainer")
    with profiled() as profile:
        engine.run(range(6))
    trace.include(profile)
    assert multiplied_inside(events(path)) == [1] * 6


def test_a_profiler_hands_over_each_cycle_of_its_schedule(
    engine: Engine[Any, Any], path: Path, events: Callable[[Path], list[Any]]
) -> None:
    trace = Trace(path)
    trace.attach(engine, "trainer")
    schedule = torch.profiler.schedule(wait=1, warmup=1, active=2)
    settings = {"schedule": schedule, "acc_events": True}  # without it torch warns
    with profiled(**settings, on_trace_ready=trace.include) as profile:
        engine.add_event_handler("ITERATION_COMPLETED", lambda: profile.step())
        engine.run(range(8))
    assert multiplied_inside(events(path)) == [0, 0, 1, 1] * 2


@pytest.mark.parametrize("name", ["profile.json", "profile.json.gz"])
def test_an_exported_profile_is_included_by_its_path(
    engine: Engine[Any, Any], tmp_path: Path, name: str, events: Callable[[Path], list[Any]]
) -> None:
    trace = Trace(tmp_path / "trace.json.gz")
    trace.attach(engine, "trainer")
    with profiled() as profile:
        engine.run(range(3))
    profile.export_chrome_trace(str(tmp_path / name))
    trace.include(tmp_path / name)
    assert multiplied_inside(events(trace.path)) == [1, 1, 1]


def test_operators_and_engines_are_different_processes(
    engine: Engine[Any, Any], path: Path, events: Callable[[Path], list[Any]]
) -> None:
    trace = Trace(path)
    trace.attach(engine, "trainer")
    with profiled() as profile:
        engine.run(range(2))
    trace.include(profile)
    ours = {event["pid"] for event in events(path) if event.get("cat") == "step"}
    theirs = {event["pid"] for event in events(path) if event.get("cat") == "cpu_op"}
    assert ours
    assert theirs
    assert not ours & theirs


def test_a_profile_that_was_exported_cannot_be_included_but_by_its_path(
    engine: Engine[Any, Any], path: Path, tmp_path: Path
) -> None:
    with profiled() as profile:
        engine.run([1])
    profile.export_chrome_trace(str(tmp_path / "profile.json"))
    trace = Trace(path)
    with pytest.raises(InvalidArgument, match="include the path of what it has exported already"):
        trace.include(profile)
    assert json.loads(path.read_text()) == []


def test_a_profile_that_has_recorded_nothing_is_refused(path: Path) -> None:
    with pytest.raises(InvalidArgument, match="the profile cannot be exported"):
        Trace(path).include(profiled())


def test_what_is_no_profile_is_refused(path: Path) -> None:
    with pytest.raises(InvalidType, match=re.escape("expected a torch.profiler.profile, or the")):
        Trace(path).include(3)


@pytest.mark.parametrize(
    "content",
    [b"nothing", b"[]", b'{"traceEvents": [1]}', b"\x1f\x8b", gzip.compress(b"{}", mtime=0)],
)
def test_a_file_that_is_no_profile_is_refused(path: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "odd").write_bytes(content)
    with pytest.raises(InvalidArgument, match=r"cannot read a profile from|is no trace that torch"):
        Trace(path).include(tmp_path / "odd")
    assert json.loads(path.read_text()) == []


def test_the_nearest_reading_of_the_clocks_counts() -> None:
    now = {"steady": 0, "date": 10_000}
    clock = Clock(steady=lambda: now["steady"], date=lambda: now["date"])
    now.update(steady=1000, date=51_000)  # the date was corrected by 40,000 in between
    clock.compare()
    assert clock.steady_at(10_100) == 100
    assert clock.steady_at(51_100) == 1100
    assert clock.steady_at(50_900) == 900
