"""Lines 24, 25 and 28 of the contract: what a handler is called with, and in what order."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

from glowplug import Engine, Events
from glowplug.errors import InvalidHandler
from glowplug.events import AnyEvent


def echo(engine: Engine[Any, Any], batch: Any) -> Any:
    return batch


@pytest.fixture
def engine() -> Engine[Any, Any]:
    return Engine(echo)


class Recorder:
    """Callables of several shapes that keep what they are called with."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def nothing(self) -> None:
        self.calls.append(())

    def one(self, a: Any) -> None:
        self.calls.append((a,))

    def two(self, a: Any, b: Any) -> None:
        self.calls.append((a, b))

    def optional(self, a: Any = "default") -> None:
        self.calls.append((a,))

    def all(self, *args: Any, **kwargs: Any) -> None:
        self.calls.append((*args, *kwargs.items()))

    def keyword(self, *, k: Any) -> None:
        self.calls.append((("k", k),))

    __call__ = two


SHAPES: list[tuple[str, tuple[Any, ...], dict[str, Any], list[Any]]] = [
    ("nothing", (), {}, []),
    ("one", (), {}, ["engine"]),
    ("optional", (), {}, ["engine"]),
    ("all", (), {}, ["engine"]),
    ("one", (5,), {}, [5]),
    ("two", (5,), {}, ["engine", 5]),
    ("two", (5, 6), {}, [5, 6]),
    ("two", (), {"b": 6}, ["engine", 6]),
    ("all", (5,), {"k": 7}, ["engine", 5, ("k", 7)]),
    ("keyword", (), {"k": 7}, [("k", 7)]),
    ("__call__", (5,), {}, ["engine", 5]),
]


@pytest.mark.parametrize(("shape", "args", "kwargs", "received"), SHAPES)
def test_s24_the_engine_comes_first_if_the_signature_can_take_it(
    engine: Engine[Any, Any],
    shape: str,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    received: list[Any],
) -> None:
    recorder = Recorder()
    engine.add_event_handler(Events.STARTED, getattr(recorder, shape), *args, **kwargs)
    engine.run("a")
    assert recorder.calls == [tuple(engine if item == "engine" else item for item in received)]


CARRIED: list[tuple[str, tuple[Any, ...], list[Any]]] = [
    ("one", (), ["carried"]),
    ("two", (), ["engine", "carried"]),
    ("all", (5,), ["engine", "carried", 5]),
    ("two", (5,), ["carried", 5]),
]


@pytest.mark.parametrize(("shape", "args", "received"), CARRIED)
@pytest.mark.parametrize("event", [Events.EXCEPTION_RAISED, Events.TERMINATE_SINGLE_EPOCH])
def test_s24_what_an_event_carries_comes_between(
    engine: Engine[Any, Any],
    event: Events,
    shape: str,
    args: tuple[Any, ...],
    received: list[Any],
) -> None:
    recorder, carried = Recorder(), KeyError("x")
    engine.add_event_handler(event, getattr(recorder, shape), *args)
    engine.fire_event(event, carried)
    values = {"engine": engine, "carried": carried}
    assert recorder.calls == [tuple(values.get(item, item) for item in received)]


def test_s24_any_callable_is_a_handler(engine: Engine[Any, Any]) -> None:
    seen: list[Any] = []
    for handler in (seen.append, functools.partial(seen.append), lambda e: seen.append(e)):
        engine.add_event_handler(Events.STARTED, handler)
    engine.run("a")
    assert seen == [engine] * 3


def test_s24_a_class_is_a_callable_too(engine: Engine[Any, Any]) -> None:
    made: list[Any] = []

    class Made:
        def __init__(self, engine: Engine[Any, Any]) -> None:
            made.append(engine)

    engine.add_event_handler(Events.STARTED, Made)
    engine.run("a")
    assert made == [engine]


@pytest.mark.parametrize("handler", [None, 3, "print", Events.STARTED | Events.COMPLETED])
def test_s24_what_cannot_be_called_is_refused(engine: Engine[Any, Any], handler: Any) -> None:
    with pytest.raises(TypeError, match="a handler must be callable, got"):
        engine.add_event_handler(Events.STARTED, handler)


UNFIT: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = [
    (Recorder().two, (), {}),
    (Recorder().nothing, (1,), {}),
    (Recorder().one, (1, 2), {}),
    (Recorder().one, (), {"x": 1}),
    (Recorder().keyword, (), {}),
]


@pytest.mark.parametrize(("handler", "args", "kwargs"), UNFIT)
def test_s24_a_signature_that_fits_neither_way_is_refused_when_it_is_added(
    engine: Engine[Any, Any], handler: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=r"called neither as \(engine.*nor as \("):
        engine.add_event_handler(Events.STARTED, handler, *args, **kwargs)
    assert not engine.has_event_handler(handler)


def test_s24_the_refusal_shows_both_ways(engine: Engine[Any, Any]) -> None:
    def odd(a: int, b: int, c: int) -> None: ...

    with pytest.raises(InvalidHandler, match=r"handler .*odd") as raised:
        engine.add_event_handler(Events.TERMINATE_SINGLE_EPOCH, odd, k=4)
    text = str(raised.value)
    assert "odd(a: 'int', b: 'int', c: 'int')" in text
    assert "(engine, <carried>, k=4)" in text
    assert "(<carried>, k=4)" in text


def test_s24_arguments_of_one_firing_are_not_kept_for_the_next(engine: Engine[Any, Any]) -> None:
    recorder = Recorder()
    engine.add_event_handler(Events.TERMINATE_SINGLE_EPOCH, recorder.all)
    engine.fire_event(Events.TERMINATE_SINGLE_EPOCH, 1)
    engine.fire_event(Events.TERMINATE_SINGLE_EPOCH, 2)
    assert recorder.calls == [(engine, 1), (engine, 2)]


def test_s24_a_builtin_without_a_signature_gets_the_engine(engine: Engine[Any, Any]) -> None:
    engine.add_event_handler(Events.STARTED, type)
    engine.run("a")
    assert engine.has_event_handler(type)


def logging_to(order: list[str], name: str) -> Callable[[], None]:
    return lambda: order.append(name)


def test_s25_handlers_run_in_the_order_of_adding(engine: Engine[Any, Any]) -> None:
    order: list[str] = []
    plain = Events.ITERATION_COMPLETED
    events: list[AnyEvent] = [plain, plain(every=2), plain, plain(once=2), plain]
    for name, event in zip("abcde", events, strict=True):
        engine.add_event_handler(event, logging_to(order, name))
    engine.run("xy")
    assert "".join(order) == "ace" + "abcde"


PLAIN_AND_FILTERED: list[Any] = [Events.ITERATION_STARTED, Events.ITERATION_STARTED(after=1)]


@pytest.mark.parametrize("event", PLAIN_AND_FILTERED, ids=str)
def test_s25_a_handler_added_while_its_event_fires_runs_from_the_next_firing_on(
    engine: Engine[Any, Any], event: Any
) -> None:
    seen: list[int] = []

    def later(engine: Engine[Any, Any]) -> None:
        seen.append(engine.state.iteration)

    @engine.on(Events.ITERATION_STARTED(once=2))
    def add(engine: Engine[Any, Any]) -> None:
        engine.add_event_handler(event, later)

    engine.run("abcd")
    assert seen == [3, 4]


def test_s25_one_removed_while_its_event_fires_and_not_yet_run_does_not_run(
    engine: Engine[Any, Any],
) -> None:
    order: list[str] = []
    engine.add_event_handler(Events.STARTED, lambda: handle.remove())
    engine.add_event_handler(Events.STARTED, logging_to(order, "between"))
    handle = engine.add_event_handler(Events.STARTED, logging_to(order, "removed"))
    engine.add_event_handler(Events.STARTED, logging_to(order, "after"))
    engine.run("a")
    assert order == ["between", "after"]


def test_s25_nor_does_one_removed_after_others_were_added_in_the_same_firing(
    engine: Engine[Any, Any],
) -> None:
    order: list[str] = []

    def change(engine: Engine[Any, Any]) -> None:
        for _ in range(3):
            engine.add_event_handler(Events.STARTED, logging_to(order, "added"))
        handle.remove()

    engine.add_event_handler(Events.STARTED, change)
    handle = engine.add_event_handler(Events.STARTED, logging_to(order, "removed"))
    engine.run("a")
    assert order == []


def test_s25_one_that_removes_itself_leaves_the_others_alone(engine: Engine[Any, Any]) -> None:
    order: list[str] = []

    def once() -> None:
        order.append("once")
        handle.remove()

    handle = engine.add_event_handler(Events.ITERATION_STARTED, once)
    engine.add_event_handler(Events.ITERATION_STARTED, logging_to(order, "other"))
    engine.run("ab")
    assert order == ["once", "other", "other"]


def test_s25_one_removed_in_a_nested_firing_does_not_run_in_the_outer(
    engine: Engine[Any, Any],
) -> None:
    order: list[str] = []

    @engine.on(Events.COMPLETED)
    def outer(engine: Engine[Any, Any]) -> None:
        if not order:
            order.append("outer")
            engine.fire_event(Events.COMPLETED)
            handle.remove()

    handle = engine.add_event_handler(Events.COMPLETED, logging_to(order, "inner"))
    engine.run("a")
    assert order == ["outer", "inner"]


def test_s28_what_a_handler_returns_is_ignored(engine: Engine[Any, Any]) -> None:
    for result in (False, True, StopIteration, 3):
        engine.add_event_handler(Events.ITERATION_STARTED, lambda result=result: result)
    assert engine.run("ab").iteration == 2


class Coroutines:
    async def method(self, engine: Engine[Any, Any]) -> None: ...

    async def __call__(self) -> None: ...


async def function(engine: Engine[Any, Any]) -> None: ...


COROUTINES = [function, Coroutines().method, Coroutines(), functools.partial(function)]


@pytest.mark.parametrize("handler", COROUTINES)
def test_s28_a_coroutine_function_is_refused_when_it_is_added(
    engine: Engine[Any, Any], handler: Any
) -> None:
    with pytest.raises(ValueError, match=r"is a coroutine function .*, whose body would never run"):
        engine.add_event_handler(Events.STARTED, handler)
