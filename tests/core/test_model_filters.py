"""Filters against a slow and obvious model: a list comprehension over the counts of the firings.

The counts are read off an engine that is watched at every firing; the filtered handlers run on one
that nobody else watches, so that it may skip all it can.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from glowplug import Engine, EventEnum, Events
from glowplug.filters import NEVER, Predicate, Schedule


class Mine(EventEnum):
    COUNTED = "counted"
    MAPPED = "mapped"


Arguments = dict[str, Any]
EVENTS = [
    Events.STARTED,
    Events.EPOCH_STARTED,
    Events.GET_BATCH_STARTED,
    Events.GET_BATCH_COMPLETED,
    Events.ITERATION_STARTED,
    Events.ITERATION_COMPLETED,
    Events.EPOCH_COMPLETED,
    Events.DATALOADER_STOP_ITERATION,
    Events.COMPLETED,
    Mine.COUNTED,
    Mine.MAPPED,
]
COUNT_THEMSELVES = {Events.DATALOADER_STOP_ITERATION, Mine.COUNTED}


def third(engine: Any, count: int) -> bool:
    return count % 3 == 1


def passes(arguments: Arguments, count: int) -> bool:
    """Return whether a filter lets a count through, as line 18 says it."""
    if "event_filter" in arguments:
        return third(None, count)
    if "once" in arguments:
        return count in arguments["once"]
    every, before, after = (arguments.get(name) for name in ("every", "before", "after"))
    if before is not None and count >= before:
        return False
    if after is not None:
        return count > after and (every is None or (count - after - 1) % every == 0)
    return every is None or every == 1 or (count > 0 and count % every == 0)


numbers = st.integers(1, 12)
filters: st.SearchStrategy[Arguments] = st.one_of(
    st.fixed_dictionaries(
        {}, optional={"every": numbers, "before": numbers, "after": numbers}
    ).filter(bool),
    st.fixed_dictionaries({"once": st.lists(numbers, min_size=1, max_size=4)}),
    st.just({"event_filter": third}),
)
chains = st.lists(filters, min_size=1, max_size=3)


@given(filters, st.integers(0, 40))
def test_a_schedule_fires_where_the_model_does(arguments: Arguments, count: int) -> None:
    (made,) = Events.STARTED(**arguments).filters
    if isinstance(made, Predicate):
        assert made.function is third
    else:
        assert made.fires(count) is passes(arguments, count)


@given(filters.filter(lambda arguments: "event_filter" not in arguments), st.integers(0, 40))
def test_the_next_firing_of_a_schedule_is_the_first_that_the_model_has(
    arguments: Arguments, count: int
) -> None:
    (made,) = Events.STARTED(**arguments).filters
    assert isinstance(made, Schedule)
    expected = next((n for n in range(count, 80) if passes(arguments, n)), NEVER)
    assert made.first_from(count) == expected


@dataclass(frozen=True)
class Program:
    """A run, and what its handler of ``control`` does when it is called for the nth time."""

    control: EventEnum
    others: list[tuple[EventEnum, list[Arguments], int]]
    iterations: dict[int, int]
    epochs: dict[int, int]
    fires: dict[int, EventEnum]
    interrupts: set[int]
    epoch_length: int
    data_length: int

    @property
    def handlers(self) -> list[tuple[EventEnum, list[Arguments], int]]:
        """Return event, filters and the call that adds it, of each handler that is tested."""
        return [handler for handler in self.others if handler[0] is not self.control]


calls = st.integers(1, 20)
programs = st.builds(
    Program,
    control=st.sampled_from(
        [Events.GET_BATCH_COMPLETED, Events.ITERATION_STARTED, Events.ITERATION_COMPLETED]
    ),
    others=st.lists(
        st.tuples(st.sampled_from(EVENTS), chains, st.one_of(st.just(0), calls)),
        min_size=1,
        max_size=6,
    ),
    iterations=st.dictionaries(calls, st.integers(0, 25), max_size=2),
    epochs=st.dictionaries(calls, st.integers(0, 4), max_size=1),
    fires=st.dictionaries(calls, st.sampled_from(EVENTS), max_size=5),
    interrupts=st.sets(calls, max_size=2),
    epoch_length=st.integers(1, 9),
    data_length=st.integers(1, 9),
)


Stamp = tuple[int, int, int]
Observe = Callable[[Engine[Any, Any], int], None]


def play(program: Program, observe: Observe) -> None:
    """Run a program; ``observe`` attaches what belongs to a call of its handler, 0 the first."""
    engine = Engine[Any, Any](lambda e, batch: None)
    engine.register_events(*Mine, event_to_attr={Mine.MAPPED: "iteration"})
    engine.state.calls = 0
    observe(engine, 0)

    @engine.on(program.control)
    def control(engine: Engine[Any, Any]) -> None:
        state = engine.state
        state.calls += 1
        call = state.calls
        observe(engine, call)
        state.iteration = program.iterations.get(call, state.iteration)
        state.epoch = program.epochs.get(call, state.epoch)
        if program.fires.get(call, program.control) is not program.control:
            engine.fire_event(program.fires[call])
        if call in program.interrupts:
            engine.interrupt()

    engine.run(range(program.data_length), max_epochs=4, epoch_length=program.epoch_length)
    while engine.last_event_name is Events.INTERRUPT:
        engine.run()


def stamp(engine: Engine[Any, Any]) -> Stamp:
    """Return when it is, as far as anybody can tell from the state."""
    return engine.state.calls, engine.state.epoch, engine.state.iteration


def seen_by_handlers(program: Program) -> list[list[Stamp]]:
    """Return when each handler of the program ran."""
    seen: list[list[Stamp]] = [[] for _ in program.handlers]

    def observe(engine: Engine[Any, Any], call: int) -> None:
        for number, (event, chain, at) in enumerate(program.handlers):
            if at == call:
                filtered: Any = event
                for arguments in chain:
                    filtered = filtered(**arguments)
                engine.add_event_handler(
                    filtered, lambda e, number=number: seen[number].append(stamp(e))
                )

    play(program, observe)
    return seen


def let_through_by_the_model(program: Program) -> list[list[Stamp]]:
    """Return the firings of each handler's event, from its adding on, that pass its filters."""
    fired: dict[EventEnum, list[tuple[int, Stamp]]] = {event: [] for event in EVENTS}
    starts: dict[int, int] = {}

    def observe(engine: Engine[Any, Any], call: int) -> None:
        for event in EVENTS if call == 0 else ():
            engine.add_event_handler(event, note, event)
        for number, (event, _, at) in enumerate(program.handlers):
            if at == call:
                starts[number] = len(fired[event])

    def note(engine: Engine[Any, Any], event: EventEnum) -> None:
        count = len(fired[event]) + 1
        if event not in COUNT_THEMSELVES:
            count = engine.state.get_event_attrib_value(event)
        fired[event].append((count, stamp(engine)))

    play(program, observe)
    return [
        [
            when
            for count, when in fired[event][starts.get(number, len(fired[event])) :]
            if all(passes(arguments, count) for arguments in chain)
        ]
        for number, (event, chain, _) in enumerate(program.handlers)
    ]


@settings(max_examples=200)
@given(programs)
def test_handlers_run_at_the_counts_that_the_model_lets_through(program: Program) -> None:
    assert seen_by_handlers(program) == let_through_by_the_model(program)
