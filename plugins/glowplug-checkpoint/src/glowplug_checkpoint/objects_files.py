"""Finding the file that objects are loaded from.

Owns: reading a checkpoint by its path or URL, and choosing one by a part of its name.
Must not know: objects, engines, or which checkpoints are kept.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Any

from glowplug.errors import InvalidArgument
from glowplug_checkpoint import files
from glowplug_checkpoint.errors import NoCheckpoint
from glowplug_checkpoint.filenames import is_manifest
from glowplug_checkpoint.stores import store_and_name

_MOST = 10
"""How many names are told."""


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
