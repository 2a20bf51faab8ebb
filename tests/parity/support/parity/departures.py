"""Where glowplug departs from pytorch-ignite on purpose, by name.

Owns: the list of departures, one sentence each, and what the differential test does about each.
Must not know: engines.

pytorch-ignite 0.5.5 is meant. The sentences are shown in docs/explanation/what-differs.md.
"""

from __future__ import annotations

from enum import Enum


class Handling(Enum):
    """What the differential test does about a departure."""

    MENDED = "the reference is made to do as glowplug does, wherever it can be, and the rest is cut"
    CUT = "the logs are compared up to the point where the two part"
    AVOIDED = "no program is drawn that meets it; an example of its own shows both behaviours"


class Departure(Enum):
    """A difference that is meant: what glowplug does, and how programs deal with it."""

    sentence: str
    handling: Handling

    def __init__(self, sentence: str, handling: Handling) -> None:
        self.sentence = sentence
        self.handling = handling

    FIRST_COUNT_IS_ZERO = (
        "The first STARTED and GET_BATCH_* have count 0 (COMPLETED too, where no epoch was begun), "
        "which is no multiple of anything and lies below every bound: `every=2` passes it over and "
        "`before=3` lets it through.",
        Handling.MENDED,
    )
    EVERY_BEFORE_COUNTS_FROM_ITS_MULTIPLES = (
        "`every=5, before=100` fires at 5, 10, …, 95, as `every=5` alone does.",
        Handling.MENDED,
    )
    EVERY_EVENT_HAS_A_COUNT = (
        "Every event can be filtered: one that neither iterations nor epochs count, such as "
        "TERMINATE or an event of your own, counts its firings.",
        Handling.MENDED,
    )
    FILTERS_ADD_UP = (
        "A filter on a filtered event narrows it further instead of replacing the first filter.",
        Handling.AVOIDED,
    )
    BOUNDS_ARE_POSITIVE = (
        "`every=True`, `before=0` and `after=0` are errors, as every other non-positive number is.",
        Handling.AVOIDED,
    )
    UNIONS_ARE_VALUES = (
        "A union is a value: joining it with another event leaves it as it was.",
        Handling.AVOIDED,
    )
    EVENTS_ARE_THEMSELVES = (
        "An event is equal to itself only: members of the same name in two sets do not meet, and "
        "`E(every=2)` is another thing than `E(every=5)` when it is removed.",
        Handling.AVOIDED,
    )
    ATTRIBUTES_STAY_WITH_THEIR_ENGINE = (
        "The attribute that `event_to_attr` asks for appears on the state of that engine only.",
        Handling.AVOIDED,
    )
    ARGUMENTS_ARE_NOT_KEPT = (
        "What an event carries is handed over by position, between the engine and the arguments "
        "that the handler was attached with, and is not kept for the next firing.",
        Handling.AVOIDED,
    )
    ADDED_HANDLERS_WAIT = (
        "A handler that is added to an event while that event fires runs from the next firing on.",
        Handling.MENDED,
    )
    REMOVED_HANDLERS_ARE_OUT = (
        "A handler that is removed while its event fires, and has not run yet, does not run.",
        Handling.MENDED,
    )
    HANDLERS_RUN_PHASE_BY_PHASE = (
        "The handlers of an event run phase by phase (compute, act, report, persist), and within a "
        'phase in the order of adding: one that declares `glowplug_phase = "report"` runs after '
        "a plain function that was attached after it.",
        Handling.AVOIDED,
    )
    A_HANDLE_IS_ONE_REGISTRATION = (
        "A handle removes the one registration that it was returned for, not every registration of "
        "the function.",
        Handling.AVOIDED,
    )
    THE_END_IS_NO_TERMINATION = (
        "A run of `max_iters` that ends inside an epoch fires COMPLETED only; TERMINATE and "
        "`should_terminate` are for those who called `terminate`.",
        Handling.MENDED,
    )
    A_RESTART_MAKES_ONE_ITERATOR = (
        "`set_data` in a handler of DATALOADER_STOP_ITERATION makes one iterator of the new data, "
        "not two.",
        Handling.AVOIDED,
    )
    MAX_ITERS_STAYS_MAX_ITERS = (
        "A run of `max_iters` over data without a length makes its iterations, also where an epoch "
        "was cut short, and sets no `max_epochs`.",
        Handling.MENDED,
    )
    EXHAUSTED_DATA_ENDS_THE_RUN = (
        "Data that does not start over ends the run with a warning that gives the iterations done "
        "and wanted, instead of running empty epochs, or for ever.",
        Handling.MENDED,
    )
    A_NEW_RUN_MEASURES_ITS_DATA = (
        "A run that starts anew takes its `epoch_length` from its own data, also where that has no "
        "length and an earlier run has found one.",
        Handling.MENDED,
    )
    EPOCHS_DONE_ARE_DONE = (
        "A run that goes on counts the epochs that are done, however many iterations they had: it "
        "makes whole epochs until `max_epochs`.",
        Handling.MENDED,
    )
    A_PRESET_LENGTH_IS_KEPT = (
        "`engine.state = State(epoch_length=10)` holds for the next run, also without a preset "
        "maximum.",
        Handling.MENDED,
    )
    BAD_ENDS_ARE_ERRORS = (
        "A maximum below 1 and data that is known to be empty are errors before STARTED, whatever "
        "else is given.",
        Handling.AVOIDED,
    )
    A_REFUSED_RUN_CHANGES_NOTHING = (
        "A call of `run`, or of `load_state_dict`, that is refused leaves the state as it was.",
        Handling.MENDED,
    )
    ERRORS_ARE_NOT_SWALLOWED = (
        "An error fires EXCEPTION_RAISED once and then leaves `run`; a handler that only watches "
        "does not swallow it.",
        Handling.MENDED,
    )
    AN_ERROR_CAN_END_IN_ORDER = (
        "After a handler of EXCEPTION_RAISED has called `terminate`, TERMINATE and COMPLETED "
        "follow; after `terminate_epoch`, TERMINATE_SINGLE_EPOCH, EPOCH_COMPLETED and an epoch "
        "with a fresh iterator.",
        Handling.MENDED,
    )
    USABLE_AFTER_AN_ERROR = (
        "After an error has left `run`, the next `run` goes on from the next epoch.",
        Handling.MENDED,
    )
    STOP_ITERATION_IS_AN_ERROR = (
        "A StopIteration out of a step, a handler or a filter is an error like any other, and a "
        "GeneratorExit is left alone.",
        Handling.AVOIDED,
    )
    NOTHING_TO_END_IS_SAID_AT_THE_CALL = (
        "`terminate_epoch` where no epoch's data runs raises from the call itself, also outside a "
        "run.",
        Handling.MENDED,
    )
    TERMINATION_FOLLOWS_AT_ONCE = (
        "`terminate` in a handler of TERMINATE_SINGLE_EPOCH ends the run without EPOCH_COMPLETED, "
        "and in a handler of INTERRUPT it ends this run, not the next.",
        Handling.MENDED,
    )
    INTERRUPTION_COMES_FIRST = (
        "INTERRUPT follows the handlers of the event in which `interrupt` was called, also where "
        "that is TERMINATE_SINGLE_EPOCH, TERMINATE or COMPLETED, or where `terminate_epoch` was "
        "called beside it.",
        Handling.CUT,
    )
    RESUMING_REPEATS_NOTHING = (
        "A run that was interrupted in DATALOADER_STOP_ITERATION goes on with the batch, without a "
        "second GET_BATCH_STARTED.",
        Handling.MENDED,
    )
    GOING_ON_KEEPS_ITS_DATA = (
        "`run()` without data on an engine that is not done goes on with the data it had, wherever "
        "it stands.",
        Handling.MENDED,
    )
    RESUMING_TAKES_OTHER_DATA = (
        "`run(data)` after an interruption takes its next batch from that data, where it is not "
        "the data of before.",
        Handling.AVOIDED,
    )
    LOADED_DATA_STANDS_IN_ITS_PLACE = (
        "After a state inside an epoch was loaded, the data is advanced to its place.",
        Handling.AVOIDED,
    )
