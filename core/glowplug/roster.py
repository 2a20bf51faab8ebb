"""Which plugins there are, and how each of them stands.

Owns: the state of every plugin, and whether a fault of one warns or raises.
Must not know: how a plugin is imported or called, or what a component does.
"""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from glowplug.errors import MissingPlugin, PluginError, PluginWarning, did_you_mean
from glowplug.manifest import Manifest
from glowplug.switches import Switches, match


class PluginState(Enum):
    """How a plugin stands with a manager."""

    ACTIVE = "active"
    OFF = "off"
    BROKEN = "broken"


@dataclass(frozen=True)
class Plugin:
    """A plugin, and how it stands with a manager.

    Args:
        manifest: what its distribution declares.
        asked_for: whether the user named it, to have it or to need it.
        state: how it stands.
        reason: what switched it off, or what is wrong with it.
        traceback: where it went wrong.
    """

    manifest: Manifest
    asked_for: bool
    state: PluginState = PluginState.ACTIVE
    reason: str = ""
    traceback: str = ""

    @property
    def active(self) -> bool:
        """Whether the plugin may be used."""
        return self.state is PluginState.ACTIVE

    @property
    def name(self) -> str:
        """The distribution's name, normalised."""
        return self.manifest.name

    @property
    def version(self) -> str:
        """The distribution's version."""
        return self.manifest.version

    @property
    def title(self) -> str:
        """Name and version in words."""
        return f"{self.name} {self.version}".rstrip()

    @property
    def more(self) -> str:
        """What says more about a broken plugin, for the end of a message."""
        shown = "the traceback" if self.traceback else "where it is installed"
        return f"(`glowplug plugins show {self.name}` shows {shown})"


class Versions(Mapping[str, str]):
    """The versions of plugins by their names: sorted, immutable, and made of plain values.

    Args:
        versions: what to hold.
    """

    __slots__ = ("_versions",)

    def __init__(self, versions: Iterable[tuple[str, str]] = ()) -> None:
        self._versions = dict(sorted(versions))

    def __getitem__(self, name: str) -> str:
        return self._versions[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._versions)

    def __len__(self) -> int:
        return len(self._versions)

    def __repr__(self) -> str:
        return f"Versions({self._versions})"


class Roster:
    """The plugins of one manager.

    Args:
        manifests: what is installed, sorted by name.
        switches: what the user said.

    Raises:
        MissingPlugin: when a required plugin is not installed, or is switched off.
        PluginError: when a plugin is broken or installed twice that the user asked for, or any if
            strict.

    Warns:
        PluginWarning: for every other plugin that is broken or installed twice, and for a name in
            a switch that matches nothing.

    Attributes:
        unmatched: what was said of the names in switches that match nothing.
    """

    def __init__(self, manifests: Iterable[Manifest], switches: Switches) -> None:
        self.unmatched: list[str] = []
        self._switches = switches
        self._plugins = {manifest.name: Plugin(manifest, False) for manifest in manifests}
        self._switch()
        self._demand()
        for plugin in tuple(self._plugins.values()):
            if plugin.active:
                self._inspect(plugin)

    def __iter__(self) -> Iterator[Plugin]:
        return iter(self._plugins.values())

    def __getitem__(self, name: str) -> Plugin:
        return self._plugins[name]

    def resolve(self, name: str) -> str | None:
        """Return the installed plugin that ``name`` names, or None."""
        return match(name, self._plugins)

    def near(self, name: str) -> str:
        """Return a clause that suggests installed plugins of a like name, or nothing."""
        return did_you_mean(name, self._plugins)

    @property
    def withheld(self) -> frozenset[str]:
        """The plugins that are not to be used."""
        return frozenset(p.name for p in self if not p.active)

    @property
    def versions(self) -> Versions:
        """The versions of the plugins that are active."""
        return Versions((p.name, p.version) for p in self if p.active)

    def fault(self, name: str, what: str, error: BaseException | None = None) -> None:
        """Report that a plugin is broken, and switch it off unless the user asked for it.

        Args:
            name: the plugin's.
            what: what went wrong, as the rest of a sentence about the plugin.
            error: what it raised.

        Raises:
            PluginError: from ``error``, when the user asked for the plugin, or for strictness.

        Warns:
            PluginWarning: otherwise.
        """
        plugin = self._plugins[name]
        reason = what if error is None else f"{what}: {type(error).__name__}: {error}"
        if plugin.asked_for or self._switches.strict:
            raise PluginError(f"plugin {plugin.title} is broken: {reason}", name) from error
        trace = "" if error is None else "".join(traceback.format_exception(error))
        plugin = replace(plugin, state=PluginState.BROKEN, reason=reason, traceback=trace)
        self._plugins[name] = plugin
        message = f"plugin {plugin.title} is switched off: {reason} {plugin.more}"
        warnings.warn(message, PluginWarning, stacklevel=2)

    def _switch(self) -> None:
        only, source = self._switches.only, self._switches.only_source
        wanted = {self.resolve(name): name for name in only or ()}
        required = {self.resolve(name) for name in self._switches.require}
        unwanted = {self.resolve(name): by for name, by in self._switches.disable.items()}
        for name in self._plugins:
            off = unwanted.get(name) or (source if only is not None and name not in wanted else "")
            self._plugins[name] = replace(
                self._plugins[name],
                asked_for=name in wanted or name in required,
                state=PluginState.OFF if off else PluginState.ACTIVE,
                reason=off,
            )
        said = [(name, source) for name in only or ()] + list(self._switches.disable.items())
        for name, by in said:
            if self.resolve(name) is None:
                message = f"{by} names {name!r}, and no such plugin is installed{self.near(name)}"
                self.unmatched.append(message)
                warnings.warn(message, PluginWarning, stacklevel=2)

    def _demand(self) -> None:
        problems = {}
        for name in self._switches.require:
            resolved = self.resolve(name)
            if resolved is None:
                problems[name] = f"{name!r} is not installed{self.near(name)}"
            elif self._plugins[resolved].state is PluginState.OFF:
                problems[name] = f"{name!r} is switched off by {self._plugins[resolved].reason}"
        if problems:
            raise MissingPlugin(
                f"required plugins are missing: {'; '.join(problems.values())}",
                next(iter(problems)),
            )

    def _inspect(self, plugin: Plugin) -> None:
        manifest = plugin.manifest
        if manifest.error:
            self.fault(plugin.name, f"its entry points cannot be read: {manifest.error}")
        for twin in manifest.rivals:
            message = (
                f"plugin {plugin.title} is installed twice: {manifest.location} is used, and"
                f" {twin.location} ({twin.version}) is not; uninstall one"
            )
            if self._switches.strict or plugin.asked_for:
                raise PluginError(message, plugin.name)
            warnings.warn(message, PluginWarning, stacklevel=2)
