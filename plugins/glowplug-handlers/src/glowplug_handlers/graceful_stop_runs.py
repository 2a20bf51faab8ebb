"""A run that may be stopped, and what saves it.

Owns: whether a step is under way, and calling what saves.
Must not know: signals, or when a run is stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from glowplug import Engine
from glowplug.errors import InvalidType
from glowplug.registrations import fits_with_engine
from glowplug_handlers.graceful_stop_agreement import Agreement


class StoppableRun:
    """A run of an engine.

    Args:
        engine: the engine.
        agree_every: after how many iterations its ranks ask each other; None: they choose.

    Attributes:
        engine: the engine.
        agreement: what its ranks agree on.
        settled: an iteration that is over with its epoch, or after which the run began.
    """

    def __init__(self, engine: Engine[Any, Any], agree_every: int | None) -> None:
        self.engine = engine
        self.agreement = Agreement(agree_every)
        self.settled = engine.state.iteration

    def is_between_steps(self) -> bool:
        """Return whether the engine waits for data, or has handled the end of an epoch."""
        state = self.engine.state
        # Within a step there is a batch, or, where the data yield None, no output yet.
        waits = state.dataloader is not None and state.batch is None and state.output is not None
        return waits or self.settled == state.iteration


class Saving:
    """Calls what saves a run.

    Args:
        save: a handler, several, or None.

    Raises:
        InvalidType: when it is none of these.
        InvalidHandler: when one can be called neither with the engine nor without arguments.
    """

    def __init__(self, save: Callable[..., Any] | Iterable[Callable[..., Any]] | None) -> None:
        if save is None:
            given: list[Any] = []
        elif callable(save):
            given = [save]
        elif isinstance(save, Iterable) and not isinstance(save, (str, bytes)):
            given = list(save)
        else:
            raise InvalidType(
                "save must be a handler such as a checkpoint, or several of them, got "
                f"{save!r} of type {type(save).__name__}"
            )
        takes = [fits_with_engine(handler, 0, (), {}, own=False) for handler in given]
        self._calls = list(zip(given, takes, strict=True))

    def __call__(self, engine: Engine[Any, Any]) -> None:
        """Save the run of an engine; wait for what saves in the background and has ``wait()``."""
        for handler, takes_engine in self._calls:
            if takes_engine:
                handler(engine)
            else:
                handler()
            wait = getattr(handler, "wait", None)
            if callable(wait):
                wait()

    def __bool__(self) -> bool:
        return bool(self._calls)
