"""How often, and how long, an engine's handlers and its step were called.

Owns: adding up calls and their times.
Must not know: how they are shown.
"""

from __future__ import annotations

from dataclasses import dataclass

from glowplug.attached import AttachedHandler
from glowplug.observers import Observer

SECOND = 1_000_000_000
"""Nanoseconds."""


@dataclass
class Calls:
    """Calls of one thing.

    Args:
        number: how many there were.
        nanoseconds: how long they took together.
    """

    number: int = 0
    nanoseconds: int = 0

    @property
    def seconds(self) -> float:
        """How long they took together, in seconds."""
        return self.nanoseconds / SECOND

    def add(self, nanoseconds: int) -> None:
        """Count one more."""
        self.number += 1
        self.nanoseconds += nanoseconds


class CallTimes(Observer):
    """Adds up the calls of an engine's handlers and of its step, see ``Engine.time_calls``.

    Attributes:
        step: the calls of the step.
        handlers: the calls of each handler that was called.
        run: the runs, as far as they were observed.

    Example:
        >>> from glowplug import Engine
        >>> engine, times = Engine(lambda engine, batch: batch), CallTimes()
        >>> with engine.observe(times):
        ...     state = engine.run([1, 2, 3])
        >>> times.step.number, times.run.number
        (3, 1)
    """

    def __init__(self) -> None:
        self.step = Calls()
        self.run = Calls()
        self.handlers: dict[AttachedHandler, Calls] = {}
        self._began: int | None = None

    def run_began(self, at: int) -> None:
        """Start the clock of the run."""
        self._began = at

    def run_ended(self, at: int) -> None:
        """Stop the clock of the run."""
        if self._began is not None:
            self.run.add(at - self._began)
            self._began = None

    def step_ran(self, began: int, ended: int) -> None:
        """Add a call of the step."""
        self.step.add(ended - began)

    def handler_ran(self, handler: AttachedHandler, began: int, ended: int) -> None:
        """Add a call of a handler."""
        calls = self.handlers.get(handler)
        if calls is None:
            calls = self.handlers[handler] = Calls()
        calls.add(ended - began)
