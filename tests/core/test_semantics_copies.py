"""Line 31 of the contract: pickles and deep copies of an engine."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from glowplug import Engine, EventEnum, Events, State
from glowplug.errors import EngineBusy


class Mine(EventEnum):
    PING = "ping"


def step(engine: Engine[Any, Any], batch: int) -> int:
    return batch * 2


def note(engine: Engine[Any, Any], *more: Any) -> None:
    engine.state.notes = [*getattr(engine.state, "notes", []), (engine.state.iteration, *more)]


def odd(engine: Engine[Any, Any], count: int) -> bool:
    return count % 2 == 1


class Trainer(Engine[int, int]):
    def __init__(self) -> None:
        super().__init__(step)
        self.seen: list[int] = []
        self.add_event_handler(Events.ITERATION_COMPLETED, self.see)

    def see(self) -> None:
        self.seen.append(self.state.output)


def by_pickle(thing: Any) -> Any:
    return pickle.loads(pickle.dumps(thing))


WAYS: list[Callable[[Any], Any]] = [by_pickle, copy.deepcopy]
ways = pytest.mark.parametrize("way", WAYS, ids=["pickle", "deepcopy"])


@ways
def test_s31_a_copy_does_what_the_engine_does(way: Callable[[Any], Any]) -> None:
    engine = Engine(step)
    engine.add_event_handler(Events.ITERATION_COMPLETED, note)
    engine.add_event_handler(Events.STARTED | Events.COMPLETED(every=2), note, "union", 5)
    engine.add_event_handler(Events.ITERATION_STARTED(event_filter=odd), note, "odd")
    copied = way(engine)
    for each in (engine, copied):
        each.run([1, 2, 3], max_epochs=2)
    assert copied.state.notes == engine.state.notes
    assert copied.state.output == 6


@ways
def test_s31_a_copy_is_separate(way: Callable[[Any], Any]) -> None:
    engine = Engine(step)
    copied = way(engine)
    copied.add_event_handler(Events.STARTED, note)
    copied.state.mine = 1
    copied.state.metrics["loss"] = 1.0
    copied.run([1])
    assert not engine.has_event_handler(note)
    assert not hasattr(engine.state, "mine")
    assert (engine.state.iteration, engine.state.metrics) == (0, {})


@ways
def test_s31_registered_events_and_their_counters_come_along(way: Callable[[Any], Any]) -> None:
    engine = Engine(step)
    engine.register_events(*Mine, "custom", event_to_attr={Mine.PING: "pings"})
    engine.add_event_handler(Mine.PING(every=2), note)
    copied = way(engine)
    copied.state.pings = 2
    copied.fire_event(Mine.PING)
    assert copied.state.notes == [(0,)]
    assert copied.has_registered_events("custom")
    copied.state = State()
    assert copied.state.pings == 0


@ways
def test_s31_an_event_that_counts_its_own_firings_goes_on_counting(
    way: Callable[[Any], Any],
) -> None:
    engine = Engine(step)
    engine.add_event_handler(Events.INTERRUPT(once=2), note)
    engine.fire_event(Events.INTERRUPT)
    copied = way(engine)
    copied.fire_event(Events.INTERRUPT)
    assert copied.state.notes == [(0,)]


@ways
def test_s31_methods_of_the_engine_itself_become_the_copys(way: Callable[[Any], Any]) -> None:
    trainer = Trainer()
    copied = way(trainer)
    copied.run([1, 2])
    assert (copied.seen, trainer.seen) == ([2, 4], [])
    assert copied.has_event_handler(copied.see)


@ways
def test_s31_handlers_can_be_removed_from_a_copy(way: Callable[[Any], Any]) -> None:
    engine = Engine(step)
    engine.add_event_handler(Events.STARTED(every=1), note)
    copied = way(engine)
    copied.remove_event_handler(note, Events.STARTED(every=1))
    assert engine.has_event_handler(note)


@ways
def test_s31_a_run_that_is_not_done_goes_on_in_the_copy(way: Callable[[Any], Any]) -> None:
    engine = Engine(step)
    engine.run([1, 2], max_epochs=2)
    copied = way(engine)
    assert copied.run([1, 2], max_epochs=3).iteration == 6


@ways
def test_s31_an_engine_that_ran_over_a_generator_can_be_copied_too(
    way: Callable[[Any], Any],
) -> None:
    engine = Engine(step)
    engine.run(number for number in (1, 2, 3))
    assert way(engine).state.iteration == 3


@ways
def test_s31_plugins_and_logger_come_along(way: Callable[[Any], Any]) -> None:
    engine = Engine(step)
    copied = way(engine)
    assert copied.plugins == engine.plugins
    assert copied.logger is engine.logger


@ways
def test_s31_an_interrupted_engine_says_that_it_cannot(way: Callable[[Any], Any]) -> None:
    engine = Engine(step)
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda e: e.interrupt())
    engine.run([1, 2])
    with pytest.raises(
        EngineBusy, match="in the middle of a run can be neither pickled nor copied"
    ):
        way(engine)


@ways
def test_s31_a_running_engine_says_that_it_cannot(way: Callable[[Any], Any]) -> None:
    engine = Engine(step)
    engine.add_event_handler(Events.ITERATION_COMPLETED, way)
    with pytest.raises(RuntimeError, match="neither pickled nor copied"):
        engine.run([1, 2])


@ways
def test_s31_a_state_can_be_copied(way: Callable[[Any], Any]) -> None:
    state = way(State(iteration=4, mine=[1]))
    assert (state.iteration, state.mine) == (4, [1])
    assert state.get_event_attrib_value(Events.ITERATION_STARTED) == 4


def test_s31_a_step_that_cannot_be_pickled_is_pickles_own_error() -> None:
    with pytest.raises((pickle.PicklingError, AttributeError), match=r"lambda|local object"):
        pickle.dumps(Engine(lambda engine, batch: batch))


@pytest.fixture
def iterator() -> Iterator[int]:
    return iter(range(3))


def test_s31_a_copy_does_not_take_from_the_data_of_the_engine(iterator: Iterator[int]) -> None:
    engine = Engine(step)
    engine.run(iterator, epoch_length=1)
    copy.deepcopy(engine)
    assert next(iterator) == 1
