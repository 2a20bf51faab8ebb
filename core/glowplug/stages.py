"""Where a run stands, and what can be asked of it.

Owns: the names of the stages and of the requests.
Must not know: what happens at a stage.
"""

from __future__ import annotations

from enum import Enum


class Stage(Enum):
    """What a run is at: each but the two ends is a method that returns the next."""

    IDLE = "no run under way"
    START = "STARTED"
    NEXT_EPOCH = "EPOCH_STARTED, or the end"
    WANT_BATCH = "GET_BATCH_STARTED, or the end of the iterations"
    ITERATE = "the iterations of an epoch"
    REFILL = "DATALOADER_STOP_ITERATION, or the first epoch's end"
    RESTART = "a new iterator"
    CUT = "TERMINATE_SINGLE_EPOCH"
    CLOSE = "EPOCH_COMPLETED"
    TERMINATE = "TERMINATE"
    COMPLETE = "COMPLETED"
    OVER = "the run is over"

    # Enum hashes by name, in Python; stages are looked up several times an epoch.
    __hash__ = object.__hash__


class Asked(Enum):
    """What a call asks of the run; obeyed when the handlers of the current event have run."""

    INTERRUPT = "interrupt()"
    END_EPOCH = "terminate_epoch()"
    END_RUN = "terminate()"
    NEW_DATA = "set_data()"
    NEW_STEP = "observe()"


IN_EPOCH = frozenset({Stage.WANT_BATCH, Stage.ITERATE, Stage.REFILL, Stage.RESTART})
"""Where an epoch's data runs, so that ``terminate_epoch`` has something to end."""

ENDING = frozenset({Stage.TERMINATE, Stage.COMPLETE})
"""Where the run ends already, so that ``terminate`` adds nothing."""
