"""Mixed precision: where the forward pass runs in fewer bits, and what scales its loss.

Owns: the choice of autocast and of gradient scaler for a device.
Must not know: batches, optimizers or engines.
"""

from __future__ import annotations

from typing import Any

import torch

from glowplug.errors import InvalidArgument, InvalidType, did_you_mean
from glowplug_supervised.defaults import Device

HALF = (torch.float16, torch.bfloat16)


def device_type_of(device: Device, model: torch.nn.Module) -> str:
    """Return the kind of device that is trained on: what was asked for, else the model's.

    Example:
        >>> device_type_of(None, torch.nn.Linear(1, 1)), device_type_of("cuda:1", torch.nn.ReLU())
        ('cpu', 'cuda')
    """
    if device is not None:
        return torch.device(device).type
    first = next(model.parameters(), None)
    return "cpu" if first is None else first.device.type


def check_mode(
    amp_mode: Any, known: tuple[str, ...], *, amp_dtype: Any = None, scaler: Any = False
) -> None:
    """Raise InvalidArgument for an unknown mode, or for what only the mode ``"amp"`` uses.

    Args:
        amp_mode: what was asked for, or None.
        known: the modes that there are.
        amp_dtype: what was given.
        scaler: what was given.
    """
    if amp_mode is not None and amp_mode not in known:
        raise InvalidArgument(
            f"amp_mode must be None or one of {', '.join(map(repr, known))}, got {amp_mode!r}"
            f"{did_you_mean(str(amp_mode), known)}"
        )
    if amp_mode == "amp":
        return
    if amp_dtype is not None:
        raise InvalidArgument(f'amp_dtype={amp_dtype} needs amp_mode="amp", got {amp_mode!r}')
    if scaler is not None and scaler is not False:
        raise InvalidArgument(f'scaler={scaler!r} needs amp_mode="amp", got {amp_mode!r}')


def autocast_for(
    device: Device, model: torch.nn.Module, amp_dtype: torch.dtype | None
) -> torch.autocast:
    """Return a context in which the forward pass runs in ``amp_dtype``.

    It is made once and entered at every step.

    Args:
        device: what was asked for, or None for the model's own.
        model: the network.
        amp_dtype: ``torch.float16``, which is the default, or ``torch.bfloat16``.

    Raises:
        InvalidArgument: for another type of number.
    """
    dtype = torch.float16 if amp_dtype is None else amp_dtype
    if dtype not in HALF:
        raise InvalidArgument(f"amp_dtype must be torch.float16 or torch.bfloat16, got {dtype!r}")
    return torch.autocast(device_type_of(device, model), dtype=dtype)


def scaler_for(scaler: Any, device_type: str) -> torch.amp.GradScaler | None:
    """Return the gradient scaler that ``scaler=`` asks for.

    Args:
        scaler: False or None for none, True for a new one, or one of your own.
        device_type: the kind of device that is trained on.

    Raises:
        InvalidType: for anything else.
    """
    if scaler is None or scaler is False:
        return None
    if scaler is True:
        return torch.amp.GradScaler(device_type)
    if isinstance(scaler, torch.amp.GradScaler):
        return scaler
    raise InvalidType(
        "scaler must be True, False or a torch.amp.GradScaler, "
        f"got {scaler!r} of type {type(scaler).__name__}"
    )
