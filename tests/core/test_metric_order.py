"""A metric that is reported before it is computed, or computed by nobody, is named in time."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glowplug import Engine, Events
from glowplug.errors import InvalidType, MetricWarning

EPOCH_LENGTH = 3
EVENTS = (
    Events.STARTED,
    Events.EPOCH_STARTED,
    Events.GET_BATCH_STARTED,
    Events.GET_BATCH_COMPLETED,
    Events.ITERATION_STARTED,
    Events.ITERATION_COMPLETED,
    Events.EPOCH_COMPLETED,
    Events.COMPLETED,
)


def echo(engine: Any, batch: Any) -> Any:
    return batch


def fill(engine: Engine[Any, Any]) -> None:
    engine.state.metrics["loss"] = 1.0


def show(engine: Engine[Any, Any]) -> None:
    """Stand for a logger."""


def complaint(engine: Engine[Any, Any], **run: Any) -> str:
    """Return what is said before the first event of a run."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        engine.run(range(EPOCH_LENGTH), **run)
    return "\n".join(str(one.message) for one in caught if one.category is MetricWarning)


@pytest.fixture
def engine() -> Engine[Any, Any]:
    return Engine(echo)


def test_a_metric_that_nobody_computes_is_named_before_the_run_starts(
    engine: Engine[Any, Any],
) -> None:
    started: list[str] = []
    engine.on(Events.STARTED)(lambda: started.append("started"))
    engine.add_event_handler(Events.EPOCH_COMPLETED, show).declare(reports=["los"])
    engine.add_event_handler(Events.EPOCH_COMPLETED, fill).declare(computes=["loss"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(MetricWarning, match=r"show at EPOCH_COMPLETED reports metric 'los'.*"):
            engine.run([1])
    assert started == []


def test_a_near_name_is_suggested(engine: Engine[Any, Any]) -> None:
    engine.add_event_handler(Events.EPOCH_COMPLETED, show).declare(reports=["los"])
    engine.add_event_handler(Events.EPOCH_COMPLETED, fill).declare(computes=["loss"])
    assert "did you mean 'loss'" in complaint(engine)


def test_a_metric_that_is_computed_later_is_named_with_both(engine: Engine[Any, Any]) -> None:
    engine.add_event_handler(Events.ITERATION_COMPLETED, show).declare(reports=["loss"])
    engine.add_event_handler(Events.EPOCH_COMPLETED, fill).declare(computes=["loss"])
    said = complaint(engine)
    assert "show at ITERATION_COMPLETED reports metric 'loss', which is computed later" in said
    assert "by fill at EPOCH_COMPLETED" in said


@given(
    reader=st.sampled_from(EVENTS),
    filler=st.sampled_from(EVENTS),
    read_every=st.integers(1, 4),
    filled_every=st.integers(1, 4),
    reader_first=st.booleans(),
)
def test_what_is_said_is_what_a_run_would_meet(
    reader: Events, filler: Events, read_every: int, filled_every: int, reader_first: bool
) -> None:
    missing: list[bool] = []

    def read(engine: Engine[Any, Any]) -> None:
        missing.append("loss" not in engine.state.metrics)

    engine: Engine[Any, Any] = Engine(echo)

    def attach_reader() -> None:
        handle = engine.add_event_handler(reader(every=read_every), read)
        handle.declare(reports=["loss"])

    if reader_first:
        attach_reader()
    engine.add_event_handler(filler(every=filled_every), fill).declare(computes=["loss"])
    if not reader_first:
        attach_reader()
    # At these two the count is not known before the run.
    counted_by_the_end = {Events.STARTED, Events.COMPLETED} & {reader, filler}
    if counted_by_the_end and (read_every, filled_every) != (1, 1):
        return
    said = complaint(engine, max_epochs=6)
    assert bool(said) == (missing[:1] == [True])


def test_what_is_there_already_can_be_reported(engine: Engine[Any, Any]) -> None:
    engine.state.metrics["loss"] = 0.0
    engine.add_event_handler(Events.STARTED, show).declare(reports=["loss"])
    assert complaint(engine) == ""


def test_names_that_are_not_known_yet_keep_it_silent_but_not_about_later_ones(
    engine: Engine[Any, Any],
) -> None:
    engine.add_event_handler(Events.EPOCH_COMPLETED, fill).declare(computes=["loss", ...])
    engine.add_event_handler(Events.EPOCH_COMPLETED, show).declare(reports=["recall", "loss"])
    assert complaint(engine) == ""
    engine.state.metrics.clear()
    engine.add_event_handler(Events.EPOCH_STARTED, show).declare(reports=["loss"])
    assert "computed later" in complaint(engine)


def test_a_filter_of_the_users_own_keeps_it_silent(engine: Engine[Any, Any]) -> None:
    rarely = Events.ITERATION_COMPLETED(event_filter=lambda engine, count: count == 3)
    engine.add_event_handler(rarely, show).declare(reports=["loss"])
    assert complaint(engine) == ""


def test_it_is_said_once(engine: Engine[Any, Any]) -> None:
    engine.add_event_handler(Events.STARTED, show).declare(reports=["loss"])
    assert complaint(engine) != ""
    assert complaint(engine) == ""


def test_a_removed_handler_computes_nothing(engine: Engine[Any, Any]) -> None:
    handle = engine.add_event_handler(Events.EPOCH_STARTED, fill).declare(computes=["loss"])
    engine.add_event_handler(Events.EPOCH_COMPLETED, show).declare(reports=["loss"])
    handle.remove()
    assert "nothing computes" in complaint(engine)


@pytest.mark.parametrize("declared", [{"computes": [3]}, {"reports": [...]}, {"reports": [None]}])
def test_what_is_declared_are_names(engine: Engine[Any, Any], declared: dict[str, Any]) -> None:
    handle = engine.add_event_handler(Events.STARTED, show)
    with pytest.raises(InvalidType, match=r"must hold names of metrics, got"):
        handle.declare(**declared)
    assert complaint(engine) == ""
