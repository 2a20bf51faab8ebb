"""Hostile: its hook takes an argument that there is not."""

from typing import Any

from glowplug import hookimpl


@hookimpl
def glowplug_engine_created(trainer: Any) -> None:
    trainer.state.touched = True
