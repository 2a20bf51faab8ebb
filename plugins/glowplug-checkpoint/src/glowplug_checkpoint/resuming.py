"""Going on with a run from a checkpoint.

Owns: finding the checkpoint, loading its objects, and letting the engine stand where it stood.
Must not know: how a file is read, or what a record of a run holds.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

from glowplug import Engine
from glowplug.errors import InvalidArgument, InvalidType
from glowplug_checkpoint import files, folders
from glowplug_checkpoint.errors import NoCheckpoint
from glowplug_checkpoint.following import RECORD, InexactWarning, follow, leave
from glowplug_checkpoint.objects import checked_objects
from glowplug_checkpoint.objects_loading import load_states
from glowplug_checkpoint.stores import Store, store_and_name, store_at

LATEST = "latest"
FOLDER = "checkpoints"

_log = logging.getLogger(__name__)


class Resumed(NamedTuple):
    """Where a run goes on.

    Args:
        file: the path or the URL of the checkpoint.
        epoch: the epochs done.
        iteration: the iterations done.

    Example:
        >>> Resumed("runs/7/last_checkpoint_270.pt", epoch=6, iteration=270).epoch
        6
    """

    file: str
    epoch: int
    iteration: int


def resume(
    engine: Engine[Any, Any],
    source: str | os.PathLike[str] = LATEST,
    *,
    to_load: Mapping[str, Any] | None = None,
    folder: str | os.PathLike[str] = FOLDER,
    prefix: str | None = None,
    run: str | None = None,
    map_location: Any = "cpu",
) -> Resumed | None:
    """Let an engine stand where a checkpoint was saved; its ``run(data)`` goes on from there.

    Inside an epoch the run has the same batches and random numbers as one that was never stopped.
    STARTED fires, since a new process needs it, and EPOCH_STARTED again for an epoch that had
    begun; no other event is repeated, and none is missed. The checkpoint must have been saved with
    the engine among its objects, as ``Checkpoint({"trainer": trainer, "model": model}, folder)``
    does.

    Where nothing has been saved yet there is nothing to resume: the engine stays as it is. So a
    script calls this at every start.

    Args:
        engine: the engine; not in a run.
        source: the path or the URL of a file or of a folder, or ``"latest"`` for the newest good
            checkpoint in ``folder``. Damaged ones are passed over, which is told.
        to_load: the other objects by the names under which they were saved; the engine may be
            among them.
        folder: where ``"latest"`` looks.
        prefix: what the names of the files begin with, where a folder is looked through.
        run: the id of the run, where a folder holds several.
        map_location: where the file's tensors go, as ``torch.load`` takes it; they are copied to
            where each object's own are.

    Returns:
        Where the run goes on; None where nothing has been saved yet.

    Raises:
        EngineBusy: within a run.
        InvalidType: when an argument is of the wrong type, or objects cannot load.
        InvalidArgument: when the checkpoint holds no engine, or lacks some of the objects, or has
            other parameters. Nothing is changed then.
        NoCheckpoint: when there is no such file, or checkpoints of which none is good.
        DamagedCheckpoint: when the file that was asked for is not what was written.

    Warns:
        FallbackWarning: when newer checkpoints than that loaded are damaged.
        InexactWarning: when the checkpoint does not say where in its data the run stood.

    Example:
        >>> import tempfile, torch
        >>> from glowplug_checkpoint import Checkpoint
        >>> folder = tempfile.mkdtemp()
        >>> def make():
        ...     model = torch.nn.Linear(1, 1)
        ...     trainer = Engine(lambda engine, batch: batch)
        ...     return trainer, {"trainer": trainer, "model": model}
        >>> trainer, objects = make()
        >>> handle = Checkpoint(objects, folder).attach(trainer)
        >>> _ = trainer.run(range(4), max_epochs=2)
        >>> trainer, objects = make()
        >>> resume(trainer, to_load=objects, folder=folder).iteration
        8
        >>> trainer.run(range(4), max_epochs=3).iteration
        12
    """
    objects, own_names = _checked(engine, to_load)
    store, name = _place(source, folder)
    found = _content(store, name, prefix=prefix, run=run, map_location=map_location)
    if found is None:
        _log.info("nothing is saved in %s yet, so the run begins anew", os.fspath(folder))
        return None
    file, content = found
    name = _name_of_engine(content, own_names, file)
    record = content.get(RECORD, {}).get(name)
    state = {**content[name], **(record["position"] if record else {})}
    before = {**engine.state_dict(), **engine.position()}
    engine.load_state_dict(state)
    try:
        if objects:
            load_states(objects, content)
    except BaseException:
        engine.load_state_dict(before)
        raise
    recorder = follow(engine)
    if record:
        recorder.go_on_from(engine, record)
    else:
        message = (
            f"{file} does not say where in its data {name!r} stood, nor its random numbers; save "
            "it by glowplug's Checkpoint"
        )
        warnings.warn(InexactWarning(message), stacklevel=2)
    _log.info("the run goes on from %s, after iteration %s", file, engine.state.iteration)
    return Resumed(file, engine.state.epoch, engine.state.iteration)


class Resume:
    """Lets an engine stand where its newest checkpoint was saved, when it is attached.

    As a component, ``Engine(step, handlers=["resume"])`` goes on from the folder ``checkpoints``.

    Args:
        to_load: the other objects by the names under which they were saved.
        source: a file or a folder, or ``"latest"``; see `resume`.
        folder: where ``"latest"`` looks.
        **options: further arguments of `resume`.

    Attributes:
        resumed: where the run goes on; None where nothing had been saved.

    Example:
        >>> import tempfile
        >>> resume = Resume(folder=tempfile.mkdtemp())
        >>> trainer = Engine(lambda engine, batch: batch, handlers=[resume])
        >>> resume.resumed is None
        True
    """

    def __init__(
        self,
        to_load: Mapping[str, Any] | None = None,
        source: str | os.PathLike[str] = LATEST,
        folder: str | os.PathLike[str] = FOLDER,
        **options: Any,
    ) -> None:
        self._to_load, self._source, self._folder = to_load, source, folder
        self._options = options
        self.resumed: Resumed | None = None

    def attach(self, engine: Engine[Any, Any]) -> None:
        """Load the checkpoint, and follow the run from now on.

        Args:
            engine: the engine; not in a run.

        Raises:
            EngineBusy: within a run.
            InvalidType: as `resume`.
            InvalidArgument: as `resume`.
            NoCheckpoint: as `resume`.
            DamagedCheckpoint: as `resume`.
        """
        self.resumed = resume(
            engine, self._source, to_load=self._to_load, folder=self._folder, **self._options
        )
        follow(engine)

    def detach(self, engine: Engine[Any, Any]) -> None:
        """Follow the run no longer; the engine stays where it stands."""
        leave(engine)


def _checked(
    engine: Engine[Any, Any], to_load: Mapping[str, Any] | None
) -> tuple[dict[str, Any], list[str]]:
    """Return the objects but the engine, and the names of that one."""
    if not isinstance(engine, Engine):
        raise InvalidType(
            f"resume() takes an Engine first, got {engine!r} of type {type(engine).__name__}"
        )
    objects: dict[str, Any] = {}
    if to_load is not None:
        objects = checked_objects("to_load", to_load, method="load_state_dict")
    others = {name: value for name, value in objects.items() if value is not engine}
    return others, [name for name in objects if name not in others]


def _place(
    source: str | os.PathLike[str], folder: str | os.PathLike[str]
) -> tuple[Store | None, str]:
    """Return where checkpoints are looked for, and the name of the one; "" for the newest."""
    if source != LATEST:
        return store_and_name(source)
    try:
        return store_at(folder), ""
    except NoCheckpoint:  # there is no folder yet
        return None, ""


def _content(
    store: Store | None, name: str, *, prefix: str | None, run: str | None, map_location: Any
) -> tuple[str, dict[str, Any]] | None:
    """Return which file was loaded, and its content; None where there is none."""
    if store is None:
        return None
    if name:
        return store.where(name), files.load(store, name, map_location=map_location)
    if not folders.entries(store, prefix, run):
        return None
    manifest, content = folders.load_newest(
        store, prefix=prefix, run=run, map_location=map_location
    )
    return store.where(manifest.file), content


def _name_of_engine(content: Any, own_names: list[str], file: str) -> str:
    """Return the name under which a checkpoint holds the engine."""
    if not isinstance(content, Mapping):
        raise InvalidArgument(f"{file} holds a {type(content).__name__}, and no objects by name")
    names = own_names or list(content.get(RECORD, {}))
    there = [name for name in names if isinstance(content.get(name), Mapping)]
    if len(there) == 1:
        return there[0]
    held = ", ".join(map(repr, content)) or "nothing"
    if len(there) > 1:
        which = ", ".join(map(repr, there))
        raise InvalidArgument(
            f"{file} holds several engines ({which}); say which this one is: "
            f"to_load={{{there[0]!r}: trainer}}"
        )
    raise InvalidArgument(
        f"{file} does not hold the engine, so nobody knows where its run stood (it holds {held}); "
        "save it with the rest, as Checkpoint({'trainer': trainer, 'model': model}, folder), or "
        "load the objects alone by Checkpoint.load_objects(to_load, file)"
    )
