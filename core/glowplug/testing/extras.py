"""What the kit needs beside the core.

Owns: saying so, where pytest is not installed.
Must not know: what the kit does with it.
"""

from __future__ import annotations

import importlib.util

from glowplug.errors import GlowplugError


class MissingExtra(GlowplugError, ModuleNotFoundError):
    """The kit is imported where pytest is not installed."""


if importlib.util.find_spec("pytest") is None:
    raise MissingExtra(
        "glowplug.testing needs pytest: pip install 'glowplug[testing]'", name="pytest"
    )
