"""Components that are given to an engine when it is made, as classes and as objects."""

from __future__ import annotations

from typing import Any

import pytest

from glowplug import Engine, Events
from glowplug.errors import InvalidArgument, InvalidType


def echo(engine: Engine[Any, Any], batch: Any) -> Any:
    return batch


class Counter:
    """A component that needs no arguments."""

    def __init__(self, step: int = 1) -> None:
        self.step = step

    def attach(self, engine: Engine[Any, Any]) -> None:
        engine.state.order = [*getattr(engine.state, "order", []), self.step]
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.count)

    def count(self, engine: Engine[Any, Any]) -> None:
        engine.state.count = getattr(engine.state, "count", 0) + self.step


class Demanding:
    """A component that needs an argument."""

    def __init__(self, patience: int) -> None:
        self.patience = patience

    def attach(self, engine: Engine[Any, Any]) -> None:
        raise AssertionError("never reached")


def test_classes_and_objects_are_attached_in_order() -> None:
    engine = Engine(echo, handlers=[Counter(10), Counter, Counter(100)])
    assert engine.state.order == [10, 1, 100]
    assert engine.run("ab").count == 222


def test_each_engine_gets_an_object_of_its_own_from_a_class() -> None:
    components = (Counter,)
    one, other = Engine(echo, handlers=components), Engine(echo, handlers=components)
    one.run("ab")
    assert not hasattr(other.state, "count")


def test_any_iterable_of_components_will_do() -> None:
    engine = Engine(echo, handlers=(Counter(step) for step in (1, 2)))
    assert engine.run("a").count == 3


def test_a_class_that_needs_arguments_is_refused_with_the_remedy() -> None:
    with pytest.raises(InvalidArgument, match=r"'patience'.*handlers=\[Demanding\(...\)\]"):
        Engine(echo, handlers=[Demanding])


NO_COMPONENTS: list[Any] = [echo, object(), 3, None, Engine]


@pytest.mark.parametrize("component", NO_COMPONENTS)
def test_what_has_no_attach_is_refused(component: Any) -> None:
    with pytest.raises(ValueError if component is Engine else TypeError, match="handlers="):
        Engine(echo, handlers=[component])


@pytest.mark.parametrize("handlers", ["nan-stop", 3, None])
def test_handlers_must_be_a_list_of_components(handlers: Any) -> None:
    with pytest.raises(InvalidType, match="handlers must be a list of components, got"):
        Engine(echo, handlers=handlers)


def test_nothing_is_attached_when_one_of_them_cannot_be() -> None:
    attached: list[Engine[Any, Any]] = []

    class Noting:
        def attach(self, engine: Engine[Any, Any]) -> None:
            attached.append(engine)

    with pytest.raises(InvalidArgument, match="Demanding"):
        Engine(echo, handlers=[Noting(), Demanding])
    assert attached == []


def test_an_error_of_a_component_that_was_asked_for_is_raised() -> None:
    with pytest.raises(AssertionError, match="never reached"):
        Engine(echo, handlers=[Demanding(3)])
