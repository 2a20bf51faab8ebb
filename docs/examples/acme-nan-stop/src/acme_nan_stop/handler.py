"""A handler that ends a run whose output is not finite."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from glowplug import Engine, Events, RemovableEventHandle

_logger = logging.getLogger(__name__)


class AcmeNanStop:
    """End the run at outputs that are not finite: NaN, or infinite.

    Args:
        output_transform: what is watched of the output: a number, or numbers in mappings, lists
            and tuples. Left out, the output itself.
        patience: how many such outputs in a row end the run; 1 or more.

    Raises:
        ValueError: when ``patience`` is below 1.

    Example:
        >>> engine = Engine(lambda engine, batch: batch, handlers=[AcmeNanStop()])
        >>> engine.run([1.0, float("nan"), 2.0]).iteration
        2
    """

    def __init__(
        self, output_transform: Callable[[Any], Any] | None = None, *, patience: int = 1
    ) -> None:
        if patience < 1:
            raise ValueError(f"patience must be 1 or more, got {patience!r}")
        self._transform = output_transform
        self._patience, self._bad = patience, 0

    def attach(self, engine: Engine[Any, Any]) -> RemovableEventHandle:
        """Watch the output after each iteration, until the handle is removed.

        Raises:
            RuntimeError: when it is attached to this engine already, as it would count twice.
        """
        if engine.has_event_handler(self._check):
            raise RuntimeError("this handler is attached to this engine already; attach it once")
        return engine.add_event_handler(Events.ITERATION_COMPLETED, self._check)

    def state_dict(self) -> dict[str, int]:
        """Return what a run that is resumed needs to know."""
        return {"bad": self._bad}

    def load_state_dict(self, state_dict: Mapping[str, int]) -> None:
        """Go on from what ``state_dict`` returned."""
        self._bad = state_dict["bad"]

    def _check(self, engine: Engine[Any, Any]) -> None:
        output = engine.state.output
        watched = output if self._transform is None else self._transform(output)
        finite = all(map(math.isfinite, _numbers(watched)))
        if finite or engine.state.iteration == 1:  # the first of a new run
            self._bad = 0
        if not finite:
            self._bad += 1
            _logger.warning("iteration %d: %r is not finite", engine.state.iteration, watched)
            if self._bad >= self._patience:
                engine.terminate()


def _numbers(value: Any) -> Iterator[float]:
    """Yield the numbers in nested mappings, lists and tuples."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for part in value:
            yield from _numbers(part)
        return
    try:
        yield float(value)
    except (TypeError, ValueError):
        raise TypeError(
            f"expected numbers to watch; got {value!r} of type {type(value).__name__}; choose what "
            "is watched by output_transform"
        ) from None
