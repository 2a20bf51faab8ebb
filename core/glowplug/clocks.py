"""How long the run and its epoch have taken, interruptions left out.

Owns: when each began.
Must not know: what happens in between.
"""

from __future__ import annotations

from time import perf_counter


class Clocks:
    """The clocks of one engine.

    Attributes:
        run: when the run began, on the clock of ``time.perf_counter``.
        epoch: when its current epoch began.
    """

    def __init__(self) -> None:
        self.run = self.epoch = self._stopped = perf_counter()

    def start_run(self) -> None:
        """Begin a run now."""
        self.run = perf_counter()

    def start_epoch(self) -> None:
        """Begin an epoch now."""
        self.epoch = perf_counter()

    def stop(self) -> None:
        """Stop both clocks."""
        self._stopped = perf_counter()

    def go_on(self) -> None:
        """Let both clocks go on where they were stopped."""
        away = perf_counter() - self._stopped
        self.run += away
        self.epoch += away
