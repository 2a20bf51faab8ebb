"""Truncated backpropagation through time.

Owns: cutting sequences into stretches of time, and one update for each.
Must not know: recurrent networks, beyond that they take and return a hidden state.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any

import torch

from glowplug import Engine, Events, Phase, PluginManager
from glowplug.errors import InvalidArgument
from glowplug_supervised import defaults
from glowplug_supervised.defaults import Device, PrepareBatch
from glowplug_supervised.events import Tbptt_Events
from glowplug_supervised.own_first import before
from glowplug_supervised.updates import zero_grad
from glowplug_torch import apply_to_tensor

# To look a member up in its enumeration costs more than to fire it.
TIME_ITERATION_STARTED, TIME_ITERATION_COMPLETED = Tbptt_Events


def create_supervised_tbptt_trainer(
    model: torch.nn.Module,
    optimizer: Any,
    loss_fn: Callable[..., Any],
    tbtt_step: int,
    dim: int = 0,
    device: Device = None,
    non_blocking: bool = False,
    prepare_batch: PrepareBatch = defaults.prepare_batch,
    *,
    handlers: Iterable[Any] = (),
    plugins: PluginManager | None = None,
) -> Engine[Any, Any]:
    """Make an engine that trains a recurrent network by truncated backpropagation through time.

    The sequences of a batch are cut into stretches of ``tbtt_step``. For each stretch there is a
    forward pass from the hidden state that the last one left, whose history is cut off, a backward
    pass and an update. `Tbptt_Events` fire around each. The output of an iteration is the mean of
    the losses of its stretches; while they run, it is the loss of the last one.

    Args:
        model: called as ``model(x)`` for the first stretch of a batch and as ``model(x, hidden)``
            for the others; returns ``(y_pred, hidden)``, where ``hidden`` is a tensor or any nested
            container of tensors.
        optimizer: what changes its weights.
        loss_fn: ``loss_fn(y_pred, y)``.
        tbtt_step: the length of a stretch, in steps of time; the last one may be shorter.
        dim: the dimension of time, in inputs and targets.
        device: where batches are moved to; None leaves them where they are.
        non_blocking: let a copy from pinned memory run beside what follows.
        prepare_batch: ``f(batch, device=..., non_blocking=...) -> (x, y)``, two tensors.
        handlers: components to attach, as for ``Engine``.
        plugins: the plugin manager, as for ``Engine``.

    Returns:
        The engine. ``state.time_iteration`` counts the stretches begun.

    Raises:
        InvalidType: for a model, optimizer or function that is none.
        InvalidArgument: when ``tbtt_step`` is no positive integer.

    Example:
        >>> model = torch.nn.RNN(input_size=1, hidden_size=1)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> trainer = create_supervised_tbptt_trainer(
        ...     model, optimizer, torch.nn.functional.mse_loss, tbtt_step=4
        ... )
        >>> sequences = torch.ones(10, 2, 1), torch.zeros(10, 2, 1)  # (time, batch, features)
        >>> trainer.run([sequences]).time_iteration
        3

    Source:
        Williams and Peng, "An efficient gradient-based algorithm for on-line training of recurrent
        network trajectories", Neural Computation 2 (1990).
    """
    defaults.checked_model(model)
    defaults.check_optimizer(optimizer)
    defaults.check_callables(loss_fn=loss_fn, prepare_batch=prepare_batch)
    stretch = _checked_stretch(tbtt_step)
    take = defaults.taker(prepare_batch, device, non_blocking)
    training_mode = defaults.Mode(model, training=True)

    def step(engine: Engine[Any, Any], batch: Any) -> torch.Tensor:
        state: Any = engine.state  # the counter is not declared
        x, y = take(batch)
        if x.shape[dim] != y.shape[dim]:
            raise InvalidArgument(
                "inputs and targets must have as many steps of time, got "
                f"{x.shape[dim]} and {y.shape[dim]} in dimension {dim}"
            )
        losses, hidden = [], None
        for x_t, y_t in zip(x.split(stretch, dim=dim), y.split(stretch, dim=dim), strict=True):
            state.time_iteration += 1
            engine.fire_event(TIME_ITERATION_STARTED)
            training_mode()
            zero_grad(optimizer)
            if hidden is None:
                y_pred, hidden = model(x_t)
            else:
                y_pred, hidden = model(x_t, apply_to_tensor(hidden, torch.Tensor.detach))
            loss = loss_fn(y_pred, y_t)
            loss.backward()
            optimizer.step()
            state.output = loss.detach()
            losses.append(state.output)
            engine.fire_event(TIME_ITERATION_COMPLETED)
        return torch.stack(losses).mean()

    return Engine(step, handlers=before(handlers, _TimeIterations()), plugins=plugins)


class _TimeIterations:
    """The events of a trainer and their counter, attached before any other component."""

    glowplug_phase = Phase.COMPUTE

    def attach(self, engine: Engine[Any, Any]) -> None:
        """Register the events, and count from 0 in each new run."""
        engine.register_events(*Tbptt_Events)
        engine.state_dict_user_keys.append("time_iteration")
        engine.add_event_handler(Events.STARTED, _restart_counter)


def _restart_counter(engine: Engine[Any, Any]) -> None:
    state: Any = engine.state  # the counter is not declared
    if state.iteration == 0:
        state.time_iteration = 0


def _checked_stretch(tbtt_step: Any) -> int:
    try:
        steps = 0 if isinstance(tbtt_step, bool) else operator.index(tbtt_step)
    except TypeError:
        steps = 0
    if steps < 1:
        raise InvalidArgument(f"tbtt_step must be a positive integer, got {tbtt_step!r}")
    return steps
