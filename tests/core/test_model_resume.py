"""Saved at any iteration and loaded into another engine, a run goes on as if never stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator
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
    SHORTER = "a list that an epoch goes through more than once"


class Unsized:
    def __init__(self, batches: range) -> None:
        self.batches = batches

    def __iter__(self) -> Iterator[int]:
        return iter(self.batches)


@dataclass(frozen=True)
class Program:
    """A run of epochs that begin with the first batch, as those of a DataLoader do."""

    kind: Kind
    batches: int
    end: dict[str, int]

    @property
    def arguments(self) -> dict[str, Any]:
        """What the run is called with."""
        batches = range(self.batches)
        if self.kind is Kind.SIZED:
            return {"data": batches, **self.end}
        if self.kind is Kind.UNSIZED:
            return {"data": Unsized(batches), **self.end}
        if self.kind is Kind.NONE:
            return {"data": None, "epoch_length": self.batches, **self.end}
        return {"data": batches, "epoch_length": self.batches * 2, **self.end}


programs = st.builds(
    Program,
    kind=st.sampled_from(Kind),
    batches=st.integers(1, 5),
    end=st.one_of(
        st.fixed_dictionaries({"max_epochs": st.integers(1, 4)}),
        st.fixed_dictionaries({"max_iters": st.integers(1, 15)}),
    ),
)
Entry = tuple[str, int, int, Any]


def watched(saves: list[str] | None = None) -> tuple[Engine[Any, Any], list[Entry]]:
    """Return an engine, a log of its iterations and ends; and save its state at each."""
    log: list[Entry] = []
    engine = Engine[Any, Any](lambda e, batch: batch)

    def record(engine: Engine[Any, Any], event: Events) -> None:
        state = engine.state
        log.append((event.name, state.epoch, state.iteration, state.batch))
        if saves is not None:
            saves.append(json.dumps(engine.state_dict()))

    for event in (Events.ITERATION_COMPLETED, Events.EPOCH_COMPLETED, Events.COMPLETED):
        engine.add_event_handler(event, record, event)
    return engine, log


@settings(max_examples=150)
@given(programs)
def test_a_run_goes_on_from_every_saved_state(program: Program) -> None:
    saves: list[str] = []
    engine, whole = watched(saves)
    engine.run(**program.arguments)
    for position, saved in enumerate(saves, start=1):
        rest = whole[position:]
        if not any(name == Events.ITERATION_COMPLETED.name for name, *_ in rest):
            continue  # nothing of it is left to run
        if rest[0][0] == Events.EPOCH_COMPLETED.name and json.loads(saved)["epoch_length"]:
            rest = rest[1:]  # the saved iteration was known to be the last of its epoch
        resumed, log = watched()
        resumed.load_state_dict(json.loads(saved))
        resumed.run(**{"data": program.arguments["data"]})
        assert log == rest


@settings(max_examples=50)
@given(programs, st.integers(1, 20))
def test_what_is_loaded_is_what_was_saved(program: Program, stop: int) -> None:
    engine, _ = watched()
    engine.add_event_handler(Events.ITERATION_COMPLETED(once=stop), lambda e: e.terminate())
    engine.run(**program.arguments)
    saved = engine.state_dict()
    other, _ = watched()
    other.load_state_dict(saved)
    assert other.state_dict() == saved
