"""The hooks, all on one screen.

Owns: the name, the arguments and the moment of every hook.
Must not know: who implements a hook, or how implementations are found.

A hook plugin is a module that marks functions of these names with ``hookimpl``, declared in the
entry-point group ``glowplug``. It is imported when the first engine is made. Plugins are called in
the order of their names: there are no priorities and no wrappers. Hooks and arguments are only ever
added; an implementation takes just the arguments that it needs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pluggy

from glowplug.components import Component

PROJECT = "glowplug"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def glowplug_components() -> Iterable[Component]:
    """Say what the plugin offers, where entry points cannot: components made at run time.

    Called once per manager. Entry points need not be repeated here: reading them is glowplug's own
    implementation of this hook.

    Returns:
        The components.
    """
    return ()


@hookspec
def glowplug_engine_created(engine: Any) -> None:
    """Attach handlers to a new engine, or register events with it.

    Called at the end of ``Engine.__init__``. When it raises, the handlers that it had attached are
    removed. An engine that an implementation makes for itself does not call that plugin again.

    Args:
        engine: the new ``glowplug.Engine``.
    """
