"""The save of a ``Checkpoint`` that is under way while the run goes on.

Owns: when a run looks whether it is complete, when it waits for that, and what an error says.
Must not know: threads, how anything is saved, or what is kept.
"""

from __future__ import annotations

import logging
import os
import warnings
from typing import Any, NamedTuple

from glowplug import Engine, Events, Phase, RemovableEventHandle
from glowplug_checkpoint.checkpoint_saves import Save, Saves
from glowplug_checkpoint.errors import CheckpointWarning
from glowplug_checkpoint.kept import Kept
from glowplug_checkpoint.savers import SaveUnderWay
from glowplug_checkpoint.steps import counted

_ENDS = Events.TERMINATE | Events.COMPLETED | Events.EXCEPTION_RAISED | Events.INTERRUPT
_NOT_IN_A_RUN = (
    None,
    Events.TERMINATE,
    Events.COMPLETED,
    Events.EXCEPTION_RAISED,
    Events.INTERRUPT,
)
"""What a run fired last that is over, or that is about to be."""

_log = logging.getLogger(__name__)


class SlowSavingWarning(CheckpointWarning):
    """A run waits for a save in the background, because the next one is due."""


class UnderWay(NamedTuple):
    """A save under way, and where the run looks after it.

    Args:
        save: what it is of.
        handle: tells when it is over.
        host: the engine whose run goes on meanwhile.
        handlers: what is attached to the host until then.
        process: the id of the process that saves.
    """

    save: Save
    handle: SaveUnderWay
    host: Engine[Any, Any]
    handlers: tuple[RemovableEventHandle, ...]
    process: int


class Entrance:
    """Lets a run go on while a checkpoint is saved, and enters that when it is complete.

    The run looks after each iteration, as long as a save is under way, and waits where it ends.

    Args:
        saves: the saves of one ``Checkpoint``.
    """

    def __init__(self, saves: Saves) -> None:
        self._saves = saves
        self._under_way: UnderWay | None = None
        self._has_warned = False

    @property
    def kept(self) -> Kept:
        """What is kept once the save under way, if any, is complete."""
        return self._saves.kept if self._under_way is None else self._under_way.save.kept

    def make_way(self) -> None:
        """Wait for the save under way, if any, since the next is due; warn if that takes time."""
        under_way = self._under_way
        if under_way is None:
            return
        waits = not under_way.handle.done() and _goes_on(under_way.host)
        self.settle()
        if waits and not self._has_warned:
            self._has_warned = True
            where = self._saves.setup.saver.where(under_way.save.name)
            message = (
                f"{where} was still being written when the next save was due, so the run waited "
                "for it: a save takes longer than the time between two. Save less often, or less; "
                "this is said once"
            )
            warnings.warn(SlowSavingWarning(message), stacklevel=3)

    def let_go_on(self, save: Save, handle: SaveUnderWay) -> None:
        """Let the run go on until a save is complete; wait for it where there is none.

        Args:
            save: what it is of.
            handle: tells when it is over.
        """
        host = counted(save.engine, self._saves.setup.step)
        handlers: tuple[RemovableEventHandle, ...] = ()
        if goes_on := _goes_on(host):
            with host.in_phase(Phase.PERSIST):
                handlers = (
                    host.add_event_handler(Events.ITERATION_COMPLETED, self._look),
                    host.add_event_handler(_ENDS, self._wait),
                )
        self._under_way = UnderWay(save, handle, host, handlers, os.getpid())
        self._saves.tell(save, save.kept)
        if not goes_on:
            self.settle()

    def settle(self) -> None:
        """Wait for the save under way, if any, and enter it.

        Raises:
            Exception: what went wrong with it; it is not entered then.
        """
        under_way = self._under_way
        if under_way is None:
            return
        if under_way.process != os.getpid():  # it was forked, and the other one enters it
            self._forget(under_way)
            return
        try:
            self._saves.await_result(under_way.save, under_way.handle)
        except Exception as error:
            self._forget(under_way)
            self._saves.tell(under_way.save, self._saves.kept)
            _note(error, under_way.save)
            raise
        self._forget(under_way)
        self._saves.finish(under_way.save)

    def _look(self) -> None:
        if self._under_way is not None and self._under_way.handle.done():
            self.settle()

    def _wait(self, *_: object) -> None:
        self.settle()

    def _forget(self, under_way: UnderWay) -> None:
        self._under_way = None
        for handler in under_way.handlers:
            handler.remove()

    def __getstate__(self) -> dict[str, Any]:
        # A save under way stays with the one that began it.
        return {**vars(self), "_under_way": None}


def _goes_on(engine: Engine[Any, Any]) -> bool:
    """Return whether an engine runs, and has not come to the end of the run."""
    # What was fired by hand since, such as SAVED_CHECKPOINT, says nothing of the run.
    return engine._event_of_run() not in _NOT_IN_A_RUN


def _note(error: Exception, save: Save) -> None:
    """Let an error say which save it is of, since the run has gone on."""
    of = save.metadata
    note = (
        f"of the save of {save.name} in the background, which began in epoch {of['epoch']} after "
        f"iteration {of['iteration']}"
    )
    if hasattr(error, "add_note"):
        error.add_note(note)
    else:  # Python 3.10 has no notes
        _log.error("%s: %s", type(error).__name__, note)
