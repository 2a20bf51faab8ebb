"""The end of a run that all ranks come to together.

Owns: when a rank that wants to end its run may do so.
Must not know: why it wants to.

A rank that left its run alone would leave the others waiting for it in their next collective.
"""

from __future__ import annotations

from glowplug.errors import InvalidType
from glowplug_handlers.graceful_stop_agreement import Agreement


class Ending:
    """Says when a run ends: at once in one process, else when all ranks have heard of it.

    Args:
        all_ranks: whether to ask the other ranks at all.

    Attributes:
        pending: whether this rank wants to end its run, and the others have not heard of it yet.

    Raises:
        InvalidType: when ``all_ranks`` is no bool.

    Example:
        >>> ending = Ending()
        >>> ending.has_come(False, iteration=1), ending.has_come(True, iteration=2)
        (False, True)
    """

    def __init__(self, all_ranks: bool = True) -> None:
        if not isinstance(all_ranks, bool):
            raise InvalidType(f"all_ranks must be True or False, got {all_ranks!r}")
        self._all_ranks = all_ranks
        self._agreement: Agreement | None = None
        self._last = 0
        self.pending = False

    def has_come(self, wanted: bool, iteration: int) -> bool:
        """Return whether the run ends now, on every rank that asks.

        Args:
            wanted: whether this rank wants to end it.
            iteration: at which the ranks ask, the same on all.
        """
        if not self._all_ranks:
            return wanted
        if self._agreement is None or iteration < self._last:  # another run
            self._agreement, self.pending = Agreement(None), False
        self._last = iteration
        if not self._agreement.is_needed:
            return wanted
        self.pending |= wanted
        if not self._agreement.is_due(iteration):
            return False
        came = bool(self._agreement.reach(int(self.pending), iteration))
        self.pending = False
        return came
