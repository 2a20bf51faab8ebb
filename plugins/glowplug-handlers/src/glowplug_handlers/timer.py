"""Measuring time.

Owns: a stopwatch, and the events of an engine that work it.
Must not know: what is timed.
"""

from __future__ import annotations

from time import perf_counter
from typing import Any

from glowplug import Events, Phase
from glowplug.events import AnyEvent
from glowplug_handlers.attachment import AnyEngine, Attachable


class Timer(Attachable):
    """A stopwatch, worked by hand or by the events of an engine.

    It runs from the moment in which it is made. Attached, it pauses before the other handlers of an
    event run and resumes after them, so that between ``resume=ITERATION_STARTED`` and
    ``pause=ITERATION_COMPLETED`` lies the step and nothing else. It looks at the CPU's clock
    (``time.perf_counter``) and does not wait for a GPU: what a step has only asked of it is not
    measured, unless something in the step waits for it.

    Args:
        average: whether the value is the mean time of a step; before the first step it is the time.

    Attributes:
        total: seconds up to the last pause.
        step_count: how often `step` was called.
        running: whether time is passing.

    Example:
        >>> import time
        >>> timer = Timer()
        >>> time.sleep(0.01)
        >>> timer.pause()
        >>> value = timer.value()
        >>> time.sleep(0.01)
        >>> value >= 0.01 and timer.value() == value
        True
        >>> from glowplug import Engine
        >>> engine = Engine(lambda engine, batch: time.sleep(0.001))
        >>> step, at = Timer(average=True), Events
        >>> _ = step.attach(
        ...     engine,
        ...     start=at.EPOCH_STARTED,
        ...     resume=at.ITERATION_STARTED,
        ...     pause=at.ITERATION_COMPLETED,
        ...     step=at.ITERATION_COMPLETED,
        ... )
        >>> _ = engine.run(range(5))
        >>> step.step_count, step.value() >= 0.001
        (5, True)
    """

    def __init__(self, average: bool = False) -> None:
        super().__init__()
        self._average = bool(average)
        self.reset()

    def reset(self, *_: Any) -> Timer:
        """Begin anew at 0, running; return this timer."""
        self.total, self.step_count, self.running = 0.0, 0, True
        self._fresh = False
        self._since = perf_counter()
        return self

    def pause(self, *_: Any) -> None:
        """Let no more time pass; again does nothing."""
        now = perf_counter()
        if self.running:
            self.total += now - self._since
            self.running = self._fresh = False

    def resume(self, *_: Any) -> None:
        """Let time pass again; where it does, that does nothing."""
        if not self.running:
            self.running = True
            self._since = perf_counter()

    def value(self) -> float:
        """Return the seconds that have passed, or of a timer that averages their mean of a step."""
        now = perf_counter()
        seconds = self.total + (now - self._since if self.running else 0.0)
        return seconds / max(self.step_count, 1) if self._average else seconds

    def step(self, *_: Any) -> None:
        """Count a step."""
        self.step_count += 1

    def _begin(self, *_: Any) -> None:
        self.reset()
        self._fresh = True

    def _go_on(self, *_: Any) -> None:
        # What passes between the start and a resumption that comes before any pause lies outside of
        # what is measured: the way to the first batch, say.
        if self._fresh:
            self._since = perf_counter()
        self.resume()

    def attach(
        self,
        engine: AnyEngine,
        start: AnyEvent = Events.STARTED,
        pause: AnyEvent = Events.COMPLETED,
        resume: AnyEvent | None = None,
        step: AnyEvent | None = None,
    ) -> Timer:
        """Let the events of an engine work this timer.

        Args:
            engine: the engine.
            start: when it begins anew.
            pause: when it pauses.
            resume: when it resumes; None: never. Where this comes before the first pause, time
                passes from here on instead of from the start.
            step: when a step is counted; None: never.

        Returns:
            This timer.

        Raises:
            InvalidType: when it is no engine.
            InvalidArgument: when this is attached to it already.
            UnknownEvent: when an event is not registered.
        """
        # What stops the clock comes first of an event's handlers, what starts it last.
        before, after = Phase.COMPUTE, Phase.PERSIST
        given = (
            (start, self._begin, after),
            (resume, self._go_on, after),
            (pause, self.pause, before),
            (step, self.step, before),
        )
        with self._attaching(engine) as handles:
            for event, method, phase in given:
                if event is not None:
                    with engine.in_phase(phase):
                        handles.append(engine.add_event_handler(event, method))
        return self
