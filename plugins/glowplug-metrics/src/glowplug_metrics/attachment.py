"""The life of a metric with an engine: which of its methods run at which events.

Owns: attaching and detaching, for metrics that are made of others too, and what a run that goes on
leaves as it is.
Must not know: what a metric gathers or computes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar
from weakref import WeakSet

from glowplug import Engine, Phase
from glowplug.errors import InvalidArgument
from glowplug_metrics.usage import EpochWise, MetricUsage, Usage, usage_from

AnyEngine = Engine[Any, Any]
EPOCH_WISE = EpochWise()


class Attachable(ABC):
    """Something that resets, updates and is computed at events of an engine.

    Nothing of an engine is kept here: whether this is attached, the engine's handlers tell.
    """

    glowplug_phase: ClassVar[Phase] = Phase.COMPUTE

    def __init__(self) -> None:
        self._readers: WeakSet[Attachable] = WeakSet()
        """Those that compute from what this one gathers."""

    @abstractmethod
    def started(self, engine: AnyEngine) -> None:
        """Reset."""

    @abstractmethod
    def iteration_completed(self, engine: AnyEngine) -> None:
        """Take in the engine's output."""

    @abstractmethod
    def completed(self, engine: AnyEngine, name: str) -> None:
        """Put the value into the engine's metrics."""

    def attach(self, engine: AnyEngine, name: str, usage: Usage = EPOCH_WISE) -> None:
        """Compute this metric while an engine runs.

        It may be attached again, under another name or with a usage that resets and updates at the
        same events, and to other engines that run at other times.

        Args:
            engine: the engine.
            name: the key in ``engine.state.metrics``.
            usage: when it resets, updates and is computed: an instance, or ``"epoch_wise"``,
                ``"batch_wise"``, ``"running_epoch_wise"``, ``"running_batch_wise"`` or
                ``"single_epoch_running_batch_wise"``.

        Raises:
            InvalidType: for a usage that is neither a usage nor a string.
            InvalidArgument: for an unknown usage, and when this metric, or one it is made of,
                resets or updates at other events of this engine already.
            UnknownEvent: when the engine has not registered an event of the usage.
        """
        usage = usage_from(usage)
        engine.has_event_handler(self.completed, usage.COMPLETED)  # refuses an unknown event
        sources = self._sources()
        for source in sources:
            source._refuse_another_pace(engine, usage)
        for source in sources:
            if not source._follows(engine, usage):
                source._listen(engine, usage)
        handle = engine.add_event_handler(usage.COMPLETED, self.completed, name)
        handle.declare(computes=(name, *self._further_names()))

    def detach(self, engine: AnyEngine, usage: Usage = EPOCH_WISE) -> None:
        """Take back what ``attach`` did, under all names; nothing where it is not attached.

        What other metrics of the engine are computed from goes on.

        Args:
            engine: the engine.
            usage: the usage it was attached with.

        Raises:
            InvalidType: for a usage that is neither a usage nor a string.
            InvalidArgument: for an unknown usage.
        """
        usage = usage_from(usage)
        if not self.is_attached(engine, usage):
            return
        engine.remove_event_handler(self.completed, usage.COMPLETED)
        for source in self._sources():
            readers = (source, *source._readers)
            if not any(engine.has_event_handler(reader.completed) for reader in readers):
                source._unlisten(engine, usage)

    def is_attached(self, engine: AnyEngine, usage: Usage = EPOCH_WISE) -> bool:
        """Return whether this metric is attached with a usage.

        Raises:
            InvalidType: for a usage that is neither a usage nor a string.
            InvalidArgument: for an unknown usage.
        """
        usage = usage_from(usage)
        return engine.has_event_handler(self.completed, usage.COMPLETED) and all(
            source._follows(engine, usage) for source in self._sources()
        )

    def _further_names(self) -> Iterable[Any]:
        """Return the names that ``completed`` fills beside its own; ``...`` where it may be any."""
        return (...,)

    def _sources(self) -> Sequence[Attachable]:
        """Return those that take in the engine's output for this one."""
        return (self,)

    def _follows(self, engine: AnyEngine, usage: MetricUsage) -> bool:
        return engine.has_event_handler(self.started, usage.STARTED) and engine.has_event_handler(
            self.iteration_completed, usage.ITERATION_COMPLETED
        )

    def _refuse_another_pace(self, engine: AnyEngine, usage: MetricUsage) -> None:
        follows = self._follows(engine, usage)
        if engine.has_event_handler(self.iteration_completed) and not follows:
            raise InvalidArgument(
                f"this {type(self).__name__} resets or updates at other events of this engine "
                f"already, and one instance gathers once; got a usage to {usage}; attach another "
                "instance"
            )

    def _listen(self, engine: AnyEngine, usage: MetricUsage) -> None:
        engine.add_event_handler(usage.STARTED, self.started)
        engine.add_event_handler(usage.ITERATION_COMPLETED, self.iteration_completed)

    def _unlisten(self, engine: AnyEngine, usage: MetricUsage) -> None:
        engine.remove_event_handler(self.started, usage.STARTED)
        engine.remove_event_handler(self.iteration_completed, usage.ITERATION_COMPLETED)

    # Readers are found again by the readers' own __setstate__: a copy of a source need not copy
    # all that is computed from it.
    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_readers"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._readers = WeakSet()
        self._read_sources()

    def _read_sources(self) -> None:
        for source in self._sources():
            if source is not self:
                source._readers.add(self)
