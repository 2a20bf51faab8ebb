"""A save from its beginning to its end.

Owns: what is saved under which name, that nobody else's file is touched, and what goes for it.
Must not know: how files are written, or when an engine saves.
"""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from glowplug import Engine
from glowplug_checkpoint.checkpoint_setup import Setup
from glowplug_checkpoint.errors import CheckpointWarning, SaveFailed, UnsavableContent
from glowplug_checkpoint.events import CheckpointEvents
from glowplug_checkpoint.following import (
    RECORD,
    engines_of,
    follow,
    follower,
    records_of,
)
from glowplug_checkpoint.kept import Entry, Kept, kept_of_state
from glowplug_checkpoint.kept_places import is_kept_by_another
from glowplug_checkpoint.objects import state_of
from glowplug_checkpoint.recording import Recorder
from glowplug_checkpoint.runs import run_of
from glowplug_checkpoint.savers import SaveUnderWay
from glowplug_checkpoint.scores import as_number, shown
from glowplug_checkpoint.steps import counted, step_of
from glowplug_torch import get_rank

SEVERAL = "checkpoint"
"""What ``{name}`` stands for where several objects are saved in one file."""

_log = logging.getLogger(__name__)


class NameTaken(SaveFailed, FileExistsError):
    """There is a file of the name that a checkpoint should get, and it is somebody else's."""


class Save(NamedTuple):
    """A save that has begun, and is not entered yet.

    Args:
        engine: the engine that asked for it.
        name: the file's name.
        kept: what is kept when it is complete.
        content: what is saved.
        alone: the name of the object whose state the content is; None where it is of several.
        metadata: what it is of.
        basename: what ``{name}`` stands for.
        recorders: those of the runs that it is of; None where one is not followed.
    """

    engine: Engine[Any, Any]
    name: str
    kept: Kept
    content: Any
    alone: str | None
    metadata: Mapping[str, Any]
    basename: str
    recorders: tuple[Recorder | None, ...]


class Saves:
    """The saves of one ``Checkpoint``: ``begin``, ``write``, and ``finish`` when that is complete.

    Between the three nothing of it changes, so that a save that fails leaves everything as it was.

    Args:
        setup: what the ``Checkpoint`` is made of.

    Attributes:
        kept: what is kept.
    """

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.kept = Kept()

    @property
    def is_writer(self) -> bool:
        """Whether this process is the one that writes."""
        return get_rank() == self.setup.rank

    def keeps(self, place: object) -> bool:
        """Return whether the file at a place is one of these."""
        return any(self.setup.saver.place(name) == place for name in self.kept.names)

    def begin(
        self, engine: Engine[Any, Any], objects: Mapping[str, Any], itself: Any, own: str | None
    ) -> Save | None:
        """Return what is to be saved now; None where it would not be kept.

        Args:
            engine: the engine.
            objects: the objects, by name.
            itself: whose state is what is kept when this save is complete.
            own: the name under which that state is saved, or None.

        Raises:
            NameTaken: when there is a file of the name that is not one of these.
        """
        names, of = self.setup.names, counted(engine, self.setup.step)
        name = basename(objects)
        self._take_up(name, [*engines_of(objects).values(), of])
        new = self._entry(engine, name)
        kept = self._kept_with(new)
        if kept is None:
            _log.debug("%s is not saved: what is kept goes before it", new.name)
            return None
        if self.is_writer:
            self._check_free(new.name, run_of(of))
        states = {
            key: kept.to_state() if value is itself else state_of(value, self.setup.rank)
            for key, value in {**objects, **({own: itself} if own else {})}.items()
        }
        engines = engines_of(objects)
        if engines and self.is_writer:
            states[RECORD] = records_of(objects, self._label(name), kept.to_state())
        # A single state is a file by itself; what is no mapping could not be told from several.
        alone = name if len(states) == 1 and isinstance(states[name], Mapping) else None
        metadata = {
            "basename": f"{names.prefix}_{name}" if names.prefix else name,
            "score_name": names.score_name,
            "priority": new.priority,
            "iteration": of.state.iteration,
            "epoch": of.state.epoch,
            "run": run_of(of),
            "versions": dict(of.plugins),
        }
        content = states if alone is None else states[alone]
        recorders = (*map(follow, engines.values()), follower(of))
        return Save(engine, new.name, kept, content, alone, metadata, name, recorders)

    def write(self, save: Save) -> SaveUnderWay | None:
        """Save, on the rank that does.

        Returns:
            None where it is complete, else what tells when it is.

        Raises:
            UnsavableContent: when something in it could not be read back; it names the object.
        """
        if not self.is_writer:
            return None
        with _names_object(save):
            return self.setup.saver(save.content, save.name, save.metadata)

    def await_result(self, save: Save, under_way: SaveUnderWay) -> None:
        """Wait until a save is complete; raise what went wrong, as ``write`` does."""
        with _names_object(save):
            under_way.result()

    def finish(self, save: Save) -> None:
        """Enter a save that is complete, remove what it outranks, and say so."""
        due = save.kept.outranked if self.is_writer else ()
        self.kept = Kept(save.kept.entries, tuple(name for name in due if not self._is_gone(name)))
        self.tell(save, self.kept)
        save.engine.fire_event(CheckpointEvents.SAVED_CHECKPOINT)

    def tell(self, save: Save, kept: Kept) -> None:
        """Let what other checkpoints hold of the run say what of these is kept."""
        for recorder in save.recorders:
            if recorder is not None:
                recorder.keeps[self._label(save.basename)] = kept.to_state()

    def _label(self, name: str) -> str:
        """Return what tells these checkpoints from those of others of the same run."""
        return self.setup.saver.where(self.setup.names.of(name, 1, "0.0000"))

    def _take_up(self, name: str, engines: list[Engine[Any, Any]]) -> None:
        """Go on with what was kept when a run was saved that is resumed here."""
        for recorder in map(follower, engines):
            if recorder is not None and not self.kept.names:
                self.kept = kept_of_state(recorder.keeps.get(self._label(name), {"saved": []}))

    def _entry(self, engine: Engine[Any, Any], name: str) -> Entry:
        """Return the name and the priority of what would be saved now."""
        setup, step = self.setup, step_of(engine, self.setup.step)
        if setup.score is None:
            return Entry(step, setup.names.of(name, step))
        score = as_number(setup.score(engine))
        file = setup.names.of(name, step, shown(score))
        holder = self.kept.named(file)
        if holder is not None and holder.priority != score:  # four digits do not tell them apart
            file = setup.names.of(name, step, repr(score))
        return Entry(score, file)

    def _kept_with(self, new: Entry) -> Kept | None:
        """Return what is kept when ``new`` is; None where it is not saved."""
        after = self.setup.rules.after(self.kept.entries, new)
        if after is None and self.is_writer and self._forgets_what_is_gone():
            after = self.setup.rules.after(self.kept.entries, new)
        if self.setup.score is not None and math.isnan(new.priority) and self.is_writer:
            outcome = "not saved" if after is None else "saved"
            _warn(f"the score of {new.name} is NaN, which is below every number: it is {outcome}")
        return None if after is None else self.kept.followed_by(after)

    def _forgets_what_is_gone(self) -> bool:
        """Forget files that somebody has removed; return whether there are any."""
        there = tuple(e for e in self.kept.entries if self.setup.saver.has(e.name))
        gone = [e.name for e in self.kept.entries if e not in there]
        if gone:
            _warn(f"{', '.join(gone)} should be kept and is gone, so it counts no more")
            self.kept = Kept(there, self.kept.outranked)
        return bool(gone)

    def _check_free(self, name: str, run: str) -> None:
        """Raise where a name is that of a file of somebody else."""
        saver, why = self.setup.saver, ""
        if is_kept_by_another(saver.place(name), self):
            why = "another Checkpoint of this process keeps it"
        elif name not in self.kept.names:
            why = saver.objection(name, run)
        if why:
            raise NameTaken(
                f"cannot save {saver.where(name)}: {why}; it is left alone. Give another folder or "
                "another filename_prefix, remove the file, or resume the run that it is of",
                saver.where(name),
            )

    def _is_gone(self, name: str) -> bool:
        """Remove a file; return whether it is not there any more."""
        try:
            self.setup.saver.remove(name)
        except FileNotFoundError:  # somebody was quicker, or a run that is resumed here
            _log.debug("%s is gone already", name)
        except Exception as error:  # the new file is complete, which counts for more
            where = self.setup.saver.where(name)
            _warn(f"cannot remove {where}, which is tried again at the next save: {error}")
            return False
        return True


def basename(objects: Mapping[str, Any]) -> str:
    """Return what ``{name}`` stands for: the name of the one object, or ``"checkpoint"``."""
    return next(iter(objects)) if len(objects) == 1 else SEVERAL


@contextmanager
def _names_object(save: Save) -> Iterator[None]:
    """Let an error name the object, which paths in a file of one begin without."""
    try:
        yield
    except UnsavableContent as error:
        if save.alone is None:
            raise
        path = f"{save.alone}.{error.path}"
        message = f"{save.alone!r} cannot be saved: {error}"
        raise UnsavableContent(message, error.file, path) from error


def _warn(message: str) -> None:
    warnings.warn(CheckpointWarning(message), stacklevel=5)
