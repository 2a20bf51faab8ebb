"""What a type checker knows of engines and states; mypy reads it, and it runs too."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import pytest

from glowplug import Engine, EventEnum, Events, RemovableEventHandle, State
from glowplug.events import EventUnion, FilteredEvent

if sys.version_info >= (3, 11):
    from typing import assert_type
else:

    def assert_type(value: Any, _: Any) -> Any:
        return value


def double(engine: Engine[int, float], batch: int) -> float:
    return batch * 2.0


def test_an_engine_takes_its_types_from_its_step() -> None:
    engine = Engine(double)
    assert_type(engine, Engine[int, float])
    state = engine.run([1, 2])
    assert_type(state, State[int, float])
    assert_type(state.output, float)
    assert_type(state.batch, int)
    assert state.output == 4.0


def test_the_types_may_be_written_out_for_a_lambda() -> None:
    engine = Engine[str, int](lambda engine, batch: len(batch))
    assert_type(engine.run(["abc"]).output, int)


def test_the_data_must_yield_what_the_step_takes() -> None:
    engine = Engine(double)

    def misuse() -> None:
        engine.run(["text"])  # type: ignore[list-item]  # what the test is about

    data: Iterable[int] = (1, 2)
    assert engine.run(data).output == 4.0


def test_a_step_of_another_signature_is_seen_by_the_type_checker() -> None:
    with pytest.raises(ValueError, match="step"):
        Engine(lambda engine: None)  # type: ignore[arg-type, misc]  # what the test is about


def test_a_subclass_may_fix_its_types() -> None:
    class Trainer(Engine[int, float]):
        def __init__(self) -> None:
            super().__init__(double)

    assert_type(Trainer().run([1]).output, float)


def test_the_fields_of_a_state_are_typed() -> None:
    state = Engine(double).state
    assert_type(state.iteration, int)
    assert_type(state.epoch_length, int | None)
    assert_type(state.metrics, dict[str, Any])
    assert_type(state.times, dict[str, float | None])
    state.mine = "a user's attribute"
    assert_type(state.mine, Any)


def test_events_handles_and_decorated_functions_keep_their_types() -> None:
    engine = Engine(double)
    assert_type(Events.STARTED(every=2), FilteredEvent)
    assert_type(Events.STARTED | Events.COMPLETED(once=1), EventUnion)
    assert_type(engine.add_event_handler(Events.STARTED, print), RemovableEventHandle)

    @engine.on(Events.COMPLETED)
    def named(engine: Engine[int, float]) -> int:
        return 1

    assert_type(named(engine), int)


def test_a_set_of_events_is_an_enumeration() -> None:
    class Mine(EventEnum):
        PING = "ping"

    assert_type(list(Mine), list[Mine])
    assert (Mine.PING.name, Mine.PING.value) == ("PING", "ping")
