"""Handlers on the reference: attached so that they are called as glowplug calls them.

Owns: the registrations of the reference's handlers, the firings under way, and the mends of filters
and of handlers that come and go during a firing.
Must not know: how runs end.

A silent handler goes first on every event but EXCEPTION_RAISED. It knows which firing is under way,
and every other handler asks it whether it is to be called.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from parity.departures import Departure
from parity.interpreter import Interpreter, filtered
from parity.kits import Kit
from parity.model import COUNTED_BY_EPOCHS, COUNTED_BY_ITERATIONS, fires, why_mended
from parity.programs import (
    CUSTOM_EVENTS,
    RUN_EVENTS,
    Detach,
    Filter,
    Handler,
    Program,
)

ERROR = "EXCEPTION_RAISED"
NUMBERS = ("epoch", "iteration", "epoch_length", "max_epochs", "max_iters")


@dataclass(eq=False)
class Registration:
    """One handler on one event of the reference.

    Args:
        event: the event's name.
        function: what the program wants to be called.
        born: the number of the firing during which it was added.
        filter: a filter that the reference itself does not apply as glowplug does.
        handle: what removes it; None for a handler of EXCEPTION_RAISED, which the test calls.
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


@dataclass
class Call:
    """One call of ``run``, and what has happened in it.

    Args:
        numbers: the numbers of the state before it.
        resumes: whether it takes up an interrupted run.
        fired: whether any event was fired, in an earlier call of the same run too.
        asked_end: whether the program called ``terminate``.
        asked_interrupt: whether it called ``interrupt`` and INTERRUPT has not been fired yet.
        in_interrupt: whether INTERRUPT has been fired.
        ending: whether the run ends without another EPOCH_COMPLETED.
        ran_dry: whether the data gave out.
        error: the error that the handlers of EXCEPTION_RAISED have seen.
        left_by_error: whether an error has left the run.
        last_at_error: the last event when it did.
    """

    numbers: dict[str, int | None]
    resumes: bool = False
    fired: bool = False
    asked_end: bool = False
    asked_interrupt: bool = False
    in_interrupt: bool = False
    ending: bool = False
    ran_dry: bool = False
    error: BaseException | None = None
    left_by_error: bool = False
    last_at_error: str = ERROR

    def refused(self, before: Call) -> Call:
        """Return what is left of a call that was refused: what was before it."""
        return replace(before, numbers=self.numbers)


class ReferenceHandlers(Interpreter):
    """An interpreter for pytorch-ignite, as far as handlers go.

    Attributes:
        now: the present call of ``run``.
        before: the one before.
        current: the event of the run that was fired last.
        refilling: whether DATALOADER_STOP_ITERATION has been fired and no batch has come since.
    """

    def __init__(self, kit: Kit, program: Program) -> None:
        super().__init__(kit, program)
        self.now = self.before = Call({})
        self.current = ""
        self.refilling = False
        self._registrations: dict[str, list[Registration]] = {}
        self._firings: Counter[str] = Counter()
        self._muted: set[str] = set()

    def cut_here(self, departure: Departure) -> None:
        """Leave all that follows out of the comparison."""
        self.meet(departure)
        if self.cut is None:
            self.cut = (len(self.log), departure)

    def meet(self, departure: Departure) -> None:
        """Note that a departure was met, as long as anything is compared."""
        if self.cut is None:
            self.met.add(departure)

    def is_muted(self, name: str) -> bool:
        """Return whether glowplug would not fire this event now."""
        raise NotImplementedError

    def note_firing(self, name: str) -> None:
        """Do what the firing of an event calls for, before its handlers run."""
        raise NotImplementedError

    def watch_errors(self, found: Registration) -> None:
        """Let a handler see errors."""
        raise NotImplementedError

    def forget_watcher(self, found: Registration) -> None:
        """Let a handler see no more errors."""
        raise NotImplementedError

    def prepare(self) -> None:
        for name in (*RUN_EVENTS, *CUSTOM_EVENTS):
            if name != ERROR:
                self.engine.add_event_handler(self.kit.event(name), self._silent(name))

    def _silent(self, name: str) -> Callable[..., None]:
        def silent(engine: Any, *carried: Any, **named: Any) -> None:
            if self.cut is not None:
                engine.terminate()  # nothing is compared any more
            self._muted.discard(name)
            if self.is_muted(name):
                self._muted.add(name)
                return
            self.count_firing(name)
            self.now.fired = True
            if name not in (*CUSTOM_EVENTS, "INTERRUPT"):
                self.current = name
            self.note_firing(name)

        return silent

    def count_firing(self, name: str) -> int:
        """Count a firing and return its number."""
        self._firings[name] += 1
        return self._firings[name]

    def attach(self, handler: Handler) -> None:
        function = self.handler_call(handler)
        made = self._registrations[handler.name] = []
        for on in handler.on:
            why = why_mended(on)
            for departure in why:
                self.meet(departure)
            rest = on.filter if why else None
            found = Registration(on.event, function, self._firings[on.event], rest)
            made.append(found)
            if on.event == ERROR:
                self.watch_errors(found)
                continue
            event = self.kit.event(on.event)
            found.called = self._guarded(found)
            wanted = event if why else filtered(event, on.filter)
            found.handle = self.engine.add_event_handler(wanted, found.called)

    def _guarded(self, found: Registration) -> Callable[..., None]:
        def call(engine: Any, *carried: Any, **named: Any) -> None:
            if found.event in self._muted:
                return
            if found.removed:
                self.meet(Departure.REMOVED_HANDLERS_ARE_OUT)
            elif found.born == self._firings[found.event]:
                self.meet(Departure.ADDED_HANDLERS_WAIT)
            elif found.filter is None or fires(found.filter, self._count(found.event)):
                found.function(engine, *carried, **named)

        return call

    def _count(self, event: str) -> int:
        if event in COUNTED_BY_EPOCHS:
            return int(self.engine.state.epoch)
        if event in COUNTED_BY_ITERATIONS:
            return int(self.engine.state.iteration)
        return self._firings[event]

    def detach(self, action: Detach) -> None:
        for found in self._registrations.get(action.name, ()):
            if found.removed:
                continue
            found.removed = True
            if found.handle is None:
                self.forget_watcher(found)
            elif action.by_function and len(self._registrations[action.name]) == 1:
                self.engine.remove_event_handler(found.called, self.kit.event(found.event))
            else:
                found.handle.remove()

    def is_attached(self, name: str) -> bool:
        return any(not found.removed for found in self._registrations[name])

    def handler_names(self) -> Iterable[str]:
        return self._registrations
