"""Schedulers of an attribute of an engine's state.

Owns: which attributes can be scheduled, and setting them.
Must not know: how the values are worked out.
"""

from __future__ import annotations

import warnings
from typing import Any
from weakref import WeakSet

from glowplug import Engine, Events, RemovableEventHandle, State
from glowplug.errors import InvalidArgument, did_you_mean
from glowplug.events import AnyEvent
from glowplug_schedulers.arguments import flag, whole
from glowplug_schedulers.base import BaseParamScheduler
from glowplug_schedulers.errors import ScheduleWarning

OWN = frozenset(vars(State()))
"""The fields of a state that belong to the engine."""


class StateParamScheduler(BaseParamScheduler):
    """The base of schedulers of an attribute of ``engine.state``.

    At the first event ``event_index`` is 1: the attribute moves away from its initial value.

    Args:
        param_name: the attribute.
        save_history: whether values are appended to ``engine.state.param_history[param_name]``.
        create_new: whether the attribute is new, and made by ``attach``, with None until the first
            event. Otherwise it should be there.

    Raises:
        InvalidType: when an argument is of the wrong type.
        InvalidArgument: when the attribute belongs to the engine.

    Example:
        >>> class Doubling(StateParamScheduler):
        ...     def get_param(self):
        ...         return 2**self.event_index
        >>> engine = Engine(lambda engine, batch: engine.state.factor)
        >>> engine.state.factor = 1
        >>> handle = Doubling("factor").attach(engine)
        >>> engine.run(range(4)).factor
        16
    """

    def __init__(
        self, param_name: str, save_history: bool = False, create_new: bool = False
    ) -> None:
        super().__init__(param_name, save_history)
        if param_name in OWN or param_name.startswith("_") or not param_name.isidentifier():
            raise InvalidArgument(
                f"param_name must be an attribute of your own, got {param_name!r}; a state keeps "
                f"{', '.join(sorted(name for name in OWN if name[0] != '_'))} for the engine"
            )
        self.create_new = flag("create_new", create_new)
        self._engines: WeakSet[Engine[Any, Any]] = WeakSet()

    def attach(
        self, engine: Engine[Any, Any], event: AnyEvent = Events.ITERATION_COMPLETED
    ) -> RemovableEventHandle:
        """Move at each firing of an event.

        Args:
            engine: the engine.
            event: when it moves; a filter or a union will do.

        Returns:
            A handle whose ``remove()`` takes the scheduler off the engine; the attribute stays.

        Raises:
            InvalidType: when it is no engine.
            InvalidArgument: when it is attached to this engine already, or the attribute that it
                should create is there.
            UnknownEvent: when the engine has no such event.
        """
        self._refuse(engine)
        state, name = engine.state, self.param_name
        missing, mine = not hasattr(state, name), engine in self._engines
        if self.create_new and not missing and not mine:
            raise InvalidArgument(
                f"engine.state has an attribute {name!r} already, of another handler perhaps; "
                "choose another param_name, or say create_new=False if it is meant; attach before "
                "a saved state of the engine is loaded"
            )
        handle = self._attach(engine, event)
        if missing:
            if not self.create_new:
                self._warn(state)
            setattr(state, name, None)
        self._engines.add(engine)
        self._reapply(engine)
        return handle

    def _warn(self, state: State[Any, Any]) -> None:
        known = [name for name in vars(state) if name not in OWN]
        warnings.warn(
            f"engine.state has no attribute {self.param_name!r}"
            f"{did_you_mean(self.param_name, known)}; {type(self).__name__} makes it: say "
            "create_new=True if that is meant",
            ScheduleWarning,
            stacklevel=3,
        )

    def _next(self) -> Any:
        self.event_index += 1
        try:
            return self.get_param()
        except BaseException:
            self.event_index -= 1
            raise

    def _put(self, value: Any, engine: Engine[Any, Any] | None) -> None:
        if engine is not None:
            setattr(engine.state, self.param_name, value)

    def _reapply(self, engine: Engine[Any, Any] | None) -> None:
        for one in list(self._engines) if engine is None else [engine]:
            if self._value is not None and one.has_event_handler(self):
                setattr(one.state, self.param_name, self._value)

    @classmethod
    def simulate_values(cls, num_events: int, **scheduler_kwargs: Any) -> list[list[Any]]:
        """Return the values of the first events, without an engine.

        Args:
            num_events: how many.
            **scheduler_kwargs: what the scheduler is made with; ``param_name`` may be left out.

        Returns:
            Of each event its number, from 0, and its value.
        """
        whole("num_events", num_events, least=0)
        scheduler = cls(**{"param_name": "value", **scheduler_kwargs})
        return [[event, scheduler._next()] for event in range(num_events)]

    def __getstate__(self) -> dict[str, Any]:
        # A copy is attached to nobody.
        return {**self.__dict__, "_engines": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._engines = WeakSet()
