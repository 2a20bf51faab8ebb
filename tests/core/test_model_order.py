"""Order, adding, removing and nested firing against a slow and obvious model.

Handlers share one script: whichever runs next does what stands next in it. An engine and a model
follow the same script, and must call the same handlers in the same order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from glowplug import Engine, Events

DEEPEST = 3


@dataclass(frozen=True)
class Add:
    """Attach a new handler, to each ``every``-th firing."""

    event: Events
    every: int


@dataclass(frozen=True)
class Remove:
    """Remove the handler that was added as the nth."""

    number: int


@dataclass(frozen=True)
class PutBack:
    """Attach it again."""

    number: int


@dataclass(frozen=True)
class Fire:
    """Fire an event from within the handler."""

    event: Events


Action = Add | Remove | PutBack | Fire | None
events = st.sampled_from([Events.ITERATION_STARTED, Events.ITERATION_COMPLETED])
numbers = st.integers(0, 7)
adds = st.builds(Add, events, st.integers(1, 3))
actions: st.SearchStrategy[Action] = st.one_of(
    st.none(),
    adds,
    st.builds(Remove, numbers),
    st.builds(PutBack, numbers),
    st.builds(Fire, events),
)


class Script:
    """What the handlers do, one after the other, and which of them ran."""

    def __init__(self, actions: list[Action]) -> None:
        self.actions = iter(actions)
        self.ran: list[int] = []
        self.depth = 0

    def follow(self, number: int, do: Callable[[Action], None]) -> None:
        """Note that a handler ran, and do what is next."""
        self.ran.append(number)
        action = next(self.actions, None)
        if isinstance(action, Fire) and self.depth >= DEEPEST:
            return
        self.depth += 1
        do(action)
        self.depth -= 1


class Model:
    """A list of entries for each event; a firing walks a copy of it."""

    def __init__(self, actions: list[Action]) -> None:
        self.script = Script(actions)
        self.entries: dict[Events, list[tuple[int, int, object]]] = {}
        self.added: list[Add] = []
        self.iteration = 0

    def do(self, action: Action) -> None:
        """Do what a handler does."""
        if isinstance(action, Add):
            self.attach(len(self.added), action)
            self.added.append(action)
        elif isinstance(action, Fire):
            self.fire(action.event)
        elif action is not None and action.number < len(self.added):
            add = self.added[action.number]
            mine = [e for e in self.entries.get(add.event, []) if e[0] == action.number]
            if isinstance(action, Remove):
                self.entries[add.event] = [
                    e for e in self.entries.get(add.event, []) if e not in mine
                ]
            elif not mine:
                self.attach(action.number, add)

    def attach(self, number: int, add: Add) -> None:
        """Put a handler last; each attachment is a thing of its own."""
        self.entries.setdefault(add.event, []).append((number, add.every, object()))

    def fire(self, event: Events) -> None:
        """Call those that were there when it began, and still are, and are due."""
        for entry in list(self.entries.get(event, [])):
            number, every, _ = entry
            if entry in self.entries[event] and self.iteration % every == 0:
                self.script.follow(number, self.do)

    def run(self, iterations: int) -> list[int]:
        """Return the handlers that ran, in order."""
        for self.iteration in range(1, iterations + 1):
            self.fire(Events.ITERATION_STARTED)
            self.fire(Events.ITERATION_COMPLETED)
        return self.script.ran


class Real:
    """The same on an engine."""

    def __init__(self, actions: list[Action]) -> None:
        self.script = Script(actions)
        self.engine = Engine[Any, Any](lambda e, batch: None)
        self.handles: list[Any] = []

    def do(self, action: Action) -> None:
        """Do what a handler does."""
        if isinstance(action, Add):
            number = len(self.handles)
            event: Any = action.event if action.every == 1 else action.event(every=action.every)
            self.handles.append(
                self.engine.add_event_handler(event, self.script.follow, number, self.do)
            )
        elif isinstance(action, Fire):
            self.engine.fire_event(action.event)
        elif action is not None and action.number < len(self.handles):
            handle = self.handles[action.number]
            if isinstance(action, Remove):
                handle.remove()
            else:
                handle.__enter__()

    def run(self, iterations: int) -> list[int]:
        """Return the handlers that ran, in order."""
        self.engine.run(epoch_length=iterations)
        return self.script.ran


@settings(max_examples=300)
@given(st.lists(adds, min_size=1, max_size=4), st.lists(actions, max_size=25))
def test_the_same_handlers_run_in_the_same_order_as_in_the_model(
    first: list[Add], script: list[Action]
) -> None:
    model, real = Model(script), Real(script)
    for add in first:
        model.do(add)
        real.do(add)
    assert real.run(8) == model.run(8)
