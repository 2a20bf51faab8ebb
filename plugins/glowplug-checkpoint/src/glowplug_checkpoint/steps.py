"""Which step of a run a checkpoint is of.

Owns: the numbers in the names of files, and whose engine they are counted by.
Must not know: how a name is made of them.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from glowplug import Engine
from glowplug.errors import InvalidArgument, InvalidType, UnknownEvent, did_you_mean

StepTransform = Callable[[Engine[Any, Any], Any], int]


def global_step_from_engine(
    engine: Engine[Any, Any], custom_event_name: Any = None, fallback_attr: str = "epoch"
) -> StepTransform:
    """Return a ``global_step_transform`` that asks another engine, as a trainer.

    A checkpoint with such a step counts as one of that engine's run: its iteration, its epoch and
    its run are put down in the manifest.

    Args:
        engine: the engine whose counters are read.
        custom_event_name: the event whose count is taken; by default the one that is fired when the
            checkpoint is saved.
        fallback_attr: the attribute of its state that is taken where nothing counts the event.

    Returns:
        A function of an engine and the name of an event.

    Raises:
        InvalidType: when ``engine`` is no engine, or ``fallback_attr`` no string.

    Example:
        >>> from glowplug import Engine, Events
        >>> trainer = Engine(lambda engine, batch: batch)
        >>> step = global_step_from_engine(trainer)
        >>> state = trainer.run("abcd", max_epochs=3)
        >>> step(None, Events.EPOCH_COMPLETED), step(None, Events.ITERATION_COMPLETED)
        (3, 12)
    """
    if not isinstance(engine, Engine):
        raise InvalidType(f"expected an Engine, got {engine!r} of type {type(engine).__name__}")
    if not isinstance(fallback_attr, str):
        raise InvalidType(
            f"fallback_attr must be the name of an attribute of the state, got {fallback_attr!r} "
            f"of type {type(fallback_attr).__name__}"
        )
    return StepOfEngine(engine, custom_event_name, fallback_attr)


def transform_of(given: Any) -> Any:
    """Return a ``global_step_transform`` where an engine was given; anything else as it is."""
    return global_step_from_engine(given) if isinstance(given, Engine) else given


class StepOfEngine:
    """What ``global_step_from_engine`` returns.

    Args:
        engine: the engine whose counters are read.
        event: the event whose count is taken; None for the one that is fired.
        fallback: the attribute of its state that is taken where nothing counts the event.
    """

    def __init__(self, engine: Engine[Any, Any], event: Any, fallback: str) -> None:
        self.engine = engine
        self._event = event
        self._fallback = fallback

    def __call__(self, engine: Any, event_name: Any) -> int:
        """Return the count of the event."""
        state = self.engine.state
        event = event_name if self._event is None else self._event
        try:
            return state.get_event_attrib_value(event)
        except UnknownEvent:
            pass
        try:
            return int(getattr(state, self._fallback))
        except AttributeError:
            raise InvalidArgument(
                f"nothing counts {event!s}, and the state has no attribute {self._fallback!r}"
                f"{did_you_mean(self._fallback, vars(state))}; give another fallback_attr"
            ) from None


def step_of(engine: Engine[Any, Any], transform: StepTransform | None) -> int:
    """Return the step that a checkpoint is of: iterations, or what the transform returns.

    Raises:
        InvalidType: when that is no integer.
    """
    if transform is None:
        return engine.state.iteration
    step = transform(engine, engine.last_event_name)
    try:
        return operator.index(step)
    except TypeError:
        raise InvalidType(
            f"global_step_transform must return an integer, got {step!r} of type "
            f"{type(step).__name__}"
        ) from None


def counted(engine: Engine[Any, Any], transform: StepTransform | None) -> Engine[Any, Any]:
    """Return the engine whose run is saved: that of the transform where it has one."""
    other = getattr(transform, "engine", None)
    return other if isinstance(other, Engine) else engine
