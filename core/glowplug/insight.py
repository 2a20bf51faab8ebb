"""What an engine tells of itself: who is attached to it, and how long their calls take.

Owns: describing an engine, letting it be observed, and naming a handler that failed.
Must not know: how a run is asked for, or what the handlers do.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from time import perf_counter_ns
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from glowplug.attached import Describer, named
from glowplug.attachment import PluginSource
from glowplug.errors import InvalidType, MetricWarning
from glowplug.observers import Observation, Observer, Watch, WatchedStep
from glowplug.registrations import EventKey, Registration
from glowplug.stages import Asked
from glowplug.standing import Standing
from glowplug.state import BatchT, OutputT, State

if TYPE_CHECKING:
    # Imported when they are asked for, as few programs do, so that `import glowplug` is quick.
    from glowplug.call_times import CallTimes
    from glowplug.description import Description
    from glowplug.explain.explanation import Explanation


class Insight(Standing[BatchT, OutputT]):
    """A loop that can be described and observed.

    Args:
        step: called as ``step(engine, batch)``.
        manager: knows which plugin a module belongs to.
    """

    def __init__(self, step: Callable[[Any, BatchT], OutputT], manager: PluginSource) -> None:
        super().__init__(step)
        self._manager = manager
        self._plugins: dict[str, str] = {}
        self._describer = Describer(manager.owner_of, self._plugins)
        self._observers: tuple[Observer, ...] = ()
        self._times: CallTimes | None = None
        self._complained: set[str] = set()

    @property
    def plugins(self) -> Mapping[str, str]:
        """Name to version of the plugins that took part in the making of this engine."""
        return MappingProxyType(self._plugins)

    def describe(self) -> Description:
        """Return what is attached, in the order in which it runs.

        Returns:
            For every event its handlers: filter, phase, plugin and version, the line that attached
            them; and what ``time_calls`` has counted. ``print`` shows it, a notebook makes a table
            of it, ``to_json()`` is for machines.

        Example:
            >>> from glowplug import Engine, Events
            >>> engine = Engine(lambda engine, batch: batch)
            >>> handle = engine.add_event_handler(Events.EPOCH_COMPLETED(every=5), print)
            >>> [row.handler.name for row in engine.describe().rows]
            ['print']
        """
        from glowplug.description import Description

        slots = self._table.slots.values()
        return Description(slots, self._describer, self._named_step(), self._times)

    def explain(
        self,
        epoch_length: int | None = None,
        max_epochs: int | None = None,
        max_iters: int | None = None,
        *,
        data: bool = True,
    ) -> Explanation:
        """Return what ``run`` would fire now, and whom it would call, without running anything.

        The loop goes through the run without data, step or handlers; the engine stays as it is. It
        is the run that ``run`` with these arguments would do: a new one on a new engine and on one
        that is done; on one whose state was loaded, that is to be extended, or that was
        interrupted, the rest of it. What steps and handlers do on the way (ending the run, firing
        events, attaching others) is not foreseen; a filter that is a function is not called.

        Args:
            epoch_length: iterations in an epoch, and of its data; what the state holds, where left
                out.
            max_epochs: as in ``run``.
            max_iters: as in ``run``.
            data: whether the run has data; an interrupted one goes on with what it has.

        Returns:
            Every firing in order, with the handlers that it calls, and those that are never called.
            ``print`` shows it, a notebook draws it, ``write_html(path)`` makes a page of it,
            ``to_json()`` is for machines.

        Raises:
            InvalidArgument: for what ``run`` would refuse, or when the length of an epoch is not
                known.
            InvalidType: when ``data`` is neither True nor False.
            EngineBusy: within a run.

        Example:
            >>> from glowplug import Engine, Events
            >>> engine = Engine(lambda engine, batch: batch)
            >>> handle = engine.add_event_handler(Events.EPOCH_COMPLETED(every=5), print)
            >>> [handler.filter for handler in engine.explain(100, max_epochs=3).never]
            ['(every=5)']
        """
        from glowplug.explain.expectation import expected
        from glowplug.explain.explanation import Explanation
        from glowplug.explain.rehearsal import Ends, Rehearsal

        rehearsal = Rehearsal(self, Ends(epoch_length, max_epochs, max_iters, data))
        order = rehearsal.order()
        slots = self._table.slots.values()
        events = expected(slots, order.spans(), self._state, self._describer)
        return Explanation(order, events, rehearsal.plan, self._named_step(), rehearsal.begins)

    def _named_step(self) -> str:
        return ".".join(filter(None, named(self._step)))

    def time_calls(self) -> Observation:
        """Count and time the calls of all handlers and of the step, for ``describe``.

        It begins anew with each call of this, and costs each call of a handler some tenths of a
        microsecond; see the benchmarks.

        Returns:
            What ends it, by ``remove()`` or as a context manager; what was counted stays.

        Example:
            >>> from glowplug import Engine, Events
            >>> engine = Engine(lambda engine, batch: batch)
            >>> handle = engine.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: None)
            >>> with engine.time_calls():
            ...     state = engine.run([1, 2, 3])
            >>> [row.calls.number for row in engine.describe().rows]
            [3]
        """
        from glowplug.call_times import CallTimes

        if self._times is not None:
            Observation(self, self._times).remove()
        self._times = CallTimes()
        return self.observe(self._times)

    def observe(self, observer: Observer) -> Observation:
        """Tell ``observer`` of every call of a handler and of the step from now on.

        Args:
            observer: who is told; one that observes already is told once.

        Returns:
            What ends it, by ``remove()`` or as a context manager.

        Raises:
            InvalidType: when it is no ``Observer``.
        """
        if not isinstance(observer, Observer):
            raise InvalidType(
                "an observer derives from glowplug.Observer, got "
                f"{observer!r} of type {type(observer).__name__}"
            )
        return Observation(self, observer).__enter__()

    def _observe_by(self, observers: tuple[Observer, ...]) -> None:
        now = perf_counter_ns()
        if self._running:
            for left in set(self._observers) - set(observers):
                left.run_ended(now)
            for come in set(observers) - set(self._observers):
                come.run_began(now)
        self._observers = observers
        self._table.watch(Watch(self._describer, observers) if observers else None)
        self._called_step = WatchedStep(self._step, observers) if observers else self._step
        self._asked.add(Asked.NEW_STEP)

    def _drive(self) -> State[BatchT, OutputT]:
        for observer in self._observers:
            observer.run_began(perf_counter_ns())
        try:
            return super()._drive()
        finally:
            for observer in self._observers:
                observer.run_ended(perf_counter_ns())

    def _warn_of_metrics(self) -> None:
        """Say which metrics would be reported before they are computed, once for each."""
        slots, state = self._table.slots.values(), self._state
        if not any(entry.reports for slot in slots for entry in slot.registrations):
            return
        from glowplug.precedence import complaints

        found = complaints(slots, state.metrics, state.epoch_length, self._describer)
        for complaint in set(found) - self._complained:
            self._complained.add(complaint)
            warnings.warn(MetricWarning.explained(complaint), stacklevel=3)

    def _note(self, where: Registration | EventKey) -> str:
        at = f"epoch {self._state.epoch}, iteration {self._state.iteration}"
        if not isinstance(where, Registration):
            return f"in a handler of {where}, {at}"
        handler = self._describer(where)
        brought_by = f" of plugin {handler.plugin} {handler.version}" if handler.plugin else ""
        return f"in handler {handler.module}.{handler.name}{brought_by}, at {where}, {at}"

    def __getstate__(self) -> dict[str, Any]:
        # Observers watch this engine, not a copy of it.
        unobserved = {"_observers": (), "_times": None, "_called_step": self._step}
        kept = {name: value for name, value in self.__dict__.items() if name != "_describer"}
        return {**kept, **unobserved}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._describer = Describer(self._manager.owner_of, self._plugins)
