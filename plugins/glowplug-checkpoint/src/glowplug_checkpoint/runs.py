"""Which run an engine is about.

Owns: the id of the run of each engine.
Must not know: what is saved of a run, or how a run is resumed.
"""

from __future__ import annotations

import secrets
from typing import Any
from weakref import WeakKeyDictionary

from glowplug import Engine

_BYTES = 8

_runs: WeakKeyDictionary[Engine[Any, Any], str] = WeakKeyDictionary()


def run_of(engine: Engine[Any, Any]) -> str:
    """Return the id of an engine's run: made up when it is first asked for, or adopted.

    Args:
        engine: the engine.

    Returns:
        Hexadecimal digits that no other run has.

    Example:
        >>> engine = Engine(lambda engine, batch: batch)
        >>> run_of(engine) == run_of(engine)
        True
        >>> run_of(engine) == run_of(Engine(lambda engine, batch: batch))
        False
    """
    return _runs.setdefault(engine, secrets.token_hex(_BYTES))


def adopt(engine: Engine[Any, Any], run: str) -> None:
    """Let an engine go on with a run: from now on its files are this engine's.

    Args:
        engine: the engine.
        run: the id of the run.

    Example:
        >>> engine = Engine(lambda engine, batch: batch)
        >>> adopt(engine, "c0ffee")
        >>> run_of(engine)
        'c0ffee'
    """
    _runs[engine] = run
