"""What an engine looks like: its handlers and observers, its events, its attributes and its step.

Owns: taking that down, and what has changed since.
Must not know: what changed it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from copy import copy
from typing import Any

from glowplug.engine import Engine
from glowplug.registrations import Registration
from glowplug.testing.comparison import differences


class Snapshot:
    """The handlers, events and attributes of an engine at one time.

    Args:
        engine: the engine, between two runs.

    Example:
        >>> from glowplug import Events
        >>> engine = Engine(lambda engine, batch: batch)
        >>> before = Snapshot(engine)
        >>> def greet(): ...
        >>> _ = engine.add_event_handler(Events.STARTED, greet)
        >>> before.changes(engine)
        ['handler greet at STARTED: added']
    """

    def __init__(self, engine: Engine[Any, Any]) -> None:
        slots = engine._table.slots
        self.handlers = Counter(
            f"handler {_name(registration)} at {registration}"
            for slot in slots.values()
            for registration in slot.registrations
        )
        self.handlers.update(f"observer {type(known).__qualname__}" for known in engine._observers)
        # The registrations too: one that was replaced by another like it is not the same any more.
        self._order = {event: list(slot.registrations) for event, slot in slots.items()}
        self.attributes = {
            f"{whose}.{name}": copy(value) if isinstance(value, (list, dict, set)) else value
            for whose, owner in (("state", engine.state), ("engine", engine))
            for name, value in vars(owner).items()
            if not name.startswith("_")
        }
        self.attributes["the step"] = engine._step

    def handler_changes(self, engine: Engine[Any, Any], ignored: Collection[str] = ()) -> list[str]:
        """Return what has changed of the handlers, the observers and the events.

        Args:
            engine: the same engine.
            ignored: names of events that are not looked at.
        """
        now = Snapshot(engine)
        changed = [f"{what}: added" for what in (now.handlers - self.handlers).elements()]
        changed += [f"{what}: removed" for what in (self.handlers - now.handlers).elements()]
        if not changed:
            changed += [
                f"handlers at {event}: not the same, or in another order"
                for event, order in self._order.items()
                if now._order.get(event) != order
            ]
        registered = [event for event in now._order if event not in self._order]
        return changed + [f"event {e}: added" for e in registered if str(e) not in ignored]

    def changes(self, engine: Engine[Any, Any], ignored: Collection[str] = ()) -> list[str]:
        """Return all that has changed, the attributes of the engine and its state included.

        Args:
            engine: the same engine, which has not run since.
            ignored: names of events and of attributes of the state that are not looked at.
        """
        before, now = self.attributes, Snapshot(engine).attributes
        allowed = {f"state.{name}" for name in ignored}
        changed = [f"{name}: added" for name in now if name not in before]
        changed += [f"{name}: removed" for name in before if name not in now]
        changed += [
            f"{name}: was {value!r}, is {now[name]!r}"
            for name, value in before.items()
            if name in now and differences(now[name], value)
        ]
        attributes = [line for line in changed if line.partition(":")[0] not in allowed]
        return self.handler_changes(engine, ignored) + attributes


def _name(registration: Registration) -> str:
    handler = registration.handler
    return getattr(handler, "__qualname__", None) or type(handler).__qualname__
