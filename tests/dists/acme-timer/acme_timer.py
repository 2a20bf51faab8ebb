"""One of two packages that offer a handler of the same name."""

from typing import Any


class Timer:
    """A handler of acme's."""

    def attach(self, engine: Any) -> None:
        engine.state.timed_by = "acme"
