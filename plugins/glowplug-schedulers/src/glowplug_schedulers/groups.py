"""Several schedulers that move together.

Owns: moving, saving and simulating them as one.
Must not know: what each of them schedules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from glowplug import Engine, Events, RemovableEventHandle
from glowplug.errors import InvalidArgument, InvalidType
from glowplug.events import AnyEvent
from glowplug_schedulers.arguments import flag, items, text, whole
from glowplug_schedulers.attachment import Attachable, check_answered
from glowplug_schedulers.drawing import draw
from glowplug_schedulers.param_scheduler import ParamScheduler
from glowplug_schedulers.parameters import doubled, plain
from glowplug_schedulers.saving import check_keys


class ParamGroupScheduler(Attachable):
    """Moves several schedulers at each event, such as one for each param group.

    Args:
        schedulers: the schedulers, of one optimizer or of several.
        names: what the values of each are recorded under; their ``param_name``, by default.
        save_history: whether values are appended to ``engine.state.param_history``.

    Raises:
        InvalidType: when an argument is of the wrong type.
        InvalidArgument: when there are no schedulers, one is there twice, or there are not as many
            names.

    Attributes:
        schedulers: the schedulers.
        names: their names.

    Example:
        >>> import torch
        >>> weights = [{"params": [torch.zeros(1, requires_grad=True)]} for _ in range(2)]
        >>> optimizer = torch.optim.SGD(weights, lr=1.0)
        >>> from glowplug_schedulers import PiecewiseLinear
        >>> head = PiecewiseLinear(optimizer, "lr", [(0, 1.0), (1, 0.5)], param_group_index=0)
        >>> body = PiecewiseLinear(optimizer, "lr", [(0, 0.0), (1, 0.1)], param_group_index=1)
        >>> scheduler = ParamGroupScheduler([head, body])
        >>> engine = Engine(lambda engine, batch: None)
        >>> handle = scheduler.attach(engine)
        >>> state = engine.run(range(2))
        >>> [group["lr"] for group in optimizer.param_groups]
        [0.5, 0.1]
    """

    def __init__(
        self,
        schedulers: Sequence[ParamScheduler],
        names: Sequence[str] | None = None,
        save_history: bool = False,
    ) -> None:
        given = checked_schedulers(schedulers, ParamScheduler, least=1)
        flag("save_history", save_history)
        own = [scheduler.param_name for scheduler in given]
        chosen = own if names is None else items("names", names, "names")
        if len(chosen) != len(given):
            raise InvalidArgument(
                f"names must be as many as schedulers, {len(given)}, got {len(chosen)}: {chosen!r}"
            )
        self.names = [text("a name", name) for name in chosen]
        super().__init__()
        self.schedulers = given
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
    def optimizer(self) -> list[Any]:
        """The optimizer of each scheduler."""
        return [scheduler.optimizer for scheduler in self.schedulers]

    @property
    def param_name(self) -> list[str]:
        """The parameter of each scheduler."""
        return [scheduler.param_name for scheduler in self.schedulers]

    @property
    def optimizer_param_groups(self) -> list[dict[str, Any]]:
        """The groups of all schedulers."""
        return [group for one in self.schedulers for group in one.optimizer_param_groups]

    def get_param(self) -> list[Any]:
        """Return the value of each scheduler for its ``event_index``."""
        return [scheduler.get_param() for scheduler in self.schedulers]

    def attach(
        self, engine: Engine[Any, Any], event: AnyEvent = Events.ITERATION_STARTED
    ) -> RemovableEventHandle:
        """Move all schedulers at each firing of an event.

        Args:
            engine: the engine.
            event: when they move; a filter or a union will do.

        Returns:
            A handle whose ``remove()`` takes them off the engine.

        Raises:
            InvalidType: when it is no engine.
            InvalidArgument: when this is attached to the engine already.
            UnknownEvent: when the engine has no such event.
        """
        return self._attach(engine, event)

    def _move(self, engine: Engine[Any, Any] | None, name: str | None) -> None:
        for scheduler, own in zip(self.schedulers, self.names, strict=True):
            scheduler(engine, own)

    def _reapply(self, engine: Engine[Any, Any] | None) -> None:
        for scheduler in self.schedulers:
            scheduler._reapply(engine)

    def _take_over(self) -> None:
        for scheduler in self.schedulers:
            scheduler._take_over()

    def state_dict(self) -> dict[str, Any]:
        """Return what a later run needs to go on from here, as plain values.

        Returns:
            ``schedulers``: the name and the state of each; ``answered``: of the events that a
            resumed run fires again, the epoch at which this was last called.
        """
        states = [scheduler.state_dict() for scheduler in self.schedulers]
        named = list(zip(self.names, states, strict=True))
        return {"schedulers": named, "answered": dict(self._answered)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Stand where ``state_dict`` was taken; what was set then is set again.

        Args:
            state_dict: what ``state_dict()`` returned.

        Raises:
            InvalidType: when it, or an entry, is of the wrong type.
            InvalidArgument: for missing, unknown or impossible entries. Nothing is changed then.
        """
        self._check_state(state_dict)
        for scheduler, (_, state) in zip(self.schedulers, state_dict["schedulers"], strict=True):
            scheduler.load_state_dict(state)
        self._answered = dict(state_dict["answered"])
        self._resumed = True

    def _check_state(self, state: Any) -> None:
        check_keys(type(self).__name__, state, ("schedulers", "answered"))
        check_answered(state["answered"])
        named = items("'schedulers'", state["schedulers"], "names and states")
        names = [pair[0] if isinstance(pair, (list, tuple)) else pair for pair in named]
        if names != self.names:
            raise InvalidArgument(
                f"cannot load this state into a {type(self).__name__}: its schedulers are "
                f"{names!r}, and these {self.names!r}"
            )
        for scheduler, (_, saved) in zip(self.schedulers, named, strict=True):
            scheduler._check_state(saved)

    @classmethod
    def simulate_values(
        cls, num_events: int, schedulers: Sequence[ParamScheduler], **kwargs: Any
    ) -> list[list[Any]]:
        """Return the values of the next events, on copies.

        Args:
            num_events: how many.
            schedulers: the schedulers; they and their optimizers stay as they are.
            **kwargs: as for the class.

        Returns:
            Of each event its number, from 0, and the values of each scheduler.

        Raises:
            InvalidType: when an argument is of the wrong type.
            InvalidArgument: when one has an impossible value.
        """
        given = checked_schedulers(schedulers, ParamScheduler, least=1)
        group = cls(doubled(given, optimizers_of(given)), **{**kwargs, "save_history": False})
        rows = []
        for event in range(whole("num_events", num_events, least=0)):
            group(None)
            rows.append([event, *(plain(v) for one in group.schedulers for v in one._present())])
        return rows

    @classmethod
    def plot_values(cls, num_events: int, **kwargs: Any) -> Any:
        """Draw what ``simulate_values`` returns.

        Args:
            num_events: how many events.
            **kwargs: as for ``simulate_values``.

        Returns:
            Matplotlib axes.

        Raises:
            MissingLibrary: where Matplotlib is not installed: ``glowplug-schedulers[plot]``.
        """
        return draw(cls.simulate_values(num_events, **kwargs), cls.__name__, "value")


def checked_schedulers(schedulers: Any, kinds: Any, least: int) -> list[Any]:
    """Return schedulers as a list.

    Args:
        schedulers: what was given.
        kinds: the class that each must be of, or several.
        least: how many there must be.

    Raises:
        InvalidType: when they are no list, or one is no scheduler of an optimizer's parameter.
        InvalidArgument: when they are too few, or one is there twice.
    """
    given = items("schedulers", schedulers, "schedulers of an optimizer's parameter")
    for place, scheduler in enumerate(given):
        if not isinstance(scheduler, kinds):
            raise InvalidType(
                f"schedulers[{place}] must be a scheduler of an optimizer's parameter, got "
                f"{scheduler!r} of type {type(scheduler).__name__}"
            )
    if len(given) < least:
        raise InvalidArgument(f"schedulers must be {least} or more, got {len(given)}")
    if len({id(scheduler) for scheduler in given}) < len(given):
        raise InvalidArgument("schedulers has one scheduler twice, which would move it twice")
    return given


def optimizers_of(schedulers: Sequence[Any]) -> list[Any]:
    """Return the optimizers of schedulers, each once."""
    found: dict[int, Any] = {}
    for scheduler in schedulers:
        own = scheduler.optimizer
        for optimizer in own if isinstance(own, list) else [own]:
            found.setdefault(id(optimizer), optimizer)
    return list(found.values())
