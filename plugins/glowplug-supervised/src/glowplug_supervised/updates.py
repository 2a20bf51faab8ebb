"""How a loss becomes gradients, and gradients an update.

Owns: forgetting gradients, clipping them, loss scaling, and the two backends that change the
optimizer's step.
Must not know: models, batches or engines.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from typing import Any

import torch
from torch.nn.utils import clip_grad_norm_, clip_grad_value_

from glowplug.errors import GlowplugError, InvalidArgument


class MissingLibrary(GlowplugError, ModuleNotFoundError):
    """A mode of training needs a library that is not installed."""


_ZERO_GRAD = torch.optim.Optimizer.zero_grad


def zero_grad(optimizer: Any) -> None:
    """Forget the gradients of what ``optimizer`` changes, as its ``zero_grad()`` does.

    torch's own costs a small model one step in thirty, most of it for an entry in profiles; where
    nobody has put another in its place, what it does is done here.

    Example:
        >>> weight = torch.ones(1, requires_grad=True)
        >>> weight.grad = torch.ones(1)
        >>> zero_grad(torch.optim.SGD([weight], lr=0.1))
        >>> print(weight.grad)
        None
    """
    forget = optimizer.zero_grad
    if getattr(forget, "__func__", None) is not _ZERO_GRAD:
        forget()
        return
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.grad = None


class Clip:
    """Bounds gradients before the optimizer sees them.

    Args:
        norm: the largest norm of all gradients together.
        value: the largest absolute value of any.

    Raises:
        InvalidArgument: when both are given, or one that is not positive.
    """

    def __init__(self, norm: float | None, value: float | None) -> None:
        if norm is not None and value is not None:
            raise InvalidArgument(
                f"clip_grad_norm={norm!r} and clip_grad_value={value!r} exclude each other"
            )
        for name, bound in (("clip_grad_norm", norm), ("clip_grad_value", value)):
            if bound is not None and not _is_positive(bound):
                raise InvalidArgument(f"{name} must be a positive number, got {bound!r}")
        self._norm, self._value = norm, value
        self.wanted = norm is not None or value is not None

    def __call__(self, parameters: list[torch.Tensor]) -> None:
        """Change the gradients of ``parameters`` in place."""
        if self._norm is not None:
            clip_grad_norm_(parameters, self._norm)
        elif self._value is not None:
            clip_grad_value_(parameters, self._value)


def _is_positive(bound: Any) -> bool:
    return isinstance(bound, (int, float)) and not math.isnan(bound) and bound > 0


class Update:
    """The plain way: backward, clip, step.

    Args:
        optimizer: what is stepped.
        clip: the bounds of the gradients.
    """

    def __init__(self, optimizer: Any, clip: Clip) -> None:
        self.optimizer = optimizer
        self._clip, self._clips = clip, clip.wanted

    @property
    def is_plain(self) -> bool:
        """Whether an update is the optimizer's step and nothing else."""
        return type(self) is Update and not self._clips

    def parameters(self) -> list[torch.Tensor]:
        """Return what the optimizer changes; groups may have been added since the last step."""
        return [p for group in self.optimizer.param_groups for p in group["params"]]

    def backward(self, loss: torch.Tensor) -> None:
        """Add the gradients of ``loss`` to those that are there."""
        loss.backward()

    def prepare(self, shown: bool) -> None:
        """Make the gradients what the optimizer shall see.

        Args:
            shown: whether somebody is about to look at them.
        """
        if self._clips:
            self._clip(self.parameters())

    def step(self) -> None:
        """Change the weights."""
        self.optimizer.step()


class ScaledUpdate(Update):
    """Under a ``GradScaler``: the loss is scaled up, the gradients down before they are used.

    Args:
        optimizer: what is stepped.
        clip: the bounds of the gradients, which apply to the unscaled ones.
        scaler: the gradient scaler.
    """

    def __init__(self, optimizer: Any, clip: Clip, scaler: torch.amp.GradScaler) -> None:
        super().__init__(optimizer, clip)
        self._scaler = scaler

    def backward(self, loss: torch.Tensor) -> None:
        """Add the scaled gradients of ``loss`` to those that are there."""
        self._scaler.scale(loss).backward()

    def prepare(self, shown: bool) -> None:
        """Unscale the gradients where that is needed now, and clip them."""
        if self._clips or shown:
            self._scaler.unscale_(self.optimizer)
        super().prepare(shown)

    def step(self) -> None:
        """Change the weights unless a gradient overflowed, and adapt the scale."""
        self._scaler.step(self.optimizer)
        self._scaler.update()


class ApexUpdate(Update):
    """With NVIDIA's apex: its own scaling of the loss.

    Args:
        optimizer: what is stepped, initialised by ``apex.amp.initialize``.
        clip: the bounds of the gradients.

    Raises:
        MissingLibrary: when apex is not installed.
    """

    def __init__(self, optimizer: Any, clip: Clip) -> None:
        super().__init__(optimizer, clip)
        self._scale_loss: Callable[..., Any] = _library(
            "apex.amp", "apex", 'amp_mode="apex"', 'use amp_mode="amp", which torch brings along'
        ).scale_loss

    def backward(self, loss: torch.Tensor) -> None:
        """Add the gradients of ``loss``; apex unscales them on leaving the block."""
        with self._scale_loss(loss, self.optimizer) as scaled:
            scaled.backward()


class TpuUpdate(Update):
    """With torch_xla: its own step, which ends the graph.

    Args:
        optimizer: what is stepped.
        clip: the bounds of the gradients.

    Raises:
        MissingLibrary: when torch_xla is not installed.
    """

    def __init__(self, optimizer: Any, clip: Clip) -> None:
        super().__init__(optimizer, clip)
        self._xla_step: Callable[..., Any] = _library(
            "torch_xla.core.xla_model", "torch_xla", "training on a TPU", "choose another device"
        ).optimizer_step

    def step(self) -> None:
        """Change the weights and mark the end of the step's graph."""
        self._xla_step(self.optimizer, barrier=True)


def _library(module: str, package: str, purpose: str, instead: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingLibrary(
            f"{purpose} needs the package {package}, which cannot be imported here ({error}); "
            f"install it, or {instead}"
        ) from error
