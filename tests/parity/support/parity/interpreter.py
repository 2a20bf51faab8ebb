"""Runs a program on an engine, with what both libraries offer, and logs what the handlers see.

Owns: the meaning of a program's words, and the log.
Must not know: which library it drives, or where they differ.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from parity.batches import made
from parity.departures import Departure
from parity.kits import Kit
from parity.programs import (
    COUNTED,
    RUN_EVENTS,
    Act,
    Action,
    Attach,
    Detach,
    Fail,
    Filter,
    Fire,
    Handler,
    Interrupt,
    Load,
    On,
    Program,
    ReplaceBatch,
    Run,
    SetData,
    Terminate,
    TerminateEpoch,
)

CATEGORIES = (KeyboardInterrupt, SystemExit, OSError, RuntimeError, ValueError, TypeError)
"""The builtins by which errors of two libraries are compared."""
LONGEST = 3000
"""A log that is longer than this belongs to a run that does not end."""
RESUMPTIONS = 6


class RunawayError(BaseException):
    """A run does not end."""


class Interpreter:
    """One program on one engine.

    Args:
        kit: the library.
        program: what to do.

    Attributes:
        log: one line for each call of a handler or the step, and for each end of a run.
        cut: from which line on a departure makes the rest incomparable, and which.
        met: the departures that were met.
        facts: what happened, in a word each, for measuring the generator.
    """

    def __init__(self, kit: Kit, program: Program) -> None:
        self.kit, self.program = kit, program
        self.log: list[str] = []
        self.cut: tuple[int, Departure] | None = None
        self.met: set[Departure] = set()
        self.facts: Counter[str] = Counter()
        self.engine = kit.engine(self._step)
        self.interrupted = False
        self._calls: Counter[str] = Counter()
        self._attached: dict[str, tuple[Any, Callable[..., None], On | None]] = {}
        custom = kit.custom
        self.engine.register_events(*custom, event_to_attr={custom[COUNTED]: "counted"})

    def play(self) -> None:
        """Run the whole program."""
        self.prepare()
        for name in RUN_EVENTS:
            if name not in self.program.unwatched:
                self.attach(Handler(f"watch {name}", (On(name),)))
        for handler in self.program.handlers:
            self.attach(handler)
        for number, run in enumerate(self.program.runs, 1):
            if not self.interrupted:
                self.play_run(number, run)

    def prepare(self) -> None:
        """Look out for interruptions, before any handler of the program."""
        event = self.kit.event("INTERRUPT")
        self.engine.add_event_handler(event, lambda engine: self.note_interruption())

    def note_interruption(self) -> None:
        """Remember that the run is to be taken up again."""
        self.interrupted = True
        self.facts["interrupted"] += 1

    def play_run(self, number: int, run: Run) -> None:
        """Call ``run``, and again as long as it is interrupted, a few times."""
        state = self.engine.state
        if run.anew:
            state.max_epochs = state.max_iters = None
        if run.load is not None:
            try:
                self.load(run.load)
            except ValueError:
                self.log.append("-- refused to load")
        data = None if run.data is None else made(run.data)
        ends: dict[str, int | None] = {"max_epochs": run.max_epochs, "max_iters": run.max_iters}
        ends["epoch_length"] = run.epoch_length
        self.call_run(f"run {number}", data, {k: v for k, v in ends.items() if v is not None})
        larger = run.resume_with
        for resumption in range(1, RESUMPTIONS + 1):
            if not self.interrupted:
                break
            ends = {}
            if larger is not None and self.may_grow():
                name = "max_epochs" if self.engine.state.max_iters is None else "max_iters"
                ends[name] = (getattr(self.engine.state, name) or 0) + larger
                larger = None
            again = None if run.resume_bare else data
            self.call_run(f"run {number}, resumed {resumption}", again, ends)

    def may_grow(self) -> bool:
        """Return whether a resumption may be given a larger end."""
        return True

    def load(self, load: Load) -> None:
        """Put the engine where a program wants it to go on from."""
        ends = {"max_epochs": load.max_epochs, "max_iters": load.max_iters}
        saved = {"iteration": load.iteration, "epoch_length": load.epoch_length}
        saved |= {name: end for name, end in ends.items() if end is not None}
        if load.as_state:
            saved["epoch"] = load.iteration // load.epoch_length
            self.engine.state = self.kit.state(**saved, counted=0)
        else:
            self.engine.load_state_dict(saved)

    def call_run(self, name: str, data: Iterable[str] | None, ends: dict[str, Any]) -> None:
        """Call ``run`` once and log its end."""
        self.interrupted = False
        self.log.append(f"-- {name}")
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            try:
                self.engine.run(data, **ends)
                outcome = "returned"
            except RunawayError:
                raise
            except BaseException as error:
                outcome = f"raised {category(error)}"
                self.facts["left by an error"] += 1
                self.interrupted = False
        self.log.append(self.end_line(outcome, len(warned)))

    def end_line(self, outcome: str, warned: int) -> str:
        """Return the line that says how a run ended and what it left behind."""
        state = self.engine.state
        values: dict[str, Any] = {
            name: getattr(state, name)
            for name in ("epoch", "iteration", "epoch_length", "max_epochs", "max_iters")
        }
        values |= {"batch": state.batch, "output": state.output, "counted": state.counted}
        values |= {"terminated": self.was_terminated(), "last": self.last_event()}
        values |= {"saved": dict(self.engine.state_dict()), "warned": warned}
        values["attached"] = [name for name in self.handler_names() if self.is_attached(name)]
        return f"-- {outcome} " + " ".join(f"{name}={value}" for name, value in values.items())

    def last_event(self) -> str:
        """Return the name of the event that was fired last."""
        event = self.engine.last_event_name
        return str(getattr(event, "name", event))

    def was_terminated(self) -> bool:
        """Return whether the run was terminated."""
        return bool(self.engine.should_terminate)

    def handler_names(self) -> Iterable[str]:
        """Return the names of all handlers that were ever attached."""
        return self._attached

    def is_attached(self, name: str) -> bool:
        """Return whether a handler is attached now."""
        return bool(self.engine.has_event_handler(self._attached[name][1]))

    def _step(self, engine: Any, batch: Any) -> str:
        self.log_line(f"step {batch}")
        self.facts["step"] += 1
        self._act("step", self.program.step)
        return f"out({batch})"

    def handler_call(self, handler: Handler) -> Callable[..., None]:
        """Return the function that a handler of a program is."""

        def function(engine: Any, *carried: Any, **named: Any) -> None:
            state = engine.state
            event = self.last_event()
            more = "".join(f" with {shown(value)}" for value in (*carried, *named.values()))
            self.log_line(
                f"{handler.name}: {event}({state.epoch}, {state.iteration})"
                f" batch={state.batch} output={state.output}{more}"
            )
            self.facts[event] += 1
            self.facts["filtered"] += any(on.filter is not None for on in handler.on)
            self._act(handler.name, handler.acts)

        return function

    def log_line(self, line: str) -> None:
        """Write a line, unless the run will not end."""
        self.log.append(line)
        if len(self.log) > LONGEST:
            raise RunawayError

    def _act(self, name: str, acts: tuple[Act, ...]) -> None:
        self._calls[name] += 1
        for act in acts:
            if act.at is None or act.at == self._calls[name]:
                self.perform(act.action)

    def perform(self, action: Action) -> None:
        """Do what a handler or the step does beside logging."""
        engine = self.engine
        self.facts[type(action).__name__] += 1
        match action:
            case Terminate(skip_completed=skip):
                engine.terminate(skip_completed=skip)
            case TerminateEpoch(skip_epoch_completed=skip):
                engine.terminate_epoch(skip_epoch_completed=skip)
            case Interrupt():
                engine.interrupt()
            case Fail(error=error):
                raise error("a program asked for it")
            case SetData(data=data):
                if engine.state.dataloader is not None:
                    engine.set_data(made(data))
            case ReplaceBatch(batch=batch):
                engine.state.batch = batch
            case Fire(event=event):
                if event == COUNTED:
                    engine.state.counted += 1
                engine.fire_event(self.kit.event(event))
            case Attach(handler=handler):
                self.attach(handler)
            case Detach():
                self.detach(action)

    def attach(self, handler: Handler) -> None:
        """Add a handler to its event or union."""
        function = self.handler_call(handler)
        union = None
        for on in handler.on:
            event = filtered(self.kit.event(on.event), on.filter)
            union = event if union is None else union | event
        handle = self.engine.add_event_handler(union, function)
        self._attached[handler.name] = (
            handle,
            function,
            handler.on[0] if len(handler.on) == 1 else None,
        )

    def detach(self, action: Detach) -> None:
        """Remove a handler, where it is attached."""
        handle, function, on = self._attached.get(action.name, (None, None, None))
        if handle is None:
            return
        if not action.by_function or on is None:
            handle.remove()
        elif self.engine.has_event_handler(function, self.kit.event(on.event)):
            self.engine.remove_event_handler(function, self.kit.event(on.event))


def filtered(event: Any, given: Filter | None) -> Any:
    """Return an event with the filter of a program."""
    if given is None:
        return event
    if given.odd:
        return event(event_filter=lambda engine, count: count % 2 == 1)
    if given.once:
        return event(once=given.once[0] if len(given.once) == 1 else list(given.once))
    return event(every=given.every, before=given.before, after=given.after)


def category(error: BaseException) -> str:
    """Return the builtin by which an error is compared."""
    return next((kind.__name__ for kind in CATEGORIES if isinstance(error, kind)), "another error")


def shown(value: Any) -> str:
    """Return what an event carries, the same for both libraries."""
    return category(value) if isinstance(value, BaseException) else repr(value)
