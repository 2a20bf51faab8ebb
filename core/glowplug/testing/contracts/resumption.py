"""Runs that are stopped in their middle, to be saved.

Owns: at which iterations, and the way of a saved state through a file.
Must not know: what is saved, or what becomes of it.
"""

from __future__ import annotations

import io
import pickle
import sys
from collections.abc import Iterator
from typing import Any, Protocol

from glowplug.engine import Engine
from glowplug.events import Events
from glowplug.state import State

MOST = 16
"""At how many iterations a run is stopped."""


class Runner(Protocol):
    """What a contract knows of running a component."""

    def make(self) -> Any:
        """Return a new component."""

    def make_engine(self) -> Engine[Any, Any]:
        """Return a new engine."""

    def attach(self, component: Any, engine: Engine[Any, Any]) -> Any:
        """Attach a component to an engine."""

    def run(self, engine: Engine[Any, Any]) -> None:
        """Run an engine."""


def interrupted_runs(
    runner: Runner, undisturbed: State[Any, Any]
) -> Iterator[tuple[int, Engine[Any, Any], Any]]:
    """Run anew for each iteration of a run, stopped when all that belongs to it has happened.

    After the last iteration of an epoch that is when the handlers of EPOCH_COMPLETED have run.

    Args:
        runner: what makes and runs them.
        undisturbed: the state at the end of a run that nothing stopped.

    Yields:
        The iteration, and the engine and the component that stand there.
    """
    length = undisturbed.epoch_length or 0
    for stop in range(1, undisturbed.iteration, -(-undisturbed.iteration // MOST)):
        engine, component = runner.make_engine(), runner.make()
        runner.attach(component, engine)
        ends_epoch = length and stop % length == 0
        event = (
            Events.EPOCH_COMPLETED(once=stop // length)
            if ends_epoch
            else Events.ITERATION_COMPLETED(once=stop)
        )
        engine.add_event_handler(event, _interrupt)
        runner.run(engine)
        if engine.state.iteration == stop:  # where an epoch is cut short, it is not met
            yield stop, engine, component


def _interrupt(engine: Engine[Any, Any]) -> None:
    engine.interrupt()


def through_a_file(saved: Any) -> Any:
    """Return what comes back of a saved state.

    Where torch is imported the file is torch's, which takes plain values and tensors alone; else
    pickle's.

    Example:
        >>> through_a_file([{"iteration": 3}, None])
        [{'iteration': 3}, None]
    """
    torch: Any = sys.modules.get("torch")
    if torch is None:
        return pickle.loads(pickle.dumps(saved))
    file = io.BytesIO()
    torch.save(saved, file)
    file.seek(0)
    return torch.load(file, weights_only=True)
