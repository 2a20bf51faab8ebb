"""Batch-norm statistics for weights that no batch has met.

Owns: running batches through a model with its batch-norm layers alone in training mode.
Must not know: where the weights come from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from glowplug.errors import InvalidArgument, InvalidType
from glowplug_torch import convert_tensor


def batch_norm_layers(model: nn.Module) -> list[_BatchNorm]:
    """Return the batch-norm layers of a model that keep statistics.

    Example:
        >>> model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
        >>> batch_norm_layers(model) == [model[1]]
        True
    """
    kept = (module for module in model.modules() if isinstance(module, _BatchNorm))
    return [module for module in kept if module.track_running_stats]


@torch.no_grad()
def recompute_statistics(
    model: nn.Module, data: Iterable[Any], prepare: Callable[[Any], Any] | None = None
) -> None:
    """Give the batch-norm layers the mean statistics of the batches of ``data``.

    Args:
        model: the model; the modes of its modules are as before afterwards.
        data: batches.
        prepare: ``f(batch)``, the model's input; by default the batch, or the first entry of a
            tuple or list.

    Raises:
        InvalidType: when a batch is neither tensor, tuple nor list and ``prepare`` is not given.
        InvalidArgument: when there is no batch; the statistics are as before then.

    Example:
        >>> norm = nn.BatchNorm1d(1)
        >>> recompute_statistics(norm, [torch.tensor([[1.0], [3.0]]), torch.tensor([[5.0], [7.0]])])
        >>> norm.running_mean, norm.running_var
        (tensor([4.]), tensor([2.]))
    """
    layers = batch_norm_layers(model)
    if not layers:
        return
    kept = [{name: b.clone() for name, b in layer.named_buffers(recurse=False)} for layer in layers]
    momenta = [layer.momentum for layer in layers]
    modes = [(module, module.training) for module in model.modules()]
    device = next(iter(kept[0].values())).device
    batches = 0
    try:
        model.eval()
        for layer in layers:
            layer.reset_running_stats()
            layer.momentum = None  # torch's word for a plain mean
            layer.train()
        for batch in data:
            model(convert_tensor((prepare or _input)(batch), device))
            batches += 1
    finally:
        if not batches:
            for layer, buffers in zip(layers, kept, strict=True):
                layer.load_state_dict(buffers, strict=False)
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
        for module, training in modes:
            module.training = training
    if not batches:
        raise InvalidArgument("data has no batch to compute batch-norm statistics of")


def _input(batch: Any) -> Any:
    if isinstance(batch, (tuple, list)) and batch:
        return batch[0]
    if isinstance(batch, Tensor):
        return batch
    raise InvalidType(
        f"a batch of type {type(batch).__name__} has no input by itself; expected a tensor, or a "
        "tuple or list whose first entry is one: say what the input is by prepare=f(batch)"
    )
