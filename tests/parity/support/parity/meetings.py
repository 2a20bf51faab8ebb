"""One program for each departure that is dealt with, so that all of them are met at every run.

Owns: the programs.
Must not know: engines.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from parity.departures import Departure
from parity.programs import (
    PLAIN,
    Act,
    Attach,
    Data,
    Detach,
    Fail,
    Filter,
    Fire,
    Handler,
    Interrupt,
    Kind,
    Load,
    On,
    Program,
    Run,
    Terminate,
    TerminateEpoch,
)

THREE = Data(Kind.SIZED, 3)
UNSIZED = Data(Kind.UNSIZED, 3)
TWO_EPOCHS = Run(THREE, max_epochs=2)
ON_STARTED, ON_BATCH = On("STARTED"), On("GET_BATCH_STARTED")
ON_ITERATION, ON_ERROR = On("ITERATION_STARTED"), On("EXCEPTION_RAISED")


def _at(on: On, call: int, action: object, name: str = "h1") -> Handler:
    return Handler(name, (on,), (Act(action, call),))  # type: ignore[arg-type]  # an Action


def _logs(event: str, given: Filter) -> Handler:
    return Handler("h1", (On(event, given),))


MEETINGS: Mapping[Departure, Program] = MappingProxyType(
    {
        Departure.FIRST_COUNT_IS_ZERO: Program(
            (TWO_EPOCHS,), (_logs("GET_BATCH_STARTED", Filter(every=2)),)
        ),
        Departure.EVERY_BEFORE_COUNTS_FROM_ITS_MULTIPLES: Program(
            (TWO_EPOCHS,), (_logs("ITERATION_COMPLETED", Filter(every=2, before=6)),)
        ),
        Departure.EVERY_EVENT_HAS_A_COUNT: Program(
            (TWO_EPOCHS,), (_logs(PLAIN, Filter(every=2)),), (Act(Fire(PLAIN)),)
        ),
        Departure.ADDED_HANDLERS_WAIT: Program(
            (TWO_EPOCHS,), (_at(ON_BATCH, 2, Attach(Handler("h2", (ON_BATCH,)))),)
        ),
        Departure.REMOVED_HANDLERS_ARE_OUT: Program(
            (TWO_EPOCHS,), (_at(ON_BATCH, 2, Detach("h2")), Handler("h2", (ON_BATCH,)))
        ),
        Departure.THE_END_IS_NO_TERMINATION: Program(
            (Run(THREE, max_iters=4), Run(THREE, max_iters=8))
        ),
        Departure.MAX_ITERS_STAYS_MAX_ITERS: Program(
            (Run(UNSIZED, max_iters=7), Run(UNSIZED, max_iters=9)),
            (_at(ON_ITERATION, 1, TerminateEpoch()),),
        ),
        Departure.EXHAUSTED_DATA_ENDS_THE_RUN: Program(
            (Run(Data(Kind.ONE_SHOT, 3), max_epochs=3, epoch_length=2), Run(THREE))
        ),
        Departure.EPOCHS_DONE_ARE_DONE: Program(
            (TWO_EPOCHS, Run(THREE, max_epochs=4)), (_at(ON_ITERATION, 2, TerminateEpoch()),)
        ),
        Departure.A_NEW_RUN_MEASURES_ITS_DATA: Program((TWO_EPOCHS, Run(Data(Kind.UNSIZED, 2)))),
        Departure.A_PRESET_LENGTH_IS_KEPT: Program(
            (Run(THREE, load=Load(0, 2, as_state=True)), Run(THREE, max_epochs=2))
        ),
        Departure.A_REFUSED_RUN_CHANGES_NOTHING: Program(
            (Run(THREE, load=Load(3, 3, max_iters=5), epoch_length=2), Run(THREE, max_iters=7))
        ),
        Departure.ERRORS_ARE_NOT_SWALLOWED: Program((TWO_EPOCHS,), (_at(ON_ITERATION, 2, Fail()),)),
        Departure.AN_ERROR_CAN_END_IN_ORDER: Program(
            (TWO_EPOCHS, Run(THREE)),
            (_at(ON_ITERATION, 2, Fail()), _at(ON_ERROR, 1, Terminate(), "h2")),
        ),
        Departure.USABLE_AFTER_AN_ERROR: Program(
            (Run(THREE, max_epochs=3), Run(THREE), Run(THREE)), (_at(ON_ITERATION, 5, Fail()),)
        ),
        Departure.NOTHING_TO_END_IS_SAID_AT_THE_CALL: Program(
            (TWO_EPOCHS,), (_at(ON_STARTED, 1, TerminateEpoch()),)
        ),
        Departure.TERMINATION_FOLLOWS_AT_ONCE: Program(
            (TWO_EPOCHS, Run(THREE)),
            (
                _at(ON_ITERATION, 2, TerminateEpoch()),
                _at(On("TERMINATE_SINGLE_EPOCH"), 1, Terminate(), "h2"),
            ),
        ),
        Departure.INTERRUPTION_COMES_FIRST: Program(
            (TWO_EPOCHS,),
            (
                _at(ON_ITERATION, 2, TerminateEpoch()),
                _at(On("TERMINATE_SINGLE_EPOCH"), 1, Interrupt(), "h2"),
            ),
        ),
        Departure.RESUMING_REPEATS_NOTHING: Program(
            (TWO_EPOCHS,), (_at(On("DATALOADER_STOP_ITERATION"), 1, Interrupt()),)
        ),
        Departure.GOING_ON_KEEPS_ITS_DATA: Program(
            (Run(THREE, resume_bare=True), Run(max_epochs=2)), (_at(ON_STARTED, 1, Interrupt()),)
        ),
    }
)
