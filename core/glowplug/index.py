"""The index: which plugin offers which component.

Owns: finding one offer by its name, and the errors where there is none or more than one.
Must not know: how plugins are found, or what a component does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from glowplug.components import Component, Kind
from glowplug.errors import AmbiguousComponent, MissingPlugin, PluginError, UnknownComponent
from glowplug.reserved import RESERVED, distributions


@dataclass(frozen=True)
class Offer:
    """A component, and who offers it.

    Args:
        plugin: the plugin's name.
        version: its version.
        component: what it offers.
        declared: whether an entry point declares it; else a hook offered it at run time.
    """

    plugin: str
    version: str
    component: Component
    declared: bool = True

    @property
    def qualified(self) -> str:
        """The name that means this offer alone: ``plugin:name``."""
        return f"{self.plugin}:{self.component.name}"

    @property
    def source(self) -> str:
        """Plugin and version in words."""
        return f"{self.plugin} {self.version}"

    def load(self) -> Any:
        """Return what is offered, imported if need be.

        Raises:
            PluginError: from whatever the import raised.
        """
        component = self.component
        try:
            return component.load()
        except (Exception, SystemExit) as error:
            raise PluginError(
                f"{component.kind.value} {component.name!r} of plugin {self.source} cannot be"
                f" imported from {component.where!r}: {type(error).__name__}: {error}",
                self.plugin,
            ) from error


class Index:
    """All offers, those of plugins that are switched off or broken too."""

    def __init__(self) -> None:
        self._offers: list[Offer] = []

    def add(self, offer: Offer) -> None:
        """Take in an offer."""
        self._offers.append(offer)

    def offers(self, kinds: Iterable[Kind] = tuple(Kind)) -> tuple[Offer, ...]:
        """Return the offers of some kinds, sorted by kind, name and plugin."""
        order = {kind: place for place, kind in enumerate(kinds)}
        among = [offer for offer in self._offers if offer.component.kind in order]
        among.sort(key=lambda o: (order[o.component.kind], o.component.name, o.plugin))
        return tuple(among)

    def named(self, name: str, kinds: Iterable[Kind], plugin: str | None) -> list[Offer]:
        """Return the offers that a name may mean.

        Args:
            name: the bare name.
            kinds: the kinds it may be of.
            plugin: the plugin that must offer it; None for any, which for a name of glowplug's own
                leaves glowplug's plugins alone.
        """
        own = distributions(name, kinds) if plugin is None else ()
        return [
            offer
            for offer in self.offers(kinds)
            if offer.component.name == name
            and plugin in (None, offer.plugin)
            and (not own or offer.plugin in own)
        ]

    def find(
        self, name: str, kinds: Sequence[Kind], plugin: str | None, withheld: Collection[str]
    ) -> Offer:
        """Return the one offer of a name. Entry points come before what is offered at run time.

        Args:
            name: the bare name.
            kinds: the kinds it may be of.
            plugin: the plugin that must offer it; None for any.
            withheld: the plugins that are not to be used; their offers are found only where nobody
                else offers the name.

        Returns:
            The offer.

        Raises:
            MissingPlugin: when it is glowplug's own and its distribution does not offer it here.
            AmbiguousComponent: when several plugins offer it.
            PluginError: when one plugin offers two things under this name.
            UnknownComponent: when no plugin offers it.
        """
        named = self.named(name, kinds, plugin)
        found = [offer for offer in named if offer.plugin not in withheld] or named
        found = [offer for offer in found if offer.declared] or found
        if not found:
            raise self._nothing(name, kinds, plugin)
        if len({offer.plugin for offer in found}) > 1:
            choices = sorted({offer.qualified for offer in found})
            raise AmbiguousComponent(
                f"several plugins offer {in_words(kinds)} {name!r}; ask for one of"
                f" {', '.join(map(repr, choices))}",
                name,
                choices,
            )
        return _same_target(found)

    def _nothing(
        self, name: str, kinds: Sequence[Kind], plugin: str | None
    ) -> MissingPlugin | UnknownComponent:
        if plugin is None:
            for distribution in distributions(name, kinds):
                return MissingPlugin(
                    f"{in_words(kinds)} {name!r} is part of {distribution}, which is not installed:"
                    f" pip install {distribution}",
                    distribution,
                )
        message = f"no {in_words(kinds)} {name!r}" + (f" in plugin {plugin}" if plugin else "")
        for offer in self.named(name, Kind, plugin):
            kind = offer.component.kind.value
            return UnknownComponent(f"{message}: {offer.source} offers it as {kind}", name)
        return UnknownComponent(f"{message}{self._near(name, kinds, plugin)}", name)

    def _near(self, name: str, kinds: Sequence[Kind], plugin: str | None) -> str:
        sources = {}
        if plugin is None:
            own = ((known, who) for (kind, known), who in RESERVED.items() if kind in kinds)
            sources = {known: f"{distribution}, not installed" for known, distribution in own}
        for offer in self.offers(kinds):
            if plugin in (None, offer.plugin):
                sources[offer.component.name] = offer.source
        import difflib  # only an error needs it

        near = difflib.get_close_matches(name, sources, n=3)
        if near:
            return "; did you mean " + " or ".join(f"{n!r} ({sources[n]})" for n in near) + "?"
        return "; `glowplug plugins list` shows what there is"


def in_words(kinds: Sequence[Kind]) -> str:
    """Return kinds as words: ``"handler, logger or scheduler"``."""
    *others, last = (kind.value for kind in kinds)
    return f"{', '.join(others)} or {last}" if others else last


def _same_target(offers: Sequence[Offer]) -> Offer:
    first = offers[0]
    if any(offer.component.target != first.component.target for offer in offers):
        targets = ", ".join(f"{o.component.kind.value} {o.component.where}" for o in offers)
        raise PluginError(
            f"plugin {first.source} offers {first.component.name!r} more than once: {targets};"
            " ask for one kind, or report it to the plugin's author",
            first.plugin,
        )
    return first
