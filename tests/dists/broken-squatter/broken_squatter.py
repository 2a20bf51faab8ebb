"""Hostile: it offers a component under a name of glowplug's own."""

from typing import Any


class ProgressBar:
    """Not glowplug's."""

    def attach(self, engine: Any) -> None:
        """Do nothing."""
