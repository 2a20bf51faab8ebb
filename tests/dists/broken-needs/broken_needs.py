"""Hostile: it can be imported, and requires what is not there."""

from typing import Any


class Needs:
    def attach(self, engine: Any) -> None:
        engine.state.needs = True
