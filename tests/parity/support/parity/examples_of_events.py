"""Examples of departures: filters, unions, events as values, and handlers.

Owns: the examples.
Must not know: programs.
"""

from __future__ import annotations

from typing import Any

from parity.departures import Departure
from parity.examples import examples_in, shows
from parity.kits import Kit
from parity.watching import at, iterations_of, outcome, watched


@shows(Departure.FIRST_COUNT_IS_ZERO, ours=([2], [0, 1, 2]), theirs=([0, 2], [1, 2]))
def four_batches_are_begun(kit: Kit) -> Any:
    event = kit.events.GET_BATCH_STARTED
    return iterations_of(kit, event(every=2), 4), iterations_of(kit, event(before=3), 4)


@shows(Departure.EVERY_BEFORE_COUNTS_FROM_ITS_MULTIPLES, ours=[5, 10, 15], theirs=[1, 6, 11, 16])
def every_fifth_iteration_before_the_eighteenth(kit: Kit) -> Any:
    return iterations_of(kit, kit.events.ITERATION_STARTED(every=5, before=18), 20)


@shows(Departure.EVERY_EVENT_HAS_A_COUNT, ours=("returned", [2, 4]), theirs=("RuntimeError", []))
def every_other_firing_of_our_own_event(kit: Kit) -> Any:
    engine = kit.engine(lambda engine, batch: engine.fire_event(kit.custom.PLAIN))
    engine.register_events(*kit.custom)
    seen: list[int] = []
    at(kit, engine, "PLAIN", lambda engine: seen.append(engine.state.iteration), every=2)
    return outcome(engine.run, range(5)), seen


@shows(Departure.FILTERS_ADD_UP, ours=[6, 8], theirs=[5, 6, 7, 8])
def every_other_iteration_and_of_these_those_after_the_fourth(kit: Kit) -> Any:
    return iterations_of(kit, kit.events.ITERATION_STARTED(every=2)(after=4), 8)


@shows(Departure.BOUNDS_ARE_POSITIVE, ours=["ValueError"] * 3, theirs=["returned"] * 3)
def filters_that_mean_nothing(kit: Kit) -> Any:
    event = kit.events.ITERATION_STARTED
    return [outcome(event, **given) for given in ({"every": True}, {"before": 0}, {"after": 0})]


@shows(Departure.UNIONS_ARE_VALUES, ours=["STARTED"], theirs=["STARTED", "COMPLETED"])
def a_union_that_was_joined_with_another_event(kit: Kit) -> Any:
    engine, seen = kit.engine(lambda engine, batch: None), []
    ends = kit.events.STARTED | kit.events.TERMINATE
    assert ends | kit.events.COMPLETED is not None
    engine.add_event_handler(ends, lambda engine: seen.append(engine.last_event_name.name))
    engine.run([0])
    return seen


@shows(
    Departure.EVENTS_ARE_THEMSELVES, ours=("ValueError", True, []), theirs=("returned", False, [1])
)
def events_that_look_alike(kit: Kit) -> Any:
    first, second = (kit.event_enum(name, {"FOO": "foo"}) for name in ("First", "Second"))
    engine, seen = kit.engine(lambda engine, batch: engine.fire_event(second.FOO)), []
    engine.register_events(*first, *second)
    engine.add_event_handler(first.FOO, lambda engine: seen.append(engine.state.iteration))
    event = kit.events.STARTED
    engine.add_event_handler(event(every=2), print)
    removed = outcome(engine.remove_event_handler, print, event(every=5))
    engine.run([0])
    return removed, engine.has_event_handler(print), seen


@shows(Departure.ATTRIBUTES_STAY_WITH_THEIR_ENGINE, ours=(0, False), theirs=(0, True))
def an_engine_is_made_after_another_that_counts_an_event(kit: Kit) -> Any:
    engine, events = kit.engine(lambda engine, batch: None), kit.event_enum("Own", {"FOO": "foo"})
    engine.register_events(*events, event_to_attr={events.FOO: "foos"})
    another = kit.engine(lambda engine, batch: None)
    return engine.state.foos, hasattr(another.state, "foos")


@shows(
    Departure.ARGUMENTS_ARE_NOT_KEPT,
    ours=("returned", [1], "ValueError", [1]),
    theirs=("TypeError", [], "returned", [1, 1]),
)
def an_epoch_is_ended_and_its_event_fired_again_by_hand(kit: Kit) -> Any:
    by_position, kept = [], []
    event = kit.events.TERMINATE_SINGLE_EPOCH
    engine, _ = watched(kit)
    at(kit, engine, "ITERATION_STARTED", lambda engine: engine.terminate_epoch())
    handle = engine.add_event_handler(event, lambda engine, done: by_position.append(done))
    how = outcome(engine.run, [0])
    handle.remove()
    engine.state.max_epochs = None
    engine.add_event_handler(event, lambda engine, iter_counter: kept.append(iter_counter))
    outcome(engine.run, [0])
    return how, by_position, outcome(engine.fire_event, event), kept


@shows(Departure.ADDED_HANDLERS_WAIT, ours=["second"], theirs=["first", "second", "second"])
def a_handler_adds_another_to_its_own_event(kit: Kit) -> Any:
    seen: list[str] = []
    epochs = ("first", "second")

    def add(engine: Any) -> None:
        engine.add_event_handler(
            kit.events.EPOCH_STARTED, lambda engine: seen.append(epochs[engine.state.epoch - 1])
        )

    engine = kit.engine(lambda engine, batch: None)
    engine.add_event_handler(kit.events.EPOCH_STARTED, add)
    engine.run([0], max_epochs=2)
    return seen


@shows(Departure.REMOVED_HANDLERS_ARE_OUT, ours=[], theirs=[1])
def a_handler_removes_the_one_after_it(kit: Kit) -> Any:
    engine, seen = kit.engine(lambda engine, batch: None), []

    def second(engine: Any) -> None:
        seen.append(engine.state.epoch)

    event = kit.events.EPOCH_STARTED

    def first(engine: Any) -> None:
        if engine.state.epoch == 1:
            engine.remove_event_handler(second, event)

    engine.add_event_handler(event, first)
    engine.add_event_handler(event, second)
    engine.run([0], max_epochs=2)
    return seen


@shows(
    Departure.HANDLERS_RUN_PHASE_BY_PHASE,
    ours=["works out", "acts", "shows"],
    theirs=["shows", "acts", "works out"],
)
def what_shows_is_attached_first_and_what_works_out_last(kit: Kit) -> Any:
    seen: list[str] = []

    class Part:
        def __init__(self, name: str, phase: str) -> None:
            self.name, self.glowplug_phase = name, phase

        def run(self, engine: Any) -> None:
            seen.append(self.name)

    engine, event = kit.engine(lambda engine, batch: None), kit.events.EPOCH_COMPLETED
    engine.add_event_handler(event, Part("shows", "report").run)
    engine.add_event_handler(event, lambda engine: seen.append("acts"))
    engine.add_event_handler(event, Part("works out", "compute").run)
    engine.run([0])
    return seen


@shows(Departure.A_HANDLE_IS_ONE_REGISTRATION, ours=[1], theirs=[])
def a_function_is_attached_twice_and_one_handle_used(kit: Kit) -> Any:
    engine, seen = kit.engine(lambda engine, batch: None), []

    def handler(engine: Any) -> None:
        seen.append(engine.state.epoch)

    first, _ = (engine.add_event_handler(kit.events.EPOCH_STARTED, handler) for _ in range(2))
    first.remove()
    engine.run([0])
    return seen


EXAMPLES = examples_in(globals())
