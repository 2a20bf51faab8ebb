"""The schedulers of torch, as handlers of events.

Owns: when a scheduler of torch steps, and saving it.
Must not know: what curve it follows.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from torch.optim import lr_scheduler as torch_schedulers

from glowplug import Engine
from glowplug.errors import InvalidArgument, InvalidType
from glowplug_schedulers.arguments import flag, whole
from glowplug_schedulers.errors import ScheduleWarning
from glowplug_schedulers.param_scheduler import ParamScheduler
from glowplug_schedulers.parameters import doubled, plain
from glowplug_schedulers.saving import check_keys


class LRScheduler(ParamScheduler):
    """Lets a scheduler of torch step at an event, and saves it.

    The learning rate that the optimizer has at the first event stays; from the second event on,
    each is one ``step()``. So it is right at ``ITERATION_STARTED``, before the optimizer's step.

    Args:
        lr_scheduler: a scheduler of ``torch.optim.lr_scheduler``; ``ReduceLROnPlateau`` has a
            scheduler of its own here.
        save_history: whether values are appended to ``engine.state.param_history["lr"]``.
        use_legacy: whether the first event steps already, as one attached to
            ``ITERATION_COMPLETED``, after the optimizer's step, needs it.

    Raises:
        InvalidType: when an argument is of the wrong type.
        InvalidArgument: for ``ReduceLROnPlateau``.

    Attributes:
        lr_scheduler: the scheduler of torch.

    Example:
        >>> import torch
        >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        >>> halving = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
        >>> engine = Engine(lambda engine, batch: optimizer.param_groups[0]["lr"])
        >>> handle = LRScheduler(halving).attach(engine)
        >>> engine.run(range(3)).output
        0.25
    """

    def __init__(
        self,
        lr_scheduler: torch_schedulers.LRScheduler,
        save_history: bool = False,
        use_legacy: bool = False,
    ) -> None:
        check_torch_scheduler(lr_scheduler)
        flag("use_legacy", use_legacy)
        super().__init__(lr_scheduler.optimizer, "lr", save_history)
        self.lr_scheduler = lr_scheduler
        self.use_legacy = use_legacy
        if use_legacy:
            warnings.warn(
                "with use_legacy=True the first event steps already; attach it after the "
                "optimizer's step, to Events.ITERATION_COMPLETED, or the first learning rate is "
                "never used",
                ScheduleWarning,
                stacklevel=2,
            )

    def get_param(self) -> list[Any]:
        """Return the learning rates that torch's scheduler has set last, one for each group."""
        return list(self.lr_scheduler.get_last_lr())

    def _move(self, engine: Engine[Any, Any] | None, name: str | None) -> None:
        # What torch's scheduler computes, it sets and remembers by itself.
        if self.event_index or self.use_legacy:
            _step(self.lr_scheduler)
        self.event_index += 1
        if self._save_history and engine is not None:
            self._record(engine, name or self.param_name, self._entry(self.get_param()))

    def _present(self) -> list[Any]:
        return self.get_param()

    def _reapply(self, engine: Engine[Any, Any] | None) -> None:
        if self.event_index > (not self.use_legacy):  # the first event sets nothing
            self._put(self.get_param(), engine)

    def _take_over(self) -> None:
        # Most schedulers of torch work out the next value from what the optimizer has.
        self._put(self.get_param(), None)

    def state_dict(self) -> dict[str, Any]:
        """Return what a later run needs to go on from here, that of torch's scheduler included."""
        saved = super().state_dict()
        del saved["value"]  # that of torch's scheduler
        return {**saved, "lr_scheduler": deepcopy(self.lr_scheduler.state_dict())}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Stand where ``state_dict`` was taken; the learning rates of then are set again.

        Args:
            state_dict: what ``state_dict()`` returned.

        Raises:
            InvalidType: when it, or an entry, is of the wrong type.
            InvalidArgument: for missing, unknown or impossible entries. Nothing is changed then.
        """
        self._check_state(state_dict)
        self.lr_scheduler.load_state_dict(deepcopy(state_dict["lr_scheduler"]))
        super().load_state_dict(state_dict)

    def _check_state(self, state: Any) -> None:
        super()._check_state(state)
        check_torch_state(self.lr_scheduler, state["lr_scheduler"])
        saved, groups = state["lr_scheduler"].get("_last_lr"), len(self.optimizer.param_groups)
        if not isinstance(saved, list) or len(saved) != groups:
            raise InvalidArgument(
                f"cannot load this state into a {type(self).__name__}: torch's scheduler should "
                f"have the learning rates of {groups} param group(s), got {saved!r}"
            )

    @classmethod
    def simulate_values(  # type: ignore[override]  # users know this form
        cls, num_events: int, lr_scheduler: torch_schedulers.LRScheduler, **kwargs: Any
    ) -> list[list[Any]]:
        """Return the learning rates of the next events, on copies.

        Args:
            num_events: how many.
            lr_scheduler: the scheduler of torch; it and its optimizer stay as they are.
            **kwargs: as for the class.

        Returns:
            Of each event its number, from 0, and the learning rate of each group.

        Raises:
            InvalidType: when it is no scheduler of torch.
            InvalidArgument: for ``ReduceLROnPlateau``.

        Example:
            >>> import torch
            >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
            >>> halving = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
            >>> LRScheduler.simulate_values(num_events=2, lr_scheduler=halving)
            [[0, 1.0], [1, 0.5]]
        """
        check_torch_scheduler(lr_scheduler)
        (copied,) = doubled([lr_scheduler], [lr_scheduler.optimizer])
        scheduler = cls(copied, **{**kwargs, "save_history": False})
        rows = []
        for event in range(whole("num_events", num_events, least=0)):
            scheduler(None)
            rows.append([event, *map(plain, scheduler.get_param())])
        return rows


def check_torch_scheduler(lr_scheduler: Any) -> None:
    """Refuse what is no scheduler of torch that steps by itself.

    Raises:
        InvalidType: when it is no scheduler of torch.
        InvalidArgument: for ``ReduceLROnPlateau``, whose step needs a metric.
    """
    if isinstance(lr_scheduler, torch_schedulers.ReduceLROnPlateau):
        raise InvalidArgument(
            "ReduceLROnPlateau steps by a metric, not by events; use "
            "ReduceLROnPlateauScheduler(optimizer, metric_name, ...)"
        )
    if not isinstance(lr_scheduler, torch_schedulers.LRScheduler):
        raise InvalidType(
            "lr_scheduler must be a scheduler of torch.optim.lr_scheduler, got "
            f"{lr_scheduler!r} of type {type(lr_scheduler).__name__}"
        )


def check_torch_state(lr_scheduler: torch_schedulers.LRScheduler, state: Any) -> None:
    """Refuse a saved state of torch's scheduler that lacks something.

    What torch keeps to itself, and what other versions of torch have besides, does not matter.

    Raises:
        InvalidType: when it is no mapping.
        InvalidArgument: for missing entries.
    """
    wanted = [name for name in lr_scheduler.state_dict() if not name.startswith("_")]
    whose = type(lr_scheduler).__name__
    known = {name: state[name] for name in wanted if name in state} if _maps(state) else state
    check_keys(whose, known, wanted)


def _maps(state: Any) -> bool:
    return isinstance(state, Mapping)


def _step(lr_scheduler: torch_schedulers.LRScheduler) -> None:
    if getattr(lr_scheduler, "_step_count", 1) != 1:
        lr_scheduler.step()
        return
    with warnings.catch_warnings():
        # torch warns at the first step that the first value would be skipped where the optimizer
        # did not step before. Here it was in use since the first event, or, in a simulation,
        # nothing steps.
        for words in ("Detected call of", "Seems like"):
            warnings.filterwarnings("ignore", words, UserWarning)
        lr_scheduler.step()
