"""The loop: which event follows which, and how a run ends.

Owns: the order of events, the position inside a run, obeying what handlers ask, and errors.
Must not know: what a step does, how a run is asked for, or how data finds its place.

A run goes from stage to stage: methods that fire their events and return the stage that is next. So
it can stop between any two events and be taken up again: where it stands is the stage, a few
numbers and the iterator, never a suspended frame.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from operator import itemgetter
from time import perf_counter
from types import MappingProxyType
from typing import Any, ClassVar

from glowplug.clocks import Clocks
from glowplug.dispatch import Dispatcher
from glowplug.errors import DataWarning, InvalidArgument, StrayStopIteration
from glowplug.events import PER_ITERATION, Events
from glowplug.filters import NEVER
from glowplug.handlers import Slot
from glowplug.plan import is_done, iterations_wanted
from glowplug.stages import ENDING, IN_EPOCH, Asked, Stage
from glowplug.state import BatchT, OutputT, State

# Where an iteration stands: what of it comes next.
_FETCH, _BEGIN, _STEP = range(3)
_per_iteration = itemgetter(*PER_ITERATION)
# Who is told of batches in a run without data.
_NOBODY = (Slot(Events.GET_BATCH_STARTED), Slot(Events.GET_BATCH_COMPLETED))


class Loop(Dispatcher[BatchT, OutputT]):
    """The loop of a run over a dispatcher's events.

    Args:
        step: called as ``step(engine, batch)``.
    """

    def __init__(self, step: Callable[[Any, BatchT], OutputT]) -> None:
        super().__init__()
        self._step = self._called_step = step
        self._running = self._handling_error = False
        self._skip_completed = self._skip_epoch_completed = False
        self._clocks = Clocks()
        self._rewind()

    def _rewind(self, within: int = 0) -> None:
        """Forget the position inside a run; the next epoch begins ``within`` itself."""
        self._give_up_position()
        self._at, self._done, self._within = _FETCH, 0, within
        self._epoch = self._iterations_before = 0
        self._fresh = self._out_of_data = self._open = False

    def _give_up_position(self) -> None:
        self._stage = Stage.IDLE
        self._iterator: Any = None
        self._given: Any = None

    def _drive(self) -> State[BatchT, OutputT]:
        """Go from stage to stage until the run is over, interrupted, or left by an error."""
        self._table.rearm()
        self._clocks.go_on()
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
                    following, paused = self._after(error)
                self._stage = following
        finally:
            self._running = False
            if not paused or self._stage is Stage.OVER:
                self._give_up_position()
            self._clocks.stop()
        return self._state

    def _start(self) -> Stage:
        self._clocks.start_run()
        self._fire(Events.STARTED)
        return Stage.NEXT_EPOCH

    def _next_epoch(self) -> Stage:
        state = self._state
        if self._out_of_data or (is_done(state) and not self._within):
            return Stage.COMPLETE
        if state.epoch != self._epoch or state.iteration != self._iterations_before + self._done:
            self._table.rearm()  # somebody turned a counter, back perhaps
        state.epoch += 1
        self._epoch, self._open = state.epoch, True
        self._iterations_before = state.iteration - self._within
        self._done, self._within = self._within, 0
        self._clocks.start_epoch()
        self._fire(Events.EPOCH_STARTED)
        return Stage.WANT_BATCH

    def _want_batch(self) -> Stage:
        """Announce the first batch of an epoch, or the next after a stop between two iterations."""
        state = self._state
        if self._done >= self._last():
            return self._after_iterations(self._done)
        self._at = _FETCH
        if self._iterator is None:
            self._table.rearm()  # the batch that is announced may have the count of the last
            self._iterator = self._advance(state.dataloader, self._done)
        if state.dataloader is not None:
            state.batch = None  # type: ignore[assignment]  # released before the next is fetched
            self._fire(Events.GET_BATCH_STARTED)
        return Stage.ITERATE

    def _iterate(self) -> Stage:
        """Run an epoch's iterations from where the last visit left them, in one piece for speed.

        An event becomes the last one where somebody could see it. Only ``for`` ends the data. A
        batch that was fetched already comes from a tuple's iterator, which lets it go when the next
        is fetched; chain would keep a tuple.
        """
        state, step, call, asked = self._state, self._called_step, self._call_handlers, self._asked
        wanted, fetched, started, completed = _per_iteration(self._table.slots)
        wanted, fetched = _NOBODY if state.dataloader is None else (wanted, fetched)
        at, last, done = self._at, self._last(), self._done
        source = self._iterator if at == _FETCH else chain(iter((state.batch,)), self._iterator)
        try:
            for state.batch in source:
                if at < _BEGIN:
                    state.output = None  # type: ignore[assignment]  # released before the next
                    if fetched.due <= state.iteration:
                        self.last_event_name = fetched.event
                        call(fetched, state.iteration)
                    if asked:  # by a handler, or by the data itself
                        at = _BEGIN
                        return Stage.ITERATE
                if at < _STEP:
                    state.iteration += 1
                    self.last_event_name = started.event
                    if started.due <= state.iteration and call(started, state.iteration):
                        at = _STEP
                        return Stage.ITERATE
                at = _FETCH
                state.output = step(self, state.batch)
                done += 1
                if completed.due <= state.iteration:
                    self.last_event_name = completed.event
                    call(completed, state.iteration)
                if asked:  # by a handler, or by the step itself
                    return Stage.WANT_BATCH
                if done == last:
                    return self._after_iterations(done)
                state.batch = None  # type: ignore[assignment]  # released before the next is fetched
                self.last_event_name = wanted.event
                if wanted.due <= state.iteration and call(wanted, state.iteration):
                    return Stage.ITERATE
        finally:
            starved = self._fresh and done == self._done and at < _BEGIN
            self._at, self._done, self._fresh = at, done, False
        return self._starve() if starved else Stage.REFILL

    def _after_iterations(self, done: int) -> Stage:
        """Return what follows an epoch's last iteration: its end, or the run's inside of it."""
        length = self._state.epoch_length
        return Stage.CLOSE if length is not None and done >= length else Stage.COMPLETE

    def _last(self) -> int:
        """Return the number of this epoch's iterations after which it, or the run, ends."""
        state = self._state
        length = NEVER if state.epoch_length is None else state.epoch_length
        if state.max_iters is None:
            return length
        return min(length, self._done + state.max_iters - state.iteration + (self._at == _STEP))

    def _advance(self, data: Any, iterations_done: int) -> Iterator[Any]:
        """Return an iterator with ``iterations_done`` batches of an epoch behind it."""
        raise NotImplementedError

    def _refill(self) -> Stage:
        """Deal with the end of the data: the first one may define an epoch, others start over."""
        state = self._state
        state.batch = None  # type: ignore[assignment]  # there is none
        if state.epoch_length is None:
            if state.epoch == 1 and self._done == 0:
                raise InvalidArgument("data is empty: it ended before its first batch")
            if self._done == 0:
                return self._starve()
            state.epoch_length = self._done
            return Stage.CLOSE
        self._iterator = None
        self._fire(Events.DATALOADER_STOP_ITERATION)
        return Stage.RESTART if self._asked else self._restart()

    def _restart(self) -> Stage:
        self._iterator, self._fresh = iter(self._state.dataloader), True
        return Stage.ITERATE

    def _starve(self) -> Stage:
        """End the run, since the data does not start over."""
        self._out_of_data = True
        wanted = iterations_wanted(self._state) or "all"
        warnings.warn(DataWarning.ended_early(self._state.iteration, wanted), stacklevel=5)
        return Stage.CLOSE

    def _cut(self) -> Stage:
        self._iterator = None
        self._fire(Events.TERMINATE_SINGLE_EPOCH, self._state.iteration - self._iterations_before)
        self._open = not self._skip_epoch_completed
        return Stage.CLOSE if self._open else Stage.NEXT_EPOCH

    def _close(self) -> Stage:
        seconds = self._timed(Events.EPOCH_COMPLETED, self._clocks.epoch)
        self._open = False
        self.logger.info("Epoch[%s] Complete. Time taken: %.3f s", self._state.epoch, seconds)
        return Stage.NEXT_EPOCH

    def _terminate(self) -> Stage:
        self._fire(Events.TERMINATE)
        return Stage.OVER if self._skip_completed else Stage.COMPLETE

    def _complete(self) -> Stage:
        seconds = self._timed(Events.COMPLETED, self._clocks.run)
        self.logger.info("Engine run complete. Time taken: %.3f s", seconds)
        return Stage.OVER

    _STAGES: ClassVar[Mapping[Stage, Callable[[Loop[Any, Any]], Stage]]] = MappingProxyType(
        {
            Stage.START: _start,
            Stage.NEXT_EPOCH: _next_epoch,
            Stage.WANT_BATCH: _want_batch,
            Stage.ITERATE: _iterate,
            Stage.REFILL: _refill,
            Stage.RESTART: _restart,
            Stage.CUT: _cut,
            Stage.CLOSE: _close,
            Stage.TERMINATE: _terminate,
            Stage.COMPLETE: _complete,
        }
    )

    def _timed(self, event: Events, began: float) -> float:
        """Fire an event whose handlers see the seconds before them, and include theirs after."""
        if self._state.epoch != self._epoch:
            self._table.rearm()  # somebody turned the counter, back perhaps
        times, name = self._state.times, event._name_  # ``name`` is a property, which costs a call
        times[name] = perf_counter() - began
        self._fire(event)
        times[name] = seconds = perf_counter() - began
        return seconds

    def _obey(self, following: Stage) -> tuple[Stage, bool]:
        """Do what was asked, now that the handlers of the event have run.

        Returns:
            The stage that comes next, and whether the run is interrupted before it.
        """
        asked = self._take_asked()
        if Asked.END_RUN in asked and self._stage not in ENDING:
            following = Stage.TERMINATE
        elif Asked.END_EPOCH in asked and self._stage in IN_EPOCH:
            following = Stage.CUT
        if Asked.INTERRUPT not in asked or following is Stage.TERMINATE:
            return following, False
        self._fire(Events.INTERRUPT)
        asked = self._take_asked()
        if Asked.END_RUN in asked and self._stage not in ENDING:
            return Stage.TERMINATE, False
        return Stage.CUT if Asked.END_EPOCH in asked else following, True

    def _take_asked(self) -> set[Asked]:
        asked = set(self._asked)
        self._asked.clear()
        return asked

    def _after(self, error: BaseException) -> tuple[Stage, bool]:
        """Fire EXCEPTION_RAISED; raise the error unless a handler asked for an orderly end."""
        self._asked.clear()
        if isinstance(error, StopIteration):
            error = StrayStopIteration.out_of("the step", error)
        self._handling_error = True
        try:
            self._fire(Events.EXCEPTION_RAISED, error)
            if not self._asked & {Asked.END_RUN, Asked.END_EPOCH}:
                raise error
        finally:
            self._handling_error = False
            del error  # its traceback holds this frame, which must not hold it in turn
        if self._stage is Stage.TERMINATE and not self._skip_completed:
            return self._obey(Stage.COMPLETE)
        # What failed at the run's end is not tried again.
        return self._obey(Stage.OVER if self._stage in ENDING else Stage.NEXT_EPOCH)
