"""Examples of departures: errors, terminations and interruptions.

Owns: the examples.
Must not know: programs.
"""

from __future__ import annotations

from typing import Any

from parity.departures import Departure
from parity.examples import examples_in, shows
from parity.kits import Kit
from parity.watching import at, fail, outcome, watch, watched


@shows(
    Departure.ERRORS_ARE_NOT_SWALLOWED,
    ours=("ValueError", ["EXCEPTION_RAISED 1"]),
    theirs=("returned", ["EXCEPTION_RAISED 1", "EPOCH_COMPLETED 1", "COMPLETED 1"]),
)
def a_handler_fails_and_another_watches(kit: Kit) -> Any:
    engine, log = watched(kit, "EXCEPTION_RAISED", "EPOCH_COMPLETED", "COMPLETED")
    at(kit, engine, "ITERATION_STARTED", fail, once=1)
    return outcome(engine.run, [1, 2, 3]), log


@shows(
    Departure.AN_ERROR_CAN_END_IN_ORDER,
    ours=["TERMINATE 0", "COMPLETED 0"],
    theirs=[],
)
def an_error_in_started_is_answered_by_terminate(kit: Kit) -> Any:
    engine, log = watched(kit, "TERMINATE", "COMPLETED")
    at(kit, engine, "STARTED", fail)
    at(kit, engine, "EXCEPTION_RAISED", lambda engine: engine.terminate())
    outcome(engine.run, [1, 2, 3])
    return log


@shows(
    Departure.AN_ERROR_CAN_END_IN_ORDER,
    ours=["TERMINATE_SINGLE_EPOCH 1", "EPOCH_COMPLETED 1", "EPOCH_COMPLETED 4"],
    theirs=["EPOCH_COMPLETED 1", "EPOCH_COMPLETED 4"],
)
def an_error_in_an_epoch_is_answered_by_terminate_epoch(kit: Kit) -> Any:
    engine, log = watched(kit, "TERMINATE_SINGLE_EPOCH", "EPOCH_COMPLETED")
    at(kit, engine, "ITERATION_STARTED", fail, once=1)
    at(kit, engine, "EXCEPTION_RAISED", lambda engine: engine.terminate_epoch())
    engine.run([1, 2, 3], max_epochs=2)
    return log


@shows(Departure.USABLE_AFTER_AN_ERROR, ours=["EPOCH_COMPLETED 4"], theirs=[])
def a_run_is_called_again_after_an_error(kit: Kit) -> Any:
    engine, log = watched(kit, "EPOCH_COMPLETED")
    at(kit, engine, "ITERATION_STARTED", fail, once=1)
    assert outcome(engine.run, [1, 2, 3], max_epochs=2) == "ValueError"
    engine.run([1, 2, 3])
    return log


@shows(
    Departure.STOP_ITERATION_IS_AN_ERROR,
    ours=("RuntimeError", ["StrayStopIteration"], []),
    theirs=("returned", ["StopIteration"], ["GeneratorExit"]),
)
def a_step_lets_a_stop_iteration_out_and_another_a_generator_exit(kit: Kit) -> Any:
    def seen_by(error: type[BaseException]) -> tuple[str, list[str]]:
        def step(engine: Any, batch: Any) -> None:
            raise error

        engine, seen = kit.engine(step), []
        engine.add_event_handler(
            kit.events.EXCEPTION_RAISED, lambda engine, error: seen.append(type(error).__name__)
        )
        return outcome(engine.run, [1]), seen

    return *seen_by(StopIteration), seen_by(GeneratorExit)[1]


@shows(
    Departure.NOTHING_TO_END_IS_SAID_AT_THE_CALL,
    ours=("RuntimeError", ["RuntimeError"], []),
    theirs=("returned", ["returned"], ["second handler"]),
)
def an_epoch_is_ended_where_there_is_none(kit: Kit) -> Any:
    engine, calls, seen = watched(kit)[0], [], []

    def first(engine: Any) -> None:
        calls.append(outcome(engine.terminate_epoch))
        engine.terminate_epoch()

    at(kit, engine, "STARTED", first)
    at(kit, engine, "STARTED", lambda engine: seen.append("second handler"))
    outside = outcome(engine.terminate_epoch)
    assert outcome(engine.run, [1]) == "RuntimeError"
    return outside, calls, seen


@shows(
    Departure.TERMINATION_FOLLOWS_AT_ONCE,
    ours=["TERMINATE 1", "COMPLETED 1"],
    theirs=["EPOCH_COMPLETED 1", "TERMINATE 1", "COMPLETED 1"],
)
def the_run_is_terminated_while_its_epoch_is(kit: Kit) -> Any:
    engine, log = watched(kit, "EPOCH_COMPLETED", "TERMINATE", "COMPLETED")
    at(kit, engine, "ITERATION_STARTED", lambda engine: engine.terminate_epoch())
    at(kit, engine, "TERMINATE_SINGLE_EPOCH", lambda engine: engine.terminate())
    engine.run([1, 2, 3])
    return log


@shows(Departure.TERMINATION_FOLLOWS_AT_ONCE, ours=["TERMINATE 1", "COMPLETED 1"], theirs=[])
def the_run_is_terminated_while_it_is_interrupted(kit: Kit) -> Any:
    engine, log = watched(kit, "TERMINATE", "COMPLETED")
    at(kit, engine, "ITERATION_STARTED", lambda engine: engine.interrupt())
    at(kit, engine, "INTERRUPT", lambda engine: engine.terminate())
    engine.run([1, 2, 3])
    return log


@shows(
    Departure.INTERRUPTION_COMES_FIRST,
    ours=(["INTERRUPT 1"], ["TERMINATE_SINGLE_EPOCH 1", "EPOCH_COMPLETED 1"]),
    theirs=(["TERMINATE_SINGLE_EPOCH 1", "EPOCH_COMPLETED 1", "INTERRUPT 1"], []),
)
def the_epoch_is_ended_and_the_run_interrupted(kit: Kit) -> Any:
    engine, log = watched(kit, "INTERRUPT", "TERMINATE_SINGLE_EPOCH", "EPOCH_COMPLETED")
    both = (lambda engine: engine.terminate_epoch(), lambda engine: engine.interrupt())
    at(kit, engine, "ITERATION_STARTED", *both)
    engine.run([1, 2, 3])
    before = list(log)
    log.clear()
    engine.run([1, 2, 3])
    return before, log


@shows(Departure.INTERRUPTION_COMES_FIRST, ours=["INTERRUPT 3"], theirs=[])
def a_run_is_interrupted_in_its_last_event(kit: Kit) -> Any:
    engine, log = watched(kit, "INTERRUPT")
    at(kit, engine, "COMPLETED", lambda engine: engine.interrupt())
    engine.run([1, 2, 3])
    return log


@shows(
    Departure.RESUMING_REPEATS_NOTHING,
    ours=["GET_BATCH_COMPLETED 2", "GET_BATCH_STARTED 3", "GET_BATCH_COMPLETED 3"],
    theirs=[
        "GET_BATCH_STARTED 2",
        "GET_BATCH_COMPLETED 2",
        "GET_BATCH_STARTED 3",
        "GET_BATCH_COMPLETED 3",
    ],
)
def a_run_is_interrupted_where_its_data_starts_over(kit: Kit) -> Any:
    engine, log = watched(kit)
    at(kit, engine, "DATALOADER_STOP_ITERATION", lambda engine: engine.interrupt())
    engine.run([1, 2], max_epochs=2)
    for name in ("GET_BATCH_STARTED", "GET_BATCH_COMPLETED"):
        watch(kit, engine, log, name)
    engine.run([1, 2])
    return log


EXAMPLES = examples_in(globals())
