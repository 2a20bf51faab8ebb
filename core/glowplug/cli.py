"""The command ``glowplug``.

Owns: its arguments, its exit codes, and where its output goes.
Must not know: anything private of the modules below.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from glowplug import __version__, report
from glowplug.components import Kind
from glowplug.errors import (
    AmbiguousComponent,
    GlowplugError,
    PluginError,
    PluginWarning,
    UnknownComponent,
    did_you_mean,
)
from glowplug.plugins import PluginManager
from glowplug.probe import Finding, probe
from glowplug.roster import Plugin, PluginState

FAILED, PIPE_CLOSED = 1, 141
BUILT_IN = "plugins"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: its arguments; those of the process by default.

    Returns:
        The exit code: 0 when all is well, 1 when something failed, 2 when the command was misused,
        141 when whoever read the output stopped; else what a plugin's command returned.

    Example:
        >>> main(["--version"])  # doctest: +ELLIPSIS
        glowplug ...
        0
    """
    try:
        try:
            return _run(sys.argv[1:] if argv is None else list(argv))
        finally:
            sys.stdout.flush()
    except SystemExit as stop:  # argparse's way to end, and ours after an explained error
        if isinstance(stop.code, str):
            sys.stderr.write(f"{stop.code}\n")
            return FAILED
        return stop.code or 0
    except BrokenPipeError:
        # Python flushes once more at its exit, and would complain then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED


def _run(arguments: list[str]) -> int:
    parser = _Parser(
        prog="glowplug",
        description="Show and check plugins, and run the commands that plugins offer.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[_switches()],
    )
    parser.add_argument("--version", action="version", version=f"glowplug {__version__}")
    parser.add_argument("command", help="what to do, see below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="see `glowplug COMMAND --help`")
    asked = parser.parse_args(arguments or ["--help"])
    if asked.command == BUILT_IN:
        _plugins_parser().parse_args(asked.arguments, namespace=asked)
        with _explained():
            return _ACTIONS[asked.action](_manager(asked), asked)
    with _explained():
        command = _plugin_command(parser, asked)
    result = command(asked.arguments)
    with _explained():
        return _exit_code(asked.command, result)


class _Parser(argparse.ArgumentParser):
    """A parser whose help lists the commands that plugins offer, without importing any."""

    def format_help(self) -> str:
        with _explained(), warnings.catch_warnings():
            warnings.simplefilter("ignore", PluginWarning)
            offers = PluginManager().offers(Kind.COMMAND)
        rows = [(BUILT_IN, "list, show and check plugins")]
        rows += [(offer.component.name, f"by {offer.source}") for offer in offers]
        self.epilog = "\n".join(["commands:", *(f"  {name:<20}  {what}" for name, what in rows)])
        return super().format_help()


def _switches(**again: str) -> argparse.ArgumentParser:
    """Return the options that say which plugins may act; ``again`` where they may be repeated."""
    parser = argparse.ArgumentParser(add_help=False)
    group = parser.add_argument_group("which plugins")
    names: dict[str, Any] = {"type": _split, "action": "extend", "metavar": "A,B", **again}
    group.add_argument("--only", help="these and no others; none if empty", **names)
    group.add_argument("--disable", help="not these", **names)
    strict: dict[str, Any] = {"action": "store_true", **again}
    group.add_argument("--strict", help="let every broken plugin raise", **strict)
    return parser


def _split(names: str) -> list[str]:
    return [name.strip() for name in names.split(",") if name.strip()]


def _plugins_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"glowplug {BUILT_IN}")
    actions = parser.add_subparsers(dest="action", required=True)
    again = [_switches(default=argparse.SUPPRESS)]
    lists = actions.add_parser("list", parents=again, help="what is installed; imports nothing")
    lists.add_argument("--json", action="store_true", help="for programs")
    lists.add_argument("--kind", type=_kind, metavar="KIND", help="components of this kind alone")
    show = actions.add_parser("show", parents=again, help="all about one plugin")
    show.add_argument("name", help="the distribution's; a leading glowplug- may be left off")
    check = actions.add_parser("check", parents=again, help="import everything and check it")
    check.add_argument("name", nargs="*", help="these plugins; all if none is given")
    return parser


def _kind(name: str) -> Kind:
    try:
        return Kind.of(name)
    except GlowplugError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


@contextmanager
def _explained() -> Iterator[None]:
    """Turn an error of glowplug's into a line and an exit code."""
    try:
        yield
    except GlowplugError as error:
        _complain(str(error))
        raise SystemExit(FAILED) from None


def _say(text: str) -> None:
    sys.stdout.write(text)


def _complain(text: str) -> None:
    sys.stderr.write(f"glowplug: {text}\n")


def _manager(asked: argparse.Namespace) -> PluginManager:
    """Return the manager that was asked for; what it would warn of is said by what it shows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PluginWarning)
        manager = _loud_manager(asked)
    for message in manager.unmatched:
        _complain(message)
    return manager


def _loud_manager(asked: argparse.Namespace) -> PluginManager:
    return PluginManager(only=asked.only, disable=asked.disable or (), strict=asked.strict or None)


def _list(manager: PluginManager, asked: argparse.Namespace) -> int:
    shown = report.list_as_json if asked.json else report.list_as_text
    _say(shown(manager, asked.kind))
    return 0


def _show(manager: PluginManager, asked: argparse.Namespace) -> int:
    plugin = manager.plugin(asked.name)
    _say(report.plugin_as_text(plugin, probe(plugin.name) if plugin.active else []))
    return 0


def _check(manager: PluginManager, asked: argparse.Namespace) -> int:
    plugins = [manager.plugin(name) for name in asked.name] or manager.plugins
    if not plugins:
        _say(report.NOTHING)
    failed = False
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for plugin, findings in zip(plugins, pool.map(_findings, plugins), strict=True):
            failed |= any(finding.error for finding in findings)
            _say(report.check_as_text(plugin, findings))
    return FAILED if failed else 0


def _findings(plugin: Plugin) -> list[Finding]:
    if plugin.state is PluginState.BROKEN:
        return [Finding("metadata", plugin.reason)]
    return probe(plugin.name) if plugin.active else []


_ACTIONS: Mapping[str, Callable[[PluginManager, argparse.Namespace], int]] = MappingProxyType(
    {"list": _list, "show": _show, "check": _check}
)


def _plugin_command(
    parser: argparse.ArgumentParser, asked: argparse.Namespace
) -> Callable[[list[str]], object]:
    """Import the command of a plugin."""
    manager = _loud_manager(asked)
    try:
        command: Callable[[list[str]], object] = manager.component(Kind.COMMAND, asked.command)
    except AmbiguousComponent:
        raise
    except UnknownComponent as error:
        known = [offer.component.name for offer in manager.offers(Kind.COMMAND)]
        near = did_you_mean(asked.command, [BUILT_IN, *known])
        parser.error(f"no command {asked.command!r}{near}" if near else str(error))
    return command


def _exit_code(command: str, returned: object) -> int:
    if returned is None:
        return 0
    if isinstance(returned, int):
        return returned
    raise PluginError(f"command {command!r} returned {returned!r}; expected an exit code", command)
