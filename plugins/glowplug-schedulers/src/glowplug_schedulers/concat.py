"""Schedulers of one parameter, one after the other.

Owns: whose turn it is.
Must not know: what each of them does in its turn.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any, TypeAlias

from glowplug import Engine
from glowplug.errors import InvalidArgument
from glowplug_schedulers.arguments import flag, items, text, whole
from glowplug_schedulers.groups import ParamGroupScheduler, checked_schedulers, optimizers_of
from glowplug_schedulers.param_scheduler import ParamScheduler
from glowplug_schedulers.parameters import checked_groups, doubled, plain

Part: TypeAlias = ParamScheduler | ParamGroupScheduler


class ConcatScheduler(ParamScheduler):
    """Moves one scheduler after the other, each for a number of events, and the last for the rest.

    Args:
        schedulers: two or more schedulers of the same parameter of the same optimizer; a
            ``ParamGroupScheduler`` may be among them.
        durations: the number of events of each but the last.
        save_history: whether values are appended to ``engine.state.param_history``.

    Raises:
        InvalidType: when an argument is of the wrong type.
        InvalidArgument: when there are fewer than two schedulers, one is there twice, they differ
            in optimizer or parameter, or there is not one duration for each but the last.

    Attributes:
        schedulers: the schedulers.
        durations: the number of events of each but the last.

    Example:
        >>> from glowplug_schedulers import LinearCyclicalScheduler, PiecewiseLinear
        >>> import torch
        >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        >>> rising = PiecewiseLinear(optimizer, "lr", [(0, 0.0), (2, 1.0)])
        >>> cyclic = LinearCyclicalScheduler(optimizer, "lr", 4.0, 2.0, cycle_size=2)
        >>> rows = ConcatScheduler.simulate_values(5, [rising, cyclic], durations=[3])
        >>> [value for _, value in rows]
        [0.0, 0.5, 1.0, 4.0, 2.0]
    """

    def __init__(
        self, schedulers: Sequence[Part], durations: Sequence[int], save_history: bool = False
    ) -> None:
        given = checked_schedulers(schedulers, (ParamScheduler, ParamGroupScheduler), least=2)
        checked = _durations(durations, len(given))
        flag("save_history", save_history)
        optimizers, names = optimizers_of(given), _names(given)
        if len(optimizers) != 1:
            raise InvalidArgument(
                f"schedulers must be of one optimizer, got schedulers of {len(optimizers)}"
            )
        if len(names) != 1:
            raise InvalidArgument(f"schedulers must be of one parameter, got {', '.join(names)}")
        indices = {getattr(scheduler, "param_group_index", None) for scheduler in given}
        self.schedulers: list[Part] = given
        self.durations = checked
        self._ends = list(accumulate(checked))
        index = indices.pop() if len(indices) == 1 else None
        super().__init__(optimizers[0], names[0], save_history, index)
        self._state_attrs += ["durations"]
        self.save_history = save_history

    @property
    def save_history(self) -> bool:
        """Whether values are appended to ``engine.state.param_history``."""
        return self._save_history

    @save_history.setter
    def save_history(self, value: bool) -> None:
        self._save_history = flag("save_history", value)
        for scheduler in self.schedulers:
            scheduler.save_history = value

    @property
    def optimizer_param_groups(self) -> list[dict[str, Any]]:
        """The groups of the first scheduler."""
        return self.schedulers[0].optimizer_param_groups

    def get_param(self) -> Any:
        """Return the value of the scheduler whose turn it is."""
        return self._scheduler(self.event_index).get_param()

    def _scheduler(self, index: int) -> Part:
        return self.schedulers[bisect_right(self._ends, index)]

    def _move(self, engine: Engine[Any, Any] | None, name: str | None) -> None:
        place = bisect_right(self._ends, self.event_index)
        scheduler = self.schedulers[place]
        if place and self.event_index == self._ends[place - 1]:
            scheduler._take_over()
        scheduler(engine, name)
        self.event_index += 1

    def _reapply(self, engine: Engine[Any, Any] | None) -> None:
        if self.event_index:
            scheduler = self._scheduler(self.event_index - 1)
            scheduler._take_over()
            scheduler._reapply(engine)

    def state_dict(self) -> dict[str, Any]:
        """Return what a later run needs to go on from here, that of each scheduler included."""
        saved = super().state_dict()
        del saved["value"]  # that of a scheduler
        return {**saved, "schedulers": [one.state_dict() for one in self.schedulers]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Stand where ``state_dict`` was taken; what was set then is set again.

        Args:
            state_dict: what ``state_dict()`` returned.

        Raises:
            InvalidType: when it, or an entry, is of the wrong type.
            InvalidArgument: for missing, unknown or impossible entries. Nothing is changed then.
        """
        self._check_state(state_dict)
        for scheduler, state in zip(self.schedulers, state_dict["schedulers"], strict=True):
            scheduler.load_state_dict(state)
        self._ends = list(accumulate(state_dict["durations"]))
        super().load_state_dict(state_dict)

    def _check_state(self, state: Any) -> None:
        super()._check_state(state)
        _durations(state["durations"], len(self.schedulers))
        states = items("'schedulers'", state["schedulers"], "saved states")
        if len(states) != len(self.schedulers):
            raise InvalidArgument(
                f"cannot load this state into a {type(self).__name__}: it is of {len(states)} "
                f"schedulers, and these are {len(self.schedulers)}"
            )
        for scheduler, saved in zip(self.schedulers, states, strict=True):
            scheduler._check_state(saved)

    @classmethod
    def simulate_values(  # type: ignore[override]  # users know this form
        cls,
        num_events: int,
        schedulers: Sequence[Part],
        durations: Sequence[int],
        param_names: Sequence[str] | None = None,
    ) -> list[list[Any]]:
        """Return the values of the next events, on copies.

        Args:
            num_events: how many.
            schedulers: the schedulers; they and their optimizer stay as they are.
            durations: the number of events of each but the last.
            param_names: the parameters whose values are wanted; that of the schedulers, by default.

        Returns:
            Of each event its number, from 0, and of each parameter the value in each group.

        Raises:
            InvalidType: when an argument is of the wrong type.
            InvalidArgument: when one has an impossible value.
        """
        given = checked_schedulers(schedulers, (ParamScheduler, ParamGroupScheduler), least=2)
        scheduler = cls(doubled(given, optimizers_of(given)), durations)
        names = [scheduler.param_name]
        if param_names is not None:
            names = [text("a name", n) for n in items("param_names", param_names, "names")]
        for name in names:
            checked_groups(scheduler.optimizer, name, None)
        rows = []
        for event in range(whole("num_events", num_events, least=0)):
            scheduler(None)
            groups = scheduler.optimizer_param_groups
            rows.append([event, *(plain(group[name]) for name in names for group in groups)])
        return rows


def _durations(durations: Any, schedulers: int) -> list[int]:
    given = items("durations", durations, "numbers of events")
    if len(given) != schedulers - 1:
        raise InvalidArgument(
            f"durations must be one for each scheduler but the last, {schedulers - 1}, got "
            f"{len(given)}: {given!r}"
        )
    return [whole(f"durations[{place}]", one, least=1) for place, one in enumerate(given)]


def _names(schedulers: Sequence[Any]) -> list[str]:
    found: dict[str, None] = {}
    for scheduler in schedulers:
        own = scheduler.param_name
        found.update(dict.fromkeys(own if isinstance(own, list) else [own]))
    return list(found)
