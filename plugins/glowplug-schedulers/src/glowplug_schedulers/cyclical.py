"""Schedulers that go to and fro between two values.

Owns: the values within a cycle, and how they change from cycle to cycle.
Must not know: how many events a later cycle has.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from glowplug.errors import InvalidArgument
from glowplug_schedulers.arguments import flag, number, whole
from glowplug_schedulers.cycles import SHORTEST, locate
from glowplug_schedulers.param_scheduler import ParamScheduler
from glowplug_schedulers.parameters import refuse_other_than_numbers


class CyclicalScheduler(ParamScheduler):
    """The base of schedulers that repeat a cycle; a subclass defines ``value_at``.

    Args:
        optimizer: an optimizer, or anything with a list ``param_groups``.
        param_name: the parameter, such as ``"lr"``.
        start_value: the value at the start of a cycle.
        end_value: the value that a cycle goes to.
        cycle_size: events in a cycle, 2 or more.
        cycle_mult: what the length of a cycle, and of the warm-up after it, is multiplied by, from
            each to the next; lengths are rounded down, and stay 2 or more.
        start_value_mult: what ``start_value`` is multiplied by from cycle to cycle.
        end_value_mult: what ``end_value`` is multiplied by from cycle to cycle.
        warmup_duration: events after a cycle in which the value goes on a straight line from where
            the cycle ended to where the next starts; they are not part of ``cycle_size``.
        save_history: whether values are appended to ``engine.state.param_history[param_name]``.
        param_group_index: the group that is scheduled; None for all.

    Raises:
        InvalidType: when an argument is of the wrong type.
        InvalidArgument: when one has an impossible value, or the optimizer lacks the parameter.

    Example:
        >>> class Steps(CyclicalScheduler):
        ...     def value_at(self, progress, start, end):
        ...         return start if progress < 0.5 else end
        >>> rows = Steps.simulate_values(
        ...     num_events=4, param_name="lr", start_value=1.0, end_value=0.0, cycle_size=2
        ... )
        >>> [value for _, value in rows]
        [1.0, 0.0, 1.0, 0.0]
    """

    def __init__(
        self,
        optimizer: Any,
        param_name: str,
        start_value: float,
        end_value: float,
        cycle_size: int,
        cycle_mult: float = 1.0,
        start_value_mult: float = 1.0,
        end_value_mult: float = 1.0,
        warmup_duration: int = 0,
        save_history: bool = False,
        param_group_index: int | None = None,
    ) -> None:
        given = {
            "start_value": start_value,
            "end_value": end_value,
            "cycle_size": cycle_size,
            "cycle_mult": cycle_mult,
            "start_value_mult": start_value_mult,
            "end_value_mult": end_value_mult,
            "warmup_duration": warmup_duration,
        }
        _check(given)
        super().__init__(optimizer, param_name, save_history, param_group_index)
        refuse_other_than_numbers(self.optimizer_param_groups, param_name)
        self.start_value, self.end_value = start_value, end_value
        self.cycle_size, self.cycle_mult = cycle_size, cycle_mult
        self.start_value_mult, self.end_value_mult = start_value_mult, end_value_mult
        self.warmup_duration = warmup_duration
        self._state_attrs += given

    @abstractmethod
    def value_at(self, progress: float, start: float, end: float) -> float:
        """Return the value at a point of a cycle.

        Args:
            progress: how much of the cycle has passed, from 0 to below 1.
            start: the cycle's start value.
            end: the cycle's end value.
        """

    @property
    def cycle(self) -> int:
        """The number of the cycle, from 0, that the next event belongs to."""
        return self._place()[0]

    def get_param(self) -> float:
        """Return the value for ``event_index``."""
        size, warmup = self.cycle_size, self.warmup_duration
        if self.cycle_mult == 1.0:  # the common case, without a call
            cycle, within = divmod(self.event_index, size + warmup)
        else:
            cycle, within, size, warmup = self._place()
        start = self.start_value * self.start_value_mult**cycle
        end = self.end_value * self.end_value_mult**cycle
        if within < size:
            return self.value_at(within / size, start, end)
        next_start = self.start_value * self.start_value_mult ** (cycle + 1)
        return end + (next_start - end) * (within - size) / warmup

    def _place(self) -> tuple[int, int, int, int]:
        return locate(self.event_index, self.cycle_size, self.warmup_duration, self.cycle_mult)

    def _check_state(self, state: Any) -> None:
        super()._check_state(state)
        _check(state)


def _check(given: Mapping[str, Any]) -> None:
    for name in ("start_value", "end_value", "start_value_mult", "end_value_mult"):
        number(name, given[name])
    whole("cycle_size", given["cycle_size"], least=SHORTEST)
    whole("warmup_duration", given["warmup_duration"], least=0)
    if not 0 < number("cycle_mult", given["cycle_mult"]) < math.inf:
        raise InvalidArgument(f"cycle_mult must be above 0, got {given['cycle_mult']!r}")


class LinearCyclicalScheduler(CyclicalScheduler):
    r"""Goes on a straight line from a start value to an end value, and back.

    With :math:`p` from 0 to below 1, the share of the cycle that has passed:

    .. math:: v(p) = e + (s - e) \, |2p - 1| \quad \text{or, monotonic,} \quad
        v(p) = e + (s - e) \, (1 - p)

    Args:
        *args: as for ``CyclicalScheduler``.
        monotonic: whether it goes from start to end alone; then the next cycle jumps back.
        **kwagrs: as for ``CyclicalScheduler``; ``warmup_duration`` is for monotonic ones.

    Raises:
        InvalidType: when an argument is of the wrong type.
        InvalidArgument: when one has an impossible value, or the optimizer lacks the parameter; and
            for a warm-up where the cycle ends at the start value anyway.

    References:
        L. Smith, Cyclical Learning Rates for Training Neural Networks,
        https://arxiv.org/abs/1506.01186

    Example:
        >>> rows = LinearCyclicalScheduler.simulate_values(
        ...     num_events=5, param_name="lr", start_value=1.0, end_value=0.0, cycle_size=4
        ... )
        >>> [value for _, value in rows]
        [1.0, 0.5, 0.0, 0.5, 1.0]
    """

    def __init__(self, *args: Any, monotonic: bool = False, **kwagrs: Any) -> None:
        flag("monotonic", monotonic)
        super().__init__(*args, **kwagrs)
        _check_warmup(self.warmup_duration, monotonic)
        self.monotonic = monotonic
        self._state_attrs += ["monotonic"]

    def value_at(self, progress: float, start: float, end: float) -> float:
        """Return the value at a point of a cycle."""
        left = 1.0 - progress if self.monotonic else abs(2.0 * progress - 1.0)
        return end + (start - end) * left

    def _check_state(self, state: Any) -> None:
        super()._check_state(state)
        _check_warmup(state["warmup_duration"], flag("monotonic", state["monotonic"]))


def _check_warmup(warmup_duration: int, monotonic: bool) -> None:
    if warmup_duration and not monotonic:
        raise InvalidArgument(
            f"warmup_duration={warmup_duration} needs monotonic=True: a cycle that goes back to "
            "its start value has nothing left to warm up"
        )


class CosineAnnealingScheduler(CyclicalScheduler):
    r"""Goes along half a cosine from a start value to an end value, then starts anew.

    .. math:: v(p) = s + \frac{e - s}{2} \, (1 - \cos \pi p)

    Args:
        optimizer: an optimizer, or anything with a list ``param_groups``.
        param_name: the parameter, such as ``"lr"``.
        start_value: the value at the start of a cycle.
        end_value: the value that a cycle goes to.
        cycle_size: events in a cycle, 2 or more.
        cycle_mult: what the length of a cycle is multiplied by from each to the next.
        start_value_mult: what ``start_value`` is multiplied by from cycle to cycle.
        end_value_mult: what ``end_value`` is multiplied by from cycle to cycle.
        warmup_duration: events after a cycle in which the value goes up to the next one's start.
        save_history: whether values are appended to ``engine.state.param_history[param_name]``.
        param_group_index: the group that is scheduled; None for all.

    Raises:
        InvalidType: when an argument is of the wrong type.
        InvalidArgument: when one has an impossible value, or the optimizer lacks the parameter.

    References:
        I. Loshchilov and F. Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts,
        https://arxiv.org/abs/1608.03983

    Example:
        >>> rows = CosineAnnealingScheduler.simulate_values(
        ...     num_events=5, param_name="lr", start_value=1.0, end_value=0.0, cycle_size=4
        ... )
        >>> [round(value, 3) for _, value in rows]
        [1.0, 0.854, 0.5, 0.146, 1.0]
    """

    def value_at(self, progress: float, start: float, end: float) -> float:
        """Return the value at a point of a cycle."""
        return start + (end - start) / 2 * (1 - math.cos(math.pi * progress))
