"""From what a metric computed to what stands in ``engine.state.metrics``.

Owns: turning tensors of one element into numbers, and where the entries of a mapping go.
Must not know: metrics and engines.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from enum import Enum
from typing import Any

import torch

from glowplug.errors import InvalidArgument, did_you_mean


class ResultMode(Enum):
    """Where a value that is a mapping goes.

    Example:
        >>> ResultMode("flatten") is ResultMode.FLATTEN
        True
    """

    FLATTEN = "flatten"
    """Each entry under its own key."""
    NAMED = "named"
    """The mapping under the metric's name."""
    BOTH = "both"
    """Both."""


def result_mode(mode: ResultMode | str) -> ResultMode:
    """Return the mode that a member or its value stands for.

    Raises:
        InvalidArgument: for anything else.
    """
    try:
        return ResultMode(mode)
    except ValueError:
        modes = [known.value for known in ResultMode]
        raise InvalidArgument(
            f"metrics_result_mode must be one of {', '.join(modes)}, got {mode!r}"
            f"{did_you_mean(str(mode), modes)}"
        ) from None


def as_numbers(value: Any) -> Any:
    """Return ``value`` with every tensor without dimensions as a number, in mappings too.

    Example:
        >>> as_numbers({"loss": torch.tensor(0.5), "name": "x"})
        {'loss': 0.5, 'name': 'x'}
    """
    if isinstance(value, torch.Tensor):
        return value.item() if value.ndim == 0 else value
    if isinstance(value, Mapping):
        return {key: as_numbers(entry) for key, entry in value.items()}
    return value


def publish(metrics: MutableMapping[Any, Any], name: str, value: Any, mode: ResultMode) -> None:
    """Put a value under its name, and the entries of a mapping as ``mode`` says.

    Args:
        metrics: what is changed: ``engine.state.metrics``.
        name: the metric's name.
        value: what it computed.
        mode: where the entries of a mapping go.

    Raises:
        InvalidArgument: when the mapping has the name among its keys, and both would be kept.

    Example:
        >>> metrics = {}
        >>> publish(metrics, "val", {"acc": 0.5}, ResultMode.BOTH)
        >>> metrics
        {'acc': 0.5, 'val': {'acc': 0.5}}
    """
    if not isinstance(value, Mapping):
        metrics[name] = value
        return
    if mode is not ResultMode.FLATTEN and name in value:
        raise InvalidArgument(
            f"the metric is attached as {name!r}, and its value has a key {name!r} too "
            f"({list(value)}); attach it under another name, or use metrics_result_mode='flatten'"
        )
    if mode is not ResultMode.NAMED:
        metrics.update(value)
    if mode is not ResultMode.FLATTEN:
        metrics[name] = value
