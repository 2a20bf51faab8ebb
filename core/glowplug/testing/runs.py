"""Running an engine, and what it fired.

Owns: watching every event of one run.
Must not know: what the events are compared with.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from glowplug.engine import Engine
from glowplug.registrations import EventKey
from glowplug.testing.recorder import registered
from glowplug.testing.records import Fired, Recording


def run_engine(
    engine: Engine[Any, Any] | Callable[[Engine[Any, Any], Any], Any],
    data: Iterable[Any] | None = None,
    *,
    max_epochs: int | None = None,
    max_iters: int | None = None,
    epoch_length: int | None = None,
) -> Recording:
    """Run an engine, and return all that it fired.

    Events that are registered with the engine beforehand are recorded too. An event is recorded
    before its handlers act, so that what these fire comes after it. What watched is removed.

    Args:
        engine: an engine; or a step, of which one is made as by ``Engine(step)``.
        data: as for ``Engine.run``.
        max_epochs: as for ``Engine.run``.
        max_iters: as for ``Engine.run``.
        epoch_length: as for ``Engine.run``.

    Returns:
        The firings: event, epoch, iteration, and the event's own count. An event that no attribute
        of the state counts is counted from the start of this run.

    Raises:
        Exception: whatever leaves ``Engine.run``.

    Example:
        >>> fired = run_engine(lambda engine, batch: batch, [10, 20])
        >>> fired.names[:3]
        ['STARTED', 'EPOCH_STARTED', 'GET_BATCH_STARTED']
        >>> from glowplug import Events
        >>> fired.only(Events.ITERATION_COMPLETED)
        Recording of 2 firings:
        event                epoch  iteration  number
        ITERATION_COMPLETED      1          1       1
        ITERATION_COMPLETED      1          2       2
    """
    made = engine if isinstance(engine, Engine) else Engine(engine)
    watch = _Watch(made)
    try:
        made.run(data, max_epochs=max_epochs, max_iters=max_iters, epoch_length=epoch_length)
    finally:
        watch.stop()
    return Recording(watch.fired, watch.names.values())


class _Watch:
    """Handlers of every event of an engine, which come before all others."""

    def __init__(self, engine: Engine[Any, Any]) -> None:
        self.fired: list[Fired] = []
        self._times: Counter[EventKey] = Counter()
        events = registered(engine)
        shared = {name for name, times in Counter(map(str, events)).items() if times > 1}
        self.names = {event: _name(event, shared) for event in events}
        self._handles = [engine.add_event_handler(e, _At(e, self.record)) for e in events]

    def record(self, engine: Engine[Any, Any], event: EventKey) -> None:
        state, name = engine.state, self.names[event]
        attribute = state.counter_of(event)
        self._times[event] += 1
        number = self._times[event] if attribute is None else getattr(state, attribute)
        self.fired.append(Fired(name, state.epoch, state.iteration, number))

    def stop(self) -> None:
        for handle in self._handles:
            handle.remove()


class _At:
    """What is called at one event. It runs with what computes: before all that fires events."""

    glowplug_phase = "compute"

    def __init__(
        self, event: EventKey, record: Callable[[Engine[Any, Any], EventKey], None]
    ) -> None:
        self._event, self._record = event, record

    def __call__(self, engine: Engine[Any, Any], *_: object) -> None:
        self._record(engine, self._event)


def _name(event: EventKey, shared: set[str]) -> str:
    return f"{type(event).__name__}.{event}" if str(event) in shared else str(event)
