"""A handler as it can be shown: its name, its filter, its phase, and who attached it where.

Owns: turning a registration into words.
Must not know: what a run is, or how plugins are found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from types import MethodType
from typing import Any
from weakref import WeakKeyDictionary

from glowplug.phases import Phase
from glowplug.registrations import EventKey, Handler, Registration
from glowplug.sites import Site, outermost_of

_OWN_PACKAGES = "glowplug_"

Owner = Callable[[str], "tuple[str, str] | None"]
"""``owner(module)``: name and version of the plugin that provides a module, or None."""


@dataclass(frozen=True, eq=False)
class AttachedHandler:
    """One handler on one event, for those who look at an engine.

    Args:
        event: the event, without its filters.
        filter: the filters in words, or ``""``.
        name: the handler's qualified name, as in ``"NanStop.check"``.
        module: the module that defines it.
        phase: when it runs among the handlers of the event.
        plugin: the plugin that attached it or that it comes from, or None.
        version: the version of that plugin.
        site: the line that attached it, outside of plugins where there is one.
    """

    event: EventKey
    filter: str
    name: str
    module: str
    phase: Phase
    plugin: str | None
    version: str | None
    site: Site | None

    @property
    def title(self) -> str:
        """Its name, and the plugin that it comes from."""
        return f"{self.name} of {self.plugin} {self.version}" if self.plugin else self.name

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, without its event."""
        return {
            "handler": self.name,
            "module": self.module,
            "filter": self.filter,
            "phase": self.phase.value,
            "plugin": self.plugin,
            "version": self.version,
            "file": self.site.file if self.site else None,
            "line": self.site.line if self.site else None,
        }

    def __str__(self) -> str:
        return f"{self.title} at {self.event!s}{self.filter}"


class Describer:
    """Turns the registrations of one engine into words.

    Args:
        owner_of: finds the plugin of a module.
        versions: versions of plugins by their names.
    """

    def __init__(self, owner_of: Owner, versions: Mapping[str, str]) -> None:
        # Finding the owner of a module reads files, and few modules attach everything.
        self._owner_of = cache(owner_of)
        self._versions = versions
        self._known: WeakKeyDictionary[Registration, AttachedHandler] = WeakKeyDictionary()

    def __call__(self, registration: Registration) -> AttachedHandler:
        """Return what can be said of ``registration``, the same object each time."""
        known = self._known.get(registration)
        if known is None:
            known = self._known[registration] = self._described(registration)
        return known

    def _described(self, registration: Registration) -> AttachedHandler:
        module, name = named(registration.handler)
        plugin, version = self._owner_of(module) or (None, None)
        owner = registration.origin.owner
        if owner is not None:
            plugin, version = owner, self._versions.get(owner)
        return AttachedHandler(
            event=registration.event,
            filter="".join(f"({made})" for made in registration.filters),
            name=name,
            module=module,
            phase=registration.phase,
            plugin=plugin,
            version=version,
            site=outermost_of(registration.origin.sites, self._is_plugins),
        )

    def _is_plugins(self, module: str) -> bool:
        # The floors that glowplug's plugins stand on are none themselves.
        return module.startswith(_OWN_PACKAGES) or self._owner_of(module) is not None


def named(handler: Handler) -> tuple[str, str]:
    """Return a handler's module and qualified name; for an object, and for a method, its class's.

    Example:
        >>> from collections import Counter
        >>> named(Counter().update)
        ('collections', 'Counter.update')
    """
    while isinstance(handler, partial):
        handler = handler.func
    if isinstance(handler, MethodType) and not isinstance(handler.__self__, type):
        # Which object's method it is tells more than which class has defined it.
        made = type(handler.__self__)
        return made.__module__, f"{made.__qualname__}.{handler.__name__}"
    shown = handler if hasattr(handler, "__qualname__") else type(handler)
    return shown.__module__ or "", shown.__qualname__
