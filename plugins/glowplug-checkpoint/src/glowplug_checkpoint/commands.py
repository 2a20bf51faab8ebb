"""``glowplug ckpt ...``.

Owns: the actions on checkpoints, their arguments and their exit codes.
Must not know: how checkpoints are read, or how what is found is worded.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from glowplug.console import Parser, complain, explained, say
from glowplug.errors import GlowplugError
from glowplug_checkpoint import commands_list

DAMAGED, DIFFERENT, TROUBLE = 1, 1, 2


class Action(NamedTuple):
    """One thing to do, as in ``glowplug ckpt list``.

    Args:
        summary: what it does, for the help.
        declare: adds its arguments to its parser.
        run: does it, and returns the exit code.
    """

    summary: str
    declare: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def ckpt(arguments: Sequence[str]) -> int:
    """List checkpoints, verify them, or tell two of them apart.

    Args:
        arguments: what followed ``glowplug ckpt``.

    Returns:
        The exit code: 0 when all is well, 1 when something is damaged or differs, or a folder or a
        file is not there; 2 when the command was misused, or two files could not be compared.

    Raises:
        SystemExit: when the command was misused, its help was asked for, or it failed.

    Example:
        >>> import tempfile
        >>> from glowplug_checkpoint import ckpt, save, store_at
        >>> folder = tempfile.mkdtemp()
        >>> _ = save(store_at(folder), "last.pt", {"epoch": 3})
        >>> ckpt(["verify", folder])  # doctest: +ELLIPSIS
        good  ...last.pt
        0
    """
    parser = Parser(prog="glowplug ckpt", description="Look at checkpoints.")
    actions = parser.add_subparsers(dest="action", required=True)
    for name, action in ACTIONS.items():
        action.declare(actions.add_parser(name, help=action.summary, description=action.summary))
    asked = parser.parse_args(arguments)
    return ACTIONS[asked.action].run(asked)


def _declare_list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", help="a path or a URL")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--prefix", help="those alone whose names begin so")
    parser.add_argument("--run", metavar="ID", help="those of this run alone")


def _list(asked: argparse.Namespace) -> int:
    with explained():
        rows = commands_list.rows(asked.folder, asked.prefix, asked.run)
        say((commands_list.as_json if asked.json else commands_list.as_text)(rows))
    return 0


def _declare_verify(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("where", nargs="+", help="files, and folders with checkpoints")


def _verify(asked: argparse.Namespace) -> int:
    from glowplug_checkpoint import commands_verify  # torch, which a list does without

    damaged = False
    for where in asked.where:
        with explained():
            for finding in commands_verify.findings(where):
                damaged |= bool(finding.problem)
                say(f"{finding}\n")
    return DAMAGED if damaged else 0


def _declare_diff(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("a", help="a checkpoint's path or URL")
    parser.add_argument("b", help="another's")


def _diff(asked: argparse.Namespace) -> int:
    from glowplug_checkpoint import commands_diff  # torch, which a list does without

    try:
        found = commands_diff.differences(asked.a, asked.b)
    except GlowplugError as error:
        complain(str(error))
        return TROUBLE
    say("".join(f"{line}\n" for line in found))
    return DIFFERENT if found else 0


ACTIONS: Mapping[str, Action] = MappingProxyType(
    {
        "list": Action("what a folder holds, the newest first", _declare_list, _list),
        "verify": Action(
            "read files and hold them against their manifests", _declare_verify, _verify
        ),
        "diff": Action("what differs between two checkpoints", _declare_diff, _diff),
    }
)
"""Every action by its name."""
