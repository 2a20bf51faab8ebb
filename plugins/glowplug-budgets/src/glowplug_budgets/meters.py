"""What the handlers of one engine take of its runs.

Owns: adding up calls after the warm-up, and shares of the time that the engine ran.
Must not know: which share is too much.

A handler's first call after the warm-up is where its measuring begins, and does not count: it often
does what later ones need not. So the share of what runs once an epoch is right from its second call
on, however long an epoch takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from glowplug.attached import AttachedHandler

MOST_KNOWN = 10_000
"""How many registrations are remembered at a time: some engines attach new ones without end."""


class Spent:
    """What one handler took, all registrations of it at one event and line together.

    Attributes:
        handler: the handler.
        number: how many calls count.
        nanoseconds: how long they took together.
        since: when counting began, in nanoseconds of running time.
    """

    __slots__ = ("handler", "nanoseconds", "number", "since")

    def __init__(self, handler: AttachedHandler) -> None:
        self.handler = handler
        self.number = self.nanoseconds = 0
        self.since: int | None = None


class Meter:
    """Adds up the calls of one engine's handlers.

    All times are nanoseconds of one clock; the time between runs is left out.

    Args:
        warm_up: iterations before anything counts.

    Example:
        >>> meter, handler = Meter(warm_up=0), object.__new__(AttachedHandler)
        >>> vars(handler).update(module="m", name="f", event="e", filter="", site=None)
        >>> meter.run_began(0)
        >>> meter.handler_ran(handler, 0, 50)
        >>> meter.handler_ran(handler, 90, 100)
        >>> [share for _, share in meter.shares(150, at_least=100)]
        [0.1]
    """

    def __init__(self, warm_up: int) -> None:
        self._cold = warm_up
        self._idle = 0
        self._stopped: int | None = None
        self._is_running = False
        self._by_registration: dict[AttachedHandler, Spent] = {}
        self._by_place: dict[Any, Spent] = {}

    @property
    def is_warm(self) -> bool:
        """Whether the warm-up is over."""
        return self._cold <= 0

    def run_began(self, at: int) -> None:
        """Let the time go on."""
        if self._stopped is not None:
            self._idle += at - self._stopped
        self._stopped, self._is_running = None, True

    def run_ended(self, at: int) -> None:
        """Stop the time."""
        self._stopped, self._is_running = at, False

    def step_ran(self) -> bool:
        """Count an iteration; return whether it was the last of the warm-up."""
        self._cold -= 1
        return self._cold == 0

    def handler_ran(self, handler: AttachedHandler, began: int, ended: int) -> None:
        """Add a call, if the engine runs and is warm."""
        if self._cold > 0 or not self._is_running:
            return
        spent = self._by_registration.get(handler)
        if spent is None:
            spent = self._found(handler)
        if spent.since is None:
            spent.since = ended - self._idle
        else:
            spent.number += 1
            spent.nanoseconds += ended - began

    def shares(self, now: int, at_least: float) -> Iterator[tuple[Spent, float]]:
        """Yield the handlers that were measured long enough, each with its share of the run.

        Args:
            now: the time.
            at_least: nanoseconds.
        """
        for spent in self._by_place.values():
            if spent.since is not None and spent.number:
                measured = now - self._idle - spent.since
                if measured >= max(at_least, 1):
                    yield spent, spent.nanoseconds / measured

    def _found(self, handler: AttachedHandler) -> Spent:
        if len(self._by_registration) >= MOST_KNOWN:
            self._by_registration.clear()
        place = handler.module, handler.name, handler.event, handler.filter, handler.site
        spent = self._by_place.setdefault(place, Spent(handler))
        self._by_registration[handler] = spent
        return spent
