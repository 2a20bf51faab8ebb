"""The tracks of one engine: what happens in it, as spans and instants.

Owns: watching an engine, and which track its step, its events and each handler are drawn on.
Must not know: where epochs and iterations begin, or how anything is written.
"""

from __future__ import annotations

import traceback
import weakref
from collections.abc import Sequence
from time import perf_counter_ns
from typing import Any

from glowplug import Engine, Events, Observer, RemovableEventHandle
from glowplug.attached import AttachedHandler
from glowplug_trace import chrome
from glowplug_trace.chrome import MICROSECOND, Track
from glowplug_trace.clocks import Clock
from glowplug_trace.moments import Mark, Moment, Moments
from glowplug_trace.papers import Paper, Window
from glowplug_trace.rounds import Rounds

RUN, STEP, OWN, FIRST_PLUGIN = 1, 2, 3, 4
"""The tracks of an engine; each plugin has one more."""
OWN_NAME = "functions of your own"
MOST_KNOWN = 10_000
"""How many handlers are remembered at a time: some engines attach new ones without end."""
MOST_OF_AN_ERROR = 2000
"""Characters of an error and its notes."""
_PAGES = (Events.GET_BATCH_STARTED, Events.ITERATION_STARTED)
"""Where the records of an iteration begin; the second where no data is fetched."""


class EngineTracks(Observer):
    """Watches one engine, and records what happens.

    Args:
        engine: the engine, which is not kept alive.
        process: the number of its group of tracks.
        paper: takes what is recorded.
        window: says which iterations are.
        clock: the clock of the trace.
    """

    def __init__(
        self, engine: Engine[Any, Any], process: int, paper: Paper, window: Window, clock: Clock
    ) -> None:
        self._engine = weakref.ref(engine)
        self._process, self._paper, self._window, self._clock = process, paper, window, clock
        self._run = Track(process, RUN)
        self._timing = Moments()
        self._moments: dict[Any, Moment] = {}
        self._instants: dict[Any, str] = {}
        self._rounds = Rounds(self._run, paper, window, clock.origin, self._moments)
        self._step = chrome.template(Track(process, STEP), "X", engine.describe().step, "step", {})
        self._known: dict[AttachedHandler, tuple[str, Moment | None] | None] = {}
        self._threads: dict[str, int] = {}
        self._handles: list[RemovableEventHandle] = []
        self._is_running = self._has_page = False
        self._name(self._run, "run")
        self._name(Track(process, STEP), "step")
        self._listen(engine, *Events)
        self._observation = engine.observe(self)

    def _listen(self, engine: Engine[Any, Any], *events: Any) -> None:
        for event in events:
            if event not in self._moments:
                self._moments[event] = moment = Moment(event)
                self._instants[event] = chrome.template(self._run, "i", str(event), "event", {})
                self._handles.append(engine.add_event_handler(event, Mark(moment, self._fired)))

    def leave(self) -> None:
        """Let the engine go; what is open is closed."""
        self._observation.remove()  # tells the end of a run that goes on
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self._paper.close(self._window)

    def run_began(self, at: int) -> None:
        """Open the run."""
        engine = self._engine()
        if self._is_running or engine is None:
            return
        self._is_running = True
        self._paper.run_began()
        self._clock.compare()
        # Those that have handlers: to listen to the others might have them fire for nobody else.
        self._listen(engine, *(row.handler.event for row in engine.describe().rows))
        self._rounds.begin(at, engine.state)

    def run_ended(self, at: int) -> None:
        """Close the run."""
        if self._is_running:
            self._is_running = False
            self._rounds.end(at)
            self._clock.compare()
            self._paper.run_ended()

    def step_ran(self, began: int, ended: int) -> None:
        """Draw a call of the step."""
        self._span(self._step, began, ended)

    def handler_ran(self, handler: AttachedHandler, began: int, ended: int) -> None:
        """Draw a call of a handler."""
        try:
            known = self._known[handler]
        except KeyError:
            known = self._learned(handler)
        if known is not None:
            drawn, moment = known
            if moment is not None:
                self._timing.handler_ran(moment, began, ended)
            self._span(drawn, began, ended)
            if not self._is_running:  # fired by hand: no end of a run will have it written
                self._paper.rest()

    def _span(self, drawn: str, began: int, ended: int) -> None:
        engine = self._engine()
        if engine is not None and self._handles:
            state = engine.state
            at = (began - self._clock.origin) / MICROSECOND
            values = (at, (ended - began) / MICROSECOND, state.epoch, state.iteration)
            self._window.put((drawn, values))

    def _learned(self, handler: AttachedHandler) -> tuple[str, Moment | None] | None:
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        is_ours = handler.module == Mark.__module__
        self._known[handler] = known = (
            None if is_ours else (self._drawn(handler), self._moments.get(handler.event))
        )
        return known

    def _drawn(self, handler: AttachedHandler) -> str:
        told = {
            "event": f"{handler.event!s}{handler.filter}",
            "phase": handler.phase.value,
            "attached": str(handler.site) if handler.site else None,
            "version": handler.version,
        }
        args = {name: value for name, value in told.items() if value is not None}
        return chrome.template(self._track_of(handler.plugin), "X", handler.name, "handler", args)

    def _track_of(self, plugin: str | None) -> Track:
        name = plugin or OWN_NAME
        if name not in self._threads:
            plugins = sum(known != OWN_NAME for known in self._threads)
            self._threads[name] = OWN if plugin is None else FIRST_PLUGIN + plugins
            self._name(Track(self._process, self._threads[name]), name)
        return Track(self._process, self._threads[name])

    def _name(self, track: Track, name: str) -> None:
        for record in chrome.named_track(track, name):
            self._paper.put(record)

    def _fired(self, moment: Moment, engine: Engine[Any, Any], carried: Sequence[Any]) -> None:
        """Draw what one of the events tells."""
        now = perf_counter_ns()
        event, state = moment.event, engine.state
        self._timing.fired(moment, now)
        if event in _PAGES:
            self._turn_page(event, moment.began)
            if not self._handles:
                return
        self._rounds.hear(moment, state)
        if event is Events.EPOCH_STARTED:
            self._clock.compare()
        at = (moment.began - self._clock.origin) / MICROSECOND
        if event is Events.EXCEPTION_RAISED:
            lines = traceback.format_exception_only(type(carried[0]), carried[0])
            error = "".join(lines).strip()[:MOST_OF_AN_ERROR]
            self._window.put(chrome.instant(self._run, str(event), at, {"error": error}))
        else:
            self._window.put((self._instants[event], (at, state.epoch, state.iteration)))
        self._paper.rest(now)

    def _turn_page(self, event: Any, at: int) -> None:
        """Begin the records of another iteration, or leave where no more are wanted."""
        self._rounds.close_iteration(at)
        is_new = event is Events.GET_BATCH_STARTED or not self._has_page
        self._has_page = event is Events.GET_BATCH_STARTED
        if is_new and not self._window.goes_on():
            self.leave()
