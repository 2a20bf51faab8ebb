"""Hostile when both are installed: one of two versions of a distribution."""

from typing import Any


class Twin:
    """The handler of version 1."""

    version = 1

    def attach(self, engine: Any) -> None:
        """Do nothing."""
