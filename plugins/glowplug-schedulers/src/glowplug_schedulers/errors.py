"""What can go wrong with a scheduler.

Owns: the error and the warning that are the schedulers' own.
Must not know: any scheduler.
"""

from __future__ import annotations

from glowplug.errors import GlowplugError, GlowplugWarning


class MissingLibrary(GlowplugError, ModuleNotFoundError):
    """A plot was asked for where Matplotlib is not installed."""


class ScheduleWarning(GlowplugWarning):
    """A schedule does something else than it seems to."""
