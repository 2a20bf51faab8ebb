"""Which files of this process are kept by whom.

Owns: what keeps two ``Checkpoint`` of one run from writing over each other's files.
Must not know: files of other processes, or when something is saved.
"""

from __future__ import annotations

from typing import Protocol
from weakref import WeakSet


class Keeper(Protocol):
    """What keeps files."""

    def keeps(self, place: object) -> bool:
        """Return whether the file at a place is its own."""


_keepers: WeakSet[Keeper] = WeakSet()


def is_kept_by_another(place: object, keeper: Keeper) -> bool:
    """Return whether a file is kept by another than ``keeper``, who is known from now on.

    Args:
        place: where the file is.
        keeper: who asks.
    """
    _keepers.add(keeper)
    return any(other is not keeper and other.keeps(place) for other in _keepers)
