"""When a metric resets, takes in outputs, and says its value.

Owns: the usages, as three events each, and their names.
Must not know: metrics.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import ClassVar, Final, SupportsIndex, TypeAlias

from glowplug import Events
from glowplug.errors import InvalidArgument, InvalidType, did_you_mean
from glowplug.events import AnyEvent
from glowplug.filters import EventFilter


class MetricUsage:
    """The three events of a metric.

    Args:
        started: when it resets.
        completed: when its value is put into ``engine.state.metrics``.
        iteration_completed: when it takes in ``engine.state.output``.

    Attributes:
        usage_name: the name that may be given in place of a usage, or ``""``.

    Example:
        >>> usage = MetricUsage(Events.STARTED, Events.COMPLETED, Events.ITERATION_COMPLETED)
        >>> print(usage)
        reset at STARTED, update at ITERATION_COMPLETED, compute at COMPLETED
    """

    usage_name: ClassVar[str] = ""

    def __init__(
        self, started: AnyEvent, completed: AnyEvent, iteration_completed: AnyEvent
    ) -> None:
        self.STARTED: Final = started
        self.COMPLETED: Final = completed
        self.ITERATION_COMPLETED: Final = iteration_completed

    def __str__(self) -> str:
        return (
            f"reset at {self.STARTED}, update at {self.ITERATION_COMPLETED}, "
            f"compute at {self.COMPLETED}"
        )


class EpochWise(MetricUsage):
    """One value for each epoch, of all its outputs; named ``"epoch_wise"``.

    Example:
        >>> print(EpochWise())
        reset at EPOCH_STARTED, update at ITERATION_COMPLETED, compute at EPOCH_COMPLETED
    """

    usage_name = "epoch_wise"

    def __init__(self) -> None:
        super().__init__(Events.EPOCH_STARTED, Events.EPOCH_COMPLETED, Events.ITERATION_COMPLETED)


class RunningEpochWise(EpochWise):
    """A value that goes on from epoch to epoch; named ``"running_epoch_wise"``.

    The metric takes in one output for each epoch: what ``engine.state.output`` is when the epoch
    ends. `RunningAverage` averages with it, over epochs, what its source was in each of them.

    Example:
        >>> print(RunningEpochWise())
        reset at STARTED, update at EPOCH_COMPLETED, compute at EPOCH_COMPLETED
    """

    usage_name = "running_epoch_wise"

    def __init__(self) -> None:
        MetricUsage.__init__(self, Events.STARTED, Events.EPOCH_COMPLETED, Events.EPOCH_COMPLETED)


class BatchWise(MetricUsage):
    """One value for each iteration, of its output alone; named ``"batch_wise"``.

    Example:
        >>> print(BatchWise())
        reset at ITERATION_STARTED, update at ITERATION_COMPLETED, compute at ITERATION_COMPLETED
    """

    usage_name = "batch_wise"

    def __init__(self) -> None:
        super().__init__(
            Events.ITERATION_STARTED, Events.ITERATION_COMPLETED, Events.ITERATION_COMPLETED
        )


class RunningBatchWise(BatchWise):
    """A value after each iteration, of all outputs of the run; named ``"running_batch_wise"``.

    Example:
        >>> print(RunningBatchWise())
        reset at STARTED, update at ITERATION_COMPLETED, compute at ITERATION_COMPLETED
    """

    usage_name = "running_batch_wise"

    def __init__(self) -> None:
        MetricUsage.__init__(
            self, Events.STARTED, Events.ITERATION_COMPLETED, Events.ITERATION_COMPLETED
        )


class SingleEpochRunningBatchWise(BatchWise):
    """A value after each iteration, of the outputs of its epoch so far.

    It is named ``"single_epoch_running_batch_wise"``.

    Example:
        >>> print(SingleEpochRunningBatchWise())
        reset at EPOCH_STARTED, update at ITERATION_COMPLETED, compute at ITERATION_COMPLETED
    """

    usage_name = "single_epoch_running_batch_wise"

    def __init__(self) -> None:
        MetricUsage.__init__(
            self, Events.EPOCH_STARTED, Events.ITERATION_COMPLETED, Events.ITERATION_COMPLETED
        )


class BatchFiltered(MetricUsage):
    """One value for each epoch, of the outputs that a filter lets through.

    Args:
        event_filter: ``f(engine, iteration) -> bool``; excludes all others.
        every: a positive integer: every so many iterations.
        once: an iteration or several; excludes all others.
        before: iterations below this one.
        after: iterations above this one.

    Raises:
        InvalidArgument: for what ``Events.ITERATION_COMPLETED(...)`` refuses as a filter.

    Example:
        >>> print(BatchFiltered(every=10))
        reset at EPOCH_STARTED, update at ITERATION_COMPLETED(every=10), compute at EPOCH_COMPLETED
    """

    def __init__(
        self,
        event_filter: EventFilter | None = None,
        every: SupportsIndex | None = None,
        once: SupportsIndex | Iterable[SupportsIndex] | None = None,
        before: SupportsIndex | None = None,
        after: SupportsIndex | None = None,
    ) -> None:
        super().__init__(
            Events.EPOCH_STARTED,
            Events.EPOCH_COMPLETED,
            Events.ITERATION_COMPLETED(event_filter, every, once, before, after),
        )


Usage: TypeAlias = MetricUsage | str
"""A usage, or the name of one that needs no arguments."""

_NAMED: Mapping[str, type[EpochWise] | type[BatchWise]] = MappingProxyType(
    {
        usage.usage_name: usage
        for usage in (
            EpochWise,
            RunningEpochWise,
            BatchWise,
            RunningBatchWise,
            SingleEpochRunningBatchWise,
        )
    }
)


def usage_from(usage: Usage) -> MetricUsage:
    """Return the usage that an instance or a name stands for.

    Raises:
        InvalidType: for anything else.
        InvalidArgument: for an unknown name.

    Example:
        >>> type(usage_from("batch_wise")).__name__
        'BatchWise'
    """
    if isinstance(usage, MetricUsage):
        return usage
    if not isinstance(usage, str):
        raise InvalidType(
            "usage must be a MetricUsage or the name of one, got "
            f"{usage!r} of type {type(usage).__name__}"
        )
    if usage not in _NAMED:
        raise InvalidArgument(
            f"usage must be one of {', '.join(_NAMED)}, or an instance such as "
            f"BatchFiltered(every=10), got {usage!r}{did_you_mean(usage, _NAMED)}"
        )
    return _NAMED[usage]()
