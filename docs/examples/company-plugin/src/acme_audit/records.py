"""What a line of the log holds.

Owns: describing a moment, a run's beginning and end, and an error, as plain values.
Must not know: when lines are written, or where to.
"""

from __future__ import annotations

import getpass
import os
import socket
import sys
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from glowplug import Engine

LONGEST_MESSAGE = 500
"""Characters of an error's message that are kept."""


def of_moment() -> dict[str, Any]:
    """Return when and where this is, and who does it.

    Returns:
        The time in UTC, user, host, process, the rank where a launcher has set one, and the
        program.

    Example:
        >>> of_moment()["pid"] == os.getpid()
        True
    """
    return {
        "when": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
        "user": _known(getpass.getuser),
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "rank": os.environ.get("RANK"),
        "program": sys.argv[0] if sys.argv else None,
    }


def of_beginning(engine: Engine[Any, Any]) -> dict[str, Any]:
    """Return what is about to run.

    Args:
        engine: the engine.

    Returns:
        The step's name, the data in words, how far the run is to go, and name to version of the
        plugins that took part in making the engine.

    Example:
        >>> engine = Engine(lambda engine, batch: batch)
        >>> of_beginning(engine)["data"]
        {'type': 'builtins.NoneType'}
    """
    state = engine.state
    return {
        "step": engine.describe().step,
        "data": of_data(state.dataloader),
        "epoch_length": state.epoch_length,
        "max_epochs": state.max_epochs,
        "max_iters": state.max_iters,
        "plugins": dict(engine.plugins),
    }


def of_data(data: Any) -> dict[str, Any]:
    """Return data in words: its type, its length where it has one, and its dataset's.

    Args:
        data: what the engine runs over; no batch is taken from it.

    Example:
        >>> of_data([1, 2, 3])
        {'type': 'builtins.list', 'length': 3}
    """
    described: dict[str, Any] = {"type": f"{type(data).__module__}.{type(data).__qualname__}"}
    length = _known(lambda: len(data))
    if length is not None:
        described["length"] = length
    dataset = _known(lambda: data.dataset)
    if dataset is not None and dataset is not data:
        described["dataset"] = {
            "type": f"{type(dataset).__module__}.{type(dataset).__qualname__}",
            "length": _known(lambda: len(dataset)),
        }
    return described


def of_end(engine: Engine[Any, Any]) -> dict[str, Any]:
    """Return how far a run came.

    Args:
        engine: the engine.

    Returns:
        Epochs and iterations done, and the seconds of the last epoch where one has ended.

    Example:
        >>> engine = Engine(lambda engine, batch: batch)
        >>> state = engine.run([1, 2], max_epochs=3)
        >>> of_end(engine)["epochs"], of_end(engine)["iterations"]
        (3, 6)
    """
    state = engine.state
    seconds = state.times.get("EPOCH_COMPLETED")
    return {
        "epochs": state.epoch,
        "iterations": state.iteration,
        "last_epoch_seconds": None if seconds is None else round(seconds, 3),
    }


def of_error(error: BaseException) -> dict[str, Any]:
    """Return an error as its type and the beginning of its message.

    Example:
        >>> of_error(ValueError("no such file"))
        {'error': 'ValueError', 'message': 'no such file'}
    """
    message = _known(lambda: str(error)) or ""
    return {"error": type(error).__qualname__, "message": message[:LONGEST_MESSAGE]}


def _known(find: Callable[[], Any]) -> Any:
    """Return what can be found out, or None: data and errors of strangers may refuse anything."""
    try:
        return find()
    except Exception:  # noqa: BLE001  # a stranger's code may raise anything
        return None
