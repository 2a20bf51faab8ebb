"""Hook plugins, imported and called so that what one does wrong is named and stays its own.

Owns: when hook plugins are imported and called, in which order, and what catches their errors.
Must not know: how plugins are found or switched, or what a hook does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

from glowplug.components import Component, import_target
from glowplug.handlers import HandlerTable
from glowplug.hooks import EntryPoints, Hooks
from glowplug.index import Index, Offer
from glowplug.roster import Plugin, Roster, Versions


class _Running(threading.local):
    """The plugins whose hooks this thread is in."""

    def __init__(self) -> None:
        self.plugins: set[str] = set()


class HookPlugins:
    """The hook plugins of one manager.

    Args:
        roster: the plugins, and what a fault of one leads to.
        index: takes in what the plugins offer.
    """

    def __init__(self, roster: Roster, index: Index) -> None:
        self._roster = roster
        self._index = index
        self._hooks = Hooks()
        self._lock = threading.RLock()
        self._running = _Running()
        self._loading = False
        self._pending = [plugin for plugin in roster if plugin.manifest.hooks and plugin.active]
        for plugin in roster:
            declared = self._hooks.register(plugin.name, EntryPoints(plugin.manifest.components))
            self._take(plugin, declared, declared=True)
        self._settle()

    def engine_created(self, engine: Any, table: HandlerTable) -> Versions:
        """Call ``glowplug_engine_created`` of every active plugin, in the order of their names.

        Args:
            engine: the new engine.
            table: its handlers.

        Returns:
            The versions of the active plugins by their names.

        Raises:
            PluginError: when a plugin fails that was asked for, or any if strict.

        Warns:
            PluginWarning: when another one fails, which is switched off.
        """
        if self._pending:
            self.load()
        for name, call in self._created:
            if name not in self._running.plugins and self._roster[name].active:
                self._call(name, call, engine, table)
        return self._versions

    def load(self) -> None:
        """Import the hook plugins that are not yet imported, in order of their names.

        Raises:
            PluginError: when one fails that was asked for, or any if strict; the next call tries
                it again.

        Warns:
            PluginWarning: when another one fails, which is switched off.
        """
        with self._lock:
            if self._loading:
                return  # a plugin makes an engine while it is imported
            self._loading = True
            try:
                while self._pending:
                    if self._pending[0].active:
                        self._load(self._pending[0])
                    del self._pending[0]
            finally:
                self._loading = False
                self._settle()

    def _load(self, plugin: Plugin) -> None:
        offered = []
        for target in plugin.manifest.hooks:
            try:
                offered += self._hooks.register(plugin.name, import_target(target))
            except (Exception, SystemExit) as error:
                self._hooks.unregister(plugin.name)
                what = f"its hook plugin {target!r} cannot be loaded"
                self._roster.fault(plugin.name, what, error)
                return
        self._take(plugin, offered, declared=False)

    def _take(self, plugin: Plugin, offered: Iterable[Component], *, declared: bool) -> None:
        for component in offered:
            self._index.add(Offer(plugin.name, plugin.version, component, declared))

    def _call(
        self, name: str, call: Callable[[Any], object], engine: Any, table: HandlerTable
    ) -> None:
        self._running.plugins.add(name)
        try:
            with table.marking(owner=name):
                call(engine)
        except (Exception, SystemExit) as error:
            table.discard_owner(name)
            try:
                self._roster.fault(name, "its hook glowplug_engine_created raised", error)
            finally:
                self._settle()
        finally:
            self._running.plugins.discard(name)

    def _settle(self) -> None:
        """Work out what a new engine needs, once rather than for every engine."""
        self._versions = self._roster.versions
        self._created = tuple(
            (name, call) for name, call in self._hooks.engine_created() if self._roster[name].active
        )
