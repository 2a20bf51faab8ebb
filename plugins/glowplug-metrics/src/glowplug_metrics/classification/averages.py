"""From one number for each class to one for all of them.

Owns: the averages over classes, their names, and what 0 of 0 is.
Must not know: metrics.
"""

from __future__ import annotations

from enum import Enum

import torch
from torch import Tensor

from glowplug.errors import InvalidArgument, did_you_mean
from glowplug_metrics.states import has_float64


class Average(Enum):
    """How one number for each class becomes one for all."""

    POSITIVE = False
    """It does not; of binary predictions, the positive class alone."""
    CLASSES = None
    """It does not; of binary predictions, both classes."""
    MACRO = "macro"
    """The mean over the classes."""
    MICRO = "micro"
    """What the counts of all classes together give."""
    WEIGHTED = "weighted"
    """The mean over the classes, weighted by how often each is a target."""
    SAMPLES = "samples"
    """The mean over the examples of what the labels of each give."""


def average_from(average: bool | str | None, name: str = "average") -> Average:
    """Return the average that an argument stands for; True stands for ``"macro"``.

    Raises:
        InvalidArgument: for anything else.

    Example:
        >>> average_from(True) is average_from("macro") is Average.MACRO
        True
    """
    if average is True:
        return Average.MACRO
    names = [member.value for member in Average if isinstance(member.value, str)]
    if average is False or average is None or (isinstance(average, str) and average in names):
        return Average(average)
    raise InvalidArgument(
        f"{name} must be True, False, None or one of {', '.join(names)}, got {average!r} of type "
        f"{type(average).__name__}{did_you_mean(str(average), names)}"
    )


def share(part: Tensor, whole: Tensor) -> Tensor:
    """Return ``part / whole`` in float64 where the device has it, and 0 where both are 0.

    Args:
        part: ``(...)``, 0 wherever ``whole`` is.
        whole: ``(...)``, not negative.

    Returns:
        A tensor ``(...)``.

    Example:
        >>> share(torch.tensor([1, 0]), torch.tensor([4, 0]))
        tensor([0.2500, 0.0000], dtype=torch.float64)
    """
    wide = torch.float64 if has_float64(part.device) else torch.float32
    return part.to(wide) / whole.to(wide).clamp(min=torch.finfo(wide).tiny)


def weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    """Return the mean of values by weights that are counts, and 0 where these are all 0.

    Args:
        values: ``(C,)``
        weights: ``(C,)``, whole numbers.

    Returns:
        A tensor without dimensions.

    Example:
        >>> weighted_mean(torch.tensor([1.0, 0.0]), torch.tensor([1, 3]))
        tensor(0.2500, dtype=torch.float64)
    """
    return share((values * weights).sum(), weights.sum())
