"""Small means for the examples of departures.

Owns: logs of events, and how a call came out.
Must not know: departures.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from parity.interpreter import category
from parity.kits import Kit


def watched(kit: Kit, *names: str) -> tuple[Any, list[str]]:
    """Return an engine and the log of these events, as ``NAME iteration``."""
    engine = kit.engine(lambda engine, batch: batch)
    log: list[str] = []
    for name in names:
        watch(kit, engine, log, name)
    return engine, log


def watch(kit: Kit, engine: Any, log: list[str], name: str) -> None:
    """Log an event."""

    def handler(engine: Any, *carried: Any, **named: Any) -> None:
        log.append(f"{name} {engine.state.iteration}")

    engine.add_event_handler(kit.event(name), handler)


def at(kit: Kit, engine: Any, name: str, *do: Callable[[Any], Any], **given: Any) -> None:
    """Do something when an event fires, with a filter where one is given."""

    def handler(engine: Any, *carried: Any, **named: Any) -> None:
        for action in do:
            action(engine)

    event = kit.event(name)
    engine.add_event_handler(event(**given) if given else event, handler)


def iterations_of(kit: Kit, event: Any, length: int, epochs: int = 1) -> list[int]:
    """Return the iterations at which an event reaches a handler."""
    engine, seen = kit.engine(lambda engine, batch: None), []
    engine.add_event_handler(event, lambda engine: seen.append(engine.state.iteration))
    engine.run(range(length), max_epochs=epochs)
    return seen


def outcome(call: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
    """Return "returned", "warned" or the builtin that fits the error."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            call(*args, **kwargs)
        except BaseException as error:
            return category(error)
    return "warned" if warned else "returned"


def fail(engine: Any) -> None:
    """Raise an error."""
    raise ValueError("broken")
