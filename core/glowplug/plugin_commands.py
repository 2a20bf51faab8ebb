"""``glowplug plugins ...``.

Owns: the actions on plugins, their arguments and their exit codes.
Must not know: how plugins are found and probed, or how they are described.
"""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from glowplug import report
from glowplug.components import Kind
from glowplug.console import (
    FAILED,
    Parser,
    add_switches,
    complain,
    join_switches,
    quiet_manager,
    say,
)
from glowplug.errors import GlowplugError
from glowplug.probe import Finding, probe
from glowplug.roster import Plugin, PluginState

NAME = "plugins"
SUMMARY = "list, show, check and make plugins"


class Action(NamedTuple):
    """One thing to do, as in ``glowplug plugins list``.

    Args:
        summary: what it does, for the help.
        declare: adds its arguments to its parser.
        run: does it, and returns the exit code.
    """

    summary: str
    declare: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def run(arguments: Sequence[str], before: argparse.Namespace) -> int:
    """Do what was asked for.

    Args:
        arguments: what followed ``glowplug plugins``.
        before: the switches that stood before it.

    Returns:
        The exit code.

    Raises:
        GlowplugError: when it cannot be done.
        SystemExit: when the command was misused, or its help was asked for.
    """
    parser = Parser(prog=f"glowplug {NAME}")
    actions = parser.add_subparsers(dest="action", required=True)
    for name, action in ACTIONS.items():
        action.declare(actions.add_parser(name, help=action.summary, description=action.summary))
    asked = parser.parse_args(arguments)
    return ACTIONS[asked.action].run(join_switches(before, asked))


def _declare_list(parser: argparse.ArgumentParser) -> None:
    add_switches(parser)
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--kind", type=_kind, metavar="KIND", help="components of this kind alone")


def _kind(name: str) -> Kind:
    try:
        return Kind.of(name)
    except GlowplugError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _list(asked: argparse.Namespace) -> int:
    shown = report.list_as_json if asked.json else report.list_as_text
    say(shown(quiet_manager(asked), asked.kind))
    return 0


def _declare_show(parser: argparse.ArgumentParser) -> None:
    add_switches(parser)
    parser.add_argument("name", help="the distribution's; a leading glowplug- may be left off")


def _show(asked: argparse.Namespace) -> int:
    plugin = quiet_manager(asked).plugin(asked.name)
    findings = probe(plugin.name) if plugin.active else []
    say(report.plugin_as_text(plugin, findings))
    broken = plugin.state is PluginState.BROKEN or any(finding.error for finding in findings)
    return FAILED if broken else 0


def _declare_check(parser: argparse.ArgumentParser) -> None:
    add_switches(parser)
    parser.add_argument("name", nargs="*", help="these plugins; all if none is given")


def _check(asked: argparse.Namespace) -> int:
    manager = quiet_manager(asked)
    plugins = [manager.plugin(name) for name in asked.name] or manager.plugins
    if not plugins:
        say(report.NOTHING)
    failed = False
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for plugin, findings in zip(plugins, pool.map(_findings, plugins), strict=True):
            failed |= any(finding.error for finding in findings)
            # To check what may not be imported is only a wish, unless it was named.
            failed |= bool(asked.name) and plugin.state is PluginState.OFF
            say(report.check_as_text(plugin, findings))
    return FAILED if failed else 0


def _findings(plugin: Plugin) -> list[Finding]:
    if plugin.state is PluginState.BROKEN:
        return [Finding("metadata", plugin.reason)]
    return probe(plugin.name) if plugin.active else []


def _declare_new(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="the distribution's, which is the component's, too")
    kinds = "handler, logger, scheduler, metric, trainer, events or hooks"
    parser.add_argument("--kind", required=True, metavar="KIND", help=kinds)
    parser.add_argument(
        "--dir", type=Path, default=Path(), help="the folder to make it in (default: this one)"
    )
    parser.add_argument("--holder", help="who holds the copyright; makes it MIT-licensed")


def _new(asked: argparse.Namespace) -> int:
    from glowplug.scaffold import package  # no other action needs it, and it reads templates

    made = package.new(asked.name, asked.kind, asked.dir, asked.holder)
    for caution in made.cautions:
        complain(caution)
    files = "".join(f"  {file}\n" for file in made.files)
    say(
        f"made {made.name} in {made.folder}:\n{files}"
        "next, in the environment that glowplug is installed in:\n"
        f"  cd {shlex.quote(str(made.folder))}\n"
        '  python -m pip install -e ".[test]"\n'
        "  python -m pytest\n"
        f"  glowplug plugins check {made.name}\n"
    )
    return 0


ACTIONS: Mapping[str, Action] = MappingProxyType(
    {
        "list": Action("what is installed; imports nothing", _declare_list, _list),
        "show": Action("all about one plugin", _declare_show, _show),
        "check": Action("import everything and check it", _declare_check, _check),
        "new": Action("make a package to start from", _declare_new, _new),
    }
)
"""Every action by its name."""
