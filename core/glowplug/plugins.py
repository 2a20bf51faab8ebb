"""Discovery: scan, sort, block, register, check, isolate.

Owns: what happens to plugins, and when: what is imported, called, and switched off.
Must not know: what a component does, or how an engine runs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from glowplug import manifest
from glowplug.components import Kind
from glowplug.errors import InvalidType, MissingPlugin, PluginError, UnknownComponent
from glowplug.handlers import HandlerTable
from glowplug.index import Index, Offer, in_words
from glowplug.isolation import HookPlugins
from glowplug.manifest import Scan
from glowplug.provenance import owner_of
from glowplug.reserved import RESERVED, distributions
from glowplug.roster import Plugin, PluginState, Roster, Versions
from glowplug.switches import Switches, match

ATTACHABLE = (Kind.HANDLER, Kind.LOGGER, Kind.SCHEDULER)


class PluginManager:
    """The plugins that act on the engines which are made with it.

    Building one reads what is installed and imports no plugin. A plugin's name is its
    distribution's; a leading ``glowplug-`` may be left off. The environment is read, too:

    - ``GLOWPLUG_PLUGINS=a,b`` is ``only``, where none is given here; empty it means none;
    - ``GLOWPLUG_DISABLE_PLUGINS=a`` is added to ``disable``;
    - ``GLOWPLUG_STRICT=1`` is ``strict``, where none is given here.

    Args:
        only: these plugins and no others; empty for none.
        disable: not these.
        require: these must be installed, switched on and whole.
        strict: whether every broken plugin raises, rather than the ones asked for alone.
        scan: what is installed; by default what a scan of ``sys.path`` finds, made once a process.

    Raises:
        MissingPlugin: when a required plugin is not there.
        PluginError: when a plugin that was asked for is broken or installed twice; any, if strict.
        InvalidType: when ``only``, ``disable`` or ``require`` is a string.
        InvalidArgument: when ``GLOWPLUG_STRICT`` says neither yes nor no.

    Example:
        >>> dict(PluginManager(only=[]).versions)
        {}
    """

    def __init__(
        self,
        *,
        only: Iterable[str] | None = None,
        disable: Iterable[str] = (),
        require: Iterable[str] = (),
        strict: bool | None = None,
        scan: Scan | None = None,
    ) -> None:
        self._switches = Switches.read(only, disable, require, strict)
        self._scan = manifest.installed() if scan is None else scan
        self._roster = Roster(self._scan.manifests, self._switches)
        self._index = Index()
        self._hooks = HookPlugins(self._roster, self._index)

    def __reduce__(self) -> tuple[Callable[[], PluginManager], tuple[()]]:
        # What is installed and switched on is each process's own.
        return default_manager, ()

    def __deepcopy__(self, memo: Any) -> PluginManager:
        return self

    @property
    def plugins(self) -> tuple[Plugin, ...]:
        """Every installed plugin and how it stands, sorted by name."""
        return tuple(self._roster)

    @property
    def versions(self) -> Versions:
        """The versions of the active plugins by their names."""
        return self._roster.versions

    @property
    def unmatched(self) -> tuple[str, ...]:
        """What was said of the names in switches that match nothing."""
        return tuple(self._roster.unmatched)

    @property
    def leftovers(self) -> tuple[str, ...]:
        """Folders that an interrupted pip left behind, which are ignored."""
        return self._scan.leftovers

    def offers(self, *kinds: Kind | str) -> tuple[Offer, ...]:
        """Return what the plugins offer that are not switched off or broken.

        Imports nothing: what hook plugins offer at run time is there once the first engine is made.

        Args:
            kinds: the kinds wanted; none for all.

        Returns:
            The offers, sorted by kind, name and plugin.

        Raises:
            InvalidArgument: when a kind does not exist.
        """
        among = self._index.offers([Kind.of(kind) for kind in kinds or Kind])
        withheld = self._roster.withheld
        return tuple(offer for offer in among if offer.plugin not in withheld)

    def plugin(self, name: str) -> Plugin:
        """Return an installed plugin and how it stands.

        Args:
            name: its distribution's name; a leading ``glowplug-`` may be left off.

        Returns:
            The plugin.

        Raises:
            MissingPlugin: when no such plugin is installed.
        """
        resolved = self._roster.resolve(name)
        if resolved is not None:
            return self._roster[resolved]
        own = match(name, RESERVED.values())
        hint = f": pip install {own}" if own else self._roster.near(name)
        raise MissingPlugin(f"no plugin {name!r} is installed{hint}", own or name)

    def find(self, name: str, kinds: Sequence[Kind | str] = (*ATTACHABLE, Kind.METRIC)) -> Offer:
        """Find the one component of a name, without importing it.

        Hook plugins are imported when no entry point declares the name, as they may offer it.

        Args:
            name: ``"early-stopping"``, or ``"acme-ml:early-stopping"`` for that plugin's.
            kinds: the kinds it may be of.

        Returns:
            The component and its plugin.

        Raises:
            UnknownComponent: when no plugin that may act offers it.
            AmbiguousComponent: when several do.
            MissingPlugin: when its plugin is not installed.
            PluginError: when its plugin is broken.
        """
        if not isinstance(name, str):
            raise InvalidType(
                f"expected the name of a component; got {name!r} of type {type(name).__name__}"
            )
        among = tuple(Kind.of(kind) for kind in kinds)
        qualifier, _, bare = name.rpartition(":")
        plugin = self.plugin(qualifier).name if qualifier else None
        self._refuse(f"{in_words(among)} {bare!r}", plugin)
        offers = self._index.named(bare, among, plugin)
        if all(offer.plugin in self._roster.withheld for offer in offers):
            self.load_hooks()
        for own in () if offers or plugin else distributions(bare, among):
            self._refuse(f"{in_words(among)} {bare!r}", self._roster.resolve(own))
        offer = self._index.find(bare, among, plugin, self._roster.withheld)
        self._refuse(f"{offer.component.kind.value} {bare!r}", offer.plugin)
        return offer

    def component(self, kind: Kind | str, name: str) -> Any:
        """Return a component by its name, imported if need be.

        Args:
            kind: what it is for, as in ``"handler"``.
            name: its name, bare or qualified.

        Returns:
            The object that the plugin offers.

        Raises:
            InvalidArgument: when the kind does not exist.
            UnknownComponent: when no plugin that may act offers it.
            AmbiguousComponent: when several do.
            MissingPlugin: when its plugin is not installed.
            PluginError: when its plugin is broken, or the component cannot be imported.
        """
        return self.find(name, (kind,)).load()

    def resolve_handler(self, name: str) -> tuple[Any, str, Kind]:
        """Return what ``Engine(step, handlers=[name])`` attaches, and the name of its plugin.

        Args:
            name: a handler's, logger's or scheduler's, bare or qualified.

        Returns:
            The object, the plugin's name, and the component's kind.

        Raises:
            UnknownComponent: when no plugin that may act offers it.
            AmbiguousComponent: when several do.
            MissingPlugin: when its plugin is not installed.
            PluginError: when its plugin is broken, or the component cannot be imported.
        """
        offer = self.find(name, ATTACHABLE)
        return offer.load(), offer.plugin, offer.component.kind

    def owner_of(self, module_name: str) -> tuple[str, str] | None:
        """Return name and version of the plugin that provides a module, or None.

        Args:
            module_name: the module's full name; it is not imported.
        """
        owner = owner_of(module_name, self._scan.manifests)
        return (owner.name, owner.version) if owner else None

    def engine_created(self, engine: Any, table: HandlerTable) -> Versions:
        """Call ``glowplug_engine_created`` of every active plugin, in the order of their names.

        The hook plugins are imported when the first engine is made.

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
        return self._hooks.engine_created(engine, table)

    def load_hooks(self) -> None:
        """Import the hook plugins that are not yet imported, in the order of their names.

        Raises:
            PluginError: when one fails that was asked for, or any if strict.

        Warns:
            PluginWarning: when another one fails, which is switched off.
        """
        self._hooks.load()

    def _refuse(self, what: str, name: str | None) -> None:
        """Raise when the plugin of that name may not be used."""
        if name is None or self._roster[name].active:
            return
        plugin = self._roster[name]
        if plugin.state is PluginState.OFF:
            raise UnknownComponent(
                f"{what} is not to be had: plugin {plugin.title} is switched off by"
                f" {plugin.reason}",
                what,
            )
        raise PluginError(
            f"{what} is not to be had: plugin {plugin.title} is broken: {plugin.reason}"
            f" {plugin.more}",
            name,
        )


_default: PluginManager | None = None
_default_lock = threading.Lock()


def default_manager() -> PluginManager:
    """Return the process's own manager, which is built when it is first asked for.

    Returns:
        The manager of every engine that is given none.

    Raises:
        PluginError: when a plugin's metadata is broken and the environment asks for strictness, or
            for the plugin.
        InvalidArgument: when ``GLOWPLUG_STRICT`` says neither yes nor no.

    Example:
        >>> default_manager() is default_manager()
        True
    """
    global _default
    with _default_lock:
        if _default is None:
            _default = PluginManager()
        return _default


def rescan() -> None:
    """Let the next look find what has been installed since the first, as in a notebook.

    The process's own manager is built anew when next asked for. Those that exist stay as they are.
    """
    global _default
    with _default_lock:
        manifest.forget()
        _default = None
