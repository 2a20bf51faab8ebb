"""What is written down of firings is what is read back, however they repeat themselves."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glowplug import Engine, EventEnum, Events
from glowplug.explain.order import Fired, Tape

# As in an iteration: some events before it ends, none of them twice, and one that ends it.
BLOCKS = st.builds(
    lambda inside, last: [*inside, last],
    st.lists(
        st.sampled_from(
            [Events.GET_BATCH_STARTED, Events.GET_BATCH_COMPLETED, Events.ITERATION_STARTED]
        ),
        unique=True,
    ),
    st.sampled_from([Events.ITERATION_COMPLETED, Events.EPOCH_STARTED, Events.EPOCH_COMPLETED]),
)
STORIES = st.lists(st.tuples(BLOCKS, st.integers(1, 4)), max_size=6)


def told(story: list[tuple[list[Events], int]]) -> list[Fired]:
    """Return firings: blocks of events, each so many times, with counters that move on."""
    counts: Counter[Events] = Counter()
    firings, epoch, iteration = [], 0, 0
    for block, times in story:
        for event in block * times:
            epoch += event is Events.EPOCH_STARTED
            iteration += event is Events.ITERATION_STARTED
            counts[event] += 1
            firings.append(Fired(event, epoch, iteration, counts[event]))
    return firings


@given(STORIES)
def test_every_firing_is_read_back_in_order(story: list[tuple[list[Events], int]]) -> None:
    tape, firings = Tape(0, 0), told(story)
    for fired in firings:
        tape.write(fired)
    assert list(tape.order()) == firings


@given(STORIES)
def test_spans_are_the_firings_of_each_event(story: list[tuple[list[Events], int]]) -> None:
    tape, firings = Tape(0, 0), told(story)
    expected = defaultdict(list)
    for event, _, iteration, count in firings:
        expected[event].append((count, iteration))
        tape.write(Fired(event, _, iteration, count))
    assert {
        event: [
            (span.counted + place, span.iteration + place * span.distance)
            for span in spans
            for place in range(span.times)
        ]
        for event, spans in tape.order().spans().items()
    } == expected


@pytest.fixture
def engine() -> Engine[Any, Any]:
    return Engine(lambda engine, batch: batch)


def names(engine: Engine[Any, Any], **ends: Any) -> list[str]:
    """Return the events that are explained."""
    return [str(firing.event) for firing in engine.explain(**ends).firings()]


@pytest.fixture
def follow() -> Callable[[Engine[Any, Any]], list[str]]:
    """A function that writes down what an engine fires from now on."""

    def attach(engine: Engine[Any, Any]) -> list[str]:
        log: list[str] = []
        for event in Events:
            engine.add_event_handler(event, lambda *_, name=str(event): log.append(name))
        return log

    return attach


def test_an_interruption_at_an_epochs_first_batch_is_explained_with_the_datas_end(
    engine: Engine[Any, Any], follow: Callable[[Engine[Any, Any]], list[str]]
) -> None:
    data = [1, 2]
    stop = engine.add_event_handler(Events.GET_BATCH_STARTED(once=2), engine.interrupt)
    engine.run(data, max_epochs=2)
    stop.remove()
    expected, log = names(engine), follow(engine)
    engine.run(data)
    assert expected == log
    assert expected[0] == "DATALOADER_STOP_ITERATION"


def test_events_that_count_themselves_go_on_counting_in_a_second_run(
    engine: Engine[Any, Any],
) -> None:
    called: list[int] = []
    ended = Events.DATALOADER_STOP_ITERATION(once=[1, 3])
    engine.on(ended)(lambda engine: called.append(engine.state.epoch))
    engine.run([1], max_epochs=3)
    called.clear()
    explained = [firing.epoch for firing in engine.explain(max_epochs=6).firings() if firing.called]
    engine.run([1], max_epochs=6)
    assert explained == called == [5]


def test_a_counter_that_holds_no_number_yet_is_not_in_the_way(engine: Engine[Any, Any]) -> None:
    class Mine(EventEnum):
        BELL = "bell"

    engine.register_events(*Mine, event_to_attr={Mine.BELL: "rung"})
    engine.state.rung = "never"
    assert names(engine, epoch_length=1, data=False) == [
        "STARTED", "EPOCH_STARTED", "ITERATION_STARTED", "ITERATION_COMPLETED", "EPOCH_COMPLETED",
        "COMPLETED",
    ]  # fmt: skip  # on two lines
