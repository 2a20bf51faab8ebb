"""Schedulers of an optimizer's parameter.

Owns: setting the parameter in the groups that a scheduler is for.
Must not know: how the values are worked out.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from torch import Tensor

from glowplug import Engine, Events, RemovableEventHandle
from glowplug.errors import InvalidArgument
from glowplug.events import AnyEvent
from glowplug_schedulers.arguments import text, whole
from glowplug_schedulers.base import BaseParamScheduler
from glowplug_schedulers.parameters import checked_groups, double, plain, set_param

VALUES = (int, float, tuple, Tensor)
"""What a parameter of an optimizer can be; Adam's betas are a tuple."""


class ParamScheduler(BaseParamScheduler):
    """The base of schedulers of an optimizer's parameter.

    Args:
        optimizer: an optimizer, or anything with a list ``param_groups``.
        param_name: the parameter, such as ``"lr"``, which every group must have.
        save_history: whether the values of each event, a list with one for each group, are appended
            to ``engine.state.param_history[param_name]``.
        param_group_index: the group that is scheduled; None for all.

    Raises:
        InvalidType: when an argument is of the wrong type.
        InvalidArgument: when a group lacks the parameter, or there is no such group.

    Attributes:
        optimizer: the optimizer.
        param_group_index: the group, or None.

    Example:
        >>> import torch
        >>> class Rising(ParamScheduler):
        ...     def get_param(self):
        ...         return 0.1 * (self.event_index + 1)
        >>> Rising.simulate_values(num_events=2, param_name="lr")
        [[0, 0.1], [1, 0.2]]
        >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        >>> engine = Engine(lambda engine, batch: optimizer.param_groups[0]["lr"])
        >>> handle = Rising(optimizer, "lr").attach(engine)
        >>> engine.run(range(5)).output
        0.5
    """

    def __init__(
        self,
        optimizer: Any,
        param_name: str,
        save_history: bool = False,
        param_group_index: int | None = None,
    ) -> None:
        checked_groups(optimizer, text("param_name", param_name), param_group_index)
        super().__init__(param_name, save_history)
        self.optimizer = optimizer
        self.param_group_index = param_group_index
        self._state_attrs += ["param_group_index"]

    @property
    def optimizer_param_groups(self) -> list[dict[str, Any]]:
        """The groups that are scheduled."""
        # Asked for each time, since an optimizer that loads a state makes new ones.
        groups: list[dict[str, Any]] = self.optimizer.param_groups
        return groups if self.param_group_index is None else [groups[self.param_group_index]]

    @abstractmethod
    def get_param(self) -> Any:
        """Return the value for ``event_index``: of all groups, or a list with one for each."""

    def attach(
        self, engine: Engine[Any, Any], event: AnyEvent = Events.ITERATION_STARTED
    ) -> RemovableEventHandle:
        """Move at each firing of an event.

        ``engine.add_event_handler(event, scheduler)`` does it as well.

        Args:
            engine: the engine.
            event: when it moves; a filter or a union will do.

        Returns:
            A handle whose ``remove()`` takes the scheduler off the engine.

        Raises:
            InvalidType: when it is no engine.
            InvalidArgument: when it is attached to this engine already.
            UnknownEvent: when the engine has no such event.
        """
        return self._attach(engine, event)

    def _move(self, engine: Engine[Any, Any] | None, name: str | None) -> None:
        value = self.get_param()
        if isinstance(value, list):
            self._put(value, engine)
        else:  # in one piece for speed, as most schedulers move at every iteration
            place, groups = self.param_group_index, self.optimizer.param_groups
            for group in groups if place is None else (groups[place],):
                set_param(group, self.param_name, value)
        self._value = value
        self.event_index += 1
        if self._save_history and engine is not None:
            self._record(engine, name or self.param_name, self._entry(value))

    def _present(self) -> list[Any]:
        """Return what was set last, in a list."""
        return self._value if isinstance(self._value, list) else [self._value]

    def _put(self, value: Any, engine: Engine[Any, Any] | None) -> None:
        groups, name = self.optimizer_param_groups, self.param_name
        if not isinstance(value, list):
            for group in groups:
                set_param(group, name, value)
            return
        if len(value) != len(groups):
            raise InvalidArgument(
                f"{type(self).__name__} has {len(value)} values of {name!r} for {len(groups)} "
                "param groups; make it anew when groups are added to the optimizer"
            )
        for group, one in zip(groups, value, strict=True):
            set_param(group, name, one)

    def _entry(self, value: Any) -> Any:
        values = value if isinstance(value, list) else [value] * len(self.optimizer_param_groups)
        return [plain(one) for one in values]

    def _check_state(self, state: Any) -> None:
        super()._check_state(state)
        value = state.get("value")
        if value is None:
            return
        groups = self.optimizer_param_groups
        values = value if isinstance(value, list) else [value] * len(groups)
        if len(values) != len(groups) or not all(isinstance(one, VALUES) for one in values):
            raise InvalidArgument(
                f"cannot load this state into a {type(self).__name__}: its 'value' must be a "
                f"number, or a list of {len(groups)}, one for each param group, got {value!r}"
            )

    @classmethod
    def simulate_values(cls, num_events: int, **scheduler_kwargs: Any) -> list[list[Any]]:
        """Return the values of the first events, on an optimizer of its own.

        Args:
            num_events: how many.
            **scheduler_kwargs: what the scheduler is made with. Of an ``optimizer`` among them a
                copy is used; ``save_history`` and ``param_group_index`` do not matter.

        Returns:
            Of each event its number, from 0, and its value.
        """
        whole("num_events", num_events, least=0)
        unused = ("optimizer", "save_history", "param_group_index")
        kwargs = {name: given for name, given in scheduler_kwargs.items() if name not in unused}
        scheduler = cls(_stage(scheduler_kwargs), **kwargs)
        rows = []
        for event in range(num_events):
            scheduler(None)
            rows.append([event, *map(plain, scheduler._present())])
        return rows


class _Stage:
    """An optimizer with one group, for those who have none."""

    def __init__(self, *names: str) -> None:
        self.param_groups = [dict.fromkeys(names, 0.0)]


def _stage(scheduler_kwargs: dict[str, Any]) -> Any:
    optimizer = scheduler_kwargs.get("optimizer")
    if optimizer is not None:
        checked_groups(optimizer, scheduler_kwargs.get("param_name", "lr"), None)
        return double(optimizer)
    return _Stage("lr", str(scheduler_kwargs.get("param_name", "lr")))
