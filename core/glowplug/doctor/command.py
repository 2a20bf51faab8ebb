"""``glowplug doctor``.

Owns: its arguments and its exit code.
Must not know: what is examined, or how the diagnosis is shown.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from glowplug import __version__
from glowplug.console import FAILED, Parser, add_switches, join_switches, say

NAME = "doctor"
SUMMARY = "examine Python, torch and the plugins, and say what to type"


def run(arguments: Sequence[str], before: argparse.Namespace) -> int:
    """Examine the installation.

    Args:
        arguments: what followed ``glowplug doctor``.
        before: the switches that stood before it.

    Returns:
        The exit code: 1 where something is broken that was asked for.

    Raises:
        SystemExit: when the command was misused, or its help was asked for.
    """
    from glowplug.doctor import report  # no other command needs to know what it examines
    from glowplug.doctor.examination import diagnose

    parser = Parser(prog=f"glowplug {NAME}", description=SUMMARY)
    add_switches(parser)
    parser.add_argument("--json", action="store_true", help="for programs")
    asked = join_switches(before, parser.parse_args(arguments))
    diagnosis = diagnose(__version__, asked.only, asked.disable or (), asked.strict or None)
    say((report.as_json if asked.json else report.as_text)(diagnosis))
    return 0 if diagnosis.ok else FAILED
