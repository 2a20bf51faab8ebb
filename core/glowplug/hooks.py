"""The implementations of the hooks that one manager knows.

Owns: registering an implementation after a check, and the order in which hooks are called.
Must not know: which plugins are installed, or what follows from a failure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pluggy

from glowplug import hookspecs
from glowplug.components import Component
from glowplug.errors import InvalidArgument, InvalidType, did_you_mean
from glowplug.hookspecs import PROJECT, hookimpl


class EntryPoints:
    """glowplug's own implementation of ``glowplug_components``: the entry points of one plugin.

    Args:
        components: what they declare.
    """

    def __init__(self, components: Iterable[Component]) -> None:
        self._components = components

    @hookimpl
    def glowplug_components(self) -> Iterable[Component]:
        """Return what the entry points declare."""
        return self._components


class Hooks:
    """The implementations, each registered as a part of its plugin."""

    def __init__(self) -> None:
        self._pluggy = pluggy.PluginManager(PROJECT)
        self._pluggy.add_hookspecs(hookspecs)
        self._parts: dict[str, list[object]] = {}

    def register(self, plugin: str, implementation: object) -> list[Component]:
        """Take in a part of a plugin, and ask it for its components.

        Args:
            plugin: the plugin's name.
            implementation: an object with functions that ``hookimpl`` marks, such as a module.

        Returns:
            What its ``glowplug_components`` offers.

        Raises:
            pluggy.PluginValidationError: when a hook takes an argument that there is not.
            InvalidArgument: when it implements no hook, or one that there is not, or wraps one.
            InvalidType: when ``glowplug_components`` returns something else than components.
        """
        parts = self._parts.setdefault(plugin, [])
        parts.append(implementation)
        self._pluggy.register(implementation, name=_key(plugin, len(parts)))
        self._check(implementation)
        return [
            component
            for part in self._implementations("glowplug_components")
            if part.plugin is implementation
            for component in _components(part.function())
        ]

    def unregister(self, plugin: str) -> None:
        """Forget every part of a plugin."""
        for number, _ in enumerate(self._parts.pop(plugin, ()), start=1):
            self._pluggy.unregister(name=_key(plugin, number))

    def engine_created(self) -> list[tuple[str, Callable[[Any], object]]]:
        """Return the calls of ``glowplug_engine_created``, each with its plugin, in their order."""
        return [
            (_plugin(part), _taking_engine(part))
            for part in self._implementations("glowplug_engine_created")
        ]

    def _implementations(self, hook: str) -> list[pluggy.HookImpl]:
        # Called one by one rather than through pluggy, so that each is isolated from the others.
        caller: pluggy.HookCaller = getattr(self._pluggy.hook, hook)
        return sorted(caller.get_hookimpls(), key=lambda part: part.plugin_name)

    def _check(self, implementation: object) -> None:
        callers = self._pluggy.get_hookcallers(implementation)
        if not callers:
            raise InvalidArgument(
                f"{implementation!r} implements no hook; mark its functions with glowplug.hookimpl"
            )
        for caller in callers:
            for part in caller.get_hookimpls():
                if part.plugin is not implementation:
                    continue
                if not caller.has_spec() and not part.optionalhook:
                    near = did_you_mean(caller.name, HOOKS)
                    raise InvalidArgument(
                        f"unknown hook {caller.name!r}{near} (hooks: {', '.join(HOOKS)})"
                    )
                if part.wrapper or part.hookwrapper:
                    raise InvalidArgument(f"{caller.name} is a wrapper; hooks cannot be wrapped")


HOOKS = tuple(name for name in dir(hookspecs) if name.startswith(f"{PROJECT}_"))
"""The names of all hooks."""


def _key(plugin: str, part: int) -> str:
    return f"{plugin}/{part}"


def _plugin(part: pluggy.HookImpl) -> str:
    return part.plugin_name.rpartition("/")[0]


def _taking_engine(part: pluggy.HookImpl) -> Callable[[Any], object]:
    function: Callable[..., object] = part.function
    return function if part.argnames else lambda engine: function()


def _components(offered: object) -> list[Component]:
    components: list[Component] = []
    for component in offered if isinstance(offered, Iterable) else [offered]:
        if not isinstance(component, Component):
            raise InvalidType(
                "expected an iterable of Component from glowplug_components(); got"
                f" {component!r} of type {type(component).__name__}"
            )
        components.append(component)
    return components
