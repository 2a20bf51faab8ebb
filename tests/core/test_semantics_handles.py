"""Line 26 of the contract: taking handlers back, finding them, decorating."""

from __future__ import annotations

from typing import Any

import pytest

from glowplug import Engine, Events, RemovableEventHandle


def echo(engine: Engine[Any, Any], batch: Any) -> Any:
    return batch


@pytest.fixture
def engine() -> Engine[Any, Any]:
    return Engine(echo)


def handler() -> None: ...


def other() -> None: ...


E = Events.ITERATION_COMPLETED


def test_s26_a_handle_removes_and_again_does_nothing(engine: Engine[Any, Any]) -> None:
    handle = engine.add_event_handler(E, handler)
    assert isinstance(handle, RemovableEventHandle)
    handle.remove()
    handle.remove()
    assert not engine.has_event_handler(handler)


def test_s26_a_handle_removes_that_one_registration_only(engine: Engine[Any, Any]) -> None:
    seen: list[str] = []
    first = engine.add_event_handler(E, seen.append, "first")
    engine.add_event_handler(E, seen.append, "second")
    first.remove()
    engine.run("a")
    assert seen == ["second"]


def test_s26_of_equal_registrations_it_removes_its_own(engine: Engine[Any, Any]) -> None:
    order: list[str] = []

    def note() -> None:
        order.append("note")

    engine.add_event_handler(E, note)
    engine.add_event_handler(E, lambda: order.append("between"))
    engine.add_event_handler(E, note).remove()
    engine.run("a")
    assert order == ["note", "between"]


def test_s26_a_handle_of_a_union_removes_all_of_its_registrations(
    engine: Engine[Any, Any],
) -> None:
    handle = engine.add_event_handler(Events.STARTED | E(every=2) | Events.COMPLETED, handler)
    handle.remove()
    assert not engine.has_event_handler(handler)


def test_s26_a_handle_is_a_context_manager_that_can_be_entered_again(
    engine: Engine[Any, Any],
) -> None:
    seen: list[int] = []
    handle = engine.add_event_handler(E | Events.STARTED, lambda e: seen.append(e.state.iteration))
    with handle as entered:
        assert entered is handle
        engine.run("a")
    engine.run("a")
    with handle:
        engine.run("ab")
    assert seen == [0, 1, 0, 1, 2]


def test_s26_entering_does_not_attach_twice(engine: Engine[Any, Any]) -> None:
    seen: list[str] = []
    with engine.add_event_handler(E, lambda: seen.append("run")):
        engine.run("a")
    assert seen == ["run"]


def test_s26_an_exception_leaves_the_with_block_and_the_handler_is_removed(
    engine: Engine[Any, Any],
) -> None:
    with pytest.raises(KeyError, match="x"), engine.add_event_handler(E, handler):
        raise KeyError("x")
    assert not engine.has_event_handler(handler)


def test_s26_a_handle_outlives_its_engine() -> None:
    handle = Engine(echo).add_event_handler(E, handler)
    handle.remove()
    with handle:
        pass


def test_s26_a_handle_may_be_made_by_hand(engine: Engine[Any, Any]) -> None:
    engine.add_event_handler(E(every=2), handler)
    engine.add_event_handler(E, handler)
    RemovableEventHandle(E, handler, engine).remove()
    assert not engine.has_event_handler(handler)


def test_s26_remove_event_handler_removes_all_of_it_on_the_event(
    engine: Engine[Any, Any],
) -> None:
    for event in (E, E(every=2), E, Events.STARTED):
        engine.add_event_handler(event, handler)
    engine.add_event_handler(E, other)
    engine.remove_event_handler(handler, E)
    assert not engine.has_event_handler(handler, E)
    assert engine.has_event_handler(handler, Events.STARTED)
    assert engine.has_event_handler(other, E)


def test_s26_remove_event_handler_raises_where_there_is_none(engine: Engine[Any, Any]) -> None:
    engine.add_event_handler(E, handler)
    with pytest.raises(ValueError, match="handler other is not attached to ITERATION_COMPLETED"):
        engine.remove_event_handler(other, E)
    with pytest.raises(ValueError, match="handler handler is not attached to STARTED"):
        engine.remove_event_handler(handler, Events.STARTED)


def test_s26_has_event_handler_asks_for_one_event_or_any(engine: Engine[Any, Any]) -> None:
    engine.add_event_handler(E, handler)
    assert engine.has_event_handler(handler)
    assert engine.has_event_handler(handler, E)
    assert engine.has_event_handler(handler, Events.STARTED | E)
    assert not engine.has_event_handler(handler, Events.STARTED)
    assert not engine.has_event_handler(other)


class Component:
    def method(self, engine: Engine[Any, Any]) -> None: ...

    def __call__(self) -> None: ...

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Component)

    __hash__ = None  # type: ignore[assignment]  # as Python does for whoever defines __eq__


def test_s26_a_bound_method_is_found_again(engine: Engine[Any, Any]) -> None:
    component = Component()
    engine.add_event_handler(E, component.method)
    assert engine.has_event_handler(component.method, E)
    engine.remove_event_handler(component.method, E)
    assert not engine.has_event_handler(component.method)


def test_s26_a_method_of_a_builtin_object_is_found_again(engine: Engine[Any, Any]) -> None:
    log: list[Any] = []
    engine.add_event_handler(E, log.append)
    assert engine.has_event_handler(log.append, E)
    assert not engine.has_event_handler([].append, E)
    engine.remove_event_handler(log.append, E)
    assert not engine.has_event_handler(log.append)


def test_s26_equal_components_are_two_handlers(engine: Engine[Any, Any]) -> None:
    engine.add_event_handler(E, Component())
    assert not engine.has_event_handler(Component(), E)


def test_s26_methods_of_equal_components_are_two_handlers(engine: Engine[Any, Any]) -> None:
    engine.add_event_handler(E, Component().method)
    assert not engine.has_event_handler(Component().method, E)


def test_s26_on_returns_the_function_unchanged(engine: Engine[Any, Any]) -> None:
    seen: list[tuple[Any, ...]] = []

    def note(*args: Any, **kwargs: Any) -> None:
        seen.append((*args, kwargs))

    assert engine.on(E, 5, k=6)(note) is note
    engine.run("a")
    assert seen == [(engine, 5, {"k": 6})]


def test_s26_on_may_be_stacked(engine: Engine[Any, Any]) -> None:
    @engine.on(Events.STARTED)
    @engine.on(Events.COMPLETED)
    def both() -> None: ...

    assert engine.has_event_handler(both, Events.STARTED)
    assert engine.has_event_handler(both, Events.COMPLETED)
