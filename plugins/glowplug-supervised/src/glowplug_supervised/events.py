"""The events of a training step.

Owns: their names.
Must not know: who fires them, or when.
"""

from __future__ import annotations

from collections.abc import Mapping

from glowplug import EventEnum


class StepEvents(EventEnum):
    """What happens inside a supervised training step, in this order.

    A supervised trainer fires them only while somebody listens. The two of the optimizer's step
    fire once for each window of accumulated gradients; at OPTIMIZER_STEP_STARTED the gradients are
    as the optimizer will see them: unscaled and clipped.

    Example:
        >>> [event.value for event in StepEvents][:2]
        ['forward_started', 'forward_completed']
    """

    FORWARD_STARTED = "forward_started"
    FORWARD_COMPLETED = "forward_completed"
    BACKWARD_STARTED = "backward_started"
    BACKWARD_COMPLETED = "backward_completed"
    OPTIMIZER_STEP_STARTED = "optimizer_step_started"
    OPTIMIZER_STEP_COMPLETED = "optimizer_step_completed"


class Tbptt_Events(EventEnum):  # noqa: N801  # the name that its users know
    """What happens around each stretch of time in truncated backpropagation through time.

    Both are counted by ``state.time_iteration``, the stretches begun since the start.

    Example:
        >>> Tbptt_Events.TIME_ITERATION_STARTED.value
        'time_iteration_started'
    """

    TIME_ITERATION_STARTED = "time_iteration_started"
    TIME_ITERATION_COMPLETED = "time_iteration_completed"

    @classmethod
    def event_to_attr(cls) -> Mapping[EventEnum, str]:
        """Return what counts both: ``state.time_iteration``."""
        return dict.fromkeys(cls, "time_iteration")
