"""What all commands share.

Owns: where the output goes, the exit codes, how an error ends a command, and the switches.
Must not know: which commands there are, or what they say.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from glowplug.errors import GlowplugError, PluginWarning
from glowplug.plugins import PluginManager

FAILED, PIPE_CLOSED = 1, 141


class Parser(argparse.ArgumentParser):
    """A parser whose help goes where all output goes; argparse's own ignores what it meets."""

    def print_help(self, file: Any = None) -> None:
        """Write the help.

        Args:
            file: where to; standard output by default.
        """
        if file is None:
            say(self.format_help())
        else:
            super().print_help(file)


def say(text: str) -> None:
    """Write to standard output.

    Args:
        text: whole lines. What the output's encoding lacks is escaped.

    Raises:
        SystemExit: when it cannot be written, which is said on standard error.
        BrokenPipeError: when whoever reads it has stopped.
    """
    with _writing():
        if sys.stdout is None:  # as the shell's `>&-` leaves it
            raise OSError("standard output is closed")
        try:
            sys.stdout.write(text)
        except UnicodeEncodeError:
            encoding = sys.stdout.encoding
            sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))


def flush() -> None:
    """Write what is still held back of standard output.

    Raises:
        SystemExit: when it cannot be written, which is said on standard error.
        BrokenPipeError: when whoever reads it has stopped.
    """
    if sys.stdout is not None:
        with _writing():
            sys.stdout.flush()


def drop_output() -> None:
    """Give up on standard output, as Python would try once more at its exit, and complain."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(text: str) -> None:
    """Say on standard error what is wrong.

    Args:
        text: one line.
    """
    if sys.stderr is not None:
        sys.stderr.write(f"glowplug: {text}\n")


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        drop_output()
        complain(f"the output cannot be written: {error.strerror or error}")
        raise SystemExit(FAILED) from None


@contextmanager
def explained() -> Iterator[None]:
    """Turn an error of glowplug's into a line and an exit code.

    Raises:
        SystemExit: for the error.
    """
    try:
        yield
    except GlowplugError as error:
        complain(str(error))
        raise SystemExit(FAILED) from None


def add_switches(parser: argparse.ArgumentParser) -> None:
    """Let a parser read which plugins may act.

    Args:
        parser: gains the options ``--only``, ``--disable`` and ``--strict``.
    """
    group = parser.add_argument_group("which plugins")
    names: dict[str, Any] = {"type": _split, "action": "extend", "metavar": "A,B"}
    group.add_argument("--only", help="these and no others; none if empty", **names)
    group.add_argument("--disable", help="not these", **names)
    group.add_argument("--strict", help="let every broken plugin raise", action="store_true")


def _split(names: str) -> list[str]:
    return [name.strip() for name in names.split(",") if name.strip()]


def join_switches(before: argparse.Namespace, after: argparse.Namespace) -> argparse.Namespace:
    """Return what was said after a command, with the switches that were said before it, too.

    Args:
        before: what the command line began with.
        after: what followed the command's name.

    Returns:
        A namespace with all of ``after``.
    """
    joined = argparse.Namespace(**vars(after))
    for switch in ("only", "disable"):
        said = [getattr(part, switch, None) for part in (before, after)]
        names = [name for part in said for name in part or ()]
        setattr(joined, switch, names if any(part is not None for part in said) else None)
    joined.strict = before.strict or getattr(after, "strict", False)
    return joined


def quiet_manager(asked: argparse.Namespace) -> PluginManager:
    """Return the manager that was asked for; what it would warn of is said by what is shown.

    Args:
        asked: the switches. A name of theirs that matches nothing is complained about.

    Returns:
        The manager.

    Raises:
        PluginError: when a plugin is broken that was asked for, or any if strict.
        InvalidArgument: when ``GLOWPLUG_STRICT`` says neither yes nor no.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PluginWarning)
        manager = loud_manager(asked)
    for message in manager.unmatched:
        complain(message)
    return manager


def loud_manager(asked: argparse.Namespace) -> PluginManager:
    """Return the manager that was asked for, for a command that shows no plugins.

    Args:
        asked: the switches.

    Returns:
        The manager.

    Raises:
        PluginError: when a plugin is broken that was asked for, or any if strict.
        InvalidArgument: when ``GLOWPLUG_STRICT`` says neither yes nor no.

    Warns:
        PluginWarning: for every other broken plugin, and for a name that matches nothing.
    """
    return PluginManager(only=asked.only, disable=asked.disable or (), strict=asked.strict or None)
