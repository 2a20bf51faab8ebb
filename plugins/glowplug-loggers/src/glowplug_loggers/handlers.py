"""What every handler of a logger shares.

Owns: how a logger calls its handlers, the step at which something is logged, and the parameters of
    an optimizer as values to log.
Must not know: where the values go, or how a model's weights are found.
"""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeAlias

from glowplug import Engine, Phase
from glowplug.errors import InvalidArgument, InvalidType, UnknownEvent, did_you_mean
from glowplug_loggers.checks import checked_tag, refusal
from glowplug_loggers.scalars import Path, Scalar, to_scalars

StepTransform: TypeAlias = Callable[[Engine[Any, Any], Any], int]
"""``f(engine, event) -> int``: the step at which something is logged."""


class BaseHandler(ABC):
    """The base of all that is attached to a logger.

    A handler is called as ``handler(engine, logger, event_name)``, where ``event_name`` is the
    event that was fired, without its filters.

    Attributes:
        logger_type: the loggers that the handler works with, checked when it is attached.

    Example:
        >>> class Shout(BaseHandler):
        ...     def __call__(self, engine, logger, event_name):
        ...         logger.writer.add_text("news", str(event_name).lower())
    """

    glowplug_phase: ClassVar[Phase] = Phase.REPORT
    logger_type: ClassVar[type] = object

    @abstractmethod
    def __call__(self, engine: Engine[Any, Any], logger: Any, event_name: Any) -> None:
        """Log something.

        Args:
            engine: the engine that fired the event.
            logger: the logger that the handler is attached to.
            event_name: the event that was fired.
        """


def count_of(engine: Engine[Any, Any], event_name: Any) -> int:
    """Return the engine's count of an event: the step at which things are logged by default.

    Args:
        engine: the engine that fired it.
        event_name: the event.

    Returns:
        Iterations or epochs, or what the event was registered to count; the iteration for an event
        that no attribute of the state counts.

    Example:
        >>> from glowplug import Engine, Events
        >>> trainer = Engine(lambda engine, batch: None)
        >>> trainer.run([1, 2], max_epochs=3).epoch
        3
        >>> count_of(trainer, Events.EPOCH_COMPLETED), count_of(trainer, Events.TERMINATE)
        (3, 6)
    """
    try:
        return engine.state.get_event_attrib_value(event_name)
    except UnknownEvent:
        return engine.state.iteration


def checked_step(step: Any) -> int:
    """Return what a ``global_step_transform`` gave, as an integer.

    Raises:
        InvalidType: when it is no integer.

    Example:
        >>> checked_step(3)
        3
    """
    try:
        return operator.index(step)
    except TypeError:
        raise refusal("what global_step_transform returns", "an integer", step) from None


class BaseOptimizerParamsHandler(BaseHandler):
    """The base of handlers that log a parameter of an optimizer, such as the learning rate.

    Args:
        optimizer: an optimizer, or anything with a list of dicts as ``param_groups``.
        param_name: the parameter's key in each group.
        tag: what the names begin with: ``tag/lr/group_0``.

    Raises:
        InvalidType: when ``optimizer`` or ``tag`` is something else.
        InvalidArgument: when a group lacks ``param_name``.

    Example:
        >>> class Show(BaseOptimizerParamsHandler):
        ...     def __call__(self, engine, logger, event_name):
        ...         print(self.values())
        >>> class Optimizer:
        ...     param_groups = [{"lr": 0.1}, {"lr": 0.2}]
        >>> Show(Optimizer(), tag="run")(None, None, None)
        {'run/lr/group_0': 0.1, 'run/lr/group_1': 0.2}
    """

    def __init__(self, optimizer: Any, param_name: str = "lr", tag: str | None = None) -> None:
        groups = getattr(optimizer, "param_groups", None)
        if not isinstance(groups, (list, tuple)) or not all(isinstance(g, Mapping) for g in groups):
            raise refusal(
                "optimizer", "an optimizer: it has a list of dicts param_groups", optimizer
            )
        if not isinstance(param_name, str):
            raise refusal("param_name", "a string", param_name)
        lacking = [index for index, group in enumerate(groups) if param_name not in group]
        if lacking:
            known = {str(key) for group in groups for key in group} - {"params"}
            raise InvalidArgument(
                f"no {param_name!r} in group {', '.join(map(str, lacking))} of "
                f"{type(optimizer).__name__}.param_groups{did_you_mean(param_name, known)} "
                f"(there are {', '.join(sorted(known))})"
            )
        self.optimizer = optimizer
        self.param_name = param_name
        self.tag = checked_tag(tag)

    def values(self) -> dict[str, Scalar]:
        """Return the parameter's value in each group.

        Returns:
            ``{"tag/lr/group_0": 0.1, ...}``; a tuple such as Adam's betas becomes one number each.

        Raises:
            InvalidType: when a value is no number.
        """
        head = (self.tag, self.param_name) if self.tag else (self.param_name,)
        groups = enumerate(self.optimizer.param_groups)
        named = [((*head, f"group_{index}"), group[self.param_name]) for index, group in groups]
        scalars = to_scalars(named, skipped=self._refuse)
        return {"/".join(path): value for path, value in scalars.items()}

    def _refuse(self, path: Path, value: object) -> None:
        raise InvalidType(
            f"{'/'.join(path)} of {type(self.optimizer).__name__} cannot be logged: it must be a "
            f"number, got {value!r} of type {type(value).__name__}"
        )
