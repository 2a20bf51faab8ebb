"""Watching one engine: when its handlers are judged, and that each is complained of once.

Owns: the observer of an engine, and who was complained of.
Must not know: how shares are measured, or the words of a complaint.
"""

from __future__ import annotations

import weakref
from collections import defaultdict
from typing import Any, NamedTuple

from glowplug import Engine, Observer
from glowplug.attached import AttachedHandler
from glowplug_budgets.complaints import (
    complain_of_handler,
    complain_of_plugin,
    complain_of_waiting,
)
from glowplug_budgets.limits import Limits
from glowplug_budgets.meters import Meter, Spent
from glowplug_budgets.synchronizations import Synchronizations

SECOND = 1_000_000_000
"""Nanoseconds."""


class Settings(NamedTuple):
    """How an engine is watched.

    Args:
        limits: how much of a run who may take.
        warm_up: iterations before anything counts.
        at_least: seconds for which a handler is measured before it is judged.
        synchronizations: what torch tells of waiting for the GPU, or None.
    """

    limits: Limits
    warm_up: int
    at_least: float
    synchronizations: Synchronizations | None


class Watch(Observer):
    """Judges the handlers of one engine, at most every ``at_least`` seconds and when a run ends.

    Args:
        engine: the engine, which is not kept alive.
        settings: how it is watched.
    """

    def __init__(self, engine: Engine[Any, Any], settings: Settings) -> None:
        self._engine = weakref.ref(engine)
        self._limits, self._listened_to = settings.limits, settings.synchronizations
        self._at_least = settings.at_least * SECOND
        self._meter = Meter(settings.warm_up)
        self._is_running = self._is_listening = False
        self._due = 0.0
        self._named: set[Any] = set()

    def run_began(self, at: int) -> None:
        """Measure."""
        if not self._is_running:
            self._is_running = True
            self._meter.run_began(at)
            self._due = at + self._at_least
            self._listen()

    def run_ended(self, at: int) -> None:
        """Judge, and measure no more."""
        if self._is_running:
            self._is_running = False
            self._meter.run_ended(at)
            self._stop_listening()
            self._judge(at)

    def step_ran(self, began: int, ended: int) -> None:
        """Judge, where it is time to."""
        if self._is_listening:
            self._blame(None, began, ended)
        if self._meter.step_ran():
            self._listen()
        if ended >= self._due:
            self._due = ended + self._at_least
            self._judge(ended)
            self._listen()  # CUDA may be in use by now

    def handler_ran(self, handler: AttachedHandler, began: int, ended: int) -> None:
        """Measure a call."""
        self._meter.handler_ran(handler, began, ended)
        if self._is_listening:
            self._blame(handler, began, ended)

    def _judge(self, now: int) -> None:
        """Complain of those who take too much and were not complained of before."""
        found: list[tuple[Spent, float]] = list(self._meter.shares(now, self._at_least))
        by_plugin: defaultdict[str, list[tuple[Spent, float]]] = defaultdict(list)
        for spent, share in found:
            handler = spent.handler
            if handler.plugin is not None and self._limits.own(handler) is None:
                by_plugin[handler.plugin].append((spent, share))
            limit = self._limits.of_handler(handler)
            if share > limit and self._is_first(spent):
                complain_of_handler(spent, share, limit)
        for plugin, parts in by_plugin.items():
            together, limit = sum(share for _, share in parts), self._limits.of_plugin(plugin)
            if together > limit and len(parts) > 1 and self._is_first(plugin):
                complain_of_plugin(plugin, parts, together, limit)

    def _blame(self, handler: AttachedHandler | None, began: int, ended: int) -> None:
        """Complain of a handler, or of the step, during which the GPU was waited for."""
        heard = self._listened_to.between(began, ended) if self._listened_to else None
        engine = self._engine()
        who = "the step" if handler is None else (handler.module, handler.name)
        if heard is not None and engine is not None and self._is_first(("waiting", who)):
            complain_of_waiting(handler, engine.describe().step, heard)

    def _is_first(self, complaint: Any) -> bool:
        is_first = complaint not in self._named
        self._named.add(complaint)
        return is_first

    def _listen(self) -> None:
        """Listen to torch once the engine is warm: the first calls may wait as they like."""
        if self._listened_to is not None and not self._is_listening and self._meter.is_warm:
            self._is_listening = self._listened_to.listen()

    def _stop_listening(self) -> None:
        if self._listened_to is not None and self._is_listening:
            self._is_listening = False
            self._listened_to.stop()
