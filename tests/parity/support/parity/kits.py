"""The two libraries, each as the handful of names that a program needs.

Owns: importing them.
Must not know: programs.
"""

from __future__ import annotations

import importlib
import warnings
from dataclasses import dataclass
from typing import Any

from parity.programs import COUNTED, PLAIN


@dataclass(frozen=True)
class Kit:
    """What a program needs of a library.

    Args:
        name: the library.
        engine: its ``Engine``.
        events: its ``Events``.
        event_enum: its ``EventEnum``.
        state: its ``State``.
        custom: two events of our own, made with its ``EventEnum``.
    """

    name: str
    engine: Any
    events: Any
    event_enum: Any
    state: Any
    custom: Any

    def event(self, name: str) -> Any:
        """Return the event of a name."""
        return self.custom[name] if name in (PLAIN, COUNTED) else self.events[name]


def load_kit(name: str, module: str) -> Kit:
    """Import a library."""
    with warnings.catch_warnings():
        # torch warns where NumPy is not installed; nothing here needs it.
        warnings.simplefilter("ignore")
        found = importlib.import_module(module)
    custom = found.EventEnum("Custom", {PLAIN: "plain", COUNTED: "counted"})
    return Kit(name, found.Engine, found.Events, found.EventEnum, found.State, custom)


GLOWPLUG = load_kit("glowplug", "glowplug")
IGNITE = load_kit("pytorch-ignite", "ignite.engine")
