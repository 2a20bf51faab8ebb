"""From what a step returned to what a metric is updated with.

Owns: picking entries out of a mapping, and taking lists of examples apart.
Must not know: metrics, and what the values mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import torch

from glowplug.errors import InvalidArgument


def as_it_is(output: Any) -> Any:
    """Return ``output``: the transform of a metric that was given none."""
    return output


def picked(
    output: Mapping[Any, Any], required: Sequence[str], optional: Sequence[str]
) -> tuple[Any, ...]:
    """Return the values of a mapping in the order of ``required``, then of ``optional``.

    Args:
        output: what a step returned.
        required: keys that must be there.
        optional: keys that may be; the first that is missing ends them.

    Raises:
        InvalidArgument: when a required key is missing.

    Example:
        >>> picked({"y": 1, "y_pred": 0, "loss": 0.5}, ("y_pred", "y"), ())
        (0, 1)
    """
    missing = [key for key in required if key not in output]
    if missing:
        raise InvalidArgument(
            f"an output that is a mapping must have the keys {list(required)}, got "
            f"{list(output)}, which lacks {missing}; name them so in the step, or give an "
            "output_transform that does"
        )
    values = [output[key] for key in required]
    for key in optional:
        if key not in output:
            break
        values.append(output[key])
    return tuple(values)


def unrolled(output: Sequence[Any]) -> list[tuple[torch.Tensor, ...]] | None:
    """Take an output apart that holds examples in lists, such as ``([p1, p2], [t1, t2])``.

    Args:
        output: what a step returned.

    Returns:
        One output for each example, each of its parts as a batch of one: ``(1, ...)``; None for an
        output of another form, which is to be taken whole.

    Raises:
        InvalidArgument: when the lists are not equally long.

    Example:
        >>> unrolled(([1, 2], [3, 4]))
        [(tensor([1]), tensor([3])), (tensor([2]), tensor([4]))]
        >>> unrolled((torch.ones(2), torch.ones(2))) is None
        True
    """
    if len(output) < 2:
        return None
    for part in output:
        if not isinstance(part, (list, tuple)):
            return None
    if not all(isinstance(item, (torch.Tensor, Real)) for part in output for item in part):
        return None
    lengths = [len(part) for part in output]
    if len(set(lengths)) != 1:
        raise InvalidArgument(
            f"the parts of an output of lists must be equally long, got lengths {lengths}; "
            "skip_unrolling=True takes the output whole"
        )
    return [tuple(_batch_of(item) for item in items) for items in zip(*output, strict=True)]


def _batch_of(item: Any) -> torch.Tensor:
    return item.unsqueeze(0) if isinstance(item, torch.Tensor) else torch.tensor([item])
