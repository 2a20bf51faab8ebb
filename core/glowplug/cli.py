"""The command ``glowplug``.

Owns: which commands there are, glowplug's own and those of plugins, and how one is found and run.
Must not know: what a command does, or anything private of the modules below.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from glowplug import __version__, plugin_commands
from glowplug.components import Kind
from glowplug.console import (
    FAILED,
    PIPE_CLOSED,
    Parser,
    add_switches,
    drop_output,
    explained,
    flush,
    loud_manager,
    quiet_manager,
    say,
)
from glowplug.doctor import command as doctor
from glowplug.errors import AmbiguousComponent, PluginError, UnknownComponent, did_you_mean
from glowplug.plugins import PluginManager


class Command(NamedTuple):
    """A command of glowplug's own.

    Args:
        summary: what it does, for the help.
        run: does it with the arguments behind its name and the switches before it, and returns
            the exit code.
    """

    summary: str
    run: Callable[[Sequence[str], argparse.Namespace], int]


COMMANDS: Mapping[str, Command] = MappingProxyType(
    {
        doctor.NAME: Command(doctor.SUMMARY, doctor.run),
        plugin_commands.NAME: Command(plugin_commands.SUMMARY, plugin_commands.run),
    }
)
"""glowplug's own commands by their names, which no plugin's can take."""


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
            flush()
    except SystemExit as stop:  # argparse's way to end, and ours after an explained error
        if isinstance(stop.code, str):
            if sys.stderr is not None:  # as the shell's `2>&-` leaves it
                sys.stderr.write(f"{stop.code}\n")
            return FAILED
        return stop.code or 0
    except BrokenPipeError:
        drop_output()
        return PIPE_CLOSED


def _run(arguments: list[str]) -> int:
    parser = _parser()
    asked = parser.parse_args(arguments or ["--help"])
    with explained():
        if asked.version:
            say(f"glowplug {__version__}\n")
            return 0
        if asked.help:
            parser.epilog = "\n".join(["commands:", *_listed(quiet_manager(asked))])
            parser.print_help()
            return 0
        if asked.command in COMMANDS:
            return COMMANDS[asked.command].run(asked.arguments, asked)
        command = _plugin_command(parser, asked)
    result = command(asked.arguments)
    with explained():
        return _exit_code(asked.command, result)


def _parser() -> Parser:
    parser = Parser(
        prog="glowplug",
        description="Show and check plugins, and run the commands that plugins offer.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    command = parser.add_argument("command", help="what to do, see below")
    arguments = parser.add_argument(
        "arguments", nargs=argparse.REMAINDER, help="see `glowplug COMMAND --help`"
    )
    needless: dict[str, Any] = {"action": _WithoutCommand, "needless": (command, arguments)}
    parser.add_argument("-h", "--help", help="show this message and exit", **needless)
    parser.add_argument("--version", help="show the core's version and exit", **needless)
    add_switches(parser)
    return parser


class _WithoutCommand(argparse.Action):
    """A flag that stands alone, and acts when all is read, so that switches after it count."""

    def __init__(self, *args: Any, needless: Sequence[argparse.Action], **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "nargs": 0, "default": False})
        self._needless = needless

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        setattr(namespace, self.dest, True)
        for positional in self._needless:
            positional.required = False


def _listed(manager: PluginManager) -> Iterator[str]:
    offers = manager.offers(Kind.COMMAND)
    owners = Counter([*COMMANDS, *(offer.component.name for offer in offers)])
    rows = [(name, command.summary) for name, command in COMMANDS.items()]
    for offer in offers:
        alone = owners[offer.component.name] == 1
        rows.append((offer.component.name if alone else offer.qualified, f"by {offer.source}"))
    yield from (f"  {name:<20}  {what}" for name, what in rows)


def _plugin_command(
    parser: argparse.ArgumentParser, asked: argparse.Namespace
) -> Callable[[list[str]], object]:
    """Import the command of a plugin."""
    manager = loud_manager(asked)
    try:
        command: Callable[[list[str]], object] = manager.component(Kind.COMMAND, asked.command)
    except AmbiguousComponent:
        raise
    except UnknownComponent as error:
        known = [offer.component.name for offer in manager.offers(Kind.COMMAND)]
        near = did_you_mean(asked.command, [*COMMANDS, *known])
        parser.error(f"no command {asked.command!r}{near}" if near else str(error))
    return command


def _exit_code(command: str, returned: object) -> int:
    if returned is None:
        return 0
    # True would end as 1, which says that something failed.
    if isinstance(returned, int) and not isinstance(returned, bool):
        return returned
    raise PluginError(
        f"command {command!r} returned {returned!r} of type {type(returned).__name__};"
        " expected an exit code, or None where all went well",
        command,
    )
