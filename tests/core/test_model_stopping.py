"""Terminating a run or an epoch anywhere, against the run's diagram written as a nested loop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from glowplug import Engine, Events
from glowplug.errors import NothingToEnd


class Call(Enum):
    """What is called, and with which argument."""

    EPOCH = ("terminate_epoch", False)
    EPOCH_SKIP = ("terminate_epoch", True)
    RUN = ("terminate", False)
    RUN_SKIP = ("terminate", True)

    def on(self, engine: Engine[Any, Any]) -> None:
        """Call it; where no epoch's data runs, that it is an error is tested elsewhere."""
        name, skip = self.value
        try:
            getattr(engine, name)(skip)
        except NothingToEnd:
            assert engine.last_event_name in (Events.STARTED, Events.EPOCH_STARTED)


ENDS_RUN = (Call.RUN, Call.RUN_SKIP)
STEP = "step"
PLACES = [STEP, *(e.name for e in Events if e not in (Events.INTERRUPT, Events.EXCEPTION_RAISED))]
Entry = tuple[str, int, int]


@dataclass(frozen=True)
class Program:
    """A run over ``batches`` batches, and what is called in the nth firing of an event."""

    batches: int
    sized: bool
    epoch_length: int | None
    max_epochs: int | None
    max_iters: int | None
    calls: dict[tuple[str, int], Call]


class EndEpoch(Exception):
    """Unwinds the model to the end of its epoch."""


class EndRun(Exception):
    """Unwinds the model to the end of its run."""


class Model:
    """The diagram, line by line."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.log: list[Entry] = []
        self.fired: Counter[str] = Counter()
        self.epoch = self.iteration = 0
        self.first_length = program.epoch_length or (program.batches if program.sized else None)
        self.length = self.first_length
        self.iterator: Iterator[int] | None = None

    def call_at(self, name: str) -> Call | None:
        """Count a firing and return what is called in it."""
        self.fired[name] += 1
        return self.program.calls.get((name, self.fired[name]))

    def fire(self, event: Events) -> Call | None:
        """Log a firing and return what is called in it."""
        self.log.append((event.name, self.epoch, self.iteration))
        return self.call_at(event.name)

    def fire_and_obey(self, event: Events, *, in_epoch: bool, asked: Call | None = None) -> None:
        """Fire an event and leave for where a call in it, or in the step before it, says."""
        calls = [call for call in (self.fire(event), asked) if call is not None]
        for call in calls:
            if call in ENDS_RUN:
                raise EndRun(call)
        if calls and in_epoch:
            raise EndEpoch(calls[0])

    @property
    def done(self) -> bool:
        """Whether the run has come to its end."""
        if self.program.max_iters is not None:
            return self.iteration >= self.program.max_iters
        return self.epoch >= (self.program.max_epochs or 1)

    def run(self) -> None:
        """Run until done, or terminated; a run that is done starts anew."""
        self.iterator = None
        if self.done:
            self.epoch = self.iteration = 0
            self.length = self.first_length
        try:
            self.fire_and_obey(Events.STARTED, in_epoch=False)
            while not self.done:
                self.epoch += 1
                self.fire_and_obey(Events.EPOCH_STARTED, in_epoch=False)
                try:
                    completed = self.iterate()
                except EndEpoch as end:
                    completed = self.cut(end.args[0])
                if completed:
                    self.fire_and_obey(Events.EPOCH_COMPLETED, in_epoch=False)
            self.fire(Events.COMPLETED)
        except EndRun as end:
            call = self.fire(Events.TERMINATE)
            skip = call if call in ENDS_RUN else end.args[0]
            if skip is Call.RUN:
                self.fire(Events.COMPLETED)

    def cut(self, asked: Call) -> bool:
        """End an epoch early; return whether it is completed all the same."""
        self.iterator = None
        call = self.fire(Events.TERMINATE_SINGLE_EPOCH)
        if call in ENDS_RUN:
            raise EndRun(call)
        return (call or asked) is Call.EPOCH

    def iterate(self) -> bool:
        """Run the iterations of an epoch; return whether it was not left inside."""
        count = 0
        while count != self.length:
            if self.program.max_iters is not None and self.done:
                return False
            if not self.fetch():
                self.length = count
                break
            self.iteration += 1
            self.fire_and_obey(Events.ITERATION_STARTED, in_epoch=True)
            asked = self.call_at(STEP)
            count += 1
            self.fire_and_obey(Events.ITERATION_COMPLETED, in_epoch=True, asked=asked)
        return True

    def fetch(self) -> bool:
        """Get a batch; return False where the data's end defines the length of an epoch."""
        if self.program.batches == 0:  # there is no data
            return True
        if self.iterator is None:
            self.iterator = iter(range(self.program.batches))
        self.fire_and_obey(Events.GET_BATCH_STARTED, in_epoch=True)
        if next(self.iterator, None) is None:
            if self.length is None:
                return False
            self.iterator = None
            self.fire_and_obey(Events.DATALOADER_STOP_ITERATION, in_epoch=True)
            self.iterator = iter(range(self.program.batches))
            next(self.iterator)
        self.fire_and_obey(Events.GET_BATCH_COMPLETED, in_epoch=True)
        return True


class Unsized:
    def __init__(self, batches: int) -> None:
        self.batches = batches

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.batches))


def play(program: Program, watched: frozenset[str], runs: int) -> list[Entry]:
    """Run a program on an engine; only what is watched, or calls something, has a handler."""
    log: list[Entry] = []
    fired: Counter[str] = Counter()

    def at(engine: Engine[Any, Any], name: str) -> None:
        fired[name] += 1
        if name != STEP:
            log.append((name, engine.state.epoch, engine.state.iteration))
        call = program.calls.get((name, fired[name]))
        if call is not None:
            call.on(engine)

    engine = Engine[Any, Any](lambda e, batch: at(e, STEP))
    for event in Events:
        if event.name in watched | {name for name, _ in program.calls}:
            engine.add_event_handler(event, lambda e, *_, event=event: at(e, event.name))
    sized = range(program.batches) if program.sized else Unsized(program.batches)
    for _ in range(runs):
        engine.run(
            sized if program.batches else None,
            max_epochs=program.max_epochs,
            max_iters=program.max_iters,
            epoch_length=program.epoch_length,
        )
    return log


lengths = st.integers(1, 5)
programs = st.builds(
    Program,
    batches=st.integers(0, 5),
    sized=st.booleans(),
    epoch_length=st.one_of(st.none(), lengths),
    max_epochs=st.integers(1, 4),
    max_iters=st.one_of(st.none(), st.integers(1, 12)),
    calls=st.dictionaries(
        st.tuples(st.sampled_from(PLACES), st.integers(1, 6)), st.sampled_from(Call), max_size=4
    ),
)


@settings(max_examples=400)
@given(programs, st.frozensets(st.sampled_from(PLACES)), st.integers(1, 3))
def test_the_run_fires_what_the_diagram_says(
    program: Program, watched: frozenset[str], runs: int
) -> None:
    if program.max_iters is not None:
        program = replace(program, max_epochs=None)
    if program.batches == 0:
        program = replace(program, epoch_length=program.epoch_length or 3)
    model = Model(program)
    for _ in range(runs):
        model.run()
    seen = watched | {name for name, _ in program.calls}
    expected = [entry for entry in model.log if entry[0] in seen]
    assert play(program, watched, runs) == expected
