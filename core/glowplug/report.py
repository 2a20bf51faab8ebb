"""Plugins as people and programs read them.

Owns: the text of lists, single plugins and checks, and the JSON of lists.
Must not know: where the text goes, or how plugins are found and imported.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from glowplug.components import Component, Kind
from glowplug.plugins import PluginManager
from glowplug.probe import Finding
from glowplug.reserved import RESERVED
from glowplug.roster import Plugin, PluginState

NOTHING = """\
No plugin is installed. Plugins are packages: `pip install glowplug-tqdm` brings a progress bar,
and docs/how-to/write-a-plugin shows how to make one.
"""


def list_as_text(manager: PluginManager, kind: Kind | None = None) -> str:
    """Return the plugins, and below each what it offers.

    Args:
        manager: the plugins.
        kind: only components of this kind, and only plugins that offer some.

    Returns:
        Lines.
    """
    lines = [line for plugin in _offering(manager, kind) for line in _listed(plugin, kind)]
    lines += [f"ignored: {leftover} (left by an interrupted pip)" for leftover in manager.leftovers]
    if lines:
        return "\n".join(lines) + "\n"
    return NOTHING if kind is None or not manager.plugins else f"No plugin offers {kind.plural}.\n"


def list_as_json(manager: PluginManager, kind: Kind | None = None) -> str:
    """Return the same for programs.

    The document is an object with ``format`` (1), ``plugins`` and ``leftovers`` (paths). A plugin
    has ``name``, ``version``, ``summary``, ``location``, ``state`` (``active``, ``off`` or
    ``broken``), ``reason`` (what switched it off, or what is wrong with it), ``hooks`` (modules),
    ``notes`` (prose) and ``components``; a component has ``kind``, ``name``, ``qualified`` and
    ``target``. Keys may be added; ``format`` changes when one changes its meaning.

    Args:
        manager: the plugins.
        kind: only components of this kind, and only plugins that offer some.

    Returns:
        A JSON document.
    """
    plugins = [_as_data(plugin, kind) for plugin in _offering(manager, kind)]
    document = {"format": 1, "plugins": plugins, "leftovers": list(manager.leftovers)}
    return json.dumps(document, indent=2) + "\n"


def plugin_as_text(plugin: Plugin, findings: Iterable[Finding]) -> str:
    """Return all about one plugin.

    Args:
        plugin: the plugin.
        findings: what became of it when it was imported; none where it was not.

    Returns:
        Lines, the tracebacks last.
    """
    manifest = plugin.manifest
    failed = [finding for finding in findings if finding.error]
    state = f"{plugin.state.value}: {plugin.reason}" if plugin.reason else plugin.state.value
    rows = [("state", "broken" if failed else state), ("location", manifest.location)]
    rows += [("summary", manifest.summary)] if manifest.summary else []
    rows += [(c.kind.value, f"{c.name}  {c.where}") for c in manifest.components]
    rows += [("hooks", hook) for hook in manifest.hooks]
    rows += [("note", note) for note in notes(plugin)]
    lines = [plugin.title, *(f"  {label:<10} {value}" for label, value in rows)]
    for finding in failed:
        lines += ["", f"{finding.what}: {finding.error}", *_indented(finding.traceback)]
    return "\n".join([*lines, *_indented(plugin.traceback)]) + "\n"


def check_as_text(plugin: Plugin, findings: Sequence[Finding]) -> str:
    """Return how a plugin stood its check.

    Args:
        plugin: the plugin.
        findings: what became of each thing that it declares.

    Returns:
        Lines: one where all is well, or where the plugin was not to be checked.
    """
    if plugin.state is PluginState.OFF:
        return f"{plugin.title}: not checked, switched off by {plugin.reason}\n"
    failed = [finding for finding in findings if finding.error]
    verdict = f"{len(failed)} of {len(findings)} failed" if failed else f"ok ({len(findings)})"
    lines = [f"{plugin.title}: {verdict}"]
    lines += [f"  {finding.what}: {finding.error}" for finding in failed]
    lines += [f"  note: {note}" for note in notes(plugin)]
    return "\n".join(lines) + "\n"


def notes(plugin: Plugin) -> list[str]:
    """Return what is odd about a plugin and still no fault.

    Args:
        plugin: the plugin.

    Returns:
        A sentence each.
    """
    manifest = plugin.manifest
    said = [f"entry-point group {group} is none of glowplug's" for group in manifest.unknown_groups]
    said += [f"shadows {twin.version} at {twin.location}" for twin in manifest.twins]
    for component in manifest.components:
        owner = RESERVED.get((component.kind, component.name), plugin.name)
        if owner != plugin.name:
            said.append(
                f"{component.kind.value} {component.name!r} alone means that of {owner};"
                f" this one is {plugin.name}:{component.name}"
            )
    return said


def _offering(manager: PluginManager, kind: Kind | None) -> Iterator[Plugin]:
    for plugin in manager.plugins:
        if kind is None or _components(plugin, kind):
            yield plugin


def _components(plugin: Plugin, kind: Kind | None) -> list[Component]:
    return [c for c in plugin.manifest.components if kind in (None, c.kind)]


def _listed(plugin: Plugin, kind: Kind | None) -> Iterator[str]:
    yield plugin.title + (f" ({plugin.state.value}: {plugin.reason})" if plugin.reason else "")
    for component in _components(plugin, kind):
        yield f"  {component.kind.value:<10} {component.name}"
    if kind is None:
        yield from (f"  {'hooks':<10} {hook}" for hook in plugin.manifest.hooks)
        yield from (f"  {'note':<10} {note}" for note in notes(plugin))


def _as_data(plugin: Plugin, kind: Kind | None) -> dict[str, Any]:
    return {
        "name": plugin.name,
        "version": plugin.version,
        "summary": plugin.manifest.summary,
        "location": plugin.manifest.location,
        "state": plugin.state.value,
        "reason": plugin.reason,
        "hooks": list(plugin.manifest.hooks),
        "notes": notes(plugin),
        "components": [
            {
                "kind": component.kind.value,
                "name": component.name,
                "qualified": f"{plugin.name}:{component.name}",
                "target": component.where,
            }
            for component in _components(plugin, kind)
        ],
    }


def _indented(text: str) -> list[str]:
    return [f"    {line}" for line in text.splitlines()]
