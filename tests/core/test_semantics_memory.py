"""Line 27 of the contract: engines and iterators are freed without the cycle collector's help."""

from __future__ import annotations

import contextlib
import functools
import gc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from glowplug import Engine, Events, State
from glowplug.errors import DataWarning


@pytest.fixture(autouse=True)
def without_cycle_collector() -> Iterator[None]:
    """Let nothing be freed but by its last reference going away."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class Thing:
    """What a weak reference can be made to."""


def ignore(engine: Engine[Any, Any], batch: Any) -> None: ...


class Trainer(Engine[Any, Any]):
    """A subclass that registers methods of its own in every form."""

    def __init__(self) -> None:
        super().__init__(ignore)
        self.calls: list[str] = []
        self.add_event_handler(Events.STARTED, self.plain)
        self.add_event_handler(Events.ITERATION_STARTED(every=2), self.plain)
        self.add_event_handler(Events.STARTED | Events.COMPLETED, self.with_engine, "x", k=1)
        self.on(Events.TERMINATE_SINGLE_EPOCH)(self.carrying)

    def plain(self) -> None:
        self.calls.append("plain")

    def with_engine(self, engine: Engine[Any, Any], text: str, *, k: int) -> None:
        assert engine is self
        self.calls.append(text)

    def carrying(self, iter_counter: int) -> None:
        self.calls.append(str(iter_counter))


def test_s27_methods_of_the_engine_itself_are_called_as_any_other() -> None:
    trainer = Trainer()
    trainer.run("ab")
    assert trainer.calls == ["plain", "x", "plain", "x"]
    trainer.fire_event(Events.TERMINATE_SINGLE_EPOCH, 7)
    assert trainer.calls[-1] == "7"


def test_s27_methods_of_the_engine_itself_are_found_and_removed_as_any_other() -> None:
    trainer = Trainer()
    assert trainer.has_event_handler(trainer.plain, Events.STARTED)
    trainer.remove_event_handler(trainer.plain, Events.STARTED)
    assert not trainer.has_event_handler(trainer.plain, Events.STARTED)
    assert not Trainer().has_event_handler(trainer.with_engine)


def broken(*_: Any) -> None:
    raise KeyError("broken")


def made() -> Engine[Any, Any]:
    return Engine(ignore)


def run_once() -> Engine[Any, Any]:
    engine = Engine(ignore)
    engine.run(iter("abc"), max_epochs=1)
    return engine


def subclass() -> Engine[Any, Any]:
    engine = Trainer()
    engine.run("ab", max_epochs=2)
    return engine


def with_handlers() -> Engine[Any, Any]:
    engine = Engine(ignore)
    for event in Events:
        engine.add_event_handler(event, lambda *_: None)
    engine.add_event_handler(Events.STARTED(every=2)(before=9) | Events.COMPLETED, id)
    engine.add_event_handler(Events.STARTED(event_filter=lambda e, n: True), functools.partial(id))
    engine.run("ab", max_epochs=2)
    return engine


def interrupted() -> Engine[Any, Any]:
    engine = Engine(ignore)
    engine.add_event_handler(Events.ITERATION_STARTED, lambda e: e.interrupt())
    engine.run("ab")
    return engine


def terminated() -> Engine[Any, Any]:
    engine = Engine(ignore)
    engine.add_event_handler(Events.ITERATION_STARTED, lambda e: e.terminate())
    engine.run("ab")
    return engine


def failed_in_the_step() -> Engine[Any, Any]:
    engine = Engine(broken)
    with pytest.raises(KeyError, match="broken"):
        engine.run("ab")
    return engine


def failed_in_a_handler() -> Engine[Any, Any]:
    engine = Engine(ignore)
    engine.add_event_handler(Events.ITERATION_STARTED, broken)
    engine.add_event_handler(Events.EXCEPTION_RAISED, lambda e, error: None)
    with pytest.raises(KeyError, match="broken"):
        engine.run("ab")
    return engine


def failed_with_a_stray() -> Engine[Any, Any]:
    engine = Engine[Any, Any](lambda e, batch: next(iter(())))
    with pytest.raises(RuntimeError, match="StopIteration"):
        engine.run("ab")
    return engine


def failed_and_ended() -> Engine[Any, Any]:
    engine = Engine(broken)
    engine.add_event_handler(Events.EXCEPTION_RAISED, lambda e, error: e.terminate())
    engine.run("ab")
    return engine


def starved() -> Engine[Any, Any]:
    engine = Engine(ignore)
    with pytest.warns(DataWarning, match="after 2 of 3"):
        engine.run(iter("ab"), epoch_length=3)
    return engine


def refused() -> Engine[Any, Any]:
    engine = Engine(ignore)
    with pytest.raises(ValueError, match="empty"):
        engine.run([])
    with pytest.raises(ValueError, match="neither"):
        engine.add_event_handler(Events.STARTED, lambda a, b, c: None)
    return engine


def replaced_state() -> Engine[Any, Any]:
    engine = Engine(ignore)
    engine.state = State(max_epochs=2, epoch_length=1)
    engine.run("ab")
    return engine


MAKERS = [
    *(made, run_once, subclass, with_handlers, interrupted, terminated, failed_in_the_step),
    *(failed_in_a_handler, failed_with_a_stray, failed_and_ended, starved, refused),
    replaced_state,
]


@pytest.mark.parametrize("make", MAKERS)
def test_s27_an_engine_that_goes_out_of_scope_is_freed_at_once(
    make: Callable[[], Engine[Any, Any]],
) -> None:
    ref = weakref.ref(make())
    assert ref() is None


def test_s27_a_handle_does_not_keep_its_engine() -> None:
    engine = Engine(ignore)
    handle = engine.add_event_handler(Events.STARTED, print)
    ref = weakref.ref(engine)
    del engine
    assert ref() is None
    handle.remove()


def test_s27_a_removed_handler_is_let_go() -> None:
    engine, thing = Engine(ignore), Thing()
    ref = weakref.ref(thing)
    handle = engine.add_event_handler(Events.ITERATION_STARTED, functools.partial(id, thing))
    engine.run("ab")
    handle.remove()
    del handle, thing
    assert ref() is None


def test_s27_the_table_holds_its_handlers() -> None:
    engine, thing = Engine(ignore), Thing()
    ref = weakref.ref(thing)
    engine.add_event_handler(Events.STARTED, lambda thing: None, thing)
    del thing
    assert ref() is not None


class Loader:
    """Data whose iterators can be watched."""

    def __init__(self) -> None:
        self.refs: list[weakref.ref[Iterator[int]]] = []

    def __iter__(self) -> Iterator[int]:
        iterator = (number for number in range(3))
        self.refs.append(weakref.ref(iterator))
        return iterator


ENDS: dict[str, Callable[[Engine[Any, Any]], None]] = {
    "completed": lambda e: None,
    "terminated": lambda e: e.terminate(),
    "epoch terminated": lambda e: e.terminate_epoch(),
    "failed": broken,
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
def test_s27_the_data_iterator_is_freed_when_the_run_ends(
    end: Callable[[Engine[Any, Any]], None],
) -> None:
    engine, loader = Engine(ignore), Loader()
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=2), end)
    with contextlib.suppress(KeyError):
        engine.run(loader, epoch_length=4)
    assert [ref() for ref in loader.refs] == [None] * len(loader.refs)


def test_s27_an_exhausted_iterator_is_freed_before_the_next_is_made() -> None:
    engine, loader = Engine(ignore), Loader()
    alive: list[bool] = []
    engine.add_event_handler(
        Events.DATALOADER_STOP_ITERATION, lambda: alive.append(loader.refs[-1]() is not None)
    )
    engine.run(loader, epoch_length=7)
    assert alive == [False, False]
    assert len(loader.refs) == 3


def test_s27_the_iterator_of_an_interrupted_run_is_freed_with_its_engine() -> None:
    engine, loader = Engine(ignore), Loader()
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda e: e.interrupt())
    engine.run(loader, epoch_length=3)
    assert loader.refs[0]() is not None
    del engine
    assert loader.refs[0]() is None


FORGET: list[Callable[[Engine[Any, Any]], Any]] = [
    lambda e: setattr(e, "state", State()),
    lambda e: e.load_state_dict({"iteration": 0, "epoch_length": 3, "max_epochs": 1}),
]


@pytest.mark.parametrize("forget", FORGET, ids=["state", "load_state_dict"])
def test_s27_the_iterator_is_freed_where_its_position_is_given_up(
    forget: Callable[[Engine[Any, Any]], Any],
) -> None:
    engine, loader = Engine(ignore), Loader()
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda e: e.interrupt())
    engine.run(loader, epoch_length=3)
    forget(engine)
    assert loader.refs[0]() is None
