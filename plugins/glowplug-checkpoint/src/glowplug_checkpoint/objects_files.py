"""Loading objects from files.

Owns: reading a checkpoint by its path or URL, and choosing one by a part of its name.
Must not know: engines, which checkpoints are kept, or how a state gets back into an object.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

from glowplug.errors import InvalidArgument
from glowplug_checkpoint import files
from glowplug_checkpoint.errors import NoCheckpoint
from glowplug_checkpoint.filenames import is_manifest
from glowplug_checkpoint.objects import checked_objects
from glowplug_checkpoint.objects_loading import load_states
from glowplug_checkpoint.stores import store_and_name

_MOST = 10
"""How many names are told."""


def load_objects(
    to_load: Mapping[str, Any],
    checkpoint: Mapping[str, Any] | str | os.PathLike[str],
    *,
    map_location: Any = "cpu",
    weights_only: bool = True,
    verify: bool = True,
    **kwargs: Any,
) -> None:
    """Load objects from a checkpoint, wrapped as they are, whatever they were when saved.

    What is missing, and parameters of another shape, are told before anything is changed.

    Args:
        to_load: objects by the names under which they were saved, each with
            ``load_state_dict``. A single one may have another name than in its file.
        checkpoint: the path or the URL of a file, or its content.
        map_location: where the file's tensors go, as ``torch.load`` takes it; they are copied
            to where each object's own are.
        weights_only: False to let the file run code, which only a file that you trust may.
        verify: False to load a file whatever its manifest says.
        **kwargs: for the ``load_state_dict`` of modules, such as ``strict=False``.

    Raises:
        InvalidType: when an argument is of the wrong type, or objects cannot load.
        InvalidArgument: when the checkpoint lacks some of the objects, or has other parameters.
        StateRefused: when an object refuses its state.
        NoCheckpoint: when there is no such file.
        DamagedCheckpoint: when the file is not what was written.
        LoadFailed: when the file cannot be read.
        UnsafeContent: when it holds what ``weights_only=True`` refuses.

    Example:
        >>> import torch
        >>> layer = torch.nn.Linear(1, 1, bias=False)
        >>> load_objects({"layer": layer}, {"layer": {"weight": torch.tensor([[0.5]])}})
        >>> layer.weight.item()
        0.5
    """
    if isinstance(checkpoint, (str, os.PathLike)):
        how = {"map_location": map_location, "weights_only": weights_only, "verify": verify}
        checked_objects("to_load", to_load, method="load_state_dict")  # before a large file
        checkpoint = read(checkpoint, **how)
    load_states(to_load, checkpoint, **kwargs)


def read(where: str | os.PathLike[str], **how: Any) -> Any:
    """Return the content of the checkpoint at a path or a URL.

    Args:
        where: the path or the URL of a file.
        **how: ``map_location``, ``weights_only`` and ``verify``.

    Raises:
        InvalidArgument: when there is a folder.
        NoCheckpoint: when there is no such file.
        DamagedCheckpoint: when it is not what was written.
    """
    store, name = store_and_name(where)
    if not name:
        held = [name for name in store.names() if not is_manifest(name)]
        raise InvalidArgument(
            f"{where} is a folder; give one of its files (it holds {_some(held) or 'none'})"
        )
    return files.load(store, name, **how)


def chosen(named: re.Pattern[str], *places: Iterable[str]) -> str:
    """Return the one name that fits, from the first place that has any.

    Args:
        named: what the whole name must match.
        *places: names.

    Raises:
        NoCheckpoint: when no name fits, or several do.
    """
    known: list[str] = []
    for place in places:
        names = list(place)
        found = [name for name in names if named.fullmatch(name)]
        if len(found) == 1:
            return found[0]
        if found:
            raise NoCheckpoint(
                f"{len(found)} checkpoints have such a name: {_some(found)}; say more of it, as "
                "its global_step or its score"
            )
        known += [name for name in names if name not in known]
    raise NoCheckpoint(f"no checkpoint has such a name; there are: {_some(known) or 'none'}")


def _some(names: list[str]) -> str:
    return ", ".join(names[:_MOST]) + (", ..." if len(names) > _MOST else "")
