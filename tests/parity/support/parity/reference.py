"""The interpreter for pytorch-ignite: where glowplug departs on purpose, it is made to do the same.

Owns: the mends of how a run is called, goes on, ends and is taken up again; and noticing the
departures that cannot be mended, which cut the comparison.
Must not know: glowplug's engine.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from parity.departures import Departure
from parity.kits import Kit
from parity.programs import (
    Action,
    Interrupt,
    Load,
    Program,
    Run,
    SetData,
    Terminate,
    TerminateEpoch,
)
from parity.reference_errors import ReferenceErrors
from parity.reference_handlers import NUMBERS, Call

CLOSING = ("TERMINATE_SINGLE_EPOCH", "TERMINATE", "COMPLETED")


class Reference(ReferenceErrors):
    """One program on one engine of pytorch-ignite."""

    def __init__(self, kit: Kit, program: Program) -> None:
        super().__init__(kit, program)
        self._unusable = self._loaded = self._set_after_error = False
        self._given: Iterable[str] | None = None
        self._true_ends: tuple[int | None, int | None] | None = None

    # What happens when an event is fired.

    def is_muted(self, name: str) -> bool:
        if name == "TERMINATE" and not self.now.asked_end:
            self.meet(Departure.THE_END_IS_NO_TERMINATION)
            return True
        if name == "GET_BATCH_STARTED" and self.refilling:
            self.meet(Departure.RESUMING_REPEATS_NOTHING)
            return True
        return name == "EPOCH_COMPLETED" and self.now.ending

    def note_firing(self, name: str) -> None:
        match name:
            case "DATALOADER_STOP_ITERATION":
                self.refilling = True
            case "GET_BATCH_COMPLETED":
                self.refilling = False
            case "TERMINATE_SINGLE_EPOCH":
                self.refilling = False
                if self.now.asked_interrupt:
                    self.cut_here(Departure.INTERRUPTION_COMES_FIRST)
            case "EPOCH_COMPLETED":
                self._note_end_of_epoch()
            case "COMPLETED":
                self._restore_ends()
            case "INTERRUPT":
                self.note_interruption()
                self.now.in_interrupt, self.now.asked_interrupt = True, False

    def _note_end_of_epoch(self) -> None:
        state = self.engine.state
        if state.max_iters is not None and state.max_epochs is not None:
            self.meet(Departure.MAX_ITERS_STAYS_MAX_ITERS)
            state.max_epochs = None
        if state.epoch_length == 0:
            self.cut_here(Departure.EXHAUSTED_DATA_ENDS_THE_RUN)
        elif self.refilling:
            self._end_for_lack_of_data()
        elif state.max_epochs is not None and state.epoch_length is not None:
            enough = state.iteration >= state.max_epochs * state.epoch_length
            if enough and state.epoch < state.max_epochs:
                self.cut_here(Departure.EPOCHS_DONE_ARE_DONE)

    def _end_for_lack_of_data(self) -> None:
        """Let this epoch be the last, until COMPLETED."""
        state = self.engine.state
        self.meet(Departure.EXHAUSTED_DATA_ENDS_THE_RUN)
        self._true_ends = (state.max_epochs, state.max_iters)
        self.refilling, self.now.ran_dry = False, True
        if state.max_iters is None:
            state.max_epochs = state.epoch
        else:
            state.max_iters = state.iteration

    def _restore_ends(self) -> None:
        if self._true_ends is not None:
            self.engine.state.max_epochs, self.engine.state.max_iters = self._true_ends
            self._true_ends = None

    # How a run is called.

    def play_run(self, number: int, run: Run) -> None:
        self._loaded = False
        if self._unusable:
            self._make_usable()
        if self._set_after_error:
            # The reference would take its first batch from these data.
            self.cut_here(Departure.USABLE_AFTER_AN_ERROR)
        if self.cut is None:
            super().play_run(number, run)

    def _make_usable(self) -> None:
        """Let the reference get over an error by a run that does nothing."""
        self.meet(Departure.USABLE_AFTER_AN_ERROR)
        self._unusable = False
        state = self.engine.state
        numbers = {name: getattr(state, name) for name in NUMBERS}
        self.engine.run(state.dataloader, epoch_length=state.epoch_length)
        for name, value in numbers.items():
            setattr(state, name, value)
        self.engine.should_terminate = True  # else it goes on inside an epoch

    def load(self, load: Load) -> None:
        super().load(load)
        self._loaded = True

    def may_grow(self) -> bool:
        if self._true_ends is not None:
            self.cut_here(Departure.EXHAUSTED_DATA_ENDS_THE_RUN)
        return True

    def call_run(self, name: str, data: Iterable[str] | None, ends: dict[str, Any]) -> None:
        state, given = self.engine.state, data
        numbers = {name: getattr(state, name) for name in NUMBERS}
        self.before, self.now = self.now, Call(numbers, self.interrupted, self.interrupted)
        if self.now.resumes:
            data = self._given if data is None else data
        else:
            self.refilling = False
            self._prepare_length(data, ends)
            if data is None and not self._is_new(ends):
                data = state.dataloader
            self._given = data
            self._check_epochs(ends)
        if given is not data:
            self.meet(Departure.GOING_ON_KEEPS_ITS_DATA)
        super().call_run(name, data, ends)

    def _is_new(self, ends: dict[str, Any]) -> bool:
        """Return whether a run begins from 0."""
        state = self.engine.state
        epochs, iters = state.max_epochs, state.max_iters
        if epochs is None and iters is None:
            return True
        if iters is not None:
            return bool(state.iteration >= ends.get("max_iters", iters))
        return bool(state.epoch >= ends.get("max_epochs", epochs))

    def _prepare_length(self, data: Iterable[str] | None, ends: dict[str, Any]) -> None:
        state = self.engine.state
        if data is None:
            return
        if state.iteration == state.epoch == 0:
            if state.max_epochs is state.max_iters is None and state.epoch_length is not None:
                ends.setdefault("epoch_length", state.epoch_length)
                self.meet(Departure.A_PRESET_LENGTH_IS_KEPT)
        elif self._is_new(ends) and not hasattr(data, "__len__"):
            self.meet(Departure.A_NEW_RUN_MEASURES_ITS_DATA)
            state.epoch_length = None

    def _check_epochs(self, ends: dict[str, Any]) -> None:
        """Notice a run that the reference continues by its iterations, not by its epochs."""
        state = self.engine.state
        loaded, self._loaded = self._loaded, False
        if self._is_new(ends) or not state.iteration or loaded:
            return
        length = state.epoch_length
        if length is None or state.iteration > state.epoch * length:
            self.cut_here(Departure.EPOCHS_DONE_ARE_DONE)
        elif state.iteration < state.epoch * length and not self.engine.should_terminate:
            self.meet(Departure.EPOCHS_DONE_ARE_DONE)
            self.engine.should_terminate = True  # else it goes on inside an epoch

    def end_line(self, outcome: str, warned: int) -> str:
        raised = outcome.startswith("raised")
        dry, ran_dry = self._true_ends is not None, self.now.ran_dry
        if raised and self.engine.state.epoch_length == 0:
            self.cut_here(Departure.EXHAUSTED_DATA_ENDS_THE_RUN)
        if raised and not self.now.fired:
            self._undo_refused()
        elif raised:
            self.now.left_by_error = self._unusable = True
        self._restore_ends()
        line = super().end_line(outcome, 1 if ran_dry else warned)
        if dry and self.interrupted:
            self._end_for_lack_of_data()
        return line

    def _undo_refused(self) -> None:
        self.meet(Departure.A_REFUSED_RUN_CHANGES_NOTHING)
        self.now = self.now.refused(self.before)
        for name, value in self.now.numbers.items():
            setattr(self.engine.state, name, value)

    def was_terminated(self) -> bool:
        return self.now.asked_end

    # What a program does within a run.

    def perform(self, action: Action) -> None:
        match action:
            case Terminate():
                self._before_terminate()
            case TerminateEpoch():
                self._before_terminate_epoch()
            case SetData():
                self._set_after_error |= self.in_error
            case Interrupt() if not self.in_error and not self.now.in_interrupt:
                self.now.asked_interrupt = True
                if self.current in CLOSING:
                    self.cut_here(Departure.INTERRUPTION_COMES_FIRST)
        super().perform(action)

    def _before_terminate(self) -> None:
        self.now.asked_end = True
        if self.now.in_interrupt:
            self.cut_here(Departure.TERMINATION_FOLLOWS_AT_ONCE)
        elif self.current == "TERMINATE_SINGLE_EPOCH" and not self.in_error:
            self.meet(Departure.TERMINATION_FOLLOWS_AT_ONCE)
            self.now.ending = True

    def _before_terminate_epoch(self) -> None:
        if self.now.in_interrupt:
            self.cut_here(Departure.TERMINATION_FOLLOWS_AT_ONCE)
        elif self.current in ("STARTED", "EPOCH_STARTED"):
            self.meet(Departure.NOTHING_TO_END_IS_SAID_AT_THE_CALL)
            raise RuntimeError("no epoch's data runs")
        self.error_ends_epoch = self.in_error
