"""The schedules of an attribute of a state.

Owns: the five curves.
Must not know: where a value is set.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any

from glowplug_schedulers.arguments import function, items, number, rising, whole
from glowplug_schedulers.polyline import check_saved_corners, corners, value_at
from glowplug_schedulers.state_scheduler import StateParamScheduler


class LambdaStateScheduler(StateParamScheduler):
    """Sets an attribute to what a function returns.

    Args:
        lambda_obj: ``f(event_index)``, counted from 1. It is not saved, but what it returned last
            is: let that be a number, a text or a tensor.
        param_name: the attribute of ``engine.state``.
        save_history: whether values are appended to ``engine.state.param_history[param_name]``.
        create_new: whether the attribute is new.

    Raises:
        InvalidType: when an argument is of the wrong type.
        InvalidArgument: when the attribute belongs to the engine.

    Example:
        >>> LambdaStateScheduler.simulate_values(num_events=3, lambda_obj=lambda event: event**2)
        [[0, 1], [1, 4], [2, 9]]
    """

    def __init__(
        self,
        lambda_obj: Callable[[int], Any],
        param_name: str,
        save_history: bool = False,
        create_new: bool = False,
    ) -> None:
        function("lambda_obj", lambda_obj)
        super().__init__(param_name, save_history, create_new)
        self.lambda_obj = lambda_obj

    def get_param(self) -> Any:
        """Return the value for ``event_index``."""
        return self.lambda_obj(self.event_index)


class PiecewiseLinearStateScheduler(StateParamScheduler):
    """Moves an attribute on straight lines from milestone to milestone.

    Args:
        milestones_values: pairs of an event's number, from 1, and the value at it. Two pairs with
            the same number make a jump.
        param_name: the attribute of ``engine.state``.
        save_history: whether values are appended to ``engine.state.param_history[param_name]``.
        create_new: whether the attribute is new.

    Raises:
        InvalidType: when an argument is of the wrong type, or a milestone is no whole number.
        InvalidArgument: when there are no milestones, one is below the last, or the attribute
            belongs to the engine.

    Attributes:
        milestones: the numbers of events.
        values: the value at each of them.

    Example:
        >>> rows = PiecewiseLinearStateScheduler.simulate_values(
        ...     num_events=4, milestones_values=[(2, 0.0), (4, 1.0)]
        ... )
        >>> [value for _, value in rows]
        [0.0, 0.0, 0.5, 1.0]
    """

    def __init__(
        self,
        milestones_values: Sequence[tuple[int, float]],
        param_name: str,
        save_history: bool = False,
        create_new: bool = False,
    ) -> None:
        milestones, values = corners(milestones_values)
        super().__init__(param_name, save_history, create_new)
        self.milestones, self.values = milestones, values
        self._state_attrs += ["values", "milestones"]

    def get_param(self) -> float:
        """Return the value for ``event_index``."""
        return value_at(self.event_index, self.milestones, self.values)

    def _check_state(self, state: Any) -> None:
        super()._check_state(state)
        check_saved_corners(state)


class ExpStateScheduler(StateParamScheduler):
    r"""Multiplies an attribute by a factor at each event.

    .. math:: v_n = v_0 \, \gamma^n

    Args:
        initial_value: :math:`v_0`, the value before the first event.
        gamma: the factor.
        param_name: the attribute of ``engine.state``.
        save_history: whether values are appended to ``engine.state.param_history[param_name]``.
        create_new: whether the attribute is new.

    Raises:
        InvalidType: when an argument is of the wrong type.
        InvalidArgument: when the attribute belongs to the engine.

    Example:
        >>> rows = ExpStateScheduler.simulate_values(num_events=3, initial_value=1, gamma=0.5)
        >>> [value for _, value in rows]
        [0.5, 0.25, 0.125]
    """

    def __init__(
        self,
        initial_value: float,
        gamma: float,
        param_name: str,
        save_history: bool = False,
        create_new: bool = False,
    ) -> None:
        number("initial_value", initial_value)
        number("gamma", gamma)
        super().__init__(param_name, save_history, create_new)
        self.initial_value, self.gamma = initial_value, gamma
        self._state_attrs += ["initial_value", "gamma"]

    def get_param(self) -> float:
        """Return the value for ``event_index``."""
        return self.initial_value * self.gamma**self.event_index

    def _check_state(self, state: Any) -> None:
        super()._check_state(state)
        number("'initial_value'", state["initial_value"])
        number("'gamma'", state["gamma"])


class StepStateScheduler(ExpStateScheduler):
    r"""Multiplies an attribute by a factor at every so many events.

    .. math:: v_n = v_0 \, \gamma^{\lfloor n / \mathrm{step\_size} \rfloor}

    Args:
        initial_value: :math:`v_0`, the value before the first step.
        gamma: the factor.
        step_size: events from step to step.
        param_name: the attribute of ``engine.state``.
        save_history: whether values are appended to ``engine.state.param_history[param_name]``.
        create_new: whether the attribute is new.

    Raises:
        InvalidType: when an argument is of the wrong type.
        InvalidArgument: when one has an impossible value, or the attribute belongs to the engine.

    Example:
        >>> rows = StepStateScheduler.simulate_values(4, initial_value=1, gamma=0.5, step_size=2)
        >>> [value for _, value in rows]
        [1.0, 0.5, 0.5, 0.25]
    """

    def __init__(
        self,
        initial_value: float,
        gamma: float,
        step_size: int,
        param_name: str,
        save_history: bool = False,
        create_new: bool = False,
    ) -> None:
        whole("step_size", step_size, least=1)
        super().__init__(initial_value, gamma, param_name, save_history, create_new)
        self.step_size = step_size
        self._state_attrs += ["step_size"]

    def get_param(self) -> float:
        """Return the value for ``event_index``."""
        return self.initial_value * self.gamma ** (self.event_index // self.step_size)

    def _check_state(self, state: Any) -> None:
        super()._check_state(state)
        whole("'step_size'", state["step_size"], least=1)


class MultiStepStateScheduler(ExpStateScheduler):
    r"""Multiplies an attribute by a factor at each of some milestones.

    .. math:: v_n = v_0 \, \gamma^{\#\{m \le n\}}

    Args:
        initial_value: :math:`v_0`, the value before the first milestone.
        gamma: the factor.
        milestones: numbers of events, from 1, in order; one that is there twice counts twice.
        param_name: the attribute of ``engine.state``.
        save_history: whether values are appended to ``engine.state.param_history[param_name]``.
        create_new: whether the attribute is new.

    Raises:
        InvalidType: when an argument is of the wrong type.
        InvalidArgument: when there are no milestones, one is below the last, or the attribute
            belongs to the engine.

    Example:
        >>> rows = MultiStepStateScheduler.simulate_values(
        ...     num_events=4, initial_value=1, gamma=0.5, milestones=[2, 4]
        ... )
        >>> [value for _, value in rows]
        [1.0, 0.5, 0.5, 0.25]
    """

    def __init__(
        self,
        initial_value: float,
        gamma: float,
        milestones: Sequence[int],
        param_name: str,
        save_history: bool = False,
        create_new: bool = False,
    ) -> None:
        checked = rising("milestones", items("milestones", milestones, "events"), least=0)
        super().__init__(initial_value, gamma, param_name, save_history, create_new)
        self.milestones = checked
        self._state_attrs += ["milestones"]

    def get_param(self) -> float:
        """Return the value for ``event_index``."""
        return self.initial_value * self.gamma ** bisect_right(self.milestones, self.event_index)

    def _check_state(self, state: Any) -> None:
        super()._check_state(state)
        rising("'milestones'", items("'milestones'", state["milestones"], "events"), least=0)
