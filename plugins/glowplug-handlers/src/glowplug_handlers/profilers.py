"""What both time profilers share.

Owns: measuring one engine, and the figures that sum up many durations.
Must not know: how the figures are laid out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from glowplug import Events, Phase
from glowplug.errors import GlowplugError, InvalidArgument
from glowplug.observers import Observation
from glowplug_handlers.attachment import AnyEngine, Attachable
from glowplug_handlers.profilers_records import SECOND, Recorder


class NothingMeasured(GlowplugError, RuntimeError):
    """Results were asked of a profiler that no run has met."""


class TimeProfiler(Attachable):
    """The base of the time profilers: attached to an engine, it measures the engine's runs.

    A run that starts anew drops what was measured before; one that goes on adds to it. A copy has
    measured nothing.
    """

    def __init__(self) -> None:
        super().__init__()
        self._recorder: Recorder | None = None
        self._observation: Observation | None = None

    def attach(self, engine: AnyEngine) -> None:
        """Measure an engine's runs, from now on.

        Args:
            engine: the engine.

        Raises:
            InvalidType: when it is no engine.
            InvalidArgument: when this profiler is attached already.
        """
        if self._attached and engine not in self._attached:
            raise InvalidArgument(
                f"this {type(self).__name__} measures another engine; make one for each"
            )
        with self._attaching(engine) as handles:
            recorder = Recorder(engine)
            # Between these two handlers there is nothing but the fetching of a batch.
            with engine.in_phase(Phase.PERSIST):
                wanted = engine.add_event_handler(Events.GET_BATCH_STARTED, recorder.want_batch)
            handles.append(wanted)
            with engine.in_phase(Phase.COMPUTE):
                came = engine.add_event_handler(Events.GET_BATCH_COMPLETED, recorder.receive_batch)
            handles.append(came)
            self._observation = engine.observe(recorder)
            self._recorder = recorder

    def detach(self, engine: AnyEngine) -> None:
        """Measure an engine no more; the results stay.

        Args:
            engine: the engine.

        Raises:
            InvalidType: when it is no engine.
            InvalidArgument: when this profiler is not attached to it.
        """
        super().detach(engine)
        if self._observation is not None:
            self._observation.remove()
            self._observation = None

    def _measured(self) -> Recorder:
        """Return what was measured.

        Raises:
            NothingMeasured: when there was no run yet.
        """
        if self._recorder is None or not self._recorder.ran:
            raise NothingMeasured(
                f"this {type(self).__name__} has measured nothing; attach(engine), then run it"
            )
        return self._recorder

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_recorder": None, "_observation": None}


@dataclass(frozen=True)
class Figures:
    """What sums up several durations, in seconds.

    Args:
        total: all together.
        least: the shortest, and where it is found.
        most: the longest, and where it is found.
        mean: the mean.
        std: the standard deviation, of a sample; None where there is but one.
    """

    total: float
    least: tuple[float, int]
    most: tuple[float, int]
    mean: float
    std: float | None


def figures(durations: Mapping[int, int]) -> Figures | None:
    """Sum up durations.

    Args:
        durations: nanoseconds by where they are found.

    Returns:
        The figures, or None where there is nothing to sum up.

    Example:
        >>> figures({0: 1_000_000_000, 1: 3_000_000_000}).most
        (3.0, 1)
    """
    if not durations:
        return None
    total, number = sum(durations.values()), len(durations)
    mean = total / number
    least = min(durations, key=durations.__getitem__)
    most = max(durations, key=durations.__getitem__)
    spread = sum((each - mean) ** 2 for each in durations.values())
    return Figures(
        total / SECOND,
        (durations[least] / SECOND, least),
        (durations[most] / SECOND, most),
        mean / SECOND,
        math.sqrt(spread / (number - 1)) / SECOND if number > 1 else None,
    )
