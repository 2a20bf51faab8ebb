"""Windows of batches whose gradients are added up before one update.

Owns: where a window begins and ends, what share of it a batch has, and what becomes of a window
that is cut short.
Must not know: how gradients come about.
"""

from __future__ import annotations

import operator
from typing import Any

from glowplug import State
from glowplug.errors import InvalidArgument
from glowplug_supervised.updates import Update


class Window:
    """Every ``steps`` batches of an epoch, counted from its first, share one update.

    Each batch's loss counts ``1 / size`` of the window, so that the update is that of their mean.
    The size of the last window of an epoch, or of a run of ``max_iters``, is known at its start
    where ``epoch_length`` is. Where it is not, the gradients are rescaled when the epoch has ended.

    Args:
        steps: batches in a window.
        update: what the window ends with.

    Attributes:
        steps: batches in a window.
    """

    def __init__(self, steps: int, update: Update) -> None:
        self.steps = steps
        self._update = update
        self._size = steps
        self._done = 0
        self._epoch = self._iteration = self._began = 0

    def begins(self, state: State[Any, Any]) -> bool:
        """Return whether the present iteration is the first of a window; called before forward."""
        follows = state.epoch == self._epoch and state.iteration == self._iteration + 1
        if not follows:
            # A new epoch, a new run, or a resumed one, which stands inside its epoch already.
            before = state.iteration - 1
            length = state.epoch_length
            within = 0 if length is None else max(0, before - (state.epoch - 1) * length)
            self._began = before - within
            self._done = 0
        self._epoch, self._iteration = state.epoch, state.iteration
        if self._done:
            return False
        self._size = self._size_at(state)
        return True

    def _size_at(self, state: State[Any, Any]) -> int:
        place = state.iteration - 1 - self._began
        size = self.steps - place % self.steps
        if state.epoch_length is not None:
            size = min(size, max(1, state.epoch_length - place))
        if state.max_iters is not None:
            size = min(size, max(1, state.max_iters - state.iteration + 1))
        return size

    @property
    def size(self) -> int:
        """The number of batches in the present window."""
        return self._size

    def ends(self) -> bool:
        """Count a batch whose gradients were added; return whether it was the window's last."""
        self._done += 1
        if self._done < self._size:
            return False
        self._done = 0
        return True

    def shorten(self) -> bool:
        """Make what was added up so far the whole window; return whether that is anything."""
        done, self._done = self._done, 0
        if done == 0:
            return False
        for parameter in self._update.parameters():
            if parameter.grad is not None:
                parameter.grad.mul_(self._size / done)
        return True

    def drop(self) -> None:
        """Forget what was added up; the next window begins with the next batch."""
        self._done = 0


def checked_steps(steps: Any) -> int:
    """Return a valid number of batches in a window.

    Raises:
        InvalidArgument: when it is no positive integer.
    """
    try:
        count = 0 if isinstance(steps, bool) else operator.index(steps)
    except TypeError:
        count = 0
    if count < 1:
        raise InvalidArgument(
            f"gradient_accumulation_steps must be a positive integer, got {steps!r}"
        )
    return count
