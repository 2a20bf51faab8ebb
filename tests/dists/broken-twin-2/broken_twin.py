"""Hostile when both are installed: one of two versions of a distribution."""

from typing import Any


class Twin:
    """The handler of version 2."""

    version = 2

    def attach(self, engine: Any) -> None:
        """Do nothing."""
