"""What all schedulers of one value share.

Owns: the order of a move, the record of values, saving and loading, simulating and plotting.
Must not know: what a value is set on, or how it is worked out.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from glowplug import Engine
from glowplug.errors import InvalidArgument
from glowplug_schedulers.arguments import flag, text, whole
from glowplug_schedulers.attachment import Attachable, check_answered
from glowplug_schedulers.drawing import draw
from glowplug_schedulers.saving import check_keys


class BaseParamScheduler(Attachable):
    """The base of every scheduler of one value: an object that is called at an event.

    A subclass defines ``get_param``, the value for ``event_index``, and adds to ``_state_attrs``
    the names of attributes that are saved besides.

    Args:
        param_name: the name of what is scheduled.
        save_history: whether each value is appended to ``engine.state.param_history[param_name]``.

    Raises:
        InvalidType: when an argument is of the wrong type.
        InvalidArgument: when the name is empty.

    Attributes:
        event_index: how often it has moved.
        param_name: the name.

    Example:
        >>> from glowplug_schedulers import ParamScheduler
        >>> issubclass(ParamScheduler, BaseParamScheduler)
        True
    """

    def __init__(self, param_name: str, save_history: bool = False) -> None:
        super().__init__()
        self.param_name = text("param_name", param_name)
        self._save_history = flag("save_history", save_history)
        self.event_index = 0
        self._state_attrs = ["event_index", "param_name", "save_history"]
        self._value: Any = None

    @property
    def save_history(self) -> bool:
        """Whether each value is appended to ``engine.state.param_history``."""
        return self._save_history

    @save_history.setter
    def save_history(self, value: bool) -> None:
        self._save_history = flag("save_history", value)

    @abstractmethod
    def get_param(self) -> Any:
        """Return the value for ``event_index``."""

    def _next(self) -> Any:
        """Return the next value, and count it."""
        value = self.get_param()
        self.event_index += 1
        return value

    @abstractmethod
    def _put(self, value: Any, engine: Engine[Any, Any] | None) -> None:
        """Set a value where it belongs."""

    def _move(self, engine: Engine[Any, Any] | None, name: str | None) -> None:
        value = self._next()
        self._put(value, engine)
        self._value = value
        if self._save_history and engine is not None:
            self._record(engine, name or self.param_name, self._entry(value))

    def _reapply(self, engine: Engine[Any, Any] | None) -> None:
        if self._value is not None:
            self._put(self._value, engine)

    def _entry(self, value: Any) -> Any:
        """Return what is recorded of a value."""
        return value

    def _record(self, engine: Engine[Any, Any], name: str, entry: Any) -> None:
        state = engine.state
        if not hasattr(state, "param_history"):
            state.param_history = {}
        state.param_history.setdefault(name, []).append(entry)

    def state_dict(self) -> dict[str, Any]:
        """Return what a later run needs to go on from here, as plain values.

        Returns:
            The attributes of the schedule, ``value``, which was set last, and ``answered``: of the
            events that a resumed run fires again, the epoch at which this was last called.
        """
        saved = {name: deepcopy(getattr(self, name)) for name in self._state_attrs}
        return {**saved, "value": deepcopy(self._value), "answered": dict(self._answered)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Stand where ``state_dict`` was taken; what was set then is set again.

        Args:
            state_dict: what ``state_dict()`` returned.

        Raises:
            InvalidType: when it, or an entry, is of the wrong type.
            InvalidArgument: for missing, unknown or impossible entries. Nothing is changed then.
        """
        self._check_state(state_dict)
        for name in self._state_attrs:
            setattr(self, name, deepcopy(state_dict[name]))
        self._value = deepcopy(state_dict.get("value"))
        self._answered = dict(state_dict["answered"])
        self._resumed = True
        self._reapply(None)

    def _check_state(self, state: Any) -> None:
        """Refuse a saved state that cannot be loaded; subclasses check what they add."""
        mine = self.state_dict()
        check_keys(type(self).__name__, state, mine.keys())
        whole("'event_index'", state["event_index"], least=0)
        flag("'save_history'", state["save_history"])
        for name in ("param_name", "param_group_index"):
            if name in mine and state[name] != mine[name]:
                raise InvalidArgument(
                    f"cannot load this state into a {type(self).__name__}: its {name} is "
                    f"{state[name]!r}, and that of this scheduler {mine[name]!r}"
                )
        check_answered(state["answered"])

    @classmethod
    @abstractmethod
    def simulate_values(cls, num_events: int, **scheduler_kwargs: Any) -> list[list[Any]]:
        """Return the values of the first events, without an engine.

        Args:
            num_events: how many.
            **scheduler_kwargs: what the scheduler is made with.

        Returns:
            Of each event its number, from 0, and its value.
        """

    @classmethod
    def plot_values(cls, num_events: int, **scheduler_kwargs: Any) -> Any:
        """Draw what ``simulate_values`` returns.

        Args:
            num_events: how many events.
            **scheduler_kwargs: as for ``simulate_values``.

        Returns:
            Matplotlib axes.

        Raises:
            MissingLibrary: where Matplotlib is not installed: ``glowplug-schedulers[plot]``.
        """
        rows = cls.simulate_values(num_events, **scheduler_kwargs)
        return draw(rows, cls.__name__, str(scheduler_kwargs.get("param_name", "value")))
