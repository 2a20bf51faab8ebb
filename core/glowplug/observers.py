"""Those who watch the calls of an engine's handlers and of its step, and what they are told.

Owns: what an observer can be told, and the timed calls that tell it.
Must not know: what is made of it.

An engine that nobody observes calls its handlers and its step directly. The first observer has them
compiled anew into calls that take the time; with the last one gone they are direct again.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any, Protocol

from glowplug.attached import AttachedHandler, Describer
from glowplug.registrations import Call, Registration


class Observable(Protocol):
    """What an observation needs of an engine."""

    _observers: tuple[Observer, ...]

    def _observe_by(self, observers: tuple[Observer, ...]) -> None:
        """Let these observers be told, and no others."""


class Observer:
    """The base of those who watch an engine; override what you need, see ``Engine.observe``.

    All times are in nanoseconds on the clock of ``time.perf_counter_ns``. A call that is left by an
    error counts too. The time of a handler holds that of the events it fires itself.

    Example:
        >>> from glowplug import Engine
        >>> class Slowest(Observer):
        ...     longest = 0
        ...     def step_ran(self, began, ended):
        ...         self.longest = max(self.longest, ended - began)
        >>> engine, slowest = Engine(lambda engine, batch: sum(range(batch))), Slowest()
        >>> observation = engine.observe(slowest)
        >>> _ = engine.run([10, 10_000])
        >>> slowest.longest > 0
        True
    """

    def run_began(self, at: int) -> None:
        """Hear that ``run`` goes ahead, anew or where it stood."""

    def run_ended(self, at: int) -> None:
        """Hear that ``run`` returns, or that an error leaves it."""

    def step_ran(self, began: int, ended: int) -> None:
        """Hear that the step was called."""

    def handler_ran(self, handler: AttachedHandler, began: int, ended: int) -> None:
        """Hear that a handler was called; ``handler`` is the same object at each of its calls."""


class WatchedCall:
    """A compiled handler whose calls are told to observers.

    Args:
        call: the compiled handler.
        handler: what it is.
        observers: who is told.
    """

    __slots__ = ("_call", "_handler", "_observers")

    def __init__(
        self, call: Call, handler: AttachedHandler, observers: tuple[Observer, ...]
    ) -> None:
        self._call, self._handler, self._observers = call, handler, observers

    def __call__(self, engine: Any, *carried: Any) -> None:
        """Call the handler, and tell how long it took."""
        began = perf_counter_ns()
        try:
            self._call(engine, *carried)
        finally:
            ended = perf_counter_ns()
            for observer in self._observers:
                try:
                    observer.handler_ran(self._handler, began, ended)
                except BaseException as error:
                    _blame(error, observer)
                    raise


class WatchedStep:
    """A step whose calls are told to observers.

    Args:
        step: the step.
        observers: who is told.
    """

    __slots__ = ("_observers", "_step")

    def __init__(self, step: Callable[[Any, Any], Any], observers: tuple[Observer, ...]) -> None:
        self._step, self._observers = step, observers

    def __call__(self, engine: Any, batch: Any) -> Any:
        """Call the step, and tell how long it took."""
        began = perf_counter_ns()
        try:
            return self._step(engine, batch)
        finally:
            ended = perf_counter_ns()
            for observer in self._observers:
                try:
                    observer.step_ran(began, ended)
                except BaseException as error:
                    _blame(error, observer)
                    raise


def _blame(error: BaseException, observer: Observer) -> None:
    """Let the error of an observer say whose it is, before it is taken for the handler's."""
    if hasattr(error, "add_note"):  # Python 3.10 has no notes
        made = type(observer)
        error.add_note(f"raised by the observer {made.__module__}.{made.__qualname__}, while told")


class Watch:
    """Makes the watched calls of one engine's registrations.

    Args:
        describe: says what a registration is.
        observers: who is told.
    """

    def __init__(self, describe: Describer, observers: tuple[Observer, ...]) -> None:
        self._describe, self._observers = describe, observers

    def __call__(self, registration: Registration) -> WatchedCall:
        """Return the call to make in place of ``registration.direct``."""
        return WatchedCall(registration.direct, self._describe(registration), self._observers)


class Observation:
    """What observing an engine returns: the way to end it.

    As a context manager it observes again where that was ended, and ends it on leaving.

    Args:
        engine: the engine, which is not kept alive.
        observer: who is told.
    """

    def __init__(self, engine: Observable, observer: Observer) -> None:
        self._engine, self._observer = weakref.ref(engine), observer

    def remove(self) -> None:
        """End the observation; again does nothing."""
        engine = self._engine()
        if engine is not None:
            engine._observe_by(tuple(o for o in engine._observers if o is not self._observer))

    def __enter__(self) -> Observation:
        engine = self._engine()
        if engine is not None and self._observer not in engine._observers:
            engine._observe_by((*engine._observers, self._observer))
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()
