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
    ITERATE = "the iterations of an epoch"
    CUT = "TERMINATE_SINGLE_EPOCH"
    CLOSE = "EPOCH_COMPLETED"
    TERMINATE = "TERMINATE"
    COMPLETE = "COMPLETED"
    OVER = "the run is over"


class Asked(Enum):
    """What a call asks of the run; obeyed when the handlers of the current event have run."""

    INTERRUPT = "interrupt()"
    END_EPOCH = "terminate_epoch()"
    END_RUN = "terminate()"
