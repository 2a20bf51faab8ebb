from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from glowplug import EventEnum, Events
from glowplug.errors import InvalidHandler, InvalidType, UnknownEvent
from glowplug_loggers import ClosedLogger


@pytest.fixture
def calls() -> list[Any]:
    return []


@pytest.fixture
def note(calls: list[Any]) -> Any:
    def handler(engine: Any, logger: Any, event: Any, *args: Any, **kwargs: Any) -> None:
        calls.append((engine, logger, event, args, kwargs))

    return handler


def test_a_handler_is_given_engine_logger_and_plain_event_then_the_rest(
    logger: Any, halver: Any, calls: list[Any], note: Any
) -> None:
    trainer = halver()
    logger.attach(trainer, note, Events.ITERATION_COMPLETED(every=2), 5, key="word")
    trainer.run([1, 2, 3])
    assert calls == [(trainer, logger, Events.ITERATION_COMPLETED, (5,), {"key": "word"})]


def test_a_handler_of_a_union_is_given_the_event_that_was_fired(
    logger: Any, halver: Any, calls: list[Any], note: Any
) -> None:
    trainer = halver()
    union = Events.EPOCH_COMPLETED | Events.ITERATION_COMPLETED(once=2) | Events.STARTED
    logger.attach(trainer, note, union)
    trainer.run([1, 2])
    assert [event for _, _, event, _, _ in calls] == [
        Events.STARTED,
        Events.ITERATION_COMPLETED,
        Events.EPOCH_COMPLETED,
    ]


@pytest.mark.parametrize("event", [Events.EXCEPTION_RAISED, "EXCEPTION_RAISED"])
def test_a_handler_is_called_alike_where_the_event_hands_something_over(
    event: Any, logger: Any, halver: Any, calls: list[Any], note: Any
) -> None:
    trainer = halver()
    logger.attach(trainer, note, event, 5)
    with pytest.raises(TypeError, match="unsupported operand"):
        trainer.run(["text"])
    assert calls == [(trainer, logger, event, (5,), {})]


def test_the_engine_knows_the_handler_that_was_attached(
    logger: Any, halver: Any, note: Any
) -> None:
    trainer = halver()
    logger.attach(trainer, note, Events.STARTED)
    assert trainer.has_event_handler(note, Events.STARTED)


def test_the_handle_takes_all_of_a_union_back(logger: Any, halver: Any, note: Any) -> None:
    trainer = halver()
    logger.attach(trainer, note, Events.STARTED)
    handle = logger.attach(trainer, note, Events.STARTED | Events.COMPLETED(every=2))
    handle.remove()
    handle.remove()
    assert trainer.has_event_handler(note, Events.STARTED)
    assert not trainer.has_event_handler(note, Events.COMPLETED)


def test_the_handle_is_a_context_that_can_be_entered_again(
    logger: Any, halver: Any, note: Any
) -> None:
    trainer = halver()
    handle = logger.attach(trainer, note, Events.STARTED)
    for _ in range(2):
        with handle:
            assert trainer.listens(Events.STARTED)
        assert not trainer.listens(Events.STARTED)


def test_a_refused_attach_leaves_nothing_behind(logger: Any, halver: Any, note: Any) -> None:
    class Unregistered(EventEnum):
        EVENT = "event"

    trainer = halver()
    with pytest.raises(UnknownEvent, match="EVENT is not registered"):
        logger.attach(trainer, note, Events.STARTED | Unregistered.EVENT)
    assert not trainer.listens(Events.STARTED)


def test_a_handler_that_cannot_be_called_so_is_refused(logger: Any, halver: Any) -> None:
    with pytest.raises(InvalidHandler, match=r"can be called neither as"):
        logger.attach(halver(), lambda engine: None, Events.STARTED)


def test_something_that_is_no_engine_is_refused(logger: Any, note: Any) -> None:
    with pytest.raises(InvalidType, match="engine must be an Engine, got 3 of type int"):
        logger.attach(3, note, Events.STARTED)


def test_something_that_cannot_be_called_is_refused(logger: Any, halver: Any) -> None:
    with pytest.raises(
        InvalidType, match=r"log_handler must be callable as f.engine, logger, event"
    ):
        logger.attach(halver(), 3, Events.STARTED)


def test_something_that_is_no_event_is_refused(logger: Any, halver: Any, note: Any) -> None:
    with pytest.raises(InvalidType, match="an event is a member of an EventEnum"):
        logger.attach(halver(), note, 3)


def test_a_handler_of_another_logger_is_refused(
    logger: Any, halver: Any, other_loggers_handler: Any
) -> None:
    with pytest.raises(InvalidType, match=r"OthersOutput works with a Other only.*ListLogger"):
        logger.attach(halver(), other_loggers_handler, Events.STARTED)


def test_a_closed_logger_attaches_nothing(logger: Any, halver: Any, note: Any) -> None:
    with logger:
        assert not logger.closed
    logger.close()
    assert logger.closed
    attaches: list[Callable[[], Any]] = [
        lambda: logger.attach(halver(), note, Events.STARTED),
        lambda: logger.attach_output_handler(halver(), Events.STARTED, "x", "all"),
        lambda: logger.attach_opt_params_handler(halver(), Events.STARTED, None),
    ]
    for attach in attaches:
        with pytest.raises(ClosedLogger, match="this ListLogger is closed"):
            attach()


def test_a_logger_is_closed_when_its_run_fails(logger: Any, halver: Any) -> None:
    with pytest.raises(TypeError, match="unsupported operand"), logger:
        halver().run(["text"])
    assert logger.closed


def test_a_logger_says_why_it_cannot_be_pickled(logger: Any) -> None:
    why = "a ListLogger cannot be pickled: what it writes to belongs to this process"
    with pytest.raises(InvalidType, match=why):
        pickle.dumps(logger)


def test_a_copy_of_an_engine_has_a_copy_of_its_logger(logger: Any, halver: Any) -> None:
    trainer = halver()
    logger.attach_output_handler(trainer, Events.ITERATION_COMPLETED, "run", output_transform=float)
    copy.deepcopy(trainer).run([2])
    assert logger.lines == []
    trainer.run([4])
    assert logger.lines == [("run/output", 2.0, 1)]
