"""Content as JSON, with references in the place of its tensors.

Owns: how each kind of value stands in JSON, and how it comes back exactly.
Must not know: where the JSON or the tensors are kept.

JSON has lists, strings, booleans, null and numbers; these stand for themselves. Everything else is
an object with one key, which says what it is: ``{"tuple": [1, 2]}``, ``{"float": "nan"}``,
``{"dict": {"a": 1}}``.
"""

from __future__ import annotations

import base64
import math
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import torch

from glowplug_checkpoint.errors import DamagedCheckpoint
from glowplug_checkpoint.trees import below

LARGEST_NUMBER = 2**53
"""Readers of JSON that know floating-point numbers alone hold integers up to this one."""
TENSORS = (torch.Tensor, torch.nn.Parameter)
Name = Callable[[str, torch.Tensor], str]
"""Given the path of a tensor and the tensor, says what it is called."""


def encode(value: Any, name: Name, path: str = "") -> Any:
    """Return a content as JSON has it.

    Args:
        value: a tree; of types that :data:`KINDS` has.
        name: called for each tensor.
        path: where the value is.
    """
    kind = type(value)
    if value is None or kind in (bool, str):
        return value
    if kind is list:
        return [encode(part, name, below(path, i)) for i, part in enumerate(value)]
    if kind in TENSORS:
        return _encode_tensor(value, name(path, value))
    if kind in (tuple, set):
        parts = [encode(part, name, below(path, i)) for i, part in enumerate(value)]
        return {kind.__name__: parts}
    if kind is dict and all(type(key) is str for key in value):
        return {"dict": {key: encode(part, name, below(path, key)) for key, part in value.items()}}
    if kind in _MAPPING_TAGS:
        pairs = [
            [encode(key, name, path), encode(part, name, below(path, key))]
            for key, part in value.items()
        ]
        tagged = {_MAPPING_TAGS[kind]: pairs}
        if kind is OrderedDict and vars(value):
            tagged["attributes"] = encode(dict(vars(value)), name, path)
        return tagged
    return _ENCODERS[kind](value)


def _encode_tensor(tensor: torch.Tensor, name: str) -> Any:
    tagged: dict[str, Any] = {"tensor": name}
    if type(tensor) is torch.nn.Parameter:
        tagged["parameter"] = True
    if tensor.requires_grad:
        tagged["requires_grad"] = True
    return tagged


def _encode_int(value: int) -> Any:
    return value if abs(value) <= LARGEST_NUMBER else {"int": hex(value)}


def _encode_float(value: float) -> Any:
    return value if math.isfinite(value) else {"float": repr(value)}


def _text(data: bytes | bytearray) -> str:
    return base64.b64encode(data).decode()


_MAPPING_TAGS: Mapping[type, str] = MappingProxyType(
    {dict: "items", OrderedDict: "ordered", Counter: "counter"}
)
_ENCODERS: Mapping[type, Callable[[Any], Any]] = MappingProxyType(
    {
        int: _encode_int,
        float: _encode_float,
        complex: lambda c: {"complex": [_encode_float(c.real), _encode_float(c.imag)]},
        bytes: lambda data: {"bytes": _text(data)},
        bytearray: lambda data: {"bytearray": _text(data)},
        torch.Size: lambda size: {"size": list(size)},
        torch.dtype: lambda dtype: {"dtype": str(dtype).removeprefix("torch.")},
        torch.device: lambda device: {"device": str(device)},
    }
)
KINDS = frozenset({type(None), bool, str, list, tuple, set, *TENSORS, *_MAPPING_TAGS, *_ENCODERS})
"""Every type that can be encoded."""


def decode(node: Any, tensors: Mapping[str, torch.Tensor]) -> Any:
    """Return the content that was encoded.

    Args:
        node: what :func:`encode` returned.
        tensors: each tensor under its name.

    Raises:
        DamagedCheckpoint: when this is not what :func:`encode` returns, or a tensor is missing.
    """
    if isinstance(node, list):
        return [decode(part, tensors) for part in node]
    if not isinstance(node, dict):
        return node
    try:
        tag, payload = next(iter(node.items()))
        if tag == "tensor":
            return _decode_tensor(node, tensors)
        if tag == "dict":
            return {key: decode(part, tensors) for key, part in payload.items()}
        made = _DECODERS[tag](decode(payload, tensors))
        if "attributes" in node:
            vars(made).update(decode(node["attributes"], tensors))
    except (KeyError, ValueError, TypeError, AttributeError, StopIteration) as error:
        raise DamagedCheckpoint(
            f"its tree has {str(node)[:80]!r}, which stands for nothing that is known"
        ) from error
    return made


def _decode_tensor(node: dict[str, Any], tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
    tensor = tensors[node["tensor"]]
    wants_grad = node.get("requires_grad", False)
    if node.get("parameter"):
        return torch.nn.Parameter(tensor, requires_grad=wants_grad)
    return tensor.requires_grad_() if wants_grad else tensor


def _dtype(name: str) -> torch.dtype:
    dtype = getattr(torch, name)
    if not isinstance(dtype, torch.dtype):
        raise ValueError(name)
    return dtype


_DECODERS: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        "int": lambda text: int(text, 16),
        "float": float,
        "complex": lambda parts: complex(*parts),
        "bytes": base64.b64decode,
        "bytearray": lambda text: bytearray(base64.b64decode(text)),
        "tuple": tuple,
        "set": set,
        "items": lambda pairs: dict(map(tuple, pairs)),
        "ordered": lambda pairs: OrderedDict(map(tuple, pairs)),
        "counter": lambda pairs: Counter(dict(map(tuple, pairs))),
        "size": torch.Size,
        "dtype": _dtype,
        "device": torch.device,
    }
)
