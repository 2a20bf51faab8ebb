"""Hostile: its author forgot to mark the hook."""

from typing import Any


def glowplug_engine_created(engine: Any) -> None:
    engine.state.touched = True
