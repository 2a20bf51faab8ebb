"""The interpreter for pytorch-ignite: where glowplug departs on purpose, it is made to do the same.

Owns: one mend for each departure that can be mended, and noticing those that cannot.
Must not know: glowplug's engine.

A silent handler goes first on every event of the reference. It knows which firing is under way, and
every other handler asks it whether it is to be called.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from parity.batches import Unsized
from parity.departures import Departure
from parity.interpreter import Interpreter, filtered
from parity.kits import Kit
from parity.model import fires, why_mended
from parity.programs import (
    CUSTOM_EVENTS,
    RUN_EVENTS,
    Action,
    Detach,
    Filter,
    Handler,
    Interrupt,
    Load,
    Program,
    Run,
    Terminate,
    TerminateEpoch,
)

ERROR = "EXCEPTION_RAISED"
NUMBERS = ("epoch", "iteration", "epoch_length", "max_epochs", "max_iters")
IN_EPOCH = (
    "GET_BATCH_STARTED",
    "GET_BATCH_COMPLETED",
    "ITERATION_STARTED",
    "ITERATION_COMPLETED",
    "DATALOADER_STOP_ITERATION",
)


@dataclass(eq=False)
class Registration:
    """One handler on one event of the reference.

    Args:
        event: the event's name.
        function: what the program wants to be called.
        born: the number of the firing during which it was added.
        filter: a filter that the reference itself does not apply as glowplug does.
        handle: what removes it.
        called: what was attached in its place.
        removed: whether the program has removed it.
    """

    event: str
    function: Callable[..., None]
    born: int
    filter: Filter | None
    handle: Any = None
    called: Callable[..., None] | None = None
    removed: bool = False


class Reference(Interpreter):
    """One program on one engine of pytorch-ignite."""

    def __init__(self, kit: Kit, program: Program) -> None:
        super().__init__(kit, program)
        self._registrations: dict[str, list[Registration]] = {}
        self._watchers: list[Registration] = []
        self._firings: Counter[str] = Counter()
        self._muted: set[str] = set()
        self._current = ""
        self._fired = self._unusable = self._loaded = False
        self._asked_end = self._asked_interrupt = self._ending = False
        self._in_interrupt = self._in_error = self._error_ends_epoch = False
        self._error: BaseException | None = None
        self._last_at_error, self._left_by_error = self._last_before = ERROR, False
        self._refilling = self._warned = False
        self._before: dict[str, int | None] = {}
        self._was_interrupted = self._had_asked_end = False
        self._true_ends: tuple[int | None, int | None] | None = None

    def cut_here(self, departure: Departure) -> None:
        """Leave all that follows out of the comparison."""
        self.met.add(departure)
        if self.cut is None:
            self.cut = (len(self.log), departure)

    def prepare(self) -> None:
        for name in (*RUN_EVENTS, *CUSTOM_EVENTS):
            if name != ERROR:
                self.engine.add_event_handler(self.kit.event(name), self._silent(name))

    def _silent(self, name: str) -> Callable[..., None]:
        def silent(engine: Any, *carried: Any, **named: Any) -> None:
            if self.cut is not None:
                engine.terminate()
            self._muted.discard(name)
            if self._is_muted(name):
                self._muted.add(name)
                return
            self._firings[name] += 1
            self._fired = True
            if name not in (*CUSTOM_EVENTS, "INTERRUPT"):
                self._current = name
            self._note_firing(name)

        return silent

    def _is_muted(self, name: str) -> bool:
        if name == "TERMINATE" and not self._asked_end:
            self.met.add(Departure.THE_END_IS_NO_TERMINATION)
            return True
        if name == "GET_BATCH_STARTED" and self._refilling:
            self.met.add(Departure.RESUMING_REPEATS_NOTHING)
            return True
        return name == "EPOCH_COMPLETED" and self._ending

    def _note_firing(self, name: str) -> None:
        state = self.engine.state
        match name:
            case "DATALOADER_STOP_ITERATION":
                self._refilling = True
            case "GET_BATCH_COMPLETED":
                self._refilling = False
            case "TERMINATE_SINGLE_EPOCH":
                self._refilling = False
                if self._asked_interrupt:
                    self.cut_here(Departure.INTERRUPTION_COMES_FIRST)
            case "EPOCH_COMPLETED":
                if state.max_iters is not None and state.max_epochs is not None:
                    self.met.add(Departure.MAX_ITERS_STAYS_MAX_ITERS)
                    state.max_epochs = None
                if state.epoch_length == 0:
                    self.cut_here(Departure.EXHAUSTED_DATA_ENDS_THE_RUN)
                elif self._refilling:
                    self._end_for_lack_of_data()
            case "COMPLETED":
                self._restore_ends()
            case "INTERRUPT":
                self.note_interruption()
                self._in_interrupt, self._asked_interrupt = True, False

    def _end_for_lack_of_data(self) -> None:
        state = self.engine.state
        self.met.add(Departure.EXHAUSTED_DATA_ENDS_THE_RUN)
        self._true_ends = (state.max_epochs, state.max_iters)
        self._refilling, self._warned = False, True
        if state.max_iters is None:
            state.max_epochs = state.epoch
        else:
            state.max_iters = state.iteration

    def _restore_ends(self) -> None:
        if self._true_ends is not None:
            self.engine.state.max_epochs, self.engine.state.max_iters = self._true_ends
            self._true_ends = None

    def may_grow(self) -> bool:
        if self._true_ends is not None:
            self.cut_here(Departure.EXHAUSTED_DATA_ENDS_THE_RUN)
        return True

    def bare_data(self) -> Iterable[str] | None:
        self.met.add(Departure.GOING_ON_KEEPS_ITS_DATA)
        return self.engine.state.dataloader

    def _play_run(self, number: int, run: Run) -> None:
        if self._unusable and (run.load is not None or not run.anew):
            self.cut_here(Departure.USABLE_AFTER_AN_ERROR)
        self._unusable = self._loaded = False
        if self.cut is None:
            super()._play_run(number, run)

    def _call_run(self, name: str, data: Iterable[str] | None, ends: dict[str, Any]) -> None:
        self._had_asked_end = self._asked_end
        self._asked_end = self._asked_interrupt = self._ending = self._in_interrupt = False
        self._fired = self._warned = False
        self._last_before = (self._last_at_error, self._left_by_error)
        self._error, self._last_at_error, self._left_by_error = None, ERROR, False
        self._refilling = self._refilling and self.interrupted
        self._was_interrupted, self.interrupted = self.interrupted, False
        self._before = {name: getattr(self.engine.state, name) for name in NUMBERS}
        self._prepare_length(data, ends)
        if data is None and not self._was_interrupted and not self._is_new(ends):
            data = self.engine.state.dataloader
            self.met.add(Departure.GOING_ON_KEEPS_ITS_DATA)
        self._check_epochs(ends)
        super()._call_run(name, data, ends)

    def _load(self, load: Load) -> None:
        super()._load(load)
        self._loaded = True

    def _check_epochs(self, ends: dict[str, Any]) -> None:
        """Notice a run that the reference continues by its iterations, not by its epochs."""
        state = self.engine.state
        loaded, self._loaded = self._loaded, False
        if self._is_new(ends) or self._was_interrupted or not state.iteration or loaded:
            return
        length = state.epoch_length
        unlike = length is None or state.iteration != state.epoch * length
        if length is None or (unlike and not self.engine.should_terminate):
            self.cut_here(Departure.EPOCHS_DONE_ARE_DONE)

    def _prepare_length(self, data: Iterable[str] | None, ends: dict[str, Any]) -> None:
        state = self.engine.state
        if data is None or self._was_interrupted:
            return
        if state.iteration == state.epoch == 0:
            if state.max_epochs is state.max_iters is None and state.epoch_length is not None:
                ends.setdefault("epoch_length", state.epoch_length)
                self.met.add(Departure.A_PRESET_LENGTH_IS_KEPT)
        elif self._is_new(ends) and not hasattr(data, "__len__"):
            self.met.add(Departure.A_NEW_RUN_MEASURES_ITS_DATA)
            state.epoch_length = None

    def _is_new(self, ends: dict[str, Any]) -> bool:
        """Return whether a run begins from 0."""
        state = self.engine.state
        epochs, iters = state.max_epochs, state.max_iters
        if epochs is None and iters is None:
            return True
        if iters is not None:
            return bool(state.iteration >= ends.get("max_iters", iters))
        return bool(state.epoch >= ends.get("max_epochs", epochs))

    def end_line(self, outcome: str, warned: int) -> str:
        raised = outcome.startswith("raised")
        if raised and self.engine.state.epoch_length == 0:
            self.cut_here(Departure.EXHAUSTED_DATA_ENDS_THE_RUN)
        self._left_by_error = self._fired and raised
        if raised and not self._fired:
            self._last_at_error, self._left_by_error = self._last_before
            self.met.add(Departure.A_REFUSED_RUN_CHANGES_NOTHING)
            self._asked_end = self._had_asked_end
            for name, value in self._before.items():
                setattr(self.engine.state, name, value)
        self._unusable = self._unusable or self._left_by_error
        interrupted_ends = self._true_ends
        self._restore_ends()
        line = super().end_line(outcome, 1 if self._warned else warned)
        if self.interrupted and interrupted_ends is not None:
            self._end_for_lack_of_data()
        return line

    def last_event(self) -> str:
        # The reference fires EXCEPTION_RAISED only where somebody handles it, and more than once.
        return self._last_at_error if self._left_by_error else super().last_event()

    def was_terminated(self) -> bool:
        return self._asked_end

    def is_attached(self, name: str) -> bool:
        return any(not found.removed for found in self._registrations[name])

    def handler_names(self) -> Iterable[str]:
        return self._registrations

    def perform(self, action: Action) -> None:
        match action:
            case Terminate():
                self._before_terminate()
            case TerminateEpoch():
                self._before_terminate_epoch()
            case Interrupt() if not self._in_error:
                self._before_interrupt()
        super().perform(action)

    def _before_terminate(self) -> None:
        self._asked_end = True
        if self._in_interrupt:
            self.cut_here(Departure.TERMINATION_FOLLOWS_AT_ONCE)
        elif self._current == "TERMINATE_SINGLE_EPOCH" and not self._in_error:
            self.met.add(Departure.TERMINATION_FOLLOWS_AT_ONCE)
            self._ending = True

    def _before_terminate_epoch(self) -> None:
        if self._in_interrupt:
            self.cut_here(Departure.TERMINATION_FOLLOWS_AT_ONCE)
        elif self._current in ("STARTED", "EPOCH_STARTED"):
            self.met.add(Departure.NOTHING_TO_END_IS_SAID_AT_THE_CALL)
            raise RuntimeError("nothing to end")
        self._error_ends_epoch = self._in_error

    def _before_interrupt(self) -> None:
        if self._in_interrupt:
            return
        self._asked_interrupt = True
        if self._current in ("TERMINATE_SINGLE_EPOCH", "TERMINATE", "COMPLETED"):
            self.cut_here(Departure.INTERRUPTION_COMES_FIRST)

    def set_data(self, data: Iterable[str]) -> None:
        super().set_data(data)
        if self._refilling and isinstance(data, Unsized):
            # The reference makes a second iterator right away: let it be the first pass again.
            self.met.add(Departure.A_RESTART_MAKES_ONE_ITERATOR)
            data.passes -= 1

    def attach(self, handler: Handler) -> None:
        function = self.handler_call(handler)
        made = self._registrations[handler.name] = []
        for on in handler.on:
            why = why_mended(on)
            self.met |= why
            found = Registration(
                on.event, function, self._firings[on.event], on.filter if why else None
            )
            made.append(found)
            if on.event == ERROR:
                found.filter = on.filter
                self._watch(found)
                continue
            event = self.kit.event(on.event)
            found.called = self._guarded(found)
            found.handle = self.engine.add_event_handler(
                event if why else filtered(event, on.filter), found.called
            )

    def _guarded(self, found: Registration) -> Callable[..., None]:
        def call(engine: Any, *carried: Any, **named: Any) -> None:
            if found.event in self._muted:
                return
            if found.removed:
                self.met.add(Departure.REMOVED_HANDLERS_ARE_OUT)
            elif found.born == self._firings[found.event]:
                self.met.add(Departure.ADDED_HANDLERS_WAIT)
            elif found.filter is None or fires(found.filter, self._count(found.event)):
                found.function(engine, *carried, **named)

        return call

    def _count(self, event: str) -> int:
        state = self.engine.state
        if event in ("STARTED", "EPOCH_STARTED", "EPOCH_COMPLETED", "COMPLETED"):
            return int(state.epoch)
        if event.startswith(("GET_BATCH", "ITERATION")):
            return int(state.iteration)
        return self._firings[event]

    def detach(self, action: Detach) -> None:
        for found in self._registrations.get(action.name, ()):
            if found.removed:
                continue
            found.removed = True
            if found.handle is None:
                self._watchers.remove(found)
            elif action.by_function and len(self._registrations[action.name]) == 1:
                self.engine.remove_event_handler(found.called, self.kit.event(found.event))
            else:
                found.handle.remove()

    def _watch(self, found: Registration) -> None:
        dispatch = self._dispatch_error
        if not self.engine.has_event_handler(dispatch):
            self.engine.add_event_handler(self.kit.event(ERROR), dispatch)
        self._watchers.append(found)

    def _dispatch_error(self, engine: Any, error: BaseException) -> None:
        """Call the handlers of EXCEPTION_RAISED, then let the error out, unless one of them asked."""
        if self.engine.state.epoch_length == 0:
            self.cut_here(Departure.EXHAUSTED_DATA_ENDS_THE_RUN)
        if error is self._error or self.cut is not None:
            raise error
        self._firings[ERROR] += 1
        self._error, self._in_error = error, True
        asked_before, self._asked_end, self._error_ends_epoch = self._asked_end, False, False
        try:
            for found in list(self._watchers):
                passes = found.filter is None or fires(found.filter, self._firings[ERROR])
                if passes and not found.removed:
                    found.function(engine, error)
        except BaseException as another:
            self._error = another
            raise
        finally:
            self._in_error = False
            self._last_at_error = super().last_event()
            asked_now = self._asked_end
            self._asked_end = asked_before or asked_now
        self._follow_error(error, asked_now)

    def _follow_error(self, error: BaseException, ends_run: bool) -> None:
        if not ends_run and not self._error_ends_epoch:
            self.met.add(Departure.ERRORS_ARE_NOT_SWALLOWED)
            raise error
        self.met.add(Departure.AN_ERROR_CAN_END_IN_ORDER)
        if ends_run and self._current in IN_EPOCH and isinstance(error, Exception):
            self._ending = True
        else:
            self.cut_here(Departure.AN_ERROR_CAN_END_IN_ORDER)
