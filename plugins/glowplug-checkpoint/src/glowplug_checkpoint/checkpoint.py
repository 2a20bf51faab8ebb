"""The handler that saves checkpoints.

Owns: what its users ask of it.
Must not know: how a file is written, or how a run is resumed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from glowplug import Engine, Events, Phase, RemovableEventHandle
from glowplug.errors import InvalidArgument
from glowplug.events import AnyEvent
from glowplug_checkpoint import checkpoint_setup, objects_files, patterns
from glowplug_checkpoint.background_entering import Entrance
from glowplug_checkpoint.checkpoint_saves import Saves, basename
from glowplug_checkpoint.errors import NoCheckpoint
from glowplug_checkpoint.events import CheckpointEvents
from glowplug_checkpoint.following import engines_of, follow
from glowplug_checkpoint.kept import kept_of_state
from glowplug_checkpoint.objects import checked_objects
from glowplug_checkpoint.objects_loading import load_states
from glowplug_checkpoint.savers import BaseSaveHandler, SaveHandler
from glowplug_checkpoint.scores import MetricScore, ScoreFunction, metric_score
from glowplug_checkpoint.steps import StepTransform

ITSELF = "checkpointer"
"""The name under which ``include_self`` saves the handler's own state."""
_OF_FILE = ("map_location", "weights_only", "verify")
"""The keyword arguments of ``load_objects`` that are about the file."""


class Checkpoint:
    """Saves objects in a run, and keeps the last few files, or the best.

    It is a handler: attach it by ``attach(engine)`` for the end of every epoch, or to any event
    by ``engine.add_event_handler(event, checkpoint)``. A new file is complete, on the disk and read
    back before an old one goes; what this ``Checkpoint`` has not saved itself is never removed and
    never overwritten. When a file is complete, ``CheckpointEvents.SAVED_CHECKPOINT`` fires.

    With a score the best are kept, and 0.0 is a score like any other. A NaN is below every number:
    it is saved where nothing but NaN is kept, or where all are; and a warning tells of it.

    Args:
        to_save: objects by name, each with ``state_dict()``. The state of a single object is the
            whole content of its file; those of several are in a dict, by their names.
        save_handler: a path or a URL, for which a ``DiskSaver`` is made; a ``BaseSaveHandler``; or
            a function ``save(checkpoint, filename, metadata)``.
        filename_prefix: what the names of the files begin with.
        score_function: ``f(engine)``, the score: a number, or a tensor of one element; the more the
            better.
        score_name: the name of the score, which stands in the name of the file; without a
            ``score_function``, the metric that is the score.
        n_saved: how many are kept; None for all.
        global_step_transform: ``f(engine, event)``, the step in the name of the file, or the engine
            of whose run the checkpoint is, as ``global_step_from_engine`` has it; by default
            the iteration, which is left out where there is a score.
        filename_pattern: a format string with some of ``{filename_prefix}``, ``{name}``,
            ``{global_step}``, ``{score_name}``, ``{score}`` and ``{ext}``.
        include_self: save the state of this handler with the objects, as ``"checkpointer"``.
        greater_or_equal: whether a score that is as good as an old one goes before it.
        save_on_rank: the rank that writes. Every rank asks the objects for their states, and has
            the same names; no rank waits for another.
        background: let the run go on while a file is written, see ``BackgroundSaver``. The event is
            fired, and an error raised, after the first iteration that finds the file complete, or
            where the run ends. There is one save under way at most: the next waits for it.
        **kwargs: for the ``DiskSaver`` that is made of a path, such as ``format="safetensors"``.

    Raises:
        InvalidType: when an argument is of the wrong type, or objects have no state.
        InvalidArgument: when an argument has an impossible value.

    Example:
        >>> import tempfile, torch
        >>> model = torch.nn.Linear(1, 1)
        >>> trainer = Engine(lambda engine, batch: batch)
        >>> checkpoint = Checkpoint({"model": model}, tempfile.mkdtemp(), n_saved=2)
        >>> handle = checkpoint.attach(trainer)
        >>> state = trainer.run(range(10), max_epochs=3)
        >>> checkpoint.save_handler.names()
        ['model_20.pt', 'model_30.pt']
        >>> Checkpoint.load_objects({"model": model}, checkpoint.last_checkpoint)
    """

    glowplug_phase = Phase.PERSIST
    is_kept_with_the_run = True

    def __init__(
        self,
        to_save: Mapping[str, Any],
        save_handler: str | os.PathLike[str] | BaseSaveHandler | SaveHandler,
        filename_prefix: str = "",
        score_function: ScoreFunction | None = None,
        score_name: str | None = None,
        n_saved: int | None = 1,
        global_step_transform: StepTransform | Engine[Any, Any] | None = None,
        filename_pattern: str | None = None,
        include_self: bool = False,
        greater_or_equal: bool = False,
        save_on_rank: int = 0,
        *,
        background: bool = False,
        **kwargs: Any,
    ) -> None:
        self._own_name = ITSELF if include_self else None
        self._objects = self._checked(to_save)
        score = checkpoint_setup.score_of(score_function, score_name)
        step = checkpoint_setup.step_function(global_step_transform)
        rules = checkpoint_setup.rules_of(n_saved, score is not None, greater_or_equal)
        names = checkpoint_setup.names_of(
            filename_pattern,
            filename_prefix,
            score_name,
            by_score=score is not None,
            by_step=score is None or step is not None,
        )
        names.of(basename(self._objects), 1, "0.0000")  # that the objects' names make file names
        saver = checkpoint_setup.saver_of(save_handler, save_on_rank, kwargs, background)
        rank = checkpoint_setup.rank_of(saver, save_on_rank)
        names = names.with_ext(saver.extension)
        self._saves = Saves(checkpoint_setup.Setup(saver, rank, names, rules, score, step))
        self._entrance = Entrance(self._saves)

    @property
    def to_save(self) -> Mapping[str, Any]:
        """The objects, by their names."""
        return self._objects

    @property
    def save_handler(self) -> Any:
        """What it saves through: the object that was given, or the ``DiskSaver`` of a path."""
        return checkpoint_setup.given_handler(self._saves.setup.saver)

    @property
    def last_checkpoint(self) -> str | None:
        """The last of what is kept: the best by score, else the newest; None before the first.

        A path or a URL where the save handler can tell, else the file's name.
        """
        entries = self._saves.kept.entries
        return self._saves.setup.saver.where(entries[-1].name) if entries else None

    def attach(
        self, engine: Engine[Any, Any], event: AnyEvent = Events.EPOCH_COMPLETED
    ) -> RemovableEventHandle:
        """Save at an event, and register ``CheckpointEvents`` with the engine.

        Args:
            engine: the engine.
            event: the event, with or without a filter, or a union of events.

        Returns:
            The handle that takes this back.

        Raises:
            InvalidArgument: when it is attached to the event already.
            UnknownEvent: when the event is not registered with the engine.
        """
        return self._attached(engine, event)

    def __call__(self, engine: Engine[Any, Any]) -> None:
        """Save, if this is one of those to be kept.

        Args:
            engine: the engine.

        Raises:
            NameTaken: when there is a file of the name that is not this one's; nothing is written.
            SaveFailed: when it cannot be written; everything is as before.
            UnsavableContent: when an object's state could not be read back.
        """
        engine.register_events(*CheckpointEvents)
        self._entrance.make_way()
        save = self._saves.begin(engine, self._objects, self, self._own_name)
        if save is None:
            return
        under_way = self._saves.write(save)
        if under_way is None:
            self._saves.finish(save)
        else:
            self._entrance.let_go_on(save, under_way)

    def wait(self) -> None:
        """Wait until no save is under way in the background, and enter the last one.

        A run does so by itself where it ends.

        Raises:
            SaveFailed: when it could not be written.
            UnsavableContent: when an object's state could not be read back.
        """
        self._entrance.settle()

    def state_dict(self) -> dict[str, Any]:
        """Return the scores and the names of what is kept, as plain values.

        A save that is under way in the background counts as complete.
        """
        return self._entrance.kept.to_state()

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on with what ``state_dict`` told: these files are this one's own from now on.

        Args:
            state_dict: what ``state_dict()`` returned, here or in pytorch-ignite.

        Raises:
            InvalidType: when it is no mapping.
            InvalidArgument: when it is not such a state; nothing is changed then.
        """
        kept = kept_of_state(state_dict)
        self.wait()
        self._saves.kept = kept

    setup_filename_pattern = staticmethod(patterns.setup_filename_pattern)
    get_default_score_fn = staticmethod(metric_score)
    load_objects = staticmethod(objects_files.load_objects)

    def reload_objects(
        self,
        to_load: Mapping[str, Any],
        load_kwargs: Mapping[str, Any] | None = None,
        **filename_components: Any,
    ) -> None:
        """Load objects from one of the files that this one saves.

        Args:
            to_load: objects by name, as for ``load_objects``.
            load_kwargs: keyword arguments of ``load_objects``.
            **filename_components: what the file's name has: ``global_step``, ``score``, ``name``
                and other fields of the pattern. Without any, ``last_checkpoint`` is loaded.

        Raises:
            InvalidArgument: when the pattern has no such field, and as in ``load_objects``.
            NoCheckpoint: when no file has such a name, or several do.
        """
        self.wait()
        setup, kept = self._saves.setup, self._saves.kept
        objects = checked_objects("to_load", to_load, method="load_state_dict")
        if filename_components:
            named = {"name": basename(self._objects or objects), **filename_components}
            finder = setup.names.finder(named)
            file = objects_files.chosen(finder, [e.name for e in kept.entries], setup.saver.names())
        elif kept.entries:
            file = kept.entries[-1].name
        else:
            raise NoCheckpoint("nothing is kept; say which file, as global_step=100")
        how = {"map_location": "cpu", **(load_kwargs or {})}
        of_file = {key: how.pop(key) for key in _OF_FILE if key in how}
        load_states(objects, setup.saver.load(file, **of_file), **how)

    def _attached(
        self, engine: Engine[Any, Any], event: AnyEvent, *arguments: Any
    ) -> RemovableEventHandle:
        if engine.has_event_handler(self, event):
            raise InvalidArgument(
                f"this {type(self).__name__} is attached to {event!s} of this engine already"
            )
        handle = engine.add_event_handler(event, self, *arguments)
        engine.register_events(*CheckpointEvents)
        score = self._saves.setup.score
        return handle.declare(reports=[score.metric_name] if isinstance(score, MetricScore) else [])

    def _checked(self, to_save: Any) -> dict[str, Any]:
        objects = checked_objects("to_save", to_save, method="state_dict")
        if self._own_name in objects:
            raise InvalidArgument(
                f"to_save: {self._own_name!r} is the name under which include_self=True saves this "
                "handler's own state; call the object something else"
            )
        for engine in engines_of(objects).values():
            follow(engine)  # from the start of its run on, to know where it stands when it is saved
        return objects
