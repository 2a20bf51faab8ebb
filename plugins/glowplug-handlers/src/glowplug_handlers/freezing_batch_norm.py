"""Layers that run in evaluation mode while the model trains.

Owns: switching the mode of a layer for as long as it runs.
Must not know: which layers, or for how long.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import nn
from torch.utils.hooks import RemovableHandle


class EvaluationMode:
    """Holds layers that run as in evaluation, whatever mode a training step puts the model into.

    A step calls ``model.train()``, which would undo ``layer.eval()``. So the layer changes its mode
    when it begins to run, and back when it has run.

    Example:
        >>> import torch
        >>> layer, held = nn.BatchNorm1d(1), EvaluationMode()
        >>> held.set([layer])
        >>> _ = layer(torch.ones(2, 1))
        >>> layer.running_mean, layer.training
        (tensor([0.]), True)
    """

    def __init__(self) -> None:
        self._held: dict[nn.Module, list[RemovableHandle]] = {}

    def set(self, layers: Iterable[nn.Module]) -> None:
        """Hold these layers, and let go of all others."""
        wanted = list(layers)
        for layer in [held for held in self._held if held not in wanted]:
            for handle in self._held.pop(layer):
                handle.remove()
        for layer in wanted:
            if layer not in self._held:
                mode = _Mode()
                self._held[layer] = [
                    layer.register_forward_pre_hook(mode.evaluate),
                    layer.register_forward_hook(mode.go_back, always_call=True),
                ]

    def __reduce__(self) -> Any:
        return EvaluationMode, ()  # a copy holds nothing


class _Mode:
    """The mode that a layer was in before it began to run.

    What is copied with a layer does nothing: nobody would let go of the copy.
    """

    def __init__(self, active: bool = True) -> None:
        self._active, self._training = active, False

    def evaluate(self, layer: nn.Module, *_: Any) -> None:
        if self._active:
            self._training, layer.training = layer.training, False

    def go_back(self, layer: nn.Module, *_: Any) -> None:
        if self._active:
            layer.training = self._training

    def __reduce__(self) -> Any:
        return _Mode, (False,)
