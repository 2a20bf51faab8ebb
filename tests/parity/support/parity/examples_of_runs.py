"""Examples of departures: how a run begins, goes on and ends, and what its data does.

Owns: the examples.
Must not know: programs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from parity.batches import Unsized, made
from parity.departures import Departure
from parity.examples import examples_in, shows
from parity.kits import Kit
from parity.programs import Data, Kind
from parity.watching import at, outcome, watched


@shows(
    Departure.THE_END_IS_NO_TERMINATION,
    ours=(["COMPLETED 3"], False),
    theirs=(["TERMINATE 3", "COMPLETED 3"], True),
)
def three_iterations_of_data_of_two(kit: Kit) -> Any:
    engine, log = watched(kit, "TERMINATE", "COMPLETED")
    engine.run([1, 2], max_iters=3)
    return log, engine.should_terminate


@shows(Departure.MAX_ITERS_STAYS_MAX_ITERS, ours=(5, None), theirs=(4, 2))
def five_iterations_of_data_without_a_length_and_a_short_epoch(kit: Kit) -> Any:
    engine, _ = watched(kit)
    at(kit, engine, "ITERATION_STARTED", lambda engine: engine.terminate_epoch(), once=1)
    state = engine.run(Unsized(Data(Kind.UNSIZED, 3)), max_iters=5)
    return state.iteration, state.max_epochs


@shows(
    Departure.EXHAUSTED_DATA_ENDS_THE_RUN,
    ours=("warned", ["EPOCH_COMPLETED 2", "EPOCH_COMPLETED 2", "COMPLETED 2"]),
    theirs=("warned", ["EPOCH_COMPLETED 2", *["EPOCH_COMPLETED 2"] * 2, "COMPLETED 2"]),
)
def an_iterator_of_two_batches_for_three_epochs(kit: Kit) -> Any:
    engine, log = watched(kit, "EPOCH_COMPLETED", "COMPLETED")
    return outcome(engine.run, iter([1, 2]), max_epochs=3, epoch_length=2), log


@shows(Departure.A_RESTART_MAKES_ONE_ITERATOR, ours=1, theirs=2)
def new_data_is_set_when_the_old_ends(kit: Kit) -> Any:
    engine, made_iterators = watched(kit)[0], []

    class Counting(list[int]):
        def __iter__(self) -> Iterator[int]:
            made_iterators.append(1)
            return super().__iter__()

    data = Counting([3, 4])
    at(kit, engine, "DATALOADER_STOP_ITERATION", lambda engine: engine.set_data(data))
    engine.run([1, 2], max_epochs=2)
    return len(made_iterators)


@shows(Departure.A_NEW_RUN_MEASURES_ITS_DATA, ours=3, theirs=2)
def a_second_run_has_data_without_a_length(kit: Kit) -> Any:
    engine, _ = watched(kit)
    engine.run([1, 2])
    return engine.run(Unsized(Data(Kind.UNSIZED, 3))).iteration


@shows(Departure.A_PRESET_LENGTH_IS_KEPT, ours=2, theirs=3)
def a_length_is_preset(kit: Kit) -> Any:
    engine, _ = watched(kit)
    engine.state = kit.state(epoch_length=2)
    return engine.run([1, 2, 3]).iteration


@shows(Departure.EPOCHS_DONE_ARE_DONE, ours=[1, 4, 7], theirs=[1, 4, 6])
def a_run_with_a_short_epoch_goes_on(kit: Kit) -> Any:
    engine, ends = watched(kit)[0], []
    at(kit, engine, "ITERATION_STARTED", lambda engine: engine.terminate_epoch(), once=1)
    at(kit, engine, "EPOCH_COMPLETED", lambda engine: ends.append(engine.state.iteration))
    engine.run([1, 2, 3], max_epochs=2)
    engine.run([1, 2, 3], max_epochs=3)
    return ends


@shows(
    Departure.BAD_ENDS_ARE_ERRORS,
    ours=["ValueError", "ValueError", "ValueError"],
    theirs=["returned", "returned", "warned"],
)
def a_run_with_nothing_to_do(kit: Kit) -> Any:
    return [
        outcome(watched(kit)[0].run, [1], max_epochs=0),
        outcome(watched(kit)[0].run, iter([])),
        outcome(watched(kit)[0].run, [], epoch_length=2, max_epochs=2),
    ]


@shows(Departure.A_REFUSED_RUN_CHANGES_NOTHING, ours=("ValueError", 4), theirs=("ValueError", 6))
def a_run_is_refused_for_its_epoch_length(kit: Kit) -> Any:
    engine, _ = watched(kit)
    engine.load_state_dict({"iteration": 2, "epoch_length": 2, "max_iters": 4})
    return outcome(engine.run, [1, 2, 3], max_iters=6, epoch_length=3), engine.state.max_iters


@shows(Departure.GOING_ON_KEEPS_ITS_DATA, ours=2, theirs=None)
def a_run_goes_on_without_data(kit: Kit) -> Any:
    engine, _ = watched(kit)
    engine.run([1, 2])
    return engine.run(max_epochs=2).batch


@shows(
    Departure.RESUMING_TAKES_OTHER_DATA,
    ours=["d/1.0", "other/1.0", "other/1.1"],
    theirs=["d/1.0", "d/1.1", "d/1.2"],
)
def an_interrupted_run_is_resumed_with_other_data(kit: Kit) -> Any:
    engine, seen = watched(kit)[0], []
    at(kit, engine, "ITERATION_STARTED", lambda engine: seen.append(engine.state.batch))
    at(kit, engine, "ITERATION_COMPLETED", lambda engine: engine.interrupt(), once=1)
    engine.run(made(Data(Kind.SIZED, 3)))
    engine.run(made(Data(Kind.SIZED, 3, "other")))
    return seen


@shows(Departure.LOADED_DATA_STANDS_IN_ITS_PLACE, ours=["d/2"], theirs=["d/0"])
def a_state_two_iterations_into_an_epoch_of_three_is_loaded(kit: Kit) -> Any:
    engine, seen = watched(kit)[0], []
    at(kit, engine, "ITERATION_STARTED", lambda engine: seen.append(engine.state.batch))
    engine.load_state_dict({"iteration": 2, "epoch_length": 3, "max_epochs": 1})
    engine.run(made(Data(Kind.LIST, 3)))
    return seen


EXAMPLES = examples_in(globals())
