"""One of two packages that offer a handler of the same name."""

from typing import Any


class Timer:
    """A handler of umbrella's."""

    def attach(self, engine: Any) -> None:
        engine.state.timed_by = "umbrella"
