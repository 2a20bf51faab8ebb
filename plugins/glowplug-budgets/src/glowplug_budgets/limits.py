"""How much of a run a handler or a plugin may take.

Owns: the limits as the user gave them, and which of them applies to whom.
Must not know: how calls are measured, or what happens when a limit is passed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from glowplug.attached import AttachedHandler
from glowplug.errors import InvalidArgument, InvalidType, did_you_mean

OURS = "glowplug-"
"""What may be left off the name of a plugin."""


class Limits:
    """Shares of a run, above 0 and at most 1.

    Args:
        share: what one handler may take.
        per_plugin: what all handlers of a plugin may take together.
        budgets: other shares by the names of handlers and of plugins.

    Raises:
        InvalidType: when a share is no number, or a name no text.
        InvalidArgument: when a share is not above 0 and at most 1.
    """

    def __init__(self, share: float, per_plugin: float, budgets: Mapping[str, float]) -> None:
        if not isinstance(budgets, Mapping):
            raise InvalidType(
                "budgets must be a dict from names of handlers or plugins to shares, got "
                f"{budgets!r} of type {type(budgets).__name__}"
            )
        named = {f"budgets[{name!r}]": limit for name, limit in budgets.items()}
        for name, limit in {"share": share, "per_plugin": per_plugin, **named}.items():
            _check_share(name, limit)
        if odd := [name for name in budgets if not isinstance(name, str)]:
            raise InvalidType(f"names in budgets must be texts, got {odd[0]!r}")
        self._share, self._per_plugin, self._budgets = share, per_plugin, dict(budgets)

    def own(self, handler: AttachedHandler) -> float | None:
        """Return the share that was given to this very handler, or None."""
        return self._given(_handler_names(handler.name))

    def of_handler(self, handler: AttachedHandler) -> float:
        """Return what a handler may take: its own share, that of its plugin, or that of all."""
        given = self._given([*_handler_names(handler.name), *_plugin_names(handler.plugin)])
        return self._share if given is None else given

    def of_plugin(self, plugin: str) -> float:
        """Return what the handlers of a plugin may take together, those with own shares aside."""
        given = self._given(_plugin_names(plugin))
        return self._per_plugin if given is None else given

    def check_names(self, handlers: Iterable[AttachedHandler], plugins: Iterable[str]) -> None:
        """Refuse a share that nobody could take.

        Args:
            handlers: the handlers that are attached.
            plugins: names of further plugins that take part.

        Raises:
            InvalidArgument: when a name is that of no handler and no plugin.
        """
        names = {name for plugin in plugins for name in _plugin_names(plugin)}
        for handler in handlers:
            names |= {*_handler_names(handler.name), *_plugin_names(handler.plugin)}
        for unknown in (name for name in self._budgets if name not in names):
            raise InvalidArgument(
                f"budgets has {unknown!r}, but no handler or plugin of that name is attached"
                f"{did_you_mean(unknown, names)}"
            )

    def _given(self, names: Iterable[str]) -> float | None:
        return next((self._budgets[name] for name in names if name in self._budgets), None)


def _check_share(name: str, limit: float) -> None:
    if not isinstance(limit, (int, float)) or isinstance(limit, bool):
        raise InvalidType(
            f"{name} must be a share of the run, such as 0.1; got {limit!r} of type "
            f"{type(limit).__name__}"
        )
    if not 0 < limit <= 1:
        raise InvalidArgument(f"{name} must be a share above 0 and at most 1, got {limit!r}")


def short_name(name: str) -> str:
    """Return a handler's name without the function around it.

    Example:
        >>> short_name("train.<locals>.log")
        'log'
    """
    return name.rpartition("<locals>.")[2]


def _handler_names(name: str) -> tuple[str, str]:
    return name, short_name(name)


def _plugin_names(plugin: str | None) -> Iterator[str]:
    if plugin is not None:
        yield plugin
        if plugin.startswith(OURS):
            yield plugin.removeprefix(OURS)
