"""The loop: which event follows which, and how a run ends.

Owns: the order of events, the position inside a run, obeying what handlers ask, and errors.
Must not know: what a step does, how a run is asked for, or how data finds its place.

A run goes from stage to stage. A stage is a method that fires its events and returns the stage that
comes next, so that a run can stop between any two events and be taken up again: where it stands is
the stage, a few numbers and the iterator, never a suspended frame.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from glowplug import data as data_module
from glowplug.dispatch import Dispatcher
from glowplug.errors import DataWarning, InvalidArgument, StrayStopIteration
from glowplug.events import Events
from glowplug.filters import NEVER
from glowplug.stages import Asked, Stage
from glowplug.state import BatchT, OutputT, State

# Where an iteration stands: what of it comes next.
_WANT_BATCH, _FETCH, _BEGIN, _STEP = range(4)
_NO_BATCH: Any = object()


class Loop(Dispatcher[BatchT, OutputT]):
    """The loop of a run over a dispatcher's events.

    Args:
        step: called as ``step(engine, batch)``.
    """

    def __init__(self, step: Callable[[Any, BatchT], OutputT]) -> None:
        super().__init__()
        self._step = step
        self._asked: set[Asked] = set()
        self._stage = Stage.IDLE
        self._running = self._handling_error = False
        self._skip_completed = self._skip_epoch_completed = False
        self._rewind()

    def _rewind(self, within: int = 0) -> None:
        """Forget the position inside a run; the next epoch begins ``within`` itself."""
        self._iterator: Iterator[BatchT] | None = None
        self._at, self._done, self._within = _WANT_BATCH, 0, within
        self._refilling = self._out_of_data = False
        self._run_began = self._epoch_began = self._paused = 0.0

    def _drive(self) -> State[BatchT, OutputT]:
        """Go from stage to stage until the run is over, interrupted, or left by an error."""
        self._table.rearm()
        self._resume_clocks()
        self._asked.clear()
        self._running = True
        paused = False
        try:
            while self._stage is not Stage.OVER and not paused:
                try:
                    following = self._STAGES[self._stage](self)
                    if self._asked:
                        following, paused = self._obey(following)
                except GeneratorExit:
                    raise
                except BaseException as error:
                    following = self._after(error)
                self._stage = following
        finally:
            self._running = False
            if not paused or self._stage is Stage.OVER:
                self._stage = Stage.IDLE
                self._iterator = None
            self._paused = time.perf_counter()
        return self._state

    def _start(self) -> Stage:
        self._run_began = time.perf_counter()
        self._fire(Events.STARTED)
        return Stage.NEXT_EPOCH

    def _next_epoch(self) -> Stage:
        state = self._state
        epochs, iters = state.max_epochs, state.max_iters
        done = (epochs is not None and state.epoch >= epochs) or (
            iters is not None and state.iteration >= iters
        )
        if done or self._out_of_data:
            return Stage.COMPLETE
        state.epoch += 1
        self._done, self._within, self._at = self._within, 0, _WANT_BATCH
        self._table.rearm()
        self._epoch_began = time.perf_counter()
        self._fire(Events.EPOCH_STARTED)
        return Stage.ITERATE

    def _iterate(self) -> Stage:
        """Run the iterations of one epoch, from wherever the last visit left it.

        Longer than a function should be, since what an iteration does is read best in one piece,
        and since a call for each of its parts would double its cost.
        """
        state, step, call, asked = self._state, self._step, self._call_handlers, self._asked
        wanted, fetched, started, completed = (self._table.slots[e] for e in _PER_ITERATION)
        first = _BEGIN if state.dataloader is None else _WANT_BATCH
        at, done, last = max(first, self._at), self._done, self._last()
        if first == _WANT_BATCH and self._iterator is None:
            self._iterator = self._advance(state.dataloader, done)
        try:
            while done < last:
                if at < _FETCH:
                    state.batch = None  # type: ignore[assignment]  # released before the next
                    self.last_event_name = Events.GET_BATCH_STARTED
                    if wanted.due <= state.iteration and call(wanted, state.iteration):
                        at = _FETCH
                        return Stage.ITERATE
                if at < _BEGIN:
                    at = _FETCH
                    state.batch = next(self._iterator, _NO_BATCH)  # type: ignore[arg-type]
                    if state.batch is _NO_BATCH and not self._refill(done):
                        return Stage.ITERATE if asked else Stage.CLOSE
                    self.last_event_name = Events.GET_BATCH_COMPLETED
                    if fetched.due <= state.iteration and call(fetched, state.iteration):
                        at = _BEGIN
                        return Stage.ITERATE
                if at < _STEP:
                    state.iteration += 1
                    state.output = None  # type: ignore[assignment]  # released before the next
                    self.last_event_name = Events.ITERATION_STARTED
                    if started.due <= state.iteration and call(started, state.iteration):
                        at = _STEP
                        return Stage.ITERATE
                state.output = step(self, state.batch)
                at = first
                done += 1
                self.last_event_name = Events.ITERATION_COMPLETED
                if completed.due <= state.iteration:
                    call(completed, state.iteration)
                if asked:  # by a handler, or by the step itself
                    return Stage.ITERATE
        finally:
            self._at, self._done = at, done
        length = state.epoch_length
        return Stage.CLOSE if length is not None and done >= length else Stage.COMPLETE

    def _last(self) -> int:
        """Return the number of this epoch's iterations after which it, or the run, ends."""
        state = self._state
        length = NEVER if state.epoch_length is None else state.epoch_length
        if state.max_iters is None:
            return length
        return min(length, self._done + state.max_iters - state.iteration + (self._at == _STEP))

    def _advance(self, data: Iterable[BatchT], iterations_done: int) -> Iterator[BatchT]:
        """Return an iterator over ``data`` with ``iterations_done`` batches of an epoch behind it.

        Subclasses that know a cheaper or more exact way override this.
        """
        return data_module.iterator_at(data, iterations_done, self.logger)

    def _refill(self, done: int) -> bool:
        """Put the first batch of a new iterator into the state, when the last one has ended."""
        state = self._state
        state.batch = None  # type: ignore[assignment]  # there is none
        if not self._refilling:
            if state.epoch_length is None:
                if done == 0:
                    raise InvalidArgument("data is empty: it ended before its first batch")
                state.epoch_length = done
                return False
            self._fire(Events.DATALOADER_STOP_ITERATION)
            if self._asked:
                self._refilling = True
                return False
        self._refilling = False
        self._iterator = iter(state.dataloader)
        state.batch = next(self._iterator, _NO_BATCH)
        if state.batch is not _NO_BATCH:
            return True
        state.batch = None  # type: ignore[assignment]  # there is none
        self._out_of_data = True
        if state.max_iters is not None:
            total = state.max_iters
        else:
            total = (state.max_epochs or 0) * (state.epoch_length or 0)
        warnings.warn(
            f"the data ended after {state.iteration} of {total} iterations and does not start "
            "over, so the run ends here; pass data that can be iterated again, such as a "
            "DataLoader, or put a fresh iterator into engine.state.dataloader at "
            "DATALOADER_STOP_ITERATION",
            DataWarning,
            stacklevel=5,
        )
        return False

    def _cut(self) -> Stage:
        counted = self._done + (self._at == _STEP)
        self._iterator = None
        self._fire(Events.TERMINATE_SINGLE_EPOCH, counted)
        return Stage.NEXT_EPOCH if self._skip_epoch_completed else Stage.CLOSE

    def _close(self) -> Stage:
        self._timed(Events.EPOCH_COMPLETED, self._epoch_began)
        state = self._state
        self.logger.info("Epoch[%s] Complete. %s", state.epoch, _took(state, "EPOCH_COMPLETED"))
        return Stage.NEXT_EPOCH

    def _terminate(self) -> Stage:
        self._fire(Events.TERMINATE)
        return Stage.OVER if self._skip_completed else Stage.COMPLETE

    def _complete(self) -> Stage:
        self._timed(Events.COMPLETED, self._run_began)
        self.logger.info("Engine run complete. %s", _took(self._state, "COMPLETED"))
        return Stage.OVER

    _STAGES: ClassVar[Mapping[Stage, Callable[[Loop[Any, Any]], Stage]]] = MappingProxyType(
        {
            Stage.START: _start,
            Stage.NEXT_EPOCH: _next_epoch,
            Stage.ITERATE: _iterate,
            Stage.CUT: _cut,
            Stage.CLOSE: _close,
            Stage.TERMINATE: _terminate,
            Stage.COMPLETE: _complete,
        }
    )

    def _timed(self, event: Events, began: float) -> None:
        """Fire an event whose handlers see the seconds before them, and include theirs after."""
        self._state.times[event.name] = time.perf_counter() - began
        self._fire(event)
        self._state.times[event.name] = time.perf_counter() - began

    def _resume_clocks(self) -> None:
        """Leave the time between an interruption and now out of the times."""
        away = time.perf_counter() - self._paused
        self._run_began += away
        self._epoch_began += away

    def _obey(self, following: Stage) -> tuple[Stage, bool]:
        """Do what was asked, now that the handlers of the event have run.

        Returns:
            The stage that comes next, and whether the run is interrupted before it.
        """
        asked = self._take_asked()
        if Asked.END_RUN in asked and self._stage not in _ENDING:
            following = Stage.TERMINATE
        elif Asked.END_EPOCH in asked:
            following = Stage.CUT
        if Asked.INTERRUPT not in asked or following is Stage.TERMINATE:
            return following, False
        self._fire(Events.INTERRUPT)
        asked = self._take_asked()
        if Asked.END_RUN in asked and self._stage not in _ENDING:
            return Stage.TERMINATE, False
        return Stage.CUT if Asked.END_EPOCH in asked else following, True

    def _take_asked(self) -> set[Asked]:
        asked = set(self._asked)
        self._asked.clear()
        return asked

    def _after(self, error: BaseException) -> Stage:
        """Fire EXCEPTION_RAISED; raise the error unless a handler asked for an orderly end."""
        self._asked.clear()
        if isinstance(error, StopIteration):
            stray = StrayStopIteration(
                "a StopIteration left the step; only the data's own ends the data: catch it there, "
                "or give next() a default"
            )
            stray.__cause__ = error
            error = stray
        self._handling_error = True
        try:
            self._fire(Events.EXCEPTION_RAISED, error)
        finally:
            self._handling_error = False
        asked = self._take_asked()
        if Asked.END_RUN in asked:
            return _AFTER_FAILED_END.get(self._stage, Stage.TERMINATE)
        if Asked.END_EPOCH in asked:
            return Stage.CUT if self._stage is Stage.ITERATE else Stage.NEXT_EPOCH
        raise error


_PER_ITERATION = (
    Events.GET_BATCH_STARTED,
    Events.GET_BATCH_COMPLETED,
    Events.ITERATION_STARTED,
    Events.ITERATION_COMPLETED,
)
_ENDING = (Stage.TERMINATE, Stage.COMPLETE)
# An error in a handler of the end cannot bring the same handler up again.
_AFTER_FAILED_END = {Stage.TERMINATE: Stage.COMPLETE, Stage.COMPLETE: Stage.OVER}


def _took(state: State[Any, Any], event: str) -> str:
    minutes, seconds = divmod(state.times[event] or 0.0, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"Time taken: {hours:02d}:{minutes:02d}:{seconds:06.3f}"
