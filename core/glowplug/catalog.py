"""Names to components, lazily.

Owns: asking for a component of the process's own manager by name.
Must not know: how components were found.
"""

from __future__ import annotations

from typing import Any

from glowplug.components import Kind
from glowplug.plugins import default_manager


def component(kind: Kind | str, name: str) -> Any:
    """Return a component by its name, imported if need be.

    Args:
        kind: what it is for: ``"handler"``, ``"logger"``, ``"scheduler"``, ``"metric"``,
            ``"trainer"``, ``"events"`` or ``"command"``.
        name: ``"early-stopping"``, or ``"acme-ml:early-stopping"`` for the one of that plugin.

    Returns:
        The object that the plugin offers, as if it had been imported.

    Raises:
        InvalidArgument: when the kind does not exist.
        UnknownComponent: when no plugin that may act offers it.
        AmbiguousComponent: when several do; the error lists the qualified names.
        MissingPlugin: when its plugin is not installed.
        PluginError: when its plugin is broken, or the component cannot be imported.

    Example:
        >>> component("handler", "no-such-plugin:timer")
        Traceback (most recent call last):
            ...
        glowplug.errors.MissingPlugin: no plugin 'no-such-plugin' is installed
    """
    return default_manager().component(kind, name)
