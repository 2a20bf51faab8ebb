"""Optimizers as schedulers see them: groups of named parameters.

Owns: checking that a parameter is there, setting it, and a double of an optimizer to rehearse on.
Must not know: what value a parameter should have.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor

from glowplug.errors import InvalidArgument, InvalidType, did_you_mean
from glowplug_schedulers.arguments import whole


def checked_groups(optimizer: Any, param_name: str, index: int | None) -> list[dict[str, Any]]:
    """Return the groups of an optimizer that a scheduler is for, which must have the parameter.

    Args:
        optimizer: an optimizer, or anything with ``param_groups``.
        param_name: the parameter's name.
        index: which group; None for all.

    Raises:
        InvalidType: when it is no optimizer, or the index no whole number.
        InvalidArgument: when there is no such group, or a group lacks the parameter.
    """
    groups = getattr(optimizer, "param_groups", None)
    if not isinstance(groups, (list, tuple)):
        raise InvalidType(
            "optimizer must be a torch.optim.Optimizer, or have a list param_groups, got "
            f"{optimizer!r} of type {type(optimizer).__name__}"
        )
    if index is not None and whole("param_group_index", index, least=0) >= len(groups):
        raise InvalidArgument(
            f"param_group_index is {index}, but the optimizer has {len(groups)} param group(s), "
            "counted from 0"
        )
    for place, group in enumerate(groups):
        if param_name not in group and index in (None, place):
            known = [name for name in group if name != "params"]
            raise InvalidArgument(
                f"param group {place} of the optimizer ({type(optimizer).__name__}) has no "
                f"{param_name!r}{did_you_mean(param_name, known)} (it has: {', '.join(known)})"
            )
    return list(groups) if index is None else [groups[index]]


def refuse_other_than_numbers(groups: Iterable[dict[str, Any]], param_name: str) -> None:
    """Refuse a parameter that holds several numbers, as Adam's ``betas``, or none.

    Raises:
        InvalidType: when it is neither a number nor a tensor of one.
    """
    for group in groups:
        present = group[param_name]
        if isinstance(present, Tensor) and present.numel() == 1:
            continue
        if isinstance(present, bool) or not isinstance(present, (int, float)):
            raise InvalidType(
                f"this schedule sets one number, but {param_name!r} of the optimizer is "
                f"{present!r} of type {type(present).__name__}; inherit from ParamScheduler, with "
                "a get_param() that returns what is needed"
            )


def set_param(group: dict[str, Any], name: str, value: Any) -> None:
    """Set a parameter of a group; a tensor keeps its place, as captured graphs hold it."""
    present = group[name]
    if type(present) is float or not isinstance(present, Tensor):
        group[name] = value
    else:
        present.detach().fill_(value)


def plain(value: Any) -> Any:
    """Return the number that a tensor of one number holds, and anything else as it is."""
    return value.item() if isinstance(value, Tensor) else value


def double(optimizer: Any) -> torch.optim.Optimizer:
    """Return an optimizer with the settings of another's groups, and none of its weights."""
    made = torch.optim.SGD([torch.nn.Parameter(torch.zeros(()))], lr=0.0)
    weights = made.param_groups[0]["params"]
    made.param_groups = [
        {
            **{name: _copied(value) for name, value in group.items() if name != "params"},
            "params": weights,
        }
        for group in optimizer.param_groups
    ]
    made.defaults = deepcopy(getattr(optimizer, "defaults", {}))
    return made


def doubled(objects: Sequence[Any], optimizers: Iterable[Any]) -> list[Any]:
    """Return copies of objects that work on doubles of their optimizers.

    Args:
        objects: schedulers, which hold the optimizers.
        optimizers: the optimizers, in whose stead the copies have doubles.
    """
    memo = {id(optimizer): double(optimizer) for optimizer in optimizers}
    return deepcopy(list(objects), memo)


def _copied(value: Any) -> Any:
    return value.detach().clone() if isinstance(value, Tensor) else deepcopy(value)
