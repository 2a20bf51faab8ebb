"""What one plugin does when it is really imported.

Owns: importing everything that a plugin declares, in a process of its own, and checking it.
Must not know: how the findings are shown.
"""

from __future__ import annotations

import inspect
import os
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from glowplug.child import ask
from glowplug.components import Kind
from glowplug.engine import Engine
from glowplug.events import EventEnum
from glowplug.index import Offer
from glowplug.manifest import Scan, installed
from glowplug.plugins import PluginManager
from glowplug.switches import DISABLE, ONLY, STRICT

SECONDS = 300.0


class Finding(NamedTuple):
    """What became of one thing that a plugin declares.

    Args:
        what: the thing, in words.
        error: what is wrong with it, in one line; empty when it is well.
        traceback: where it went wrong.
    """

    what: str
    error: str = ""
    traceback: str = ""


def probe(plugin: str, seconds: float = SECONDS) -> list[Finding]:
    """Examine a plugin in a process of its own, which it may end, crash or leave hanging.

    Args:
        plugin: the plugin's name.
        seconds: how long it may take.

    Returns:
        A finding for each thing that it declares, or one that says how the process ended.
    """
    environ = {key: value for key, value in os.environ.items() if key not in (DISABLE, STRICT)}
    answer = ask("glowplug.probe:report", plugin, seconds, {**environ, ONLY: plugin})
    if answer.error:
        return [Finding("its import", answer.error, answer.output)]
    return [Finding(*finding) for finding in answer.value]


def report(plugin: str) -> list[Finding]:
    """Examine a plugin in this process.

    Args:
        plugin: the plugin's name.

    Returns:
        The findings.
    """
    # A twin that is never used does not keep the one that is from being examined.
    alone = [replace(found, twins=()) for found in installed().manifests if found.name == plugin]
    return list(examine(PluginManager(only=[plugin], scan=Scan(tuple(alone))), plugin))


def examine(manager: PluginManager, plugin: str) -> Iterator[Finding]:
    """Import and check in this process what a plugin declares.

    Args:
        manager: of this plugin alone, so that whatever breaks raises.
        plugin: the plugin's name.

    Yields:
        A finding for each component and each hook plugin.
    """
    manifest = manager.plugin(plugin).manifest
    for group in manifest.unknown_groups:
        yield Finding(f"entry-point group {group}", "is none of glowplug's")
    declared = manager.offers()
    yield from map(_component, declared)
    if manifest.hooks:
        what = f"hook plugin {', '.join(manifest.hooks)}"
        yield _attempt(what, lambda: _engine(manager))
        yield from (_component(offer) for offer in manager.offers() if not offer.declared)


def _step(engine: Engine[Any, Any], batch: object) -> None:
    """Do nothing, as a step."""


def _engine(manager: PluginManager) -> str:
    manager.load_hooks()
    Engine(_step, plugins=manager)
    return ""


def _component(offer: Offer) -> Finding:
    component = offer.component
    what = f"{component.kind.value} {component.name} ({component.where})"
    return _attempt(what, lambda: problem(component.kind, offer.load()))


def _attempt(what: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(what, check())
    except (Exception, SystemExit) as error:
        cause = error.__cause__ or error
        return Finding(
            what,
            f"{type(cause).__name__}: {cause}",
            "".join(traceback.format_exception(cause)),
        )


def problem(kind: Kind, target: Any) -> str:
    """Say what keeps an object from being a component of a kind.

    Args:
        kind: the kind that it is declared as.
        target: the object.

    Returns:
        What was expected and what came, or nothing when it is fit.

    Example:
        >>> problem(Kind.TRAINER, 3)
        'expected something that can be called; got 3 of type int'
    """
    if kind is Kind.EVENTS:
        fit = isinstance(target, type) and issubclass(target, EventEnum)
        wanted = "a subclass of EventEnum"
    elif kind is Kind.COMMAND:
        fit = callable(target) and _takes_one(target)
        wanted = "a function of one argument, the list of the command's arguments"
    elif kind is Kind.TRAINER:
        fit, wanted = callable(target), "something that can be called"
    else:
        fit = callable(target) or callable(getattr(target, "attach", None))
        wanted = "a class, a function, or an object with attach(engine)"
    return "" if fit else f"expected {wanted}; got {target!r} of type {type(target).__name__}"


def _takes_one(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function).bind([])
    except TypeError:
        return False
    except ValueError:  # some builtins have no signature to check
        return True
    return True
