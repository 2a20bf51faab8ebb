"""The track of a run: runs, their epochs, their iterations, and the data that is fetched.

Owns: when each of these spans begins and ends.
Must not know: handlers, the step, or how an engine is watched.

Long spans, of runs and epochs, are written as they begin and as they end, so that a trace which
breaks off has them. An iteration is known to be over when the next event tells so: its last
handlers run after our own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

from glowplug import Events, State
from glowplug_trace import chrome
from glowplug_trace.chrome import MICROSECOND, Track
from glowplug_trace.moments import Moment
from glowplug_trace.papers import Paper, Window


class _Iteration(NamedTuple):
    began: int
    epoch: int
    iteration: int


class Rounds:
    """Draws the rounds that one engine goes.

    Args:
        track: where they are drawn.
        paper: takes the long spans.
        window: takes the others.
        origin: the nanosecond that is 0 in the trace.
        moments: the last firing of each event.
    """

    def __init__(
        self,
        track: Track,
        paper: Paper,
        window: Window,
        origin: int,
        moments: Mapping[Any, Moment],
    ) -> None:
        self._track, self._paper, self._window = track, paper, window
        self._origin, self._moments = origin, moments
        self._iterations = chrome.template(track, "X", "iteration", "iteration", {})
        self._fetches = chrome.template(track, "X", "get batch", "data", {})
        self._since = origin
        self._iteration: _Iteration | None = None
        self._in_run = self._in_epoch = self._is_fetching = False

    def begin(self, at: int, state: State[Any, Any]) -> None:
        """Open a run."""
        self._since, self._in_run = at, True
        done = {"epoch": state.epoch, "iteration": state.iteration}
        self._paper.put(chrome.begin(self._track, "run", self._micro(at), done))

    def end(self, at: int) -> None:
        """Close the run, and what is open inside."""
        self._in_run = self._is_fetching = False
        self._close_epoch(at)
        self._paper.put(chrome.end(self._track, self._micro(at)))

    def hear(self, moment: Moment, state: State[Any, Any]) -> None:
        """Draw what begins or ends with the firing of an event."""
        draw = self._DRAW.get(moment.event)
        if draw is not None and self._in_run:
            draw(self, moment.began, state)

    def close_iteration(self, at: int, state: State[Any, Any] | None = None) -> None:
        """Draw the iteration that is open, if there is one, now that something else begins."""
        if self._iteration is not None:
            began, epoch, iteration = self._iteration
            self._iteration = None
            ended = self._end_of(Events.ITERATION_COMPLETED, began, at)
            self._span(self._iterations, began, ended, epoch, iteration)

    def _open_epoch(self, at: int, state: State[Any, Any]) -> None:
        self._close_epoch(at)
        self._in_epoch = True
        args = {"epoch": state.epoch, "iterations done": state.iteration}
        self._paper.put(chrome.begin(self._track, f"epoch {state.epoch}", self._micro(at), args))

    def _fetch(self, at: int, state: State[Any, Any]) -> None:
        self._in_resumed_epoch(state)
        self._is_fetching = True

    def _fetched(self, at: int, state: State[Any, Any]) -> None:
        if self._is_fetching:
            self._is_fetching = False
            asked = self._moments[Events.GET_BATCH_STARTED].ended
            self._span(self._fetches, asked, at, state.epoch, state.iteration)

    def _open_iteration(self, at: int, state: State[Any, Any]) -> None:
        self._in_resumed_epoch(state)
        self._window.begin_iteration()
        self._iteration = _Iteration(at, state.epoch, state.iteration)

    def _complete_iteration(self, at: int, state: State[Any, Any]) -> None:
        if self._iteration is None:  # a run that was interrupted before its step goes on with it
            self._in_resumed_epoch(state)
            self._iteration = _Iteration(self._since, state.epoch, state.iteration)

    def _complete_epoch(self, at: int, state: State[Any, Any]) -> None:
        self.close_iteration(at)
        self._in_resumed_epoch(state)

    def _close_epoch(self, at: int, state: State[Any, Any] | None = None) -> None:
        self.close_iteration(at)
        if self._in_epoch:
            self._in_epoch = False
            ended = self._end_of(Events.EPOCH_COMPLETED, self._since, at)
            self._paper.put(chrome.end(self._track, self._micro(ended)))
        self._since = at

    def _in_resumed_epoch(self, state: State[Any, Any]) -> None:
        """Open the epoch in the middle of which the run goes on."""
        if not self._in_epoch:
            self._open_epoch(self._since, state)

    def _end_of(self, completed: Events, began: int, at: int) -> int:
        """Return when what began then had completed, with its handlers, or ``at`` if it had not."""
        moment = self._moments[completed]
        return moment.ended if began <= moment.began <= at else at

    def _span(self, drawn: str, began: int, ended: int, epoch: int, iteration: int) -> None:
        values = (self._micro(began), (ended - began) / MICROSECOND, epoch, iteration)
        self._window.put((drawn, values))

    def _micro(self, at: int) -> float:
        return (at - self._origin) / MICROSECOND

    _DRAW: ClassVar[Mapping[Any, Callable[[Rounds, int, State[Any, Any]], None]]] = (
        MappingProxyType(
            {
                Events.EPOCH_STARTED: _open_epoch,
                Events.GET_BATCH_STARTED: _fetch,
                Events.GET_BATCH_COMPLETED: _fetched,
                Events.ITERATION_STARTED: _open_iteration,
                Events.ITERATION_COMPLETED: _complete_iteration,
                Events.EXCEPTION_RAISED: close_iteration,
                Events.TERMINATE_SINGLE_EPOCH: _complete_epoch,
                Events.EPOCH_COMPLETED: _complete_epoch,
                Events.TERMINATE: _close_epoch,
                Events.COMPLETED: _close_epoch,
            }
        )
    )
