"""The component.

Owns: what users ask of budgets.
Must not know: how an engine is watched.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from glowplug import Engine, Events, RemovableEventHandle
from glowplug.errors import InvalidArgument, InvalidType
from glowplug.observers import Observation
from glowplug_budgets.limits import Limits
from glowplug_budgets.synchronizations import Synchronizations
from glowplug_budgets.watches import Settings, Watch

NONE: Mapping[str, float] = MappingProxyType({})


class _Watched(NamedTuple):
    observation: Observation
    handle: RemovableEventHandle


class HandlerBudget:
    """Warns, once and by name, of handlers and plugins that take too much of a run.

    After some iterations to warm up, the calls of every handler are timed. A handler is judged when
    it was measured for a while, at the end of the run too, and its first call never counts. Its
    time is all that passes during a call: events that it fires and engines that it runs
    are included, on the account of each that is around them.

    On CUDA it also has torch tell of operations that make the CPU wait for the GPU, and names the
    handler in which that happened, or the step; once for each.

    Args:
        share: what one handler may take of the run, above 0 and at most 1.
        per_plugin: what the handlers of one plugin may take together.
        budgets: other shares, by the names of handlers and of plugins.
        warm_up: iterations before anything counts.
        at_least: seconds for which a handler is measured before it is judged, and judged again.
        synchronizations: whether to listen for operations that wait for the GPU.

    Raises:
        InvalidType: when an argument is of the wrong type.
        InvalidArgument: when a share is not above 0 and at most 1, or a number below 0.

    Example:
        >>> import time, warnings
        >>> from glowplug import Engine, Events
        >>> engine = Engine(lambda engine, batch: batch)
        >>> handle = engine.add_event_handler(
        ...     Events.ITERATION_COMPLETED, lambda engine: time.sleep(0.003)
        ... )
        >>> HandlerBudget(share=0.1, at_least=0.02).attach(engine)
        >>> with warnings.catch_warnings(record=True) as caught:
        ...     warnings.simplefilter("always")
        ...     state = engine.run(range(40))
        >>> [warning.message.limit for warning in caught]
        [0.1]
    """

    def __init__(
        self,
        share: float = 0.1,
        per_plugin: float = 0.2,
        budgets: Mapping[str, float] = NONE,
        warm_up: int = 10,
        at_least: float = 5.0,
        synchronizations: bool = True,
    ) -> None:
        limits = Limits(share, per_plugin, budgets)
        for name, number, kind in (("warm_up", warm_up, int), ("at_least", at_least, (int, float))):
            if not isinstance(number, kind) or isinstance(number, bool):
                raise InvalidType(
                    f"{name} must be a number of {_UNITS[name]}, got {number!r} of type "
                    f"{type(number).__name__}"
                )
            if not number >= 0:
                raise InvalidArgument(f"{name} must be 0 {_UNITS[name]} or more, got {number!r}")
        if not isinstance(synchronizations, bool):
            raise InvalidType(f"synchronizations must be True or False, got {synchronizations!r}")
        heard = Synchronizations() if synchronizations else None
        self._settings = Settings(limits, warm_up, at_least, heard)
        self._given = (share, per_plugin, dict(budgets), warm_up, at_least, synchronizations)
        self._watched: WeakKeyDictionary[Engine[Any, Any], _Watched] = WeakKeyDictionary()

    def attach(self, engine: Engine[Any, Any]) -> None:
        """Watch an engine, from now on; one that is watched already stays so.

        That every name in ``budgets`` is that of somebody is checked when a run starts.

        Args:
            engine: the engine.

        Raises:
            InvalidType: when it is no engine.
        """
        if not isinstance(engine, Engine):
            raise InvalidType(f"expected an Engine, got {engine!r} of type {type(engine).__name__}")
        if engine not in self._watched:
            handle = engine.add_event_handler(Events.STARTED, self._check_names)
            observation = engine.observe(Watch(engine, self._settings))
            self._watched[engine] = _Watched(observation, handle)

    def detach(self, engine: Engine[Any, Any]) -> None:
        """Watch an engine no more.

        Raises:
            InvalidArgument: when it is not watched.
        """
        watched = self._watched.pop(engine, None) if isinstance(engine, Engine) else None
        if watched is None:
            raise InvalidArgument(f"this budget does not watch {engine!r}; attach(engine) before")
        watched.observation.remove()
        watched.handle.remove()

    def _check_names(self, engine: Engine[Any, Any]) -> None:
        if engine not in self._watched:  # a copy of one that is
            return
        engines = list(self._watched)
        handlers = [row.handler for engine in engines for row in engine.describe().rows]
        plugins = [plugin for engine in engines for plugin in engine.plugins]
        self._settings.limits.check_names(handlers, plugins)

    def __reduce__(self) -> Any:
        # A copy has the settings, and watches nobody.
        return HandlerBudget, self._given


_UNITS: Mapping[str, str] = MappingProxyType({"warm_up": "iterations", "at_least": "seconds"})
