"""The scheduler that goes on straight lines from milestone to milestone.

Owns: the component.
Must not know: how a value between two milestones is worked out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from glowplug_schedulers.param_scheduler import ParamScheduler
from glowplug_schedulers.parameters import refuse_other_than_numbers
from glowplug_schedulers.polyline import check_saved_corners, corners, value_at


class PiecewiseLinear(ParamScheduler):
    """Goes on straight lines from milestone to milestone, and stays at the last value.

    Before the first milestone it has the first value.

    Args:
        optimizer: an optimizer, or anything with a list ``param_groups``.
        param_name: the parameter, such as ``"lr"``.
        milestones_values: pairs of an event's number, from 0, and the value at it. Two pairs with
            the same number make a jump.
        save_history: whether values are appended to ``engine.state.param_history[param_name]``.
        param_group_index: the group that is scheduled; None for all.

    Raises:
        InvalidType: when an argument is of the wrong type, or a milestone is no whole number.
        InvalidArgument: when there are no milestones, one is below the last, or the optimizer lacks
            the parameter.

    Attributes:
        milestones: the numbers of events.
        values: the value at each of them.

    Example:
        >>> rows = PiecewiseLinear.simulate_values(
        ...     num_events=5, param_name="lr", milestones_values=[(1, 0.0), (3, 1.0)]
        ... )
        >>> [value for _, value in rows]
        [0.0, 0.0, 0.5, 1.0, 1.0]
    """

    def __init__(
        self,
        optimizer: Any,
        param_name: str,
        milestones_values: Sequence[tuple[int, float]],
        save_history: bool = False,
        param_group_index: int | None = None,
    ) -> None:
        milestones, values = corners(milestones_values)
        super().__init__(optimizer, param_name, save_history, param_group_index)
        refuse_other_than_numbers(self.optimizer_param_groups, param_name)
        self.milestones, self.values = milestones, values
        self._state_attrs += ["values", "milestones"]

    def get_param(self) -> float:
        """Return the value for ``event_index``."""
        return value_at(self.event_index, self.milestones, self.values)

    def _check_state(self, state: Any) -> None:
        super()._check_state(state)
        check_saved_corners(state)
