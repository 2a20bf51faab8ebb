"""Hostile: it offers what is no component."""

from glowplug import hookimpl


@hookimpl
def glowplug_components() -> list[str]:
    return ["handler"]
