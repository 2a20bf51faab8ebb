"""Ending a run whose output is no finite number any more.

Owns: when an output is looked at, and what is said of it.
Must not know: how the entries of an output are found and checked.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from torch import Tensor

from glowplug import Events, Phase
from glowplug.events import AnyEvent
from glowplug_handlers.arguments import as_it_is, checked_function
from glowplug_handlers.attachment import AnyEngine, Attachable
from glowplug_handlers.ending import Ending
from glowplug_handlers.entries import first_not_finite


class TerminateOnNan(Attachable):
    """Ends a run when its output holds NaN or infinity, and logs which entry and iteration it was.

    Numbers, tensors, NumPy arrays, and mappings, sequences and dataclasses of them are looked into;
    integers, texts and None are passed over.

    On a GPU every check waits for the device, once for all tensors together: a filter makes that
    rare, as in ``attach(engine, Events.ITERATION_COMPLETED(every=100))``. NaN stays NaN, so nothing
    is missed but the first iteration of it.

    On several ranks all runs end after the same iteration, whichever has the NaN: they ask each
    other about once a second.

    Args:
        output_transform: makes what is looked at of the step's output.
        all_ranks: whether the runs of all ranks end together. All attach it then, to engines that
            make the same iterations.

    Raises:
        InvalidType: when ``output_transform`` cannot be called, or ``all_ranks`` is no bool.

    Example:
        >>> from glowplug import Engine
        >>> losses = [0.5, 0.4, float("nan"), 0.3]
        >>> engine = Engine(lambda engine, batch: {"loss": losses[batch]})
        >>> TerminateOnNan().attach(engine)
        >>> engine.run(range(4)).iteration
        3
    """

    glowplug_phase = Phase.ACT

    def __init__(
        self, output_transform: Callable[[Any], Any] = as_it_is, *, all_ranks: bool = True
    ) -> None:
        super().__init__()
        self._ending = Ending(all_ranks)
        self._output_transform = checked_function("output_transform", output_transform, "f(output)")
        self.logger = logging.getLogger(f"{__name__}.TerminateOnNan")

    def __call__(self, engine: AnyEngine) -> None:
        """End the engine's run if its output is no finite number.

        Raises:
            InvalidType: when the output holds something in which no number can be looked for.
        """
        found = first_not_finite(self._output_transform(engine.state.output))
        state = engine.state
        if found is not None and not self._ending.pending:  # it is said once
            path, entry = found
            self.logger.warning(
                "%s of iteration %d (epoch %d) %s: the run ends",
                path,
                state.iteration,
                state.epoch,
                _said(entry),
            )
        here = found is not None or self._ending.pending
        if self._ending.has_come(found is not None, state.iteration):
            if not here:
                self.logger.warning("the output of another rank is not finite: the run ends")
            engine.terminate()

    def attach(self, engine: AnyEngine, event: AnyEvent = Events.ITERATION_COMPLETED) -> None:
        """Look at the output at an event.

        Args:
            engine: the engine.
            event: when; with a filter, such as ``every=100``, seldom.

        Raises:
            InvalidType: when it is no engine.
            InvalidArgument: when this is attached to it already.
            UnknownEvent: when the event is not registered.
        """
        with self._attaching(engine) as handles:
            handles.append(engine.add_event_handler(event, self))


def _said(entry: Any) -> str:
    if hasattr(entry, "shape") and entry.shape:
        return f"holds NaN or infinity ({type(entry).__name__} of shape {tuple(entry.shape)})"
    return f"is {entry.item() if isinstance(entry, Tensor) else entry}"
