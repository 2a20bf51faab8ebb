"""A process of its own for what may end, crash or hang it.

Owns: calling one function of ours in a fresh Python that sees the same path, and its answer.
Must not know: what is called, or what the answer means.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from glowplug.components import import_target

_CODE = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]);"
    " from glowplug.child import call; call(*sys.argv[2:])"
)


class Answer(NamedTuple):
    """What came of a call.

    Args:
        value: what was returned, as JSON brings it back; None where nothing was.
        error: how the process ended instead, in words.
        output: what it had written by then.
    """

    value: Any
    error: str = ""
    output: str = ""


def ask(
    function: str, argument: str, seconds: float, environ: Mapping[str, str] = os.environ
) -> Answer:
    """Call a function in a process of its own.

    Args:
        function: ``"module:name"``; it returns what JSON can hold.
        argument: what it is given.
        seconds: how long it may take.
        environ: the process's environment.

    Returns:
        The answer.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        file, output = Path(folder, "answer.json"), Path(folder, "output")
        path = json.dumps([entry or os.getcwd() for entry in sys.path])
        try:
            # A file rather than a pipe, which a process that it started could hold open for ever.
            with output.open("wb") as sink:
                done = subprocess.run(
                    [sys.executable, "-c", _CODE, path, function, argument, str(file)],
                    env=dict(environ),
                    stdin=subprocess.DEVNULL,
                    stdout=sink,
                    stderr=subprocess.STDOUT,
                    timeout=seconds,
                    check=False,
                )
        except subprocess.TimeoutExpired:
            return Answer(None, f"did not come to an end within {seconds:g} s")
        if not file.exists():
            said = output.read_text(encoding="utf-8", errors="replace")
            return Answer(None, f"ended Python with code {done.returncode}", said)
        return Answer(json.loads(file.read_text(encoding="utf-8")))


def call(function: str, argument: str, file: str) -> None:
    """Call a function in this process, and write what it returns to a file.

    Args:
        function: ``"module:name"``.
        argument: what it is given.
        file: where to write, as JSON.
    """
    value = import_target(function)(argument)
    Path(file).write_text(json.dumps(value), encoding="utf-8")
