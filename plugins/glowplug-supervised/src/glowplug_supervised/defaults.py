"""What a step does where it is not told otherwise.

Owns: the default functions of the steps' arguments, and their checks.
Must not know: how a step is put together.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, TypeAlias

import torch

from glowplug.errors import InvalidArgument, InvalidType
from glowplug_torch import convert_tensor

Device: TypeAlias = str | torch.device | None
PrepareBatch: TypeAlias = Callable[..., tuple[Any, Any]]
"""``prepare_batch(batch, device=..., non_blocking=...) -> (x, y)``"""


def prepare_batch(batch: Any, device: Device = None, non_blocking: bool = False) -> tuple[Any, Any]:
    """Take a batch apart into inputs and targets, and move both to a device.

    Args:
        batch: a pair ``(x, y)``; each may be a tensor or any nested container of tensors.
        device: where to; None leaves both where they are.
        non_blocking: let a copy from pinned memory run beside what follows.

    Returns:
        ``(x, y)``.

    Raises:
        InvalidArgument: when the batch is no pair.

    Example:
        >>> prepare_batch([1, 2])
        (1, 2)
    """
    try:
        x, y = batch
    except (TypeError, ValueError):
        size = f" of {len(batch)}" if hasattr(batch, "__len__") else ""
        raise InvalidArgument(
            f"a batch must be a pair (x, y), got a {type(batch).__name__}{size}; pass "
            "prepare_batch=f with f(batch, device=..., non_blocking=...) -> (x, y)"
        ) from None
    if device is None:
        return x, y
    return convert_tensor(x, device, non_blocking), convert_tensor(y, device, non_blocking)


def taker(
    prepare_batch: PrepareBatch, device: Device, non_blocking: bool
) -> Callable[[Any], tuple[Any, Any]]:
    """Return ``f(batch) -> (x, y)``."""
    if prepare_batch is _PREPARE_BATCH and device is None:
        return prepare_batch
    return functools.partial(prepare_batch, device=device, non_blocking=non_blocking)


_PREPARE_BATCH = prepare_batch


def model_fn(model: Callable[[Any], Any], x: Any) -> Any:
    """Call the model."""
    return model(x)


def model_transform(output: Any) -> Any:
    """Take the model's output for the prediction."""
    return output


def predictor(
    model: torch.nn.Module,
    model_fn: Callable[[Any, Any], Any],
    model_transform: Callable[[Any], Any],
) -> Callable[[Any], Any]:
    """Return ``f(x) -> y_pred``; the model itself where nothing else is asked for."""
    call = model if model_fn is _MODEL_FN else functools.partial(model_fn, model)
    if model_transform is _MODEL_TRANSFORM:
        return call
    return lambda x: model_transform(call(x))


_MODEL_FN, _MODEL_TRANSFORM = model_fn, model_transform


def training_output(x: Any, y: Any, y_pred: Any, loss: torch.Tensor) -> torch.Tensor:
    """Return the loss as a tensor without history, which waits for no device."""
    return loss.detach()


def evaluation_output(x: Any, y: Any, y_pred: Any) -> tuple[Any, Any]:
    """Return prediction and target, as metrics want them."""
    return y_pred, y


def checked_model(model: Any) -> torch.nn.Module:
    """Return ``model``, or raise InvalidType where it is no module."""
    if not isinstance(model, torch.nn.Module):
        raise InvalidType(
            f"model must be a torch.nn.Module, got {model!r} of type {type(model).__name__}"
        )
    return model


def check_callables(**functions: Any) -> None:
    """Raise InvalidType for those that cannot be called, all of them in one message."""
    wrong = [
        f"{name}={value!r} of type {type(value).__name__}"
        for name, value in functions.items()
        if not callable(value)
    ]
    if wrong:
        raise InvalidType(f"these must be callable: {', '.join(wrong)}")


def check_optimizer(optimizer: Any) -> None:
    """Raise InvalidType where ``optimizer`` has not the methods of one."""
    for method in ("step", "zero_grad"):
        if not callable(getattr(optimizer, method, None)):
            raise InvalidType(
                f"optimizer must be a torch.optim.Optimizer, got {optimizer!r} of type "
                f"{type(optimizer).__name__}, which has no method {method}()"
            )


class Mode:
    """Training mode or evaluation mode, for every module of a model.

    ``model.train()`` writes to every module, which costs a good part of a small model's step.
    To look is much cheaper, and in nearly every iteration there is nothing to change. A model whose
    own ``train`` keeps a part of it frozen is asked at every step, as it would be by a loop that
    calls ``model.train()``.

    Args:
        model: the model.
        training: whether it is training mode.

    Attributes:
        modules: those to look at: where one is in the other mode, `set` must be called. At first
            there is one in neither, so that the model's own ``train`` is called once.

    Example:
        >>> model = torch.nn.Dropout()
        >>> evaluate = Mode(model, training=False)
        >>> evaluate()
        >>> model.training
        False
    """

    def __init__(self, model: torch.nn.Module, training: bool) -> None:
        self._model, self._training = model, training
        self.modules: list[Any] = [SimpleNamespace(training=not training)]

    def set(self) -> None:
        """Put the model into this mode, by its own method."""
        (self._model.train if self._training else self._model.eval)()
        self.modules[:] = self._model.modules()

    def __call__(self) -> None:
        """Put the model into this mode if a module is in the other."""
        for module in self.modules:
            if module.training is not self._training:
                self.set()
                return
