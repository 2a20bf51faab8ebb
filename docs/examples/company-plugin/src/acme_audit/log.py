"""The file that the audit is appended to.

Owns: where it is, and how processes append to it side by side.
Must not know: what a line means.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

VARIABLE = "ACME_AUDIT_LOG"
"""The environment variable that names the file."""


def log_file(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the file that runs are logged in.

    Args:
        environ: the environment.

    Returns:
        What ``ACME_AUDIT_LOG`` says, or ``acme-audit/runs.jsonl`` in the user's folder for states
        of programs.

    Raises:
        RuntimeError: when neither is set and the user has no home.

    Example:
        >>> log_file({"ACME_AUDIT_LOG": "/var/log/runs.jsonl"}).name
        'runs.jsonl'
    """
    if said := environ.get(VARIABLE):
        return Path(said).expanduser()
    if os.name == "nt" and (local := environ.get("LOCALAPPDATA")):
        state = Path(local)
    else:
        state = Path(environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return state / "acme-audit" / "runs.jsonl"


def append(record: Mapping[str, Any]) -> None:
    """Append a line.

    The file is opened for each, so that it can be rotated and nothing is shared with a forked
    process. A line is one write to a file that was opened for appending, which the system puts
    behind those of other processes.

    Args:
        record: what becomes a JSON object; a value that JSON lacks becomes its text.

    Raises:
        OSError: when it cannot be written, or not as a whole.
    """
    line = json.dumps(record, default=str).encode() + b"\n"
    file = log_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        written = os.write(descriptor, line)
    finally:
        os.close(descriptor)
    if written < len(line):
        raise OSError(f"only {written} of {len(line)} bytes fitted into {file}")
