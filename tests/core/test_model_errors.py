"""An exception anywhere in a run, whatever EXCEPTION_RAISED answers: what follows it, and after."""

from __future__ import annotations

import contextlib
from collections import Counter
from enum import Enum
from typing import Any

import pytest

from glowplug import Engine, Events
from glowplug.errors import NothingToEnd


class Answer(Enum):
    """What a handler of EXCEPTION_RAISED does."""

    WATCH = "nothing"
    END_RUN = "terminate()"
    END_EPOCH = "terminate_epoch()"


class Boom(Exception):
    """What goes wrong."""


STEP = "STEP"
IN_EPOCH = [
    *("GET_BATCH_STARTED", "GET_BATCH_COMPLETED", "DATALOADER_STOP_ITERATION"),
    *("ITERATION_STARTED", STEP, "ITERATION_COMPLETED"),
]
BEFORE_DATA = ["STARTED", "EPOCH_STARTED"]
AT_THE_END = ["TERMINATE", "COMPLETED"]
PLACES = [*BEFORE_DATA, *IN_EPOCH, "TERMINATE_SINGLE_EPOCH", "EPOCH_COMPLETED", *AT_THE_END]


class Watched:
    """An engine that fails at the nth firing of an event, and a log of its firings."""

    def __init__(self, place: str, nth: int, answer: Answer) -> None:
        self.fails_at = (place, nth)
        self.answer = answer
        self.log: list[str] = []
        self.fired: Counter[str] = Counter()
        self.engine = Engine[Any, Any](lambda e, batch: self.at(STEP))
        for event in Events:
            self.engine.add_event_handler(event, lambda *_, name=event.name: self.at(name))
        for iteration in (2, 5):
            self.engine.add_event_handler(
                Events.ITERATION_COMPLETED(once=iteration), lambda e: e.terminate_epoch()
            )
        self.engine.add_event_handler(Events.EPOCH_COMPLETED(once=4), lambda e: e.terminate())
        self.engine.add_event_handler(Events.EXCEPTION_RAISED, self.reply)

    def at(self, name: str) -> None:
        """Log a firing, and fail where the test says."""
        self.log.append(name)
        self.fired[name] += 1
        if (name, self.fired[name]) == self.fails_at:
            raise Boom(name)

    def reply(self, engine: Engine[Any, Any], error: BaseException) -> None:
        """Answer an exception."""
        if self.answer is Answer.END_RUN:
            engine.terminate()
        elif self.answer is Answer.END_EPOCH:
            engine.terminate_epoch()

    def run(self) -> list[str]:
        """Run, and return what follows EXCEPTION_RAISED."""
        self.engine.run(range(2), max_epochs=5, epoch_length=3)
        if "EXCEPTION_RAISED" not in self.log:
            return []
        return self.log[self.log.index("EXCEPTION_RAISED") + 1 :]


def firings() -> list[tuple[str, int]]:
    """Return every firing of the run that nothing disturbs, by its number."""
    calm = Watched("", 0, Answer.WATCH)
    calm.run()
    return [(name, nth) for name, fired in calm.fired.items() for nth in range(1, fired + 1)]


FIRINGS = firings()


def failing_in(places: list[str]) -> pytest.MarkDecorator:
    chosen = [(place, nth) for place, nth in FIRINGS if place in places]
    return pytest.mark.parametrize(("place", "nth"), chosen)


def test_the_run_fires_every_event() -> None:
    assert {place for place, _ in FIRINGS} == set(PLACES)


@failing_in(PLACES)
def test_watched_only_it_leaves_run_and_nothing_follows(place: str, nth: int) -> None:
    watched = Watched(place, nth, Answer.WATCH)
    with pytest.raises(Boom, match=place):
        watched.run()
    assert watched.log[-2:] == [place, "EXCEPTION_RAISED"]


@failing_in(PLACES)
def test_with_terminate_the_run_ends_in_order(place: str, nth: int) -> None:
    left = {"TERMINATE": ["COMPLETED"], "COMPLETED": []}
    following = Watched(place, nth, Answer.END_RUN).run()
    assert following == left.get(place, ["TERMINATE", "COMPLETED"])


@failing_in(IN_EPOCH)
def test_with_terminate_epoch_the_epoch_ends_and_the_run_goes_on(place: str, nth: int) -> None:
    following = Watched(place, nth, Answer.END_EPOCH).run()
    assert following[:2] == ["TERMINATE_SINGLE_EPOCH", "EPOCH_COMPLETED"]
    assert following[-1] == "COMPLETED"


@failing_in(["TERMINATE_SINGLE_EPOCH", "EPOCH_COMPLETED"])
def test_with_terminate_epoch_at_an_epochs_end_the_run_goes_on(place: str, nth: int) -> None:
    following = Watched(place, nth, Answer.END_EPOCH).run()
    assert following[0] in ("EPOCH_COMPLETED", "EPOCH_STARTED", "COMPLETED")
    assert following[-1] == "COMPLETED"


@failing_in([*BEFORE_DATA, *AT_THE_END])
def test_with_terminate_epoch_where_there_is_none_to_end_an_error_leaves(
    place: str, nth: int
) -> None:
    watched = Watched(place, nth, Answer.END_EPOCH)
    with pytest.raises((Boom, NothingToEnd), match=f"{place}|no epoch's data"):
        watched.run()
    assert watched.log[-1] == "EXCEPTION_RAISED"


@pytest.mark.parametrize("answer", Answer)
@failing_in(PLACES)
def test_it_fires_once_and_the_engine_runs_again_at_once(
    place: str, nth: int, answer: Answer
) -> None:
    watched = Watched(place, nth, answer)
    with contextlib.suppress(Boom, NothingToEnd):
        watched.run()
    assert watched.log.count("EXCEPTION_RAISED") == 1
    before = len(watched.log)
    watched.engine.run(range(2))
    assert (watched.log[before], watched.log[-1]) == ("STARTED", "COMPLETED")
