"""Line 2 of the contract: when batch and output are released, the cycle collector aside."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from glowplug import Engine, Events


@pytest.fixture(autouse=True)
def without_cycle_collector() -> Iterator[None]:
    """Let nothing be freed but by its last reference going away."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class Thing:
    """What a weak reference can be made to."""


class Things:
    """An iterator of things, that notes whether the one before is still alive at each fetch."""

    def __init__(self, number: int) -> None:
        self.left = number
        self.last: Callable[[], Thing | None] = lambda: None
        self.alive: list[bool] = []

    def __iter__(self) -> Things:
        return self

    def __next__(self) -> Thing:
        self.alive.append(self.last() is not None)
        self.left -= 1
        if self.left < 0:
            raise StopIteration
        thing = Thing()
        self.last = weakref.ref(thing)
        return thing


def ignore(engine: Engine[Any, Any], batch: Any) -> None: ...


@pytest.mark.parametrize("epoch_length", [2, 6, None])
def test_s02_the_batch_is_released_before_the_next_is_fetched(epoch_length: int | None) -> None:
    data = Things(6)
    Engine(ignore).run(data, max_iters=6, epoch_length=epoch_length)
    assert data.alive == [False] * 6


@pytest.mark.parametrize(
    "event", [Events.GET_BATCH_COMPLETED, Events.ITERATION_STARTED, Events.ITERATION_COMPLETED]
)
def test_s02_it_is_released_after_an_interruption_too(event: Events) -> None:
    data = Things(4)
    engine = Engine(ignore)
    engine.add_event_handler(event, lambda e: e.interrupt())
    for _ in range(5):
        engine.run(data, epoch_length=4)
    assert data.alive == [False] * 4


def test_s02_a_batch_that_a_handler_put_in_place_is_released_too() -> None:
    data = Things(3)
    engine = Engine(ignore)
    refs: list[weakref.ref[Thing]] = []

    @engine.on(Events.ITERATION_STARTED)
    def replace(engine: Engine[Any, Any]) -> None:
        assert data.last() is not None
        engine.state.batch = Thing()
        refs.append(weakref.ref(engine.state.batch))
        assert data.last() is None

    @engine.on(Events.GET_BATCH_STARTED(after=1))
    def look(engine: Engine[Any, Any]) -> None:
        assert refs[-1]() is None

    engine.run(data, epoch_length=3)


def test_s02_batch_is_none_while_the_next_is_fetched() -> None:
    seen: list[Any] = []
    engine = Engine(ignore)
    engine.add_event_handler(Events.GET_BATCH_STARTED, lambda e: seen.append(e.state.batch))
    engine.run("ab", max_epochs=2)
    assert seen == [None] * 4


def test_s02_the_output_is_released_before_the_next_step_assigns_it() -> None:
    last: list[weakref.ref[Thing]] = []
    alive: list[bool] = []

    def step(engine: Engine[Any, Any], batch: Any) -> Thing:
        alive.extend(ref() is not None for ref in last[-1:])
        output = Thing()
        last.append(weakref.ref(output))
        return output

    Engine(step).run("abc", max_epochs=2)
    assert alive == [False] * 5


def test_s02_it_is_released_without_data_too() -> None:
    seen: list[Any] = []
    engine = Engine[Any, int](lambda e, batch: e.state.iteration)
    engine.add_event_handler(Events.ITERATION_STARTED, lambda e: seen.append(e.state.output))
    engine.run(epoch_length=3)
    assert seen == [None] * 3
