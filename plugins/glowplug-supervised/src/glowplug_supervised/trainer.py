"""The supervised trainer: an engine around a training step.

Owns: what a trainer adds to an engine: step events, the scaler's place, the end of a cut window.
Must not know: what happens inside a step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch

from glowplug import Engine, Events, Phase, PluginManager, RemovableEventHandle
from glowplug.errors import InvalidArgument
from glowplug_supervised import defaults
from glowplug_supervised.defaults import Device, PrepareBatch
from glowplug_supervised.deterministic import DeterministicEngine
from glowplug_supervised.events import StepEvents
from glowplug_supervised.own_first import before
from glowplug_supervised.precision import autocast_for, check_mode, device_type_of, scaler_for
from glowplug_supervised.steps import Parts, Step, apply, assemble
from glowplug_supervised.updates import ApexUpdate, Clip, ScaledUpdate, TpuUpdate, Update
from glowplug_supervised.windows import Window

MODES = ("amp", "apex", "tpu")


class SupervisedEngine(Engine[Any, Any]):
    """An engine whose step is a supervised training step.

    It fires step events, ends a window of accumulated gradients that an epoch cuts short, and saves
    the gradient scaler with its state. ``create_supervised_trainer`` makes it.

    Args:
        process_function: the step.
        window: where the step adds up gradients.
        update: what ends a window.
        scaler: the gradient scaler, which is put at ``state.scaler``; None where there is none.
        handlers: components to attach, as for ``Engine``.
        plugins: the plugin manager, as for ``Engine``.
    """

    step_events_heard = False
    """Whether a handler of a step event was ever attached; the step asks before it tells."""

    def __init__(
        self,
        process_function: Step,
        window: Window,
        update: Update,
        scaler: torch.amp.GradScaler | None,
        *,
        handlers: Iterable[Any] = (),
        plugins: PluginManager | None = None,
    ) -> None:
        self._window, self._update, self.scaler = window, update, scaler
        self.accumulates = window.steps > 1
        super().__init__(process_function, handlers=before(handlers, _Own()), plugins=plugins)

    def add_event_handler(
        self, event_name: Any, handler: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> RemovableEventHandle:
        """Attach a handler, as ``Engine.add_event_handler`` does; from now on steps tell."""
        handle = super().add_event_handler(event_name, handler, *args, **kwargs)
        if not self.step_events_heard and self.has_registered_events(StepEvents.FORWARD_STARTED):
            self.step_events_heard = any(self.listens(event) for event in StepEvents)
        return handle

    def fire_step_event(self, event: StepEvents) -> None:
        """Fire a step event, if anybody listens."""
        if self.listens(event):
            self.fire_event(event)

    def finish_window(self, *_carried: object) -> None:
        """Update with what was added up so far, as the whole window."""
        if self._window.shorten():
            apply(self._update, self.fire_step_event if self.step_events_heard else None)

    def drop_window(self) -> None:
        """Forget what was added up so far; the next step begins a window."""
        self._window.drop()

    def state_dict(self) -> dict[str, Any]:
        """Return what a later run needs, the scaler's state included where there is a scaler.

        Returns:
            As ``Engine.state_dict``, and ``scaler``.
        """
        saved = super().state_dict()
        if self.scaler is not None:
            saved["scaler"] = self.scaler.state_dict()
        return saved

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Stand where ``state_dict`` was taken, the scaler too.

        Args:
            state_dict: what ``state_dict()`` returned.

        Raises:
            InvalidType: when it is no mapping.
            InvalidArgument: for missing or impossible entries; nothing is changed then.
            EngineBusy: within a run.
        """
        scaler = self.scaler
        if scaler is not None and isinstance(state_dict, Mapping):
            lacking = scaler.state_dict().keys() - (state_dict.get("scaler") or {}).keys()
            if lacking:
                raise InvalidArgument(
                    "this trainer has a gradient scaler, and the saved state lacks "
                    f"{sorted(lacking)} of one under 'scaler'; load a state that a trainer with a "
                    "scaler saved"
                )
        super().load_state_dict(state_dict)
        if scaler is not None:
            scaler.load_state_dict(dict(state_dict["scaler"]))


class _Own:
    """What a supervised engine brings along, attached before any other component."""

    glowplug_phase = Phase.COMPUTE

    def attach(self, engine: SupervisedEngine) -> None:
        """Register the step events, put the scaler in its place, watch over the window."""
        engine.register_events(*StepEvents)
        if engine.scaler is not None:
            state: Any = engine.state  # users' attributes are not declared
            state.scaler = engine.scaler
        if engine.accumulates:
            ended = Events.EPOCH_COMPLETED | Events.TERMINATE_SINGLE_EPOCH
            engine.add_event_handler(ended, engine.finish_window)
            engine.add_event_handler(Events.STARTED | Events.TERMINATE, engine.drop_window)


class DeterministicSupervisedEngine(SupervisedEngine, DeterministicEngine[Any, Any]):
    """A supervised engine that resumes as if it had never stopped."""


def create_supervised_trainer(
    model: torch.nn.Module,
    optimizer: Any,
    loss_fn: Callable[..., Any],
    device: Device = None,
    non_blocking: bool = False,
    prepare_batch: PrepareBatch = defaults.prepare_batch,
    model_transform: Callable[[Any], Any] = defaults.model_transform,
    output_transform: Callable[[Any, Any, Any, Any], Any] = defaults.training_output,
    deterministic: bool = False,
    amp_mode: str | None = None,
    scaler: bool | torch.amp.GradScaler = False,
    gradient_accumulation_steps: int = 1,
    model_fn: Callable[[Any, Any], Any] = defaults.model_fn,
    *,
    amp_dtype: torch.dtype | None = None,
    clip_grad_norm: float | None = None,
    clip_grad_value: float | None = None,
    handlers: Iterable[Any] = (),
    plugins: PluginManager | None = None,
) -> Engine[Any, Any]:
    """Make an engine that trains a model.

    Each step puts every module of the model into training mode. The step's output is a tensor of
    one number, which is read when somebody shows or logs it, so that a GPU need not be waited for.

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
        deterministic: make a ``DeterministicEngine``.
        amp_mode: None; ``"amp"`` for mixed precision by torch; ``"apex"`` by NVIDIA's apex;
            ``"tpu"`` for torch_xla, which an XLA device implies.
        scaler: True for a gradient scaler, or one of your own, with ``"amp"`` alone. float16 needs
            one to train well, bfloat16 does not. It is at ``state.scaler``, and saved with it.
        gradient_accumulation_steps: batches that share one update, that of their mean loss. The
            last window of an epoch is shorter where it must be, and counts in full;
            ``terminate_epoch`` ends a window too. ``terminate`` drops the one that is open.
        model_fn: ``f(model, x)``, how the model is called.
        amp_dtype: ``torch.float16``, the default of ``"amp"``, or ``torch.bfloat16``.
        clip_grad_norm: the largest norm of all gradients together, unscaled.
        clip_grad_value: the largest absolute value of a gradient, unscaled.
        handlers: components to attach, as for ``Engine``.
        plugins: the plugin manager, as for ``Engine``.

    Returns:
        The engine, with `StepEvents` registered.

    Raises:
        InvalidType: for a model, optimizer, scaler or function that is none.
        InvalidArgument: for an unknown mode, impossible numbers, or arguments that exclude each
            other.
        MissingLibrary: when the library of a mode is not installed.

    Example:
        >>> model = torch.nn.Linear(2, 1)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> trainer = create_supervised_trainer(model, optimizer, torch.nn.functional.mse_loss)
        >>> data = [(torch.ones(4, 2), torch.ones(4, 1))] * 50
        >>> float(trainer.run(data, max_epochs=2).output) < 1e-3
        True
    """
    parts = Parts(
        model, optimizer, loss_fn, device, non_blocking, prepare_batch,
        model_transform, output_transform, model_fn,
    )  # fmt: skip  # in the order of the arguments
    check_mode(amp_mode, MODES, amp_dtype=amp_dtype, scaler=scaler)
    kind = device_type_of(device, model)
    if amp_mode is None and kind == "xla":
        amp_mode = "tpu"
    used = scaler_for(scaler, kind)
    update = _update(optimizer, Clip(clip_grad_norm, clip_grad_value), amp_mode, used)
    precision = autocast_for(device, model, amp_dtype) if amp_mode == "amp" else None
    step, window = assemble(parts, update, gradient_accumulation_steps, precision)
    made = DeterministicSupervisedEngine if deterministic else SupervisedEngine
    return made(step, window, update, used, handlers=handlers, plugins=plugins)


def _update(
    optimizer: Any, clip: Clip, amp_mode: str | None, scaler: torch.amp.GradScaler | None
) -> Update:
    if amp_mode == "apex":
        return ApexUpdate(optimizer, clip)
    if amp_mode == "tpu":
        return TpuUpdate(optimizer, clip)
    return Update(optimizer, clip) if scaler is None else ScaledUpdate(optimizer, clip, scaler)
