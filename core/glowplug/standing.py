"""Where a run stands, to the iteration, as plain values that another process can go on from.

Owns: telling how many epochs and iterations are done, and what goes on, whatever fires just now.
Must not know: how a run is asked for, or where its position is kept meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from glowplug.events import PER_ITERATION, Events
from glowplug.loop import Loop
from glowplug.plan import Plan
from glowplug.stages import Stage
from glowplug.state import BatchT, OutputT


class Standing(Loop[BatchT, OutputT]):
    """A loop that can say where it stands.

    Args:
        step: called as ``step(engine, batch)``.
    """

    def __init__(self, step: Callable[[Any, BatchT], OutputT]) -> None:
        super().__init__(step)
        self._loaded: int | None = None

    def _resumes_after(self) -> int | None:
        """Return the iterations done in the epoch where the next run goes on exactly, if any."""
        return self._loaded if self._stage is Stage.IDLE else self._done

    def _begins_within(self, plan: Plan) -> int:
        """Return the iterations that are done of the epoch with which a planned run begins."""
        return plan.within if plan.anew or self._loaded is None else self._loaded

    def position(self) -> dict[str, int]:
        """Return what of the run is done, for a later run to go on from exactly there.

        ``state_dict()`` counts iterations alone, from which the epoch follows only where all epochs
        are whole. Together with the position, ``{**engine.state_dict(), **engine.position()}``, it
        can be loaded into an engine whose ``run`` then does what has still to be done: after a
        position at the end of an epoch's iterations that is its EPOCH_COMPLETED, after one at the
        end of the run COMPLETED alone.

        What an event is in the middle of is not done: in a handler of ITERATION_STARTED the
        iteration is not, in one of EPOCH_COMPLETED the epoch is. What has been asked for and is not
        obeyed yet, such as the end of the epoch, is no part of it.

        Returns:
            ``epoch``, the epochs done; ``iteration``, the iterations done; and ``within``, how many
            of these belong to an epoch that has begun and has not ended.

        Example:
            >>> from glowplug import Engine, Events
            >>> engine = Engine(lambda engine, batch: batch)
            >>> @engine.on(Events.ITERATION_COMPLETED(once=5))
            ... def tell(engine):
            ...     print(engine.position())
            >>> _ = engine.run("abc", max_epochs=2)
            {'epoch': 1, 'iteration': 5, 'within': 2}
            >>> engine.position()
            {'epoch': 2, 'iteration': 6, 'within': 0}
        """
        state = self._state
        if not self._open or self._stage is Stage.CLOSE:
            return {"epoch": state.epoch, "iteration": state.iteration, "within": self._within}
        within, iteration = self._done, self._iterations_before + self._done
        event = self._event_of_run()
        if self._running and self._stage is Stage.ITERATE and event in PER_ITERATION:
            # The loop keeps its counts to itself while it goes from iteration to iteration.
            iteration = state.iteration - (event is Events.ITERATION_STARTED)
            within = iteration - self._iterations_before
        return {"epoch": state.epoch - 1, "iteration": iteration, "within": within}

    def goes_on(self) -> bool:
        """Return whether what begins with the event that fires now had begun before.

        At STARTED that is a run of which iterations are done, at EPOCH_STARTED an epoch of which
        some are; at other events nothing begins. A handler that sets something back where a run or
        an epoch begins leaves it alone there, if its state was loaded.

        Example:
            >>> from glowplug import Engine, Events
            >>> engine = Engine(lambda engine, batch: batch)
            >>> @engine.on(Events.STARTED | Events.EPOCH_STARTED)
            ... def tell(engine):
            ...     print(engine.last_event_name, engine.goes_on())
            >>> engine.load_state_dict({"iteration": 1, "epoch_length": 2, "max_epochs": 2})
            >>> _ = engine.run("ab")
            STARTED True
            EPOCH_STARTED True
            EPOCH_STARTED False
        """
        event = self._event_of_run()
        if event is Events.STARTED:
            return self._state.iteration > 0
        return event is Events.EPOCH_STARTED and self.position()["within"] > 0
