"""What the lines of the research log about one engine are made of.

Owns: the clocks of a run, an epoch and the data, and the place within an epoch.
Must not know: how anything is written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

from glowplug_handlers.attachment import AnyEngine


class Lines:
    """What the lines about one engine are made of.

    Args:
        name: what the lines about epochs and the run begin with.
        output_transform: makes what is shown of the step's output.
        state_attributes: attributes of the state to show.
        optimizer: whose learning rates are shown, or None.
        metric_names: the metrics in the lines about iterations.
    """

    def __init__(
        self,
        name: str,
        output_transform: Callable[[Any], Any],
        state_attributes: Sequence[str],
        optimizer: Any,
        metric_names: Sequence[str],
    ) -> None:
        self.name, self.output_transform = name, output_transform
        self.state_attributes, self.optimizer = state_attributes, optimizer
        self.metric_names = metric_names
        self._run = self._epoch = self._wanted = perf_counter()
        self._waited = 0.0
        self._epoch_since = self._since = 0

    def start_run(self) -> None:
        """Start the clock of the run."""
        self._run = perf_counter()

    def start_epoch(self, engine: AnyEngine) -> None:
        """Start the clock of the epoch, which may be one that is gone on with."""
        state = engine.state
        self._since = self._epoch_since = state.iteration
        if engine.goes_on():
            self._epoch_since -= engine.position()["within"]
        self._epoch, self._waited = perf_counter(), 0.0

    def want_batch(self) -> None:
        """Start the clock of the data."""
        self._wanted = perf_counter()

    def receive_batch(self) -> None:
        """Stop the clock of the data."""
        self._waited += perf_counter() - self._wanted

    def seconds_of_run(self) -> float:
        """Return how long the run has taken."""
        return perf_counter() - self._run

    def seconds_of_epoch(self) -> float:
        """Return how long the epoch has taken."""
        return perf_counter() - self._epoch

    def means(self, engine: AnyEngine) -> tuple[float, float]:
        """Return the mean seconds of an iteration of this epoch, and of its wait for data."""
        done = max(1, engine.state.iteration - self._since)
        return self.seconds_of_epoch() / done, self._waited / done

    def place(self, engine: AnyEngine) -> int:
        """Return the number of the iteration within its epoch."""
        return engine.state.iteration - self._epoch_since

    def left(self, engine: AnyEngine) -> int | None:
        """Return the iterations that are left of the epoch, or None where that is not known."""
        state = engine.state
        ends = [] if state.epoch_length is None else [state.epoch_length - self.place(engine)]
        ends += [] if state.max_iters is None else [state.max_iters - state.iteration]
        return max(0, min(ends)) if ends else None
