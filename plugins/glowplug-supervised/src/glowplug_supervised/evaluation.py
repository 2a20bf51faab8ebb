"""Evaluation: the step without gradients, and the engine around it.

Owns: the evaluation steps and the supervised evaluator.
Must not know: training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

import torch

from glowplug import Engine, PluginManager
from glowplug.errors import InvalidType
from glowplug_supervised import defaults
from glowplug_supervised.defaults import Device, PrepareBatch
from glowplug_supervised.precision import autocast_for, check_mode
from glowplug_supervised.steps import Step

ModelTransform = Callable[[Any], Any]
OutputTransform = Callable[[Any, Any, Any], Any]
ModelFn = Callable[[Any, Any], Any]


class Attachable(Protocol):
    """What a metric is to an evaluator."""

    def attach(self, engine: Any, name: str) -> Any:
        """Put the metric's value into ``engine.state.metrics[name]``."""


def supervised_evaluation_step(
    model: torch.nn.Module,
    device: Device = None,
    non_blocking: bool = False,
    prepare_batch: PrepareBatch = defaults.prepare_batch,
    model_transform: ModelTransform = defaults.model_transform,
    output_transform: OutputTransform = defaults.evaluation_output,
    model_fn: ModelFn = defaults.model_fn,
) -> Step:
    """Make an evaluation step: the model in evaluation mode, without gradients.

    Args:
        model: the network, on its device already.
        device: where batches are moved to; None leaves them where they are.
        non_blocking: let a copy from pinned memory run beside what follows.
        prepare_batch: ``f(batch, device=..., non_blocking=...) -> (x, y)``.
        model_transform: makes ``y_pred`` from the model's output.
        output_transform: ``f(x, y, y_pred)``, the step's output; ``(y_pred, y)`` by default.
        model_fn: ``f(model, x)``, how the model is called.

    Returns:
        A step: ``step(engine, batch) -> output``.

    Raises:
        InvalidType: for a model or function that is none.

    Example:
        >>> step = supervised_evaluation_step(torch.nn.Linear(2, 1))
        >>> y_pred, y = Engine(step).run([(torch.ones(4, 2), torch.ones(4, 1))]).output
        >>> y_pred.shape, y_pred.requires_grad
        (torch.Size([4, 1]), False)
    """
    return _step(
        model, device, non_blocking, prepare_batch,
        model_transform, output_transform, model_fn, nullcontext(),
    )  # fmt: skip  # in the order of the arguments


def supervised_evaluation_step_amp(
    model: torch.nn.Module,
    device: Device = None,
    non_blocking: bool = False,
    prepare_batch: PrepareBatch = defaults.prepare_batch,
    model_transform: ModelTransform = defaults.model_transform,
    output_transform: OutputTransform = defaults.evaluation_output,
    model_fn: ModelFn = defaults.model_fn,
    *,
    amp_dtype: torch.dtype | None = None,
) -> Step:
    """Make an evaluation step whose forward pass runs in mixed precision.

    Args:
        model: the network, on its device already.
        device: where batches are moved to; None leaves them where they are. Autocast is of this
            kind of device, or of the model's.
        non_blocking: let a copy from pinned memory run beside what follows.
        prepare_batch: ``f(batch, device=..., non_blocking=...) -> (x, y)``.
        model_transform: makes ``y_pred`` from the model's output.
        output_transform: ``f(x, y, y_pred)``, the step's output; ``(y_pred, y)`` by default.
        model_fn: ``f(model, x)``, how the model is called.
        amp_dtype: ``torch.float16``, the default, or ``torch.bfloat16``.

    Returns:
        A step: ``step(engine, batch) -> output``.

    Raises:
        InvalidType: for a model or function that is none.
        InvalidArgument: for another ``amp_dtype``.

    Example:
        >>> step = supervised_evaluation_step_amp(torch.nn.Linear(2, 1), amp_dtype=torch.bfloat16)
        >>> y_pred, y = Engine(step).run([(torch.ones(4, 2), torch.ones(4, 1))]).output
        >>> y_pred.dtype
        torch.bfloat16
    """
    return _step(
        model, device, non_blocking, prepare_batch, model_transform, output_transform,
        model_fn, autocast_for(device, defaults.checked_model(model), amp_dtype),
    )  # fmt: skip  # in the order of the arguments


def _step(
    model: torch.nn.Module,
    device: Device,
    non_blocking: bool,
    prepare_batch: PrepareBatch,
    model_transform: ModelTransform,
    output_transform: OutputTransform,
    model_fn: ModelFn,
    precision: AbstractContextManager[Any],
) -> Step:
    defaults.check_callables(
        prepare_batch=prepare_batch,
        model_transform=model_transform,
        output_transform=output_transform,
        model_fn=model_fn,
    )
    evaluation_mode = defaults.Mode(defaults.checked_model(model), training=False)
    take = defaults.taker(prepare_batch, device, non_blocking)
    predict = defaults.predictor(model, model_fn, model_transform)

    def step(engine: Engine[Any, Any], batch: Any) -> Any:
        evaluation_mode()
        # Not inference mode: a tensor that a model keeps from it could not be trained with.
        with torch.no_grad(), precision:
            x, y = take(batch)
            return output_transform(x, y, predict(x))

    return step


def create_supervised_evaluator(
    model: torch.nn.Module,
    metrics: Mapping[str, Attachable] | None = None,
    device: Device = None,
    non_blocking: bool = False,
    prepare_batch: PrepareBatch = defaults.prepare_batch,
    model_transform: ModelTransform = defaults.model_transform,
    output_transform: OutputTransform = defaults.evaluation_output,
    amp_mode: str | None = None,
    model_fn: ModelFn = defaults.model_fn,
    *,
    amp_dtype: torch.dtype | None = None,
    handlers: Iterable[Any] = (),
    plugins: PluginManager | None = None,
) -> Engine[Any, Any]:
    """Make an engine that evaluates a model.

    Args:
        model: the network, on its device already. It stays in evaluation mode; a supervised
            trainer puts it back into training mode itself.
        metrics: name to metric, or anything with ``attach(engine, name)``.
        device: where batches are moved to; None leaves them where they are.
        non_blocking: let a copy from pinned memory run beside what follows.
        prepare_batch: ``f(batch, device=..., non_blocking=...) -> (x, y)``.
        model_transform: makes ``y_pred`` from the model's output.
        output_transform: ``f(x, y, y_pred)``, the step's output; ``(y_pred, y)`` by default, which
            is what metrics take.
        amp_mode: None, or ``"amp"`` for mixed precision.
        model_fn: ``f(model, x)``, how the model is called.
        amp_dtype: ``torch.float16``, the default of ``"amp"``, or ``torch.bfloat16``.
        handlers: components to attach, as for ``Engine``.
        plugins: the plugin manager, as for ``Engine``.

    Returns:
        The engine.

    Raises:
        InvalidType: for a model, metric or function that is none.
        InvalidArgument: for another ``amp_mode``, or an ``amp_dtype`` without ``"amp"``.

    Example:
        >>> evaluator = create_supervised_evaluator(torch.nn.Linear(2, 1))
        >>> y_pred, y = evaluator.run([(torch.ones(4, 2), torch.ones(4, 1))]).output
    """
    check_mode(amp_mode, ("amp",), amp_dtype=amp_dtype)
    if metrics is not None and not isinstance(metrics, Mapping):
        raise InvalidType(f"metrics must map names to metrics, got {type(metrics).__name__}")
    named = dict(metrics or {})
    for name, metric in named.items():
        if not callable(getattr(metric, "attach", None)):
            raise InvalidType(
                f"metrics[{name!r}] must have attach(engine, name), got {metric!r} of type "
                f"{type(metric).__name__}"
            )
    precision: AbstractContextManager[Any] = nullcontext()
    if amp_mode is not None:
        precision = autocast_for(device, defaults.checked_model(model), amp_dtype)
    step = _step(
        model, device, non_blocking, prepare_batch,
        model_transform, output_transform, model_fn, precision,
    )  # fmt: skip  # in the order of the arguments
    evaluator: Engine[Any, Any] = Engine(step, handlers=handlers, plugins=plugins)
    for name, metric in named.items():
        metric.attach(evaluator, name)
    return evaluator
