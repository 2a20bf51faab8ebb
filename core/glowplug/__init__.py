"""glowplug: a training framework whose core is a small engine and whose every ability is a plugin.

Owns: the public names of the core.
Must not know: torch, or any plugin; importing this package finds and loads none.
"""

from glowplug.catalog import component
from glowplug.components import Component, Kind
from glowplug.engine import Engine
from glowplug.errors import GlowplugError, GlowplugWarning
from glowplug.events import EventEnum, Events
from glowplug.handles import RemovableEventHandle
from glowplug.hookspecs import hookimpl
from glowplug.observers import Observer
from glowplug.phases import Phase
from glowplug.plugins import PluginManager, default_manager
from glowplug.state import State

__version__ = "0.1.0"

__all__ = [
    "Component",
    "Engine",
    "EventEnum",
    "Events",
    "GlowplugError",
    "GlowplugWarning",
    "Kind",
    "Observer",
    "Phase",
    "PluginManager",
    "RemovableEventHandle",
    "State",
    "component",
    "default_manager",
    "hookimpl",
]
