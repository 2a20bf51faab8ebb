"""One example of each departure, which both libraries run.

Owns: what an example is, and the list of all.
Must not know: what the examples are about.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from parity.departures import Departure
from parity.kits import Kit


@dataclass(frozen=True)
class Example:
    """What a few lines come to on each library.

    Args:
        departure: the departure that it shows.
        play: runs the lines on a library.
        ours: what glowplug makes of them.
        theirs: what pytorch-ignite makes of them.
    """

    departure: Departure
    play: Callable[[Kit], Any]
    ours: Any
    theirs: Any


def shows(departure: Departure, *, ours: Any, theirs: Any) -> Callable[..., Example]:
    """Make an example of a function."""

    def made(play: Callable[[Kit], Any]) -> Example:
        return Example(departure, play, ours, theirs)

    return made


def examples_in(names: dict[str, Any]) -> tuple[Example, ...]:
    """Return the examples among the names of a module."""
    return tuple(value for value in names.values() if isinstance(value, Example))
