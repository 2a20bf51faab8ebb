"""Hostile: its hook attaches a handler, and then raises."""

from typing import Any

from glowplug import Events, hookimpl

calls: list[int] = []


class Bystander:
    """A handler of the same plugin."""

    def attach(self, engine: Any) -> None:
        """Do nothing."""


@hookimpl
def glowplug_engine_created(engine: Any) -> None:
    engine.add_event_handler(Events.STARTED, calls.append, 1)
    raise ValueError("the hook of broken-hook fails")
