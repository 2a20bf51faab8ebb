"""Where in the users' code something was called.

Owns: which frames of a call are worth remembering, and how one is shown.
Must not know: what was called, or which package a frame belongs to beside the core's own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NamedTuple

DEPTH = 6
"""How many frames are remembered: a component's own, and those of whoever attached it."""
_MACHINERY = frozenset({__package__, "pluggy"})


class Site(NamedTuple):
    """A line of code.

    Args:
        file: the file's path.
        line: the line's number, from 1.
        module: the name of the module.
    """

    file: str
    line: int
    module: str

    def __str__(self) -> str:
        from pathlib import Path  # it takes a tenth of the time of `import glowplug`

        try:
            shown = Path(self.file).relative_to(Path.cwd())
        except (OSError, ValueError):
            shown = Path(self.file)
        return f"{shown}:{self.line}"


def call_sites() -> tuple[Site, ...]:
    """Return the lines that led here, the nearest first, without those of the core itself."""
    frame = sys._getframe(1)
    sites: list[Site] = []
    while frame is not None and len(sites) < DEPTH:
        module = frame.f_globals.get("__name__") or ""
        if module.partition(".")[0] not in _MACHINERY:
            sites.append(Site(frame.f_code.co_filename, frame.f_lineno, module))
        frame = frame.f_back  # type: ignore[assignment]  # None ends the loop
    return tuple(sites)


def outermost_of(sites: tuple[Site, ...], inside: Callable[[str], bool]) -> Site | None:
    """Return the nearest line outside of plugins: where a user wrote what led to the call.

    Args:
        sites: the nearest first.
        inside: ``inside(module) -> bool``, whether a module belongs to a plugin.

    Returns:
        The line; the nearest of all where every one is a plugin's, None where there is none.
    """
    return next((site for site in sites if not inside(site.module)), sites[0] if sites else None)
