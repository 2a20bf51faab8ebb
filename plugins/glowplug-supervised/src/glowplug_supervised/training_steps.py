"""The training steps that users put into an engine of their own.

Owns: one function for each precision, with the arguments that users know.
Must not know: how an engine is made, or which handlers it has.

A window of accumulated gradients that the end of data of unknown length cuts short needs a handler,
which ``create_supervised_trainer`` attaches. Without it, these steps drop such a window.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from glowplug_supervised import defaults
from glowplug_supervised.defaults import Device, PrepareBatch
from glowplug_supervised.precision import autocast_for, scaler_for
from glowplug_supervised.steps import Parts, Step, assemble
from glowplug_supervised.updates import (
    ApexUpdate,
    Clip,
    ScaledUpdate,
    TpuUpdate,
    Update,
)

ModelTransform = Callable[[Any], Any]
OutputTransform = Callable[[Any, Any, Any, Any], Any]
ModelFn = Callable[[Any, Any], Any]


def supervised_training_step(
    model: torch.nn.Module,
    optimizer: Any,
    loss_fn: Callable[..., Any],
    device: Device = None,
    non_blocking: bool = False,
    prepare_batch: PrepareBatch = defaults.prepare_batch,
    model_transform: ModelTransform = defaults.model_transform,
    output_transform: OutputTransform = defaults.training_output,
    gradient_accumulation_steps: int = 1,
    model_fn: ModelFn = defaults.model_fn,
    *,
    clip_grad_norm: float | None = None,
    clip_grad_value: float | None = None,
) -> Step:
    """Make a training step in the precision of the model.

    Args:
        model: the network, on its device already.
        optimizer: what changes its weights.
        loss_fn: ``loss_fn(y_pred, y)``, the mean loss of a batch.
        device: where batches are moved to; None leaves them where they are.
        non_blocking: let a copy from pinned memory run beside what follows.
        prepare_batch: ``f(batch, device=..., non_blocking=...) -> (x, y)``.
        model_transform: makes ``y_pred`` from the model's output.
        output_transform: ``f(x, y, y_pred, loss)``, the step's output; by default the loss as a
            tensor without history.
        gradient_accumulation_steps: batches that share one update, that of their mean loss.
        model_fn: ``f(model, x)``, how the model is called.
        clip_grad_norm: the largest norm of all gradients together.
        clip_grad_value: the largest absolute value of a gradient.

    Returns:
        A step: ``step(engine, batch) -> output``.

    Raises:
        InvalidType: for a model, optimizer or function that is none.
        InvalidArgument: for impossible numbers.

    Example:
        >>> from glowplug import Engine
        >>> model = torch.nn.Linear(2, 1)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> step = supervised_training_step(model, optimizer, torch.nn.functional.mse_loss)
        >>> state = Engine(step).run([(torch.ones(4, 2), torch.ones(4, 1))])
        >>> state.output.shape
        torch.Size([])
    """
    parts = Parts(
        model, optimizer, loss_fn, device, non_blocking, prepare_batch,
        model_transform, output_transform, model_fn,
    )  # fmt: skip  # in the order of the arguments
    update = Update(optimizer, Clip(clip_grad_norm, clip_grad_value))
    return assemble(parts, update, gradient_accumulation_steps)[0]


def supervised_training_step_amp(
    model: torch.nn.Module,
    optimizer: Any,
    loss_fn: Callable[..., Any],
    device: Device = None,
    non_blocking: bool = False,
    prepare_batch: PrepareBatch = defaults.prepare_batch,
    model_transform: ModelTransform = defaults.model_transform,
    output_transform: OutputTransform = defaults.training_output,
    scaler: torch.amp.GradScaler | None = None,
    gradient_accumulation_steps: int = 1,
    model_fn: ModelFn = defaults.model_fn,
    *,
    amp_dtype: torch.dtype | None = None,
    clip_grad_norm: float | None = None,
    clip_grad_value: float | None = None,
) -> Step:
    """Make a training step whose forward pass runs in mixed precision.

    Args:
        model: the network, on its device already.
        optimizer: what changes its weights.
        loss_fn: ``loss_fn(y_pred, y)``, the mean loss of a batch; it runs under autocast too.
        device: where batches are moved to; None leaves them where they are. Autocast is of this
            kind of device, or of the model's.
        non_blocking: let a copy from pinned memory run beside what follows.
        prepare_batch: ``f(batch, device=..., non_blocking=...) -> (x, y)``.
        model_transform: makes ``y_pred`` from the model's output.
        output_transform: ``f(x, y, y_pred, loss)``, the step's output.
        scaler: scales the loss, so that float16 gradients do not vanish; bfloat16 needs none.
        gradient_accumulation_steps: batches that share one update, that of their mean loss.
        model_fn: ``f(model, x)``, how the model is called.
        amp_dtype: ``torch.float16``, the default, or ``torch.bfloat16``.
        clip_grad_norm: the largest norm of all gradients together, unscaled.
        clip_grad_value: the largest absolute value of a gradient, unscaled.

    Returns:
        A step: ``step(engine, batch) -> output``.

    Raises:
        InvalidType: for a model, optimizer, scaler or function that is none.
        InvalidArgument: for impossible numbers.

    Example:
        >>> from glowplug import Engine
        >>> model = torch.nn.Linear(2, 1)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> step = supervised_training_step_amp(
        ...     model, optimizer, torch.nn.functional.mse_loss, amp_dtype=torch.bfloat16
        ... )
        >>> _ = Engine(step).run([(torch.ones(4, 2), torch.ones(4, 1))])
    """
    parts = Parts(
        model, optimizer, loss_fn, device, non_blocking, prepare_batch,
        model_transform, output_transform, model_fn,
    )  # fmt: skip  # in the order of the arguments
    clip = Clip(clip_grad_norm, clip_grad_value)
    used = scaler_for(scaler, "")
    update = Update(optimizer, clip) if used is None else ScaledUpdate(optimizer, clip, used)
    autocast = autocast_for(device, model, amp_dtype)
    return assemble(parts, update, gradient_accumulation_steps, autocast)[0]


def supervised_training_step_apex(
    model: torch.nn.Module,
    optimizer: Any,
    loss_fn: Callable[..., Any],
    device: Device = None,
    non_blocking: bool = False,
    prepare_batch: PrepareBatch = defaults.prepare_batch,
    model_transform: ModelTransform = defaults.model_transform,
    output_transform: OutputTransform = defaults.training_output,
    gradient_accumulation_steps: int = 1,
    model_fn: ModelFn = defaults.model_fn,
    *,
    clip_grad_norm: float | None = None,
    clip_grad_value: float | None = None,
) -> Step:
    """Make a training step whose loss NVIDIA's apex scales.

    Args:
        model: the network, initialised by ``apex.amp.initialize``.
        optimizer: what changes its weights, initialised with it.
        loss_fn: ``loss_fn(y_pred, y)``, the mean loss of a batch.
        device: where batches are moved to; None leaves them where they are.
        non_blocking: let a copy from pinned memory run beside what follows.
        prepare_batch: ``f(batch, device=..., non_blocking=...) -> (x, y)``.
        model_transform: makes ``y_pred`` from the model's output.
        output_transform: ``f(x, y, y_pred, loss)``, the step's output.
        gradient_accumulation_steps: batches that share one update, that of their mean loss.
        model_fn: ``f(model, x)``, how the model is called.
        clip_grad_norm: the largest norm of all gradients together.
        clip_grad_value: the largest absolute value of a gradient.

    Returns:
        A step: ``step(engine, batch) -> output``.

    Raises:
        MissingLibrary: when apex is not installed; a ModuleNotFoundError too.
        InvalidType: for a model, optimizer or function that is none.
        InvalidArgument: for impossible numbers.

    Example:
        >>> from glowplug_supervised import MissingLibrary
        >>> model = torch.nn.Linear(2, 1)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> try:
        ...     step = supervised_training_step_apex(model, optimizer, torch.nn.MSELoss())
        ... except MissingLibrary as error:
        ...     assert "install it" in str(error)
    """
    parts = Parts(
        model, optimizer, loss_fn, device, non_blocking, prepare_batch,
        model_transform, output_transform, model_fn,
    )  # fmt: skip  # in the order of the arguments
    update = ApexUpdate(optimizer, Clip(clip_grad_norm, clip_grad_value))
    return assemble(parts, update, gradient_accumulation_steps)[0]


def supervised_training_step_tpu(
    model: torch.nn.Module,
    optimizer: Any,
    loss_fn: Callable[..., Any],
    device: Device = None,
    non_blocking: bool = False,
    prepare_batch: PrepareBatch = defaults.prepare_batch,
    model_transform: ModelTransform = defaults.model_transform,
    output_transform: OutputTransform = defaults.training_output,
    gradient_accumulation_steps: int = 1,
    model_fn: ModelFn = defaults.model_fn,
    *,
    clip_grad_norm: float | None = None,
    clip_grad_value: float | None = None,
) -> Step:
    """Make a training step for a TPU, whose updates torch_xla does.

    Args:
        model: the network, on its device already.
        optimizer: what changes its weights.
        loss_fn: ``loss_fn(y_pred, y)``, the mean loss of a batch.
        device: where batches are moved to; None leaves them where they are.
        non_blocking: let a copy from pinned memory run beside what follows.
        prepare_batch: ``f(batch, device=..., non_blocking=...) -> (x, y)``.
        model_transform: makes ``y_pred`` from the model's output.
        output_transform: ``f(x, y, y_pred, loss)``, the step's output.
        gradient_accumulation_steps: batches that share one update, that of their mean loss.
        model_fn: ``f(model, x)``, how the model is called.
        clip_grad_norm: the largest norm of all gradients together.
        clip_grad_value: the largest absolute value of a gradient.

    Returns:
        A step: ``step(engine, batch) -> output``.

    Raises:
        MissingLibrary: when torch_xla is not installed; a ModuleNotFoundError too.
        InvalidType: for a model, optimizer or function that is none.
        InvalidArgument: for impossible numbers.

    Example:
        >>> from glowplug_supervised import MissingLibrary
        >>> model = torch.nn.Linear(2, 1)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> try:
        ...     step = supervised_training_step_tpu(model, optimizer, torch.nn.MSELoss())
        ... except MissingLibrary as error:
        ...     assert "install it" in str(error)
    """
    parts = Parts(
        model, optimizer, loss_fn, device, non_blocking, prepare_batch,
        model_transform, output_transform, model_fn,
    )  # fmt: skip  # in the order of the arguments
    update = TpuUpdate(optimizer, Clip(clip_grad_norm, clip_grad_value))
    return assemble(parts, update, gradient_accumulation_steps)[0]
