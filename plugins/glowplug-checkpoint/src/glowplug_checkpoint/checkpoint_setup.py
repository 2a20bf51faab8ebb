"""The arguments of a ``Checkpoint``.

Owns: which of them are possible, and what is made of them.
Must not know: engines, or what is saved.
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from glowplug.errors import InvalidArgument, InvalidType
from glowplug_checkpoint.background import BackgroundSaver
from glowplug_checkpoint.kept import Rules
from glowplug_checkpoint.patterns import FileNames, setup_filename_pattern
from glowplug_checkpoint.savers import BaseSaveHandler, FunctionSaver
from glowplug_checkpoint.savers_disk import DiskSaver, checked_rank
from glowplug_checkpoint.scores import MetricScore, ScoreFunction
from glowplug_checkpoint.steps import StepTransform, transform_of


class Setup(NamedTuple):
    """What a ``Checkpoint`` is made of.

    Args:
        saver: what is saved through.
        rank: the rank that saves.
        names: how files are named.
        rules: which of them are kept.
        score: how good a checkpoint is; None where the latest are kept.
        step: the step in the names of files; None for the iteration.
    """

    saver: BaseSaveHandler
    rank: int
    names: FileNames
    rules: Rules
    score: ScoreFunction | None
    step: StepTransform | None


def score_of(score_function: Any, score_name: Any) -> ScoreFunction | None:
    """Return the score function: what is given, or the metric of the score's name.

    Raises:
        InvalidType: when one of them is of the wrong type.
    """
    _check_function("score_function", score_function, "f(engine)")
    if score_name is not None and not isinstance(score_name, str):
        raise InvalidType(
            f"score_name must be a string, got {score_name!r} of type {type(score_name).__name__}"
        )
    if score_function is None and score_name is not None:
        return MetricScore(score_name)
    function: ScoreFunction | None = score_function
    return function


def step_function(transform: Any) -> StepTransform | None:
    """Return the function that gives the step, or None for the iteration.

    Args:
        transform: a function, None, or an engine whose count of the event is the step.

    Raises:
        InvalidType: when it is neither an engine nor can be called.
    """
    transform = transform_of(transform)
    _check_function("global_step_transform", transform, "f(engine, event)")
    function: StepTransform | None = transform
    return function


def _check_function(name: str, function: Any, form: str) -> None:
    if function is not None and not callable(function):
        raise InvalidType(
            f"{name} must be a function {form}, got {function!r} of type {type(function).__name__}"
        )


def rules_of(n_saved: Any, by_score: bool, or_equal: Any) -> Rules:
    """Return the rules of what is kept.

    Raises:
        InvalidType: when ``n_saved`` is neither an integer nor None.
        InvalidArgument: when it is below 1.
    """
    if n_saved is not None:
        if not isinstance(n_saved, int) or isinstance(n_saved, bool):
            raise InvalidType(
                "n_saved must be a number of files, or None for all, got "
                f"{n_saved!r} of type {type(n_saved).__name__}"
            )
        if n_saved < 1:
            raise InvalidArgument(f"n_saved must be 1 or more, or None for all, got {n_saved}")
    return Rules(n_saved, by_score, bool(or_equal))


def names_of(
    pattern: str | None, prefix: str, score_name: str | None, *, by_score: bool, by_step: bool
) -> FileNames:
    """Return how files are named.

    Raises:
        InvalidType: when one of them is no string.
        InvalidArgument: when no names can be made of the pattern, or it names a score that there is
            not.
    """
    if pattern is None:
        pattern = setup_filename_pattern(
            with_prefix=bool(prefix),
            with_score=by_score,
            with_score_name=score_name is not None,
            with_global_step=by_step,
        )
    names = FileNames(pattern, prefix, score_name)
    if names.has("score") and not by_score:
        raise InvalidArgument(
            f"filename_pattern={pattern!r} has {{score}}; give a score_function or a score_name"
        )
    return names


def saver_of(
    save_handler: Any, save_on_rank: Any, options: dict[str, Any], background: Any = False
) -> BaseSaveHandler:
    """Return what is saved through.

    Args:
        save_handler: a path or a URL, a save handler or a function.
        save_on_rank: the rank that saves.
        options: for the ``DiskSaver`` of a path.
        background: whether the run goes on meanwhile.

    Raises:
        InvalidType: when it is none of these.
        InvalidArgument: when options are given for what is made already.
    """
    checked_rank(save_on_rank)
    if not isinstance(background, bool):
        raise InvalidType(
            f"background must be True or False, got {background!r} of type "
            f"{type(background).__name__}"
        )
    saver = _saver(save_handler, save_on_rank, options)
    if not background or isinstance(saver, BackgroundSaver):
        return saver
    return BackgroundSaver(saver)


def given_handler(saver: BaseSaveHandler) -> Any:
    """Return what is saved through as it was given, or the ``DiskSaver`` of a path."""
    if isinstance(saver, BackgroundSaver):
        saver = saver.save_handler
    return getattr(saver, "function", saver)


def _saver(save_handler: Any, save_on_rank: int, options: dict[str, Any]) -> BaseSaveHandler:
    if isinstance(save_handler, (str, os.PathLike)):
        # What others have saved there is safe, and a run that is resumed saves beside its files.
        options = {"require_empty": False, **options}
        return DiskSaver(save_handler, save_on_rank=save_on_rank, **options)
    if options:
        raise InvalidArgument(
            f"{', '.join(options)}: for the DiskSaver that is made of a path, and save_handler is "
            f"{save_handler!r}; give them to it"
        )
    return (
        save_handler if isinstance(save_handler, BaseSaveHandler) else FunctionSaver(save_handler)
    )


def rank_of(saver: BaseSaveHandler, save_on_rank: int) -> int:
    """Return the rank that saves: the one given, or the one that the save handler has.

    Raises:
        InvalidArgument: when they differ, so that nobody would save.
    """
    own = getattr(saver, "save_on_rank", save_on_rank)
    if save_on_rank not in (own, 0):
        raise InvalidArgument(
            f"save_on_rank={save_on_rank} here and {own} in the save handler, so that nobody would "
            "save; give both the same"
        )
    rank: int = own
    return rank
