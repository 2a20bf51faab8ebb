"""Line 33 of the contract: subclasses, the logger; and what a run refuses meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from glowplug import Engine, Events, State
from glowplug.errors import EngineBusy

Watch = Callable[[Engine[Any, Any]], list[str]]


class Validating(Engine[int, float]):
    """An engine of another signature, as users write it."""

    def __init__(self, factor: float) -> None:
        super().__init__(self.scale)
        self.factor = factor
        self.epochs: list[int] = []
        self.add_event_handler(Events.EPOCH_COMPLETED, self.note)

    @staticmethod
    def scale(engine: Engine[int, float], batch: int) -> float:
        assert isinstance(engine, Validating)
        return batch * engine.factor

    def note(self) -> None:
        self.epochs.append(self.state.epoch)

    def run(self, *batches: int, times: int = 1) -> State[int, float]:  # type: ignore[override]  # another signature is the point
        return super().run(list(batches), max_epochs=times)


def test_s33_a_subclass_registers_handlers_in_its_init_and_runs_in_its_own_way() -> None:
    engine = Validating(0.5)
    assert engine.run(2, 4, times=3).output == 2.0
    assert engine.epochs == [1, 2, 3]


def test_s33_the_step_may_be_a_method() -> None:
    class Counting(Engine[Any, int]):
        def __init__(self) -> None:
            super().__init__(self.count)
            self.steps = 0

        def count(self, engine: Engine[Any, int], batch: Any) -> int:
            self.steps += 1
            return self.steps

    assert Counting().run("abc").output == 3


def test_s33_run_may_call_super_several_times() -> None:
    class Twice(Engine[Any, Any]):
        def run(self, *args: Any, **kwargs: Any) -> State[Any, Any]:
            super().run(*args, **kwargs)
            return super().run(*args, **kwargs)

    engine = Twice(lambda e, batch: batch)
    seen: list[int] = []
    engine.add_event_handler(Events.STARTED, lambda e: seen.append(e.state.iteration))
    engine.run("ab")
    assert seen == [0, 0]


def test_s33_the_state_may_be_filled_in_init() -> None:
    class Preset(Engine[Any, Any]):
        def __init__(self) -> None:
            super().__init__(lambda e, batch: batch)
            self.state.mine = "kept"
            self.state_dict_user_keys.append("mine")

    engine = Preset()
    engine.run("ab")
    assert engine.state_dict()["mine"] == "kept"


def test_s33_the_logger_is_a_logger_that_can_be_replaced(
    caplog: pytest.LogCaptureFixture,
) -> None:
    engine = Engine[Any, Any](lambda e, batch: batch)
    assert isinstance(engine.logger, logging.Logger)
    engine.logger = logging.getLogger("mine")
    with caplog.at_level(logging.INFO, logger="mine"):
        engine.run("ab", max_epochs=2)
    assert {record.name for record in caplog.records} == {"mine"}
    assert [message.split(".")[0] for message in caplog.messages] == [
        "Engine run starting with max_epochs=2",
        *("Epoch[1] Complete", "Epoch[2] Complete"),
        "Engine run complete",
    ]


def test_s33_a_run_logs_nothing_by_iteration(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        Engine[Any, Any](lambda e, batch: batch).run(range(1000))
    assert len(caplog.records) < 5


@pytest.mark.parametrize("event", [Events.STARTED, Events.ITERATION_COMPLETED, Events.COMPLETED])
def test_s33_run_within_a_run_of_the_same_engine_is_an_error(event: Events) -> None:
    engine = Engine[Any, Any](lambda e, batch: batch)
    engine.add_event_handler(event, lambda e: e.run("xy"))
    with pytest.raises(EngineBusy, match="in the middle of a run"):
        engine.run("ab")


def test_s33_a_handler_that_catches_it_harms_nothing(watch: Watch) -> None:
    def again(engine: Engine[Any, Any]) -> None:
        with pytest.raises(EngineBusy, match="in the middle of a run"):
            engine.run("xyz", max_epochs=9)

    engine = Engine[Any, Any](lambda e, batch: batch)
    undisturbed = watch(engine)
    engine.run("ab", max_epochs=2)
    engine = Engine[Any, Any](lambda e, batch: batch)
    log = watch(engine)
    engine.add_event_handler(Events.ITERATION_STARTED, again)
    engine.run("ab", max_epochs=2)
    assert log == undisturbed


def test_s33_another_engine_may_run_within_a_run() -> None:
    evaluator = Engine[int, int](lambda e, batch: -batch)
    trainer = Engine[int, int](lambda e, batch: batch)
    seen: list[int] = []

    @trainer.on(Events.EPOCH_COMPLETED)
    def evaluate(engine: Engine[int, int]) -> None:
        seen.append(evaluator.run([7, 8]).output)

    trainer.run([1, 2], max_epochs=2)
    assert seen == [-8, -8]


def test_s33_two_engines_share_no_handlers_events_or_counters() -> None:
    one, other = (Engine[Any, Any](lambda e, batch: batch) for _ in range(2))
    one.register_events("mine")
    one.add_event_handler(Events.STARTED, print)
    one.fire_event(Events.INTERRUPT)
    seen: list[str] = []
    other.add_event_handler(Events.INTERRUPT(once=1), lambda: seen.append("first"))
    other.fire_event(Events.INTERRUPT)
    assert not other.has_registered_events("mine")
    assert not other.has_event_handler(print)
    assert seen == ["first"]
