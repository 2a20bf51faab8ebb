"""What an engine of this plugin brings along comes before what it is given.

Owns: that order.
Must not know: what either is.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any


def before(handlers: Any, own: Any) -> Any:
    """Return ``handlers`` with a component before them, which is attached before theirs.

    The handlers of one event run phase by phase, and in a phase in the order in which they were
    added; so that ``own`` comes before metrics too, it declares the first phase.

    Args:
        handlers: what the user gave; where it is no list of components, the engine says so.
        own: an object with ``attach(engine)``.

    Example:
        >>> list(before(["timer"], "own"))
        ['own', 'timer']
    """
    if isinstance(handlers, str) or not isinstance(handlers, Iterable):
        return handlers
    return chain((own,), handlers)
