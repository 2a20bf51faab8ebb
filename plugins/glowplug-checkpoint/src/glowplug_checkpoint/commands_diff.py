"""What differs between two checkpoints.

Owns: what is compared, and how a difference is worded.
Must not know: the command line.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from glowplug_checkpoint import files, trees
from glowplug_checkpoint.errors import NoCheckpoint, UnverifiedWarning
from glowplug_checkpoint.manifests import Manifest
from glowplug_checkpoint.stores import store_and_name

LONGEST = 60
"""Values whose text is longer are cut."""


@dataclass(frozen=True)
class _Side:
    """One of the two: its manifest, if it has one, and its values by their paths."""

    manifest: Manifest | None
    values: Mapping[str, Any]


def differences(a: str, b: str) -> list[str]:
    """Return a line for each difference; none where there is none.

    Args:
        a: a checkpoint, as a path or a URL.
        b: another.

    Raises:
        CheckpointError: when one of them is not there, or cannot be read.
    """
    left, right = _side(a), _side(b)
    return [*_of_manifests(left.manifest, right.manifest), *_of_values(left.values, right.values)]


def _side(where: str) -> _Side:
    store, name = store_and_name(where)
    if not name:
        raise NoCheckpoint(f"{where} is a folder; give one checkpoint of it", where)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnverifiedWarning)
        content = files.load(store, name, map_location="cpu")
    try:
        manifest = files.manifest(store, name)
    except NoCheckpoint:
        manifest = None
    return _Side(manifest, dict(trees.leaves(content)))


def _of_manifests(a: Manifest | None, b: Manifest | None) -> Iterator[str]:
    if a is None or b is None:
        return
    for name in ("run", "epoch", "iteration"):
        one, other = getattr(a, name), getattr(b, name)
        if one != other:
            yield f"{name}: {one} -> {other}"
    for name in sorted({*a.versions, *b.versions}):
        one, other = a.versions.get(name), b.versions.get(name)
        if one != other:
            yield f"version of {name}: {one or 'none'} -> {other or 'none'}"


def _of_values(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"only in the first: {path}: {_text(a[path])}" for path in a if path not in b)
    yield from (f"only in the second: {path}: {_text(b[path])}" for path in b if path not in a)
    common = [path for path in a if path in b]
    distances = {}
    for path in common:
        one, other = a[path], b[path]
        if _are_alike(one, other):
            distances[path] = _distance(one, other)
        elif _is_other(one, other):
            yield f"changed: {path}: {_text(one)} -> {_text(other)}"
    differing = {path: distance for path, distance in distances.items() if distance}
    if differing:
        farthest = max(differing, key=differing.__getitem__)
        yield (
            f"tensors: {len(differing)} of {len(distances)} differ, at most by "
            f"{differing[farthest]:.6g}, in {farthest}"
        )


def _are_alike(a: Any, b: Any) -> bool:
    """Return whether two values are tensors of one dtype and shape."""
    both = isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor)
    return both and trees.describe(a) == trees.describe(b)


def _is_other(a: Any, b: Any) -> bool:
    # By their text, as a NaN is not equal to itself, and 1 is equal to True.
    return isinstance(a, torch.Tensor) or type(a) is not type(b) or repr(a) != repr(b)


def _distance(a: torch.Tensor, b: torch.Tensor) -> float:
    """Return the largest difference of two elements; infinite where one of them is no number."""
    one, other = (_wide(tensor) for tensor in (a, b))
    same = (one == other) | (one.isnan() & other.isnan())
    if bool(same.all()):
        return 0.0
    distance = float((one - other)[~same].abs().max())
    return math.inf if math.isnan(distance) else distance


def _wide(tensor: torch.Tensor) -> torch.Tensor:
    plain = tensor.dequantize() if tensor.is_quantized else tensor.detach().to_dense()
    if plain.is_complex():
        return plain.to(torch.complex128)
    return plain.to(torch.float64 if plain.is_floating_point() else torch.int64)


def _text(value: Any) -> str:
    text = trees.describe(value) if isinstance(value, torch.Tensor) else repr(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
