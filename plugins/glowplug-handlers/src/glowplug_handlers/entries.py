"""The entries of an output, and whether they are finite numbers.

Owns: walking nested containers with a path to each entry; checking many tensors at once.
Must not know: engines, or what becomes of an output.
"""

from __future__ import annotations

import cmath
import dataclasses
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from numbers import Number
from typing import Any, TypeAlias

import torch
from torch import Tensor

from glowplug.errors import InvalidType

Entry: TypeAlias = tuple[str, Any]
"""The path to an entry, such as ``output['loss']``, and the entry."""


def entries(output: Any, path: str = "output") -> Iterator[Entry]:
    """Walk the numbers, tensors and arrays of an output; texts and None are passed over.

    Args:
        output: a number, a tensor, a NumPy array, or mappings, sequences and dataclasses of them,
            nested as deep as you like.
        path: what the paths begin with.

    Yields:
        The path to each entry, and the entry.

    Raises:
        InvalidType: when there is something else.

    Example:
        >>> list(entries({"loss": 0.5, "parts": [1, "text", (2,)]}))
        [("output['loss']", 0.5), ("output['parts'][0]", 1), ("output['parts'][2][0]", 2)]
    """
    if isinstance(output, (Tensor, Number)) or _is_array(output):
        yield path, output
    elif output is None or isinstance(output, (str, bytes)):
        return
    elif isinstance(output, Mapping):
        for key, value in output.items():
            yield from entries(value, f"{path}[{key!r}]")
    elif dataclasses.is_dataclass(output) and not isinstance(output, type):
        for field in dataclasses.fields(output):
            yield from entries(getattr(output, field.name), f"{path}.{field.name}")
    elif isinstance(output, Sequence):
        names = getattr(output, "_fields", None)
        for index, value in enumerate(output):
            yield from entries(value, f"{path}.{names[index]}" if names else f"{path}[{index}]")
    else:
        raise InvalidType(
            f"{path} is of type {type(output).__name__}, in which no number can be looked for; "
            "expected numbers, tensors, or mappings and sequences of them: pick what is to be "
            "looked at by output_transform"
        )


def first_not_finite(output: Any) -> Entry | None:
    """Return the first entry of an output that is NaN or infinite, or holds such a number.

    Of all tensors on a device together one number is fetched, so it is waited for once. Where that
    says that all is well, no entry is looked at by itself.

    Args:
        output: as for `entries`.

    Returns:
        Its path and the entry, or None where all are finite.

    Raises:
        InvalidType: when there is something that is neither.

    Example:
        >>> first_not_finite({"loss": torch.tensor(1.0), "logits": torch.tensor([0.0, torch.inf])})
        ("output['logits']", tensor([0., inf]))
    """
    if type(output) is float:  # what most steps return, so it goes first
        return None if math.isfinite(output) else ("output", output)
    found = list(entries(output))
    tensors = [entry for _, entry in found if isinstance(entry, Tensor)]
    if _all_finite(tensors):
        found = [(path, entry) for path, entry in found if not isinstance(entry, Tensor)]
    return next(((path, entry) for path, entry in found if not _is_finite(entry)), None)


def without_history(output: Any) -> Any:
    """Return an output whose tensors are detached from what gradients flow through.

    Containers other than dicts, lists, tuples and named tuples are returned as they are.

    Example:
        >>> weight = torch.ones(1, requires_grad=True)
        >>> without_history({"loss": weight * 2, "name": "first"})
        {'loss': tensor([2.]), 'name': 'first'}
    """
    if isinstance(output, Tensor):
        return output.detach()
    if type(output) is dict:
        return {key: without_history(value) for key, value in output.items()}
    if type(output) in (list, tuple):
        return type(output)(without_history(value) for value in output)
    if isinstance(output, tuple) and hasattr(output, "_fields"):
        return type(output)(*(without_history(value) for value in output))
    return output


def _all_finite(tensors: list[Tensor]) -> bool:
    """Return whether no tensor holds NaN or infinity; False may be wrong, True never is."""
    if len(tensors) == 1 and tensors[0].numel() == 1:
        return _is_finite(tensors[0])
    groups: dict[Any, list[Tensor]] = {}
    for tensor in tensors:
        if tensor.dtype.is_floating_point or tensor.dtype.is_complex:
            values = _values(tensor)
            if values.numel():
                groups.setdefault((values.device, values.dtype), []).append(values.detach())
    return all(bool(torch.isfinite(_digest(group)).all()) for group in groups.values())


def _digest(tensors: list[Tensor]) -> Tensor:
    """Return a number for each tensor, which is not finite where one of its elements is not.

    Each tensor is read once, and nothing of its size is made.
    """
    if tensors[0].device.type == "cpu":
        # The fastest there is, and it may overflow: a false alarm, after which each is looked at.
        wide = torch.float32 if tensors[0].dtype.itemsize < 4 else None
        return torch.stack([tensor.sum(dtype=wide) for tensor in tensors])
    # On a GPU one kernel for all of them counts for more. This is the largest size of an element.
    return torch.stack(torch._foreach_norm(tensors, math.inf))


def _is_finite(entry: Any) -> bool:
    if isinstance(entry, Tensor):
        if not entry.numel() or not (entry.dtype.is_floating_point or entry.dtype.is_complex):
            return True
        if entry.numel() == 1:
            return cmath.isfinite(entry.detach().item())
        return bool(torch.isfinite(_values(entry)).all())
    if _is_array(entry):
        return entry.dtype.kind not in "fc" or bool(sys.modules["numpy"].isfinite(entry).all())
    if isinstance(entry, int):  # which may be larger than any float
        return True
    try:
        return cmath.isfinite(entry)
    except OverflowError:  # a fraction or a decimal beyond the floats is a number still
        return True


def _values(tensor: Tensor) -> Tensor:
    """Return the elements that are there: of a sparse tensor its values."""
    if tensor.layout is torch.sparse_coo:
        return tensor.coalesce().values()
    if tensor.layout is not torch.strided:
        return tensor.values()
    return tensor if tensor.dtype.itemsize > 1 else tensor.float()  # few operations know float8


def _is_array(value: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray)
