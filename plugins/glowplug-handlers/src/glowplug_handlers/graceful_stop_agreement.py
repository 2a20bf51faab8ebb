"""When ranks ask each other whether one of them was told to stop, so that all stop together.

Owns: at which iterations they ask, and what they say.
Must not know: signals, or what becomes of the answer.

All ranks must ask at the same iterations, or they would wait for each other for ever. Where it is
not told how often, they choose together, about once a second, from how long iterations take.
"""

from __future__ import annotations

from time import monotonic

import torch

from glowplug_torch import all_reduce, get_world_size

SECONDS = 1.0
"""How often ranks ask each other where they choose for themselves."""
MOST = 100
"""The most iterations between, however short they are: later ones may be longer."""


class Agreement:
    """What the ranks of a run agree on.

    Args:
        every: after how many iterations they ask each other; None: about once a second.
    """

    def __init__(self, every: int | None) -> None:
        self.is_needed = get_world_size() > 1
        self._every = every
        self._interval = every or 1
        self._due = 0
        self._at, self._since = 0, monotonic()

    def is_due(self, iteration: int) -> bool:
        """Return whether all ranks ask each other after this iteration."""
        if self._every is not None:
            return iteration % self._every == 0
        return iteration >= self._due

    def reach(self, came: int, iteration: int) -> int:
        """Return the greatest ``came`` of all ranks, which must all call this.

        Args:
            came: the number of the signal that came here, or 0.
            iteration: the same on all ranks.
        """
        if not self.is_needed:
            return came
        greatest, interval = all_reduce(torch.tensor([came, -self._proposal(iteration)]), op="MAX")
        self._interval = -int(interval)
        self._at, self._since = iteration, monotonic()
        self._due = iteration + self._interval
        return int(greatest)

    def _proposal(self, iteration: int) -> int:
        """Return how many iterations this rank would let pass until the next time."""
        done, seconds = iteration - self._at, monotonic() - self._since
        if done <= 0:
            return self._interval
        wanted = int(SECONDS * done / max(seconds, 1e-9))
        return max(1, min(wanted, 2 * self._interval, MOST))
