"""A hook plugin: it acts on every engine, and offers a component made at run time."""

from collections.abc import Iterable
from typing import Any

from glowplug import Component, Events, Kind, hookimpl

runs: list[int] = []


def _count(engine: Any) -> None:
    runs.append(engine.state.iteration)


@hookimpl
def glowplug_engine_created(engine: Any) -> None:
    engine.add_event_handler(Events.COMPLETED, _count)


@hookimpl
def glowplug_components() -> Iterable[Component]:
    yield Component(Kind.METRIC, "made-at-run-time", _count, "an object, not a name")
