"""What a training step does: batch, forward, backward, update.

Owns: the order of things in one iteration of training.
Must not know: how gradients come about, how an engine is made, or which handlers it has.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch

from glowplug import Engine
from glowplug_supervised import defaults
from glowplug_supervised.defaults import Device, PrepareBatch
from glowplug_supervised.events import StepEvents
from glowplug_supervised.updates import Update, zero_grad
from glowplug_supervised.windows import Window, checked_steps

Step: TypeAlias = Callable[[Engine[Any, Any], Any], Any]
Tell: TypeAlias = Callable[[StepEvents], None]

# To look a member up in its enumeration costs more than all the rest of a step that is not torch.
(
    FORWARD_STARTED,
    FORWARD_COMPLETED,
    BACKWARD_STARTED,
    BACKWARD_COMPLETED,
    OPTIMIZER_STEP_STARTED,
    OPTIMIZER_STEP_COMPLETED,
) = StepEvents


@dataclass(frozen=True)
class Parts:
    """What a training step is put together from; checked once, here.

    Args:
        model: the network.
        optimizer: what changes its weights.
        loss_fn: ``loss_fn(y_pred, y)``.
        device: where batches are moved to.
        non_blocking: whether the move may run beside what follows.
        prepare_batch: takes a batch apart.
        model_transform: makes the prediction from the model's output.
        output_transform: makes the step's output.
        model_fn: calls the model.

    Raises:
        InvalidType: when one of them is not of a kind that can do this.
    """

    model: torch.nn.Module
    optimizer: Any
    loss_fn: Callable[..., Any]
    device: Device
    non_blocking: bool
    prepare_batch: PrepareBatch
    model_transform: Callable[[Any], Any]
    output_transform: Callable[[Any, Any, Any, Any], Any]
    model_fn: Callable[[Any, Any], Any]

    def __post_init__(self) -> None:
        defaults.checked_model(self.model)
        defaults.check_optimizer(self.optimizer)
        defaults.check_callables(
            loss_fn=self.loss_fn,
            prepare_batch=self.prepare_batch,
            model_transform=self.model_transform,
            output_transform=self.output_transform,
            model_fn=self.model_fn,
        )


def assemble(
    parts: Parts,
    update: Update,
    gradient_accumulation_steps: int = 1,
    autocast: AbstractContextManager[Any] | None = None,
) -> tuple[Step, Window]:
    """Put a step together.

    It tells of step events where the engine has any: one of the user's own around a public step has
    none.

    Args:
        parts: model, functions and device.
        update: how gradients come about and are used.
        gradient_accumulation_steps: batches that share an update.
        autocast: the context of the forward pass.

    Returns:
        The step, and the window in which it adds up gradients.
    """
    window = Window(checked_steps(gradient_accumulation_steps), update)
    return training_step(parts, update, window, autocast), window


def training_step(
    parts: Parts, update: Update, window: Window, autocast: AbstractContextManager[Any] | None
) -> Step:
    """Return the step. What its parts do by default stands in it: a call costs a part in a hundred.

    That is the case for a small model, whose step takes a tenth of a millisecond.
    """
    optimizer, output_transform = parts.optimizer, parts.output_transform
    take = defaults.taker(parts.prepare_batch, parts.device, parts.non_blocking)
    predictor = defaults.predictor(parts.model, parts.model_fn, parts.model_transform)
    predict, loss_fn = within(autocast, predictor, parts.loss_fn)
    mode = defaults.Mode(parts.model, training=True)
    takes_pairs = take is defaults.prepare_batch
    returns_loss = output_transform is defaults.training_output
    accumulates, modules, is_plain = window.steps > 1, mode.modules, update.is_plain
    backward = None if type(update).backward is Update.backward else update.backward

    def step(engine: Any, batch: Any) -> Any:
        tell = engine.fire_step_event if getattr(engine, "step_events_heard", False) else None
        for module in modules:
            if not module.training:
                mode.set()
                break
        is_pair = takes_pairs and type(batch) in (tuple, list) and len(batch) == 2
        x, y = batch if is_pair else take(batch)
        if not accumulates or window.begins(engine.state):
            zero_grad(optimizer)
        if tell:
            tell(FORWARD_STARTED)
        y_pred = predict(x)
        loss = loss_fn(y_pred, y)
        if tell:
            tell(FORWARD_COMPLETED)
            tell(BACKWARD_STARTED)
        share = loss / window.size if accumulates else loss
        share.backward() if backward is None else backward(share)
        if tell:
            tell(BACKWARD_COMPLETED)
        if not accumulates or window.ends():
            if tell or not is_plain:
                apply(update, tell)
            else:
                optimizer.step()
        return loss.detach() if returns_loss else output_transform(x, y, y_pred, loss)

    return step


def within(
    context: AbstractContextManager[Any] | None, *functions: Callable[..., Any]
) -> tuple[Callable[..., Any], ...]:
    """Return ``functions``, each called within ``context`` where there is one."""
    if context is None:
        return functions

    def entered(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            with context:
                return function(*args)

        return call

    return tuple(map(entered, functions))


def apply(update: Update, tell: Tell | None) -> None:
    """Use the gradients.

    Args:
        update: how.
        tell: what fires step events, or None while nobody listens.
    """
    update.prepare(tell is not None)
    if tell:
        tell(OPTIMIZER_STEP_STARTED)
    update.step()
    if tell:
        tell(OPTIMIZER_STEP_COMPLETED)
