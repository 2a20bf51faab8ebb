"""What a range test changes, kept beforehand and put back afterwards.

Owns: keeping models, optimizers and whatever has a state, in memory or in a file, and the random
    numbers.
Must not know: learning rates, losses or engines.
"""

from __future__ import annotations

import copy
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import torch

from glowplug_torch import capture_random_state, restore_random_state

Folder = str | os.PathLike[str] | None


@contextmanager
def kept(objects: Mapping[str, Any], folder: Folder = None) -> Iterator[None]:
    """Keep objects and the random numbers, and put all back at the end, after an error too.

    Of a module that is its state, the buffers that are not part of it, the gradients, and which of
    its modules are in training mode; of anything else what ``state_dict`` returns.

    Args:
        objects: what has ``state_dict`` and ``load_state_dict``.
        folder: where a temporary file keeps the states; None keeps them in memory.

    Raises:
        OSError: when nothing can be written into the folder.

    Example:
        >>> layer = torch.nn.Linear(1, 1)
        >>> before = layer.weight.item()
        >>> with kept({"layer": layer}):
        ...     _ = torch.nn.init.constant_(layer.weight, 7.0)
        >>> layer.weight.item() == before
        True
    """
    random = capture_random_state()
    with ExitStack() as after:  # each is put back, whatever happens to the others
        after.callback(restore_random_state, random)
        load = _stored({name: each.state_dict() for name, each in objects.items()}, folder, after)
        after.callback(_put_back, objects, load)
        for module in objects.values():
            if isinstance(module, torch.nn.Module):
                after.callback(_beside_state(module))
        yield


def _stored(
    states: Mapping[str, Any], folder: Folder, after: ExitStack
) -> Callable[[], Mapping[str, Any]]:
    """Store states, and return what loads them."""
    if folder is None:
        copied = copy.deepcopy(states)
        return lambda: copied
    place = after.enter_context(tempfile.TemporaryDirectory(prefix="lr-finder-", dir=folder))
    path = Path(place, "before.pt")
    torch.save(states, path)
    # The file is our own, and a state may hold more than tensors and plain values.
    return lambda: torch.load(path, map_location="cpu", weights_only=False)


def _put_back(objects: Mapping[str, Any], load: Callable[[], Mapping[str, Any]]) -> None:
    states = load()
    with ExitStack() as each:
        for name, state in states.items():
            each.callback(objects[name].load_state_dict, state)


def _beside_state(module: torch.nn.Module) -> Callable[[], None]:
    """Keep what a module's state leaves out, and return what puts it back."""
    modes = [(each, each.training) for each in module.modules()]
    parameters = list(module.parameters())
    gradients = [None if p.grad is None else p.grad.detach().clone() for p in parameters]
    saved = module.state_dict()
    buffers = [(b, b.detach().clone()) for name, b in module.named_buffers() if name not in saved]

    def put_back() -> None:
        for each, mode in modes:
            each.training = mode
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        with torch.no_grad():
            for buffer, before in buffers:
                buffer.copy_(before)

    return put_back
