"""A logger for a trainer, its optimizers and its evaluators, in one call.

Owns: what of them is logged when, and that all is checked before anything is attached.
Must not know: any logger: whatever has the two methods will do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from glowplug import Engine, Events
from glowplug.errors import InvalidType
from glowplug_handlers.arguments import checked_count, checked_engine
from glowplug_handlers.setup_values import StepOf

METHODS = ("attach_output_handler", "attach_opt_params_handler")


def setup_any_logging(
    logger: Any,
    logger_module: Any,
    trainer: Engine[Any, Any],
    optimizers: Any,
    evaluators: Any,
    log_every_iters: int | None,
) -> list[Any]:
    """Log a trainer's metrics, its optimizers' learning rates and its evaluators' metrics.

    The trainer's metrics go under ``training``, every ``log_every_iters`` iterations, and so do
    learning rates; an evaluator's go under its name whenever it has completed, at the trainer's
    epoch.

    Args:
        logger: any logger of glowplug, or what has ``attach_output_handler`` and
            ``attach_opt_params_handler``.
        logger_module: not used: a logger knows its handlers; None will do.
        trainer: the trainer.
        optimizers: an optimizer, or several by name, or None.
        evaluators: an engine, which goes under ``validation``, or several by name, or None.
        log_every_iters: iterations; None: every one.

    Returns:
        What the logger returned for each, in order: its handles, whose ``remove()`` undoes it.

    Raises:
        InvalidType: when an argument is of the wrong type; nothing is attached then.
        InvalidArgument: when ``log_every_iters`` is below 1.

    Example:
        >>> class Lines:
        ...     def attach_output_handler(self, engine, event_name, **arguments):
        ...         return f"{arguments['tag']} at {event_name}"
        ...     attach_opt_params_handler = attach_output_handler
        >>> trainer, evaluator = (Engine(lambda engine, batch: batch) for _ in range(2))
        >>> setup_any_logging(Lines(), None, trainer, None, {"test": evaluator}, 100)
        ['training at ITERATION_COMPLETED(every=100)', 'test at COMPLETED']
    """
    for method in METHODS:
        if not callable(getattr(logger, method, None)):
            raise InvalidType(
                f"logger must have {' and '.join(METHODS)}, as the loggers of glowplug, got "
                f"{logger!r} of type {type(logger).__name__}"
            )
    checked_engine("trainer", trainer)
    every = 1 if log_every_iters is None else checked_count("log_every_iters", log_every_iters)
    by_tag = _named("optimizers", optimizers, None, "an optimizer", _is_optimizer)
    scored = _named("evaluators", evaluators, "validation", "an Engine", _is_engine)
    started = Events.ITERATION_STARTED(every=every)
    completed = Events.ITERATION_COMPLETED(every=every)
    handles: list[Any] = []
    try:
        handles.append(
            logger.attach_output_handler(trainer, completed, tag="training", metric_names="all")
        )
        for tag, optimizer in by_tag.items():
            attach = logger.attach_opt_params_handler
            handles.append(attach(trainer, started, optimizer=optimizer, param_name="lr", tag=tag))
        for tag, evaluator in scored.items():
            attach = logger.attach_output_handler
            how = {"metric_names": "all", "global_step_transform": StepOf(trainer)}
            handles.append(attach(evaluator, Events.COMPLETED, tag=tag, **how))
    except BaseException:
        for handle in handles:
            handle.remove()
        raise
    return handles


def _is_optimizer(value: object) -> bool:
    return hasattr(value, "param_groups")


def _is_engine(value: object) -> bool:
    return isinstance(value, Engine)


def _named(
    what: str, given: Any, name: str | None, kind: str, is_one: Callable[[object], bool]
) -> Mapping[Any, Any]:
    """Return one of something, or several by name, by their names."""
    if given is None:
        return {}
    named = given if isinstance(given, Mapping) else {name: given}
    for value in named.values():
        if not is_one(value):
            raise InvalidType(
                f"{what} must be {kind}, or several of them by name, got {value!r} of type "
                f"{type(value).__name__}"
            )
    return named
