"""Interrupting anywhere, any number of times: the log is that of the run nobody disturbed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from glowplug import Engine, Events


class Kind(Enum):
    """What a run gets its batches from."""

    SIZED = "a list"
    UNSIZED = "iterable again, of unknown length"
    NONE = "no data"


class Unsized:
    def __init__(self, batches: range) -> None:
        self.batches = batches

    def __iter__(self) -> Iterator[int]:
        return iter(self.batches)


@dataclass(frozen=True)
class Program:
    """A run, what is watched of it, and what ends its epochs and itself."""

    kind: Kind
    batches: int
    epoch_length: int | None
    end: dict[str, int]
    watched: frozenset[Events]
    epoch_ends: frozenset[int]
    run_ends: int | None

    @property
    def data(self) -> Iterable[int] | None:
        """What the run is over."""
        batches = range(self.batches)
        if self.kind is Kind.NONE:
            return None
        return batches if self.kind is Kind.SIZED else Unsized(batches)


WATCHABLE = [event for event in Events if event not in (Events.INTERRUPT, Events.EXCEPTION_RAISED)]
ends = st.one_of(
    st.fixed_dictionaries({"max_epochs": st.integers(1, 4)}),
    st.fixed_dictionaries({"max_iters": st.integers(1, 12)}),
)
programs = st.builds(
    Program,
    kind=st.sampled_from(Kind),
    batches=st.integers(1, 5),
    epoch_length=st.one_of(st.none(), st.integers(1, 6)),
    end=ends,
    watched=st.one_of(st.just(frozenset(WATCHABLE)), st.frozensets(st.sampled_from(WATCHABLE))),
    epoch_ends=st.frozensets(st.integers(1, 10), max_size=2),
    run_ends=st.one_of(st.none(), st.integers(1, 10)),
).filter(lambda program: program.epoch_length or program.kind is not Kind.NONE)

Entry = tuple[str, int, int, Any, Any]


def play(program: Program, interrupts: frozenset[int]) -> list[Entry]:
    """Run a program to its end, interrupted at the nth firings that are watched."""
    log: list[Entry] = []
    engine = Engine[Any, Any](lambda e, batch: (e.state.iteration, batch))

    def record(engine: Engine[Any, Any], event: Events) -> None:
        state = engine.state
        log.append((event.name, state.epoch, state.iteration, state.batch, state.output))
        if len(log) in interrupts:
            engine.interrupt()

    for event in WATCHABLE:
        if event in program.watched | {Events.COMPLETED}:
            engine.add_event_handler(event, lambda e, *_, event=event: record(e, event))
    for iteration in program.epoch_ends:
        engine.add_event_handler(
            Events.ITERATION_STARTED(once=iteration), lambda e: e.terminate_epoch()
        )
    if program.run_ends is not None:
        engine.add_event_handler(
            Events.ITERATION_COMPLETED(once=program.run_ends), lambda e: e.terminate()
        )
    engine.run(program.data, epoch_length=program.epoch_length, **program.end)
    while not log or log[-1][0] != Events.COMPLETED.name:
        engine.run()
    return log


@settings(max_examples=300)
@given(programs, st.frozensets(st.integers(1, 60), min_size=1, max_size=6))
def test_the_log_of_the_parts_is_the_log_of_the_whole(
    program: Program, interrupts: frozenset[int]
) -> None:
    assert play(program, interrupts) == play(program, frozenset())


@settings(max_examples=100)
@given(programs)
def test_interrupted_at_every_firing_it_still_is(program: Program) -> None:
    assert play(program, frozenset(range(1, 1000))) == play(program, frozenset())
