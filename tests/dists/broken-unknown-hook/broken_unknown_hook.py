"""Hostile: it implements a hook that there is not."""

from typing import Any

from glowplug import hookimpl


@hookimpl
def glowplug_engine_craeted(engine: Any) -> None:
    engine.state.touched = True
