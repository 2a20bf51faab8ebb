"""The handler that saves what it is called with.

Owns: a ``Checkpoint`` whose objects come with the call.
Must not know: how anything is saved.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from glowplug import Engine, Events, RemovableEventHandle
from glowplug.errors import InvalidArgument, InvalidType
from glowplug.events import AnyEvent
from glowplug_checkpoint.checkpoint import Checkpoint
from glowplug_checkpoint.scores import ScoreFunction
from glowplug_checkpoint.steps import StepTransform


class ModelCheckpoint(Checkpoint):
    """Saves objects in a folder, and keeps the last few files, or the best.

    It is a ``Checkpoint`` that is called with what it saves:
    ``engine.add_event_handler(event, handler, {"model": model})``, or ``handler(engine, objects)``.

    Args:
        dirname: the folder: a path or a URL.
        filename_prefix: what the names of the files begin with.
        score_function: ``f(engine)``, the score; the more the better.
        score_name: the name of the score; without a ``score_function``, the metric that is it.
        n_saved: how many are kept; None for all.
        atomic: False to write files in place, for a file system that cannot rename.
        require_empty: refuse a folder in which there are checkpoints already.
        create_dir: make the folder where there is none.
        global_step_transform: ``f(engine, event)``, the step in the name of the file, or an engine.
        filename_pattern: a format string for the names of the files, see ``Checkpoint``.
        include_self: save the state of this handler with the objects, as ``"checkpointer"``.
        greater_or_equal: whether a score that is as good as an old one goes before it.
        save_on_rank: the rank that writes.
        background: let the run go on while a file is written, see ``Checkpoint``.
        **kwargs: for the ``DiskSaver``: ``format``, and keyword arguments of ``torch.save``.

    Raises:
        InvalidType: when an argument is of the wrong type.
        InvalidArgument: when an argument has an impossible value, or the folder is not empty though
            it has to be.
        SaveFailed: when the folder cannot be made, or cannot be read.

    Example:
        >>> import tempfile, torch
        >>> model = torch.nn.Linear(1, 1)
        >>> trainer = Engine(lambda engine, batch: batch)
        >>> best = ModelCheckpoint(tempfile.mkdtemp(), "best", n_saved=1)
        >>> every_two = Events.EPOCH_COMPLETED(every=2)
        >>> handle = trainer.add_event_handler(every_two, best, {"model": model})
        >>> state = trainer.run(range(10), max_epochs=4)
        >>> best.save_handler.names()
        ['best_model_40.pt']
    """

    def __init__(
        self,
        dirname: str | os.PathLike[str],
        filename_prefix: str = "",
        score_function: ScoreFunction | None = None,
        score_name: str | None = None,
        n_saved: int | None = 1,
        atomic: bool = True,
        require_empty: bool = True,
        create_dir: bool = True,
        global_step_transform: StepTransform | Engine[Any, Any] | None = None,
        filename_pattern: str | None = None,
        include_self: bool = False,
        greater_or_equal: bool = False,
        save_on_rank: int = 0,
        *,
        background: bool = False,
        **kwargs: Any,
    ) -> None:
        if not isinstance(dirname, (str, os.PathLike)):
            raise InvalidType(
                f"dirname must be a path or a URL, got {dirname!r} of type "
                f"{type(dirname).__name__}; a Checkpoint takes other save handlers"
            )
        super().__init__(
            {},
            dirname,
            filename_prefix,
            score_function,
            score_name,
            n_saved,
            global_step_transform,
            filename_pattern,
            include_self,
            greater_or_equal,
            save_on_rank,
            atomic=atomic,
            require_empty=require_empty,
            create_dir=create_dir,
            background=background,
            **kwargs,
        )

    def attach(
        self,
        engine: Engine[Any, Any],
        event: AnyEvent = Events.EPOCH_COMPLETED,
        to_save: Mapping[str, Any] | None = None,
    ) -> RemovableEventHandle:
        """Save objects at an event, and register ``CheckpointEvents`` with the engine.

        Args:
            engine: the engine.
            event: the event, with or without a filter, or a union of events.
            to_save: objects by name.

        Returns:
            The handle that takes this back.

        Raises:
            InvalidType: when ``to_save`` is no mapping, or objects have no state.
            InvalidArgument: when there are no objects, or it is attached to the event already.
            UnknownEvent: when the event is not registered with the engine.
        """
        return self._attached(engine, event, super()._checked(_given(to_save)))

    def __call__(  # type: ignore[override]  # what is saved comes with the call
        self, engine: Engine[Any, Any], to_save: Mapping[str, Any]
    ) -> None:
        """Save objects, if they are among those to be kept.

        Args:
            engine: the engine.
            to_save: objects by name, each with ``state_dict()``.

        Raises:
            InvalidType: when it is no mapping, or objects have no state.
            InvalidArgument: when there are no objects.
            NameTaken: when there is a file of the name that is not this one's; nothing is written.
            SaveFailed: when it cannot be written; everything is as before.
            UnsavableContent: when an object's state could not be read back.
        """
        self._objects = super()._checked(_given(to_save))
        super().__call__(engine)

    def _checked(self, to_save: Any) -> dict[str, Any]:
        return {}  # the objects come with the call


def _given(to_save: Any) -> Any:
    if to_save is None:
        raise InvalidArgument(
            "there are no objects to save; give them by name: handler.attach(engine, "
            "to_save={'model': model}), or engine.add_event_handler(event, handler, "
            "{'model': model})"
        )
    return to_save
