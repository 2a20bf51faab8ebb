"""Which engines' runs are followed, for the sake of checkpoints that hold them.

Owns: who follows which engine, what a checkpoint holds of the engines among its objects, and what
of that cannot be restored exactly.
Must not know: files, or how a run is recorded.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from glowplug import Engine
from glowplug.errors import InvalidArgument
from glowplug_checkpoint.errors import CheckpointWarning
from glowplug_checkpoint.recording import Recorder
from glowplug_torch import get_world_size

RECORD = "run_record"
"""The key under which a checkpoint holds the records of the runs of its engines."""

_said: WeakKeyDictionary[Engine[Any, Any], set[str]] = WeakKeyDictionary()
_recorders: WeakKeyDictionary[Engine[Any, Any], Recorder] = WeakKeyDictionary()


def follow(engine: Engine[Any, Any]) -> Recorder:
    """Follow an engine's run from its next start on, so that a checkpoint holds where it stands.

    A ``Checkpoint`` that is made with an engine among its objects does so by itself, as does
    `resume`. Again does nothing.

    Args:
        engine: the engine.

    Returns:
        What follows it.

    Raises:
        InvalidArgument: when it is no engine.

    Example:
        >>> trainer = Engine(lambda engine, batch: batch)
        >>> follow(trainer) is follow(trainer)
        True
    """
    if not isinstance(engine, Engine):
        raise InvalidArgument(f"only an engine's run can be followed, got {engine!r}")
    recorder = follower(engine)
    if recorder is None:
        recorder = Recorder(engine)
    return _recorders.setdefault(engine, recorder)


def follower(engine: Engine[Any, Any]) -> Recorder | None:
    """Return what follows an engine's run, if anything does."""
    if engine in _recorders:
        return _recorders[engine]
    return next((owner for owner in _owners(engine) if isinstance(owner, Recorder)), None)


def leave(engine: Engine[Any, Any]) -> None:
    """Follow an engine's run no longer."""
    recorder = _recorders.pop(engine, None)
    if recorder is not None:
        recorder.stop()


def engines_of(objects: Mapping[str, Any]) -> dict[str, Engine[Any, Any]]:
    """Return those of some objects that are engines, by their names."""
    return {name: value for name, value in objects.items() if isinstance(value, Engine)}


class InexactWarning(CheckpointWarning):
    """Something of a run is not saved so that a resumed one would be exactly the same."""


def records_of(objects: Mapping[str, Any], label: str, keeps: Any) -> dict[str, dict[str, Any]]:
    """Return the records of the engines among some objects, by their names.

    What of a run cannot be restored exactly is told by a warning, once for each engine.

    Args:
        objects: what is saved.
        label: which checkpoints are meant.
        keeps: what of them is kept when these objects are saved.

    Warns:
        InexactWarning: of what cannot be restored, by name.
    """
    records = {}
    for name, engine in engines_of(objects).items():
        recorder = follow(engine)
        records[name] = recorder.record(engine)
        records[name]["keeps"][label] = keeps
        inexact = recorder.objections(engine)
        inexact += [
            f"{who} is attached to {name!r} and has a state, which is not among what is saved"
            for who in forgotten(engine, objects.values())
        ]
        if get_world_size() > 1:
            inexact.append("random numbers and the place in the data are saved of one rank only")
        for why in set(inexact) - _said.setdefault(engine, set()):
            _said[engine].add(why)
            warnings.warn(
                InexactWarning(f"a run resumed from here would not be exactly the same: {why}"),
                stacklevel=6,
            )
    return records


def forgotten(engine: Engine[Any, Any], saved: Iterable[Any]) -> list[str]:
    """Return the names of what is attached to an engine, has a state, and is not saved.

    Args:
        engine: the engine.
        saved: the objects that are saved.
    """
    known = {
        id(part) for value in saved for part in (value, *getattr(value, "__dict__", {}).values())
    }
    found = {
        id(owner): type(owner).__name__
        for owner in _owners(engine)
        if _has_state(owner) and owner is not engine and id(owner) not in known
    }
    return list(found.values())


def _owners(engine: Engine[Any, Any]) -> Iterator[Any]:
    """Yield whose methods are attached to an engine, and what is attached itself."""
    for slot in engine._table.slots.values():
        for registration in slot.registrations:
            yield getattr(registration.handler, "__self__", registration.handler)


def _has_state(owner: Any) -> bool:
    if getattr(owner, "is_kept_with_the_run", False):
        return False
    names = ("state_dict", "load_state_dict")
    return all(callable(getattr(type(owner), name, None)) for name in names)
