"""What a range test is given to put back, and the optimizer among it.

Owns: whether it can be put back, and whether all that the test changes is there.
Must not know: how a test is run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from glowplug.errors import InvalidArgument, InvalidType


def has_state(value: Any) -> bool:
    """Return whether something can be kept and put back.

    Example:
        >>> has_state(torch.nn.Linear(1, 1)), has_state(3)
        (True, False)
    """
    return all(callable(getattr(value, n, None)) for n in ("state_dict", "load_state_dict"))


def groups_of(optimizer: Any) -> Sequence[Any]:
    """Return the groups of parameters of an optimizer.

    Raises:
        InvalidType: when it is none.
    """
    groups = getattr(optimizer, "param_groups", None)
    if not isinstance(groups, list) or not all(isinstance(g, dict) and "lr" in g for g in groups):
        raise InvalidType(
            "optimizer must have param_groups with an lr each, as those of torch.optim do, got "
            f"{optimizer!r} of type {type(optimizer).__name__}"
        )
    return groups


def checked_objects(to_save: Any) -> dict[str, Any]:
    """Return what is to be put back.

    Raises:
        InvalidType: when ``to_save`` is no mapping, or something in it has no state.
        InvalidArgument: when there is no optimizer, or no model with its parameters.
    """
    if not isinstance(to_save, Mapping):
        raise InvalidType(
            'to_save must be a mapping such as {"model": model, "optimizer": optimizer}, got '
            f"{to_save!r} of type {type(to_save).__name__}"
        )
    for name, value in to_save.items():
        if not has_state(value):
            raise InvalidType(
                f"to_save[{name!r}] must have state_dict() and load_state_dict(state), got "
                f"{value!r} of type {type(value).__name__}"
            )
    if "optimizer" not in to_save:
        raise InvalidArgument(
            'to_save must have the optimizer under the key "optimizer"; it has '
            f"{', '.join(map(repr, to_save)) or 'nothing'}"
        )
    groups = groups_of(to_save["optimizer"])
    modules = [value for value in to_save.values() if isinstance(value, torch.nn.Module)]
    held = {id(parameter) for module in modules for parameter in module.parameters()}
    lost = sum(id(parameter) not in held for group in groups for parameter in group["params"])
    if lost:
        raise InvalidArgument(
            f"to_save has no model with {lost} of the optimizer's parameters, which the test would "
            'change for good; add the model, such as to_save={"model": model, ...}'
        )
    return dict(to_save)
