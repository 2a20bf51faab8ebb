"""What an engine explains is what it then does: the run itself is the model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from glowplug import Engine, EventEnum, Events
from glowplug.explain.explanation import Explanation


class Mine(EventEnum):
    FIRED_BY_A_HANDLER = "fired_by_a_handler"


class History(Enum):
    """What an engine has behind it when it explains its next run."""

    NOTHING = "a new engine"
    DONE = "a run that is over"
    LONGER = "a run that is over and will be made longer"
    LOADED = "a state that was loaded"
    INTERRUPTED = "a run that was interrupted"
    TERMINATED = "a run that was terminated"


Arguments = dict[str, Any]
EVENTS = [event for event in Events if event.name not in ("EXCEPTION_RAISED", "INTERRUPT")]


@dataclass(frozen=True)
class Program:
    """A run, its handlers, and what comes before it."""

    handlers: list[tuple[list[EventEnum], list[Arguments], str]]
    epoch_length: int
    data: bool
    end: dict[str, int]
    history: History
    at: tuple[EventEnum, int]


numbers = st.integers(1, 12)
filters: st.SearchStrategy[Arguments] = st.one_of(
    st.fixed_dictionaries(
        {}, optional={"every": numbers, "before": numbers, "after": numbers}
    ).filter(bool),
    st.fixed_dictionaries({"once": st.lists(numbers, min_size=1, max_size=4)}),
    st.just({"event_filter": "third"}),
)
programs = st.builds(
    Program,
    handlers=st.lists(
        st.tuples(
            st.lists(st.sampled_from([*EVENTS, *Mine]), min_size=1, max_size=2, unique=True),
            st.lists(filters, max_size=2),
            st.sampled_from(["compute", "act", "report", "persist"]),
        ),
        max_size=6,
    ),
    epoch_length=st.integers(1, 7),
    data=st.booleans(),
    end=st.one_of(
        st.fixed_dictionaries({"max_epochs": st.integers(1, 5)}),
        st.fixed_dictionaries({"max_iters": st.integers(1, 20)}),
    ),
    history=st.sampled_from(History),
    at=st.tuples(st.sampled_from(EVENTS), st.integers(1, 12)),
)
Entry = tuple[str, int, int, list[str]]


class Rig:
    """An engine that logs its firings with the handlers that each calls."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.log: list[Entry] = []
        self.asked = 0
        self.data = range(program.epoch_length) if program.data else None
        self.engine = Engine[Any, Any](lambda engine, batch: batch, events=[Mine])
        with self.engine.in_phase("compute"):
            for event in EVENTS:
                self.engine.add_event_handler(event, self._begin(event))
        for number, (events, chain, phase) in enumerate(program.handlers):
            self._attach(number, events, chain, phase)

    def _begin(self, event: EventEnum) -> Callable[..., None]:
        def begin(engine: Engine[Any, Any], *_: object) -> None:
            self.log.append((event.name, engine.state.epoch, engine.state.iteration, []))

        begin.__qualname__ = "begin"
        return begin

    def _attach(
        self, number: int, events: list[EventEnum], chain: list[Arguments], phase: str
    ) -> None:
        def called(*_: object) -> None:
            self.log[-1][3].append(called.__qualname__)

        called.__qualname__ = f"handler {number}"
        joined: Any = None
        for event in events:
            narrowed: Any = event
            for arguments in chain:
                asks = "event_filter" in arguments
                narrowed = narrowed(**({"event_filter": self._third} if asks else arguments))
            joined = narrowed if joined is None else joined | narrowed
        with self.engine.in_phase(phase):
            self.engine.add_event_handler(joined, called)

    def _third(self, engine: Engine[Any, Any], count: int) -> bool:
        self.asked += 1
        return count % 3 == 1

    def run(self, **end: int) -> None:
        """Run as the program says."""
        length = self.program.epoch_length
        self.engine.run(self.data, epoch_length=None if end == {} else length, **end)

    def live_through(self) -> dict[str, int]:
        """Let the engine have its history; return the end of the run that is explained."""
        history, end = self.program.history, self.program.end
        if history is History.LOADED:
            (mode,) = end
            wanted = end[mode] * (self.program.epoch_length if mode == "max_epochs" else 1)
            iteration = min(self.program.at[1], wanted)
            saved = {"iteration": iteration, "epoch_length": self.program.epoch_length, **end}
            self.engine.load_state_dict(saved)
            return end
        if history is History.INTERRUPTED:
            self._run_until(self.program.at, self.engine.interrupt, end)
        elif history is History.TERMINATED:
            self._run_until(self.program.at, self.engine.terminate, end)
        elif history is not History.NOTHING:
            self.run(**end)
        if history is History.LONGER:
            return {mode: value + self.program.at[1] for mode, value in end.items()}
        return {} if self.engine._stage.name != "IDLE" else end

    def _run_until(
        self, at: tuple[EventEnum, int], stop: Callable[[], None], end: dict[str, int]
    ) -> None:
        event, times = at
        left = iter(range(times - 1, -1, -1))

        def count_down(*_: object) -> None:
            if next(left, None) == 0:
                stop()

        with self.engine.add_event_handler(event, count_down):
            self.run(**end)

    def explained(self, end: dict[str, int]) -> Explanation:
        """Return what the engine says of the run that comes next."""
        length = self.program.epoch_length if end else None
        return self.engine.explain(length, **end, data=self.program.data)

    def snapshot(self) -> list[object]:
        """Return all of the engine that a rehearsal could disturb."""
        engine, state = self.engine, self.engine.state
        slots = engine._table.slots.values()
        table = [(s.event, s.fired, s.due, s.scheduled, [*s.registrations]) for s in slots]
        names = ("_state", "_table", "_clocks", "_describer", "_asked")
        position = {key: value for key, value in vars(engine).items() if key not in names}
        return [dict(vars(state)), dict(state.times), table, position, engine._asked.copy()]


@settings(max_examples=400)
@given(programs)
def test_what_is_explained_is_what_is_run(program: Program) -> None:
    rig = Rig(program)
    end = rig.live_through()
    rig.log.clear()
    explanation = rig.explained(end)
    firings = list(explanation.firings())
    rig.run(**end)
    told = [(str(f.event), f.epoch, f.iteration) for f in firings]
    assert told == [tuple(entry[:3]) for entry in rig.log]
    for firing, (*_, called) in zip(firings, rig.log, strict=True):
        perhaps = {handler.name for handler in firing.perhaps}
        sure = [h.name for h in firing.called if h.name.startswith("handler")]
        assert [name for name in called if name not in perhaps] == sure


@settings(max_examples=200)
@given(programs)
def test_explaining_leaves_the_engine_as_it_was(program: Program) -> None:
    rig = Rig(program)
    end = rig.live_through()
    before, asked = rig.snapshot(), rig.asked
    explanation = rig.explained(end)
    assert str(explanation)
    assert rig.snapshot() == before
    assert rig.asked == asked


@settings(max_examples=200)
@given(programs)
def test_a_handler_is_marked_by_what_the_run_does_with_it(program: Program) -> None:
    rig = Rig(program)
    end = rig.live_through()
    rig.log.clear()
    explanation = rig.explained(end)
    rig.run(**end)
    called = {(entry[0], name) for entry in rig.log for name in entry[3]}
    for expected in explanation.events:
        for entry in expected.handlers:
            ran = (str(expected.event), entry.handler.name) in called
            if entry.handler.name.startswith("handler"):
                assert entry.mark.value in (
                    {"always", "sometimes", "perhaps"}
                    if ran
                    else {"perhaps", "never", "only when fired"}
                )


@settings(max_examples=200)
@given(programs)
def test_the_json_holds_every_firing_and_every_call(program: Program) -> None:
    rig = Rig(program)
    explanation = rig.explained(rig.live_through())
    document = explanation.to_dict()
    firings = [(str(f.event), f.epoch, f.iteration, f.count) for f in explanation.firings()]
    assert list(unrolled(document)) == firings
    for event, expected in zip(document["events"], explanation.events, strict=True):
        assert event["firings"] == sum(name == event["event"] for name, *_ in firings)
        for plain, entry in zip(event["handlers"], expected.handlers, strict=True):
            counts = [n for a, b, step in plain["calls"] for n in range(a, b + 1, step)]
            assert counts == list(entry.counts)
            assert len(counts) == plain["number"]
        spans = [n + i for n, _, times, _ in event["spans"] for i in range(times)]
        assert spans == [count for name, *_, count in firings if name == event["event"]]


def unrolled(document: dict[str, Any]) -> Any:
    """Yield every firing of an explanation's JSON, as its documentation says."""
    names = [event["event"] for event in document["events"]]
    counts = [event["spans"][0][0] if event["spans"] else 0 for event in document["events"]]
    epoch, iteration = document["run"]["epochs"][0], document["run"]["iterations"][0]
    for part in document["order"]:
        for group in part["groups"] * part["times"]:
            for index, epochs, iterations in group["steps"] * group["times"]:
                epoch, iteration = epoch + epochs, iteration + iterations
                yield names[index], epoch, iteration, counts[index]
                counts[index] += 1
