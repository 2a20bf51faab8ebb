"""A warm-up before any scheduler.

Owns: how the two are joined.
Must not know: how either works out its values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch.optim import lr_scheduler as torch_schedulers

from glowplug.errors import InvalidType
from glowplug_schedulers.arguments import flag, number, whole
from glowplug_schedulers.concat import ConcatScheduler
from glowplug_schedulers.groups import ParamGroupScheduler
from glowplug_schedulers.param_scheduler import ParamScheduler
from glowplug_schedulers.parameters import plain
from glowplug_schedulers.piecewise import PiecewiseLinear
from glowplug_schedulers.torch_scheduler import LRScheduler


def create_lr_scheduler_with_warmup(
    lr_scheduler: ParamScheduler | torch_schedulers.LRScheduler,
    warmup_start_value: float,
    warmup_duration: int,
    warmup_end_value: float | None = None,
    save_history: bool = False,
    output_simulated_values: list[Any] | None = None,
) -> ConcatScheduler:
    """Return a scheduler that warms up on a straight line, and then follows another.

    Where the warm-up of a scheduler of torch ends at the learning rate that this one starts with,
    that is there once, not twice.

    Args:
        lr_scheduler: a scheduler of an optimizer's parameter, or one of torch.
        warmup_start_value: the value at the first event.
        warmup_duration: events of the warm-up, 2 or more; the last of them has the end value.
        warmup_end_value: the value that the warm-up goes to; that of each group of the optimizer
            now, by default.
        save_history: whether values are appended to ``engine.state.param_history``.
        output_simulated_values: a list, such as ``[None] * 100``, that is filled with as many
            values, as ``simulate_values`` returns them.

    Returns:
        The scheduler, to be attached like any other.

    Raises:
        InvalidType: when an argument is of the wrong type.
        InvalidArgument: when one has an impossible value.

    Example:
        >>> import torch
        >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        >>> halving = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
        >>> values = [None] * 5
        >>> scheduler = create_lr_scheduler_with_warmup(
        ...     halving, 0.0, warmup_duration=3, output_simulated_values=values
        ... )
        >>> [value for _, value in values]
        [0.0, 0.5, 1.0, 0.5, 0.25]
    """
    following = _following(lr_scheduler)
    number("warmup_start_value", warmup_start_value)
    whole("warmup_duration", warmup_duration, least=2)
    if warmup_end_value is not None:
        number("warmup_end_value", warmup_end_value)
    flag("save_history", save_history)
    if output_simulated_values is not None and not isinstance(output_simulated_values, list):
        raise InvalidType(
            "output_simulated_values must be a list, such as [None] * 100, got "
            f"{output_simulated_values!r} of type {type(output_simulated_values).__name__}"
        )

    name, groups = following.param_name, following.optimizer_param_groups
    present = [float(plain(group[name])) for group in groups]
    ends = [warmup_end_value] * len(groups) if warmup_end_value is not None else present
    lines = [[(0, warmup_start_value), (warmup_duration - 1, end)] for end in ends]
    meets = isinstance(following, LRScheduler) and ends == list(map(plain, following.get_param()))
    parts = [_warmup(following, lines), following]
    durations = [warmup_duration - meets]
    if output_simulated_values is not None:
        events = len(output_simulated_values)
        output_simulated_values[:] = ConcatScheduler.simulate_values(events, parts, durations)
    return ConcatScheduler(parts, durations, save_history)


def _following(lr_scheduler: Any) -> ParamScheduler:
    if isinstance(lr_scheduler, ParamScheduler):
        return lr_scheduler
    if not isinstance(lr_scheduler, torch_schedulers.LRScheduler):
        raise InvalidType(
            "lr_scheduler must be a ParamScheduler or a scheduler of torch.optim.lr_scheduler, got "
            f"{lr_scheduler!r} of type {type(lr_scheduler).__name__}"
        )
    return LRScheduler(lr_scheduler)


def _warmup(
    following: ParamScheduler, lines: Sequence[list[tuple[int, float]]]
) -> ParamScheduler | ParamGroupScheduler:
    """Return what sets each group of a scheduler on its line."""
    optimizer, name = following.optimizer, following.param_name
    if len(lines) == 1:
        return PiecewiseLinear(
            optimizer, name, lines[0], param_group_index=following.param_group_index
        )
    return ParamGroupScheduler(
        [
            PiecewiseLinear(optimizer, name, line, param_group_index=index)
            for index, line in enumerate(lines)
        ]
    )
