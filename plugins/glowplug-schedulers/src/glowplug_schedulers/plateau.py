"""The scheduler that lowers a learning rate when a metric stops improving.

Owns: feeding torch's ReduceLROnPlateau with a metric, and the groups it works on.
Must not know: what counts as an improvement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from torch.optim import lr_scheduler as torch_schedulers

from glowplug import Engine
from glowplug.errors import InvalidArgument, InvalidType, did_you_mean
from glowplug_schedulers.arguments import items, number, text, whole
from glowplug_schedulers.param_scheduler import ParamScheduler
from glowplug_schedulers.parameters import checked_groups, double, plain
from glowplug_schedulers.torch_scheduler import check_torch_state


class ReduceLROnPlateauScheduler(ParamScheduler):
    """Lowers the learning rate when a metric of the engine has stopped improving.

    Attach it to the engine that has the metric, mostly an evaluator at ``Events.COMPLETED``.

    Args:
        optimizer: an optimizer, or anything with a list ``param_groups``.
        metric_name: the name in ``engine.state.metrics``.
        trainer: the engine whose state has the history; the one that it is attached to, by default.
        save_history: whether values are appended to ``state.param_history["lr"]``.
        param_group_index: the group that is scheduled; None for all.
        **scheduler_kwargs: as for ``torch.optim.lr_scheduler.ReduceLROnPlateau``: ``mode``,
            ``factor``, ``patience``, ``threshold``, ``cooldown``, ``min_lr`` and the like.

    Raises:
        InvalidType: when an argument is of the wrong type.
        InvalidArgument: when one has an impossible value, or the optimizer has no ``lr``.

    Attributes:
        scheduler: torch's scheduler, on an optimizer of its own whose groups are those scheduled.

    Example:
        >>> import torch
        >>> from glowplug import Events
        >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        >>> evaluator = Engine(lambda engine, batch: None)
        >>> evaluator.state.metrics["loss"] = 0.5
        >>> scheduler = ReduceLROnPlateauScheduler(optimizer, "loss", factor=0.5, patience=0)
        >>> handle = scheduler.attach(evaluator, Events.COMPLETED)
        >>> for _ in range(3):
        ...     state = evaluator.run([1])
        >>> optimizer.param_groups[0]["lr"]
        0.25
    """

    def __init__(
        self,
        optimizer: Any,
        metric_name: str,
        trainer: Engine[Any, Any] | None = None,
        save_history: bool = False,
        param_group_index: int | None = None,
        **scheduler_kwargs: Any,
    ) -> None:
        text("metric_name", metric_name)
        if trainer is not None and not isinstance(trainer, Engine):
            raise InvalidType(
                f"trainer must be an Engine, got {trainer!r} of type {type(trainer).__name__}"
            )
        groups = checked_groups(optimizer, "lr", param_group_index)
        self.scheduler = _plateau(groups, scheduler_kwargs)
        super().__init__(optimizer, "lr", save_history, param_group_index)
        self.metric_name = metric_name
        self.trainer = trainer
        self._state_attrs += ["metric_name"]

    def get_param(self) -> list[float]:
        """Return the present learning rate of each group."""
        return [float(plain(group["lr"])) for group in self.optimizer_param_groups]

    def _move(self, engine: Engine[Any, Any] | None, name: str | None) -> None:
        if engine is None:
            raise InvalidType("this scheduler reads a metric of its engine; got None")
        self._improve(self._metric(engine))
        if self._save_history:
            kept = engine if self.trainer is None else self.trainer
            self._record(kept, name or self.param_name, self._entry(self._value))

    def _improve(self, metric: float) -> None:
        """Let torch's scheduler see a metric, on the present learning rates."""
        groups, played = self.optimizer_param_groups, self.scheduler.optimizer.param_groups
        if len(groups) != len(played):
            raise InvalidArgument(
                f"{type(self).__name__} was made for {len(played)} param group(s), and there are "
                f"{len(groups)}; make it anew when groups are added to the optimizer"
            )
        before = self.get_param()
        for place, lr in zip(played, before, strict=True):
            place["lr"] = lr
        self.scheduler.step(metric)
        values = [place["lr"] for place in played]
        if values != before:
            self._put(values, None)
        self._value = values
        self.event_index += 1

    def _metric(self, engine: Engine[Any, Any]) -> float:
        metrics = engine.state.metrics
        if self.metric_name not in metrics:
            raise InvalidArgument(
                f"the engine has no metric {self.metric_name!r}"
                f"{did_you_mean(self.metric_name, metrics)} (it has: "
                f"{', '.join(metrics) or 'none'}); attach this to the engine that computes it, at "
                "an event at which it is there, as Events.COMPLETED"
            )
        value = plain(metrics[self.metric_name])
        try:
            return float(value)
        except (TypeError, ValueError):
            raise InvalidType(
                f"metric {self.metric_name!r} must be a number, got {value!r} of type "
                f"{type(value).__name__}"
            ) from None

    def state_dict(self) -> dict[str, Any]:
        """Return what a later run needs to go on from here, that of torch's scheduler included."""
        return {**super().state_dict(), "scheduler": deepcopy(self.scheduler.state_dict())}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Stand where ``state_dict`` was taken; the learning rates of then are set again.

        Args:
            state_dict: what ``state_dict()`` returned.

        Raises:
            InvalidType: when it, or an entry, is of the wrong type.
            InvalidArgument: for missing, unknown or impossible entries. Nothing is changed then.
        """
        self._check_state(state_dict)
        self.scheduler.load_state_dict(deepcopy(state_dict["scheduler"]))
        super().load_state_dict(state_dict)

    def _check_state(self, state: Any) -> None:
        super()._check_state(state)
        text("'metric_name'", state["metric_name"])
        check_torch_state(self.scheduler, state["scheduler"])

    @classmethod
    def simulate_values(  # type: ignore[override]  # users know this form
        cls,
        num_events: int,
        metric_values: Sequence[float],
        init_lr: float,
        **scheduler_kwargs: Any,
    ) -> list[list[Any]]:
        """Return the learning rate after each of some metrics.

        Args:
            num_events: how many events.
            metric_values: the metric at each of them.
            init_lr: the learning rate at first.
            **scheduler_kwargs: as for the class.

        Returns:
            Of each event its number, from 0, and the learning rate after it.

        Raises:
            InvalidType: when an argument is of the wrong type.
            InvalidArgument: when there is not one metric for each event.

        Example:
            >>> ReduceLROnPlateauScheduler.simulate_values(
            ...     3, metric_values=[1.0, 0.5, 0.5], init_lr=1.0, factor=0.5, patience=0
            ... )
            [[0, 1.0], [1, 1.0], [2, 0.5]]
        """
        metrics = items("metric_values", metric_values, "numbers")
        if len(metrics) != whole("num_events", num_events, least=0):
            raise InvalidArgument(
                f"metric_values must be one for each of {num_events} events, got {len(metrics)}"
            )
        stage = _Stage(number("init_lr", init_lr))
        unused = ("optimizer", "metric_name", "trainer", "save_history", "param_group_index")
        kwargs = {name: given for name, given in scheduler_kwargs.items() if name not in unused}
        scheduler = cls(stage, "metric", **kwargs)
        rows: list[list[Any]] = []
        for event, metric in enumerate(metrics):
            scheduler._improve(float(metric))
            rows.append([event, *scheduler.get_param()])
        return rows


class _Stage:
    """The groups of an optimizer, and nothing else of it."""

    def __init__(self, *lrs: float) -> None:
        self.param_groups = [{"lr": lr} for lr in lrs]


def _plateau(
    groups: Sequence[Mapping[str, Any]], scheduler_kwargs: Mapping[str, Any]
) -> torch_schedulers.ReduceLROnPlateau:
    """Return torch's scheduler on an optimizer of its own, which has these groups alone."""
    stage = _Stage(*(float(plain(group["lr"])) for group in groups))
    try:
        return torch_schedulers.ReduceLROnPlateau(double(stage), **scheduler_kwargs)
    except TypeError as error:
        raise InvalidType(f"torch's ReduceLROnPlateau takes no such argument: {error}") from error
    except ValueError as error:
        raise InvalidArgument(f"torch's ReduceLROnPlateau refuses that: {error}") from error
