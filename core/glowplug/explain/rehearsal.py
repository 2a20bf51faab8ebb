"""A run without data, step and handlers: the loop itself goes through its events.

Owns: standing in for an engine at the beginning of its next run, and passing over what repeats.
Must not know: which event follows which; that is the loop's.

The rehearsal is a loop of its own, with its own table and its own copy of the state, so that the
engine is only read. On every event it has one handler, whose filter writes down the count that the
loop shows it.
"""

from __future__ import annotations

import logging
import operator
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, replace
from itertools import repeat
from types import MappingProxyType
from typing import Any, ClassVar

from glowplug.errors import EngineBusy, InvalidArgument, InvalidType
from glowplug.explain.order import Fired, Order, Tape
from glowplug.filters import Predicate
from glowplug.handlers import HandlerTable
from glowplug.loop import Loop
from glowplug.plan import Plan, make_plan
from glowplug.registrations import EventKey, Origin, Registration
from glowplug.stages import Asked, Stage
from glowplug.standing import Standing
from glowplug.state import COUNTERS

_BEFORE_BATCH = 0
_SILENT = logging.Logger("rehearsal", logging.CRITICAL + 1)


@dataclass(frozen=True)
class Ends:
    """How long the run is that shall be rehearsed, as ``run`` takes it.

    Args:
        epoch_length: iterations in an epoch, or None.
        max_epochs: where it ends, in epochs, or None.
        max_iters: where it ends, in iterations, or None.
        data: whether it has data.
    """

    epoch_length: int | None = None
    max_epochs: int | None = None
    max_iters: int | None = None
    data: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.data, bool):
            raise InvalidType(
                "data says whether the run has data, True or False; got a value of type "
                f"{type(self.data).__name__} (give its length: explain(epoch_length=len(data)))"
            )


class _Batches:
    """Data of exactly one epoch, which has no length so that it tells none to the plan."""

    def __init__(self) -> None:
        self.number = 0

    def __iter__(self) -> Iterator[None]:
        return repeat(None, self.number)


class Rehearsal(Loop[None, None]):
    """The loop of another one's next run, where nothing happens but its events.

    Args:
        loop: the loop that would run; it is only read.
        ends: what ``run`` would be called with.

    Raises:
        EngineBusy: when it is running.
        InvalidArgument: when ``run`` would refuse, or the length of an epoch is not known.

    Attributes:
        plan: what ``run`` would make of its arguments.
        begins: how the run begins: ``"anew"``, ``"going on"`` after an epoch or a loaded state, or
            ``"resuming"`` exactly where an interrupted one stands.
    """

    def __init__(self, loop: Standing[Any, Any], ends: Ends) -> None:
        if loop._running:
            raise EngineBusy(
                "the engine is in the middle of a run, and what run() would do next depends on how "
                "this one ends; explain it before, or after"
            )
        super().__init__(_step)
        self.logger = _SILENT
        self._state = copy(loop._state)
        self._state.batch = self._state.output = None
        self._state.metrics, self._state.times = {}, {}
        self._state._counters = dict(COUNTERS)  # others move by what nobody does here
        batches = _Batches()
        self.plan = _plan(loop, ends, batches)
        batches.number = self.plan.epoch_length or 0
        resumes = loop._stage is not Stage.IDLE and not self.plan.anew
        self.begins = "anew" if self.plan.anew else "resuming" if resumes else "going on"
        self.plan.apply(self._state)
        self._tape = Tape(self._state.epoch, self._state.iteration)
        self._table = _writing_table(loop, self._tape)
        if resumes:
            self._stand_where(loop)
        else:
            self._rewind(loop._begins_within(self.plan))
            self._stage = Stage.START

    def _stand_where(self, loop: Loop[Any, Any]) -> None:
        """Take over the position of an interrupted run, with an iterator that is as far."""
        self._stage, self._at, self._done = loop._stage, loop._at, loop._done
        self._within, self._epoch = loop._within, loop._epoch
        self._iterations_before = loop._iterations_before
        self._fresh, self._out_of_data = loop._fresh, loop._out_of_data
        self._skip_completed = loop._skip_completed
        self._skip_epoch_completed = loop._skip_epoch_completed
        if loop._iterator is not None:
            fetched = self._done + (self._at != _BEFORE_BATCH)
            if fetched == 0 and (self._stage is Stage.WANT_BATCH or self._epoch > 1):
                fetched = self.plan.epoch_length or 0  # it is that of the epoch before, at its end
            self._iterator = self._advance(self._state.dataloader, fetched)

    def order(self) -> Order:
        """Go through the run, and return what was fired."""
        self._drive()
        return self._tape.order()

    def _advance(self, data: Any, iterations_done: int) -> Iterator[None]:
        return repeat(None) if data is None else repeat(None, data.number - iterations_done)

    def _want_batch(self) -> Stage:
        """Pass over the iterations up to the last one, if two in a row were the same."""
        left = self._last() - self._done - 1
        group = self._tape.last_group()
        if left > 0 and group is not None and group.iterations == group.times:
            self._tape.repeat_group(left)
            self._state.iteration += left
            self._done += left
            if self._state.dataloader is not None:
                self._iterator = repeat(None, operator.length_hint(self._iterator) - left)
        return super()._want_batch()

    def _next_epoch(self) -> Stage:
        """Pass over the epochs up to the last one, if two in a row were the same."""
        part = self._tape.last_part()
        state = self._state
        if part is not None and part.epochs == 1:
            if state.max_iters is None:
                left = (state.max_epochs or 0) - state.epoch - 1
            else:
                left = (state.max_iters - state.iteration) // part.iterations - 1
            if left > 0:
                self._tape.repeat_part(left)
                state.epoch += left
                self._epoch += left
                state.iteration += left * part.iterations
                self._iterations_before += left * part.iterations
        return super()._next_epoch()

    _STAGES: ClassVar[Mapping[Stage, Callable[[Any], Stage]]] = MappingProxyType(
        {**Loop._STAGES, Stage.NEXT_EPOCH: _next_epoch, Stage.WANT_BATCH: _want_batch}
    )


def _step(rehearsal: Rehearsal, _: None) -> None:
    """Let the loop come back to its stages after each iteration, where some can be passed over."""
    rehearsal._asked.add(Asked.NEW_STEP)


def _plan(loop: Standing[Any, Any], ends: Ends, batches: _Batches) -> Plan:
    state = loop._state
    interrupted = loop._stage is not Stage.IDLE
    # What the data would tell is what it told the last time.
    known = None if interrupted else state.epoch_length
    length = known if ends.epoch_length is None else ends.epoch_length
    plan = make_plan(
        state,
        batches if ends.data else None,
        max_epochs=ends.max_epochs,
        max_iters=ends.max_iters,
        epoch_length=length,
        resumes_after=loop._resumes_after(),
    )
    if plan.epoch_length is None:
        raise InvalidArgument(
            "the length of an epoch is not known yet, so nobody can say what fires when; give it: "
            "explain(epoch_length=len(data))"
        )
    goes_on_without = interrupted and not plan.anew and state.dataloader is None
    return replace(plan, data=None if plan.data is None or goes_on_without else batches)


def _writing_table(loop: Loop[Any, Any], tape: Tape) -> HandlerTable:
    """Return a table with the loop's events, where every firing is written down."""

    def writes(event: EventKey) -> Predicate:
        def write(rehearsal: Rehearsal, count: int) -> bool:
            state = rehearsal._state
            tape.write(Fired(event, state.epoch, state.iteration, count))
            return False

        return Predicate(write)

    table = HandlerTable(loop._table.slots)
    for event, slot in loop._table.slots.items():
        table.slots[event].fired = slot.fired
        table.put_back(
            Registration(event, (writes(event),), _never, (), {}, own=False, origin=Origin())
        )
    return table


def _never(*_: Any) -> None:
    """Stand where a handler would; its filter lets nothing through."""
