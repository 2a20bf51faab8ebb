"""A model's parameters by name, and the groups that a user makes of them.

Owns: which parameters have a norm, and which pattern means which parameter.
Must not know: what is done with a group.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.nn.parameter import is_lazy

from glowplug.errors import InvalidArgument, InvalidType, did_you_mean

Patterns: TypeAlias = str | Sequence[str]


def named(model: torch.nn.Module) -> list[tuple[str, Tensor]]:
    """Return the parameters of a model that have a norm, shared ones once.

    Left out are those that a lazy layer has not made yet, empty ones, and whole numbers.

    Example:
        >>> [name for name, _ in named(torch.nn.Linear(2, 1))]
        ['weight', 'bias']
    """
    return [
        (name, parameter)
        for name, parameter in model.named_parameters()
        if not is_lazy(parameter)
        and parameter.numel()
        and (parameter.is_floating_point() or parameter.is_complex())
    ]


def checked_groups(
    groups: Any, model: torch.nn.Module, *, per_parameter: bool
) -> dict[str, tuple[str, ...]]:
    """Return the parameters of each group.

    Args:
        groups: names of groups, and a pattern or several for each.
        model: the network whose parameters are meant.
        per_parameter: whether the names of parameters are taken.

    Raises:
        InvalidType: when ``groups`` is no mapping of this kind.
        InvalidArgument: when a pattern means no parameter, or a group has a parameter's name where
            those are taken.

    Example:
        >>> model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 1))
        >>> checked_groups({"head": "1"}, model, per_parameter=False)
        {'head': ('1.weight', '1.bias')}
    """
    if not isinstance(groups, Mapping) or not all(
        isinstance(name, str) and name for name in groups
    ):
        raise InvalidType(
            "groups must be a mapping from names to patterns, such as {'encoder': 'encoder.*'}, "
            f"got {groups!r} of type {type(groups).__name__}"
        )
    names = [name for name, _ in model.named_parameters()]
    taken = [group for group in groups if per_parameter and group in names]
    if taken:
        raise InvalidArgument(
            f"groups names {', '.join(map(repr, taken))}, which is a parameter's name, and with "
            "per_parameter=True has a norm already; choose another name"
        )
    return {group: _members(group, wanted, names) for group, wanted in groups.items()}


def _members(group: str, wanted: Any, names: Sequence[str]) -> tuple[str, ...]:
    patterns = [wanted] if isinstance(wanted, str) else wanted
    if not isinstance(patterns, (list, tuple)) or not all(isinstance(p, str) for p in patterns):
        raise InvalidType(
            f"groups[{group!r}] must be a pattern or a list of patterns, got {wanted!r} of type "
            f"{type(wanted).__name__}"
        )
    lost = [p for p in patterns if not any(_means(p, name) for name in names)]
    if lost or not patterns:
        layers = {name.rsplit(".", n)[0] for name in names for n in range(name.count(".") + 1)}
        near = "".join(did_you_mean(pattern, layers) for pattern in lost)
        raise InvalidArgument(
            f"groups[{group!r}] = {wanted!r} means no parameter{near} "
            f"(parameters: {', '.join(names)})"
        )
    return tuple(name for name in names if any(_means(pattern, name) for pattern in patterns))


def _means(pattern: str, name: str) -> bool:
    """Return whether a pattern is a parameter's name, a layer's above it, or fits it by ``*``."""
    return fnmatchcase(name, pattern) or name.startswith(f"{pattern}.")
