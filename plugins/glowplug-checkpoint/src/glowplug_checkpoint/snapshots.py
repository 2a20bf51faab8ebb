"""Copies of what is to be saved, which the run cannot change any more.

Owns: what of a content is copied, and the order in which values are met.
Must not know: the memory that tensors are copied to, files, threads, or when anything is saved.
"""

from __future__ import annotations

import copy
from collections import Counter, OrderedDict
from types import NoneType
from typing import Any

import torch

from glowplug_checkpoint import trees
from glowplug_checkpoint.errors import UnsavableContent
from glowplug_checkpoint.snapshots_memory import Memory, Readiness

_ATOMS = frozenset(
    (NoneType, bool, int, float, complex, str, bytes, range, torch.dtype, torch.device, torch.Size)
)
"""Types whose values nobody can change, so that they are shared with the run."""
_MAPPINGS = (dict, OrderedDict, Counter)


class Snapshot:
    """A copy of a content.

    Args:
        content: the copy.
        readiness: what tells when it is complete.
    """

    def __init__(self, content: Any, readiness: Readiness) -> None:
        self._content = content
        self._readiness = readiness

    def ready(self) -> Any:
        """Wait until all is copied, as a GPU may be at it still, and return the copy."""
        self._readiness.wait()
        return self._content


class Snapshots:
    """Takes copies of contents, one after the other.

    What shares memory in the content shares it in the copy. Tensors are copied to the CPU, into the
    memory of the copy before where nobody uses that any more: contents that are alike take no new
    memory.

    Example:
        >>> weights = torch.zeros(2)
        >>> copied = Snapshots().take({"weights": weights, "rates": [0.1]})
        >>> weights += 1
        >>> copied.ready()
        {'weights': tensor([0., 0.]), 'rates': [0.1]}
    """

    def __init__(self) -> None:
        self._memory = Memory()

    def take(self, content: Any) -> Snapshot:
        """Copy a content.

        Args:
            content: a tree of dicts, lists, tuples, tensors and plain values, or of anything that
                ``copy.deepcopy`` copies.

        Raises:
            UnsavableContent: when a value cannot be copied, by its path.
        """
        # In inference mode the memory could not be written to later.
        with torch.inference_mode(False), torch.no_grad(), self._memory.filling() as readiness:
            return Snapshot(_Copy(content, self._memory).made(), readiness)


class _Copy:
    """One copy in the making.

    Args:
        content: what is copied.
        memory: where tensors are copied to.
    """

    def __init__(self, content: Any, memory: Memory) -> None:
        self._content = content
        self._memory = memory
        self._known: dict[int, Any] = {}
        """Copies by the ids of what they are of; ``copy.deepcopy`` keeps such a dict too."""

    def made(self) -> Any:
        """Return the copy of the whole."""
        return self._of(self._content)

    def _of(self, value: Any) -> Any:
        kind = type(value)
        if kind in _ATOMS:
            return value
        known = self._known.get(id(value))
        if known is not None:
            return known
        if kind in _MAPPINGS:
            return self._of_mapping(value)
        if kind is list:
            return self._of_list(value)
        if kind is tuple:
            parts = tuple([self._of(part) for part in value])
            changed = any(new is not old for new, old in zip(parts, value, strict=True))
            return self._learnt(value, parts if changed else value)
        if isinstance(value, torch.Tensor):
            return self._of_tensor(value)
        return self._of_other(value)

    def _learnt(self, value: Any, copied: Any) -> Any:
        self._known[id(value)] = copied
        return copied

    def _of_mapping(self, value: Any) -> Any:
        copied = self._learnt(value, type(value)())
        for key, part in value.items():
            copied[key] = part if type(part) in _ATOMS else self._of(part)
        if type(value) is OrderedDict:  # torch notes the versions of modules on theirs
            self._set_attributes(value, copied)
        return copied

    def _of_list(self, value: list[Any]) -> list[Any]:
        copied: list[Any] = self._learnt(value, [])
        copied += [part if type(part) in _ATOMS else self._of(part) for part in value]
        return copied

    def _of_tensor(self, value: torch.Tensor) -> Any:
        copied = self._memory.copied(value)
        if copied is None:
            return self._of_other(value if value.is_leaf else value.detach())
        self._learnt(value, copied)
        self._set_attributes(value, copied)
        return copied

    def _set_attributes(self, value: Any, copied: Any) -> None:
        for name, attribute in vars(value).items():
            setattr(copied, name, self._of(attribute))

    def _of_other(self, value: Any) -> Any:
        try:
            return copy.deepcopy(value, self._known)
        except Exception as error:
            kind = type(value).__qualname__
            path = next((path for path, part in trees.walk(self._content) if part is value), "")
            raise UnsavableContent(
                f"{path or trees.TOP} is of type {kind}, which cannot be copied ({error}), as it "
                "takes to save in the background; save what it is made of, such as its "
                "state_dict(), or save without background=True",
                path=path,
            ) from error
