"""Keeping the best models by a metric of the evaluator, and stopping when it gets no better.

Owns: what of a metric the names of files and the scores are made.
Must not know: how a checkpoint is saved, or the plugin that does it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from glowplug import Engine, Events, component
from glowplug_handlers.arguments import checked_engine
from glowplug_handlers.early_stopping import EarlyStopping
from glowplug_handlers.setup_values import MetricScore, StepOf


def gen_save_best_models_by_val_score(
    save_handler: Any,
    evaluator: Engine[Any, Any],
    models: Any,
    metric_name: str,
    n_saved: int = 3,
    trainer: Engine[Any, Any] | None = None,
    tag: str = "val",
    score_sign: float = 1.0,
    **kwargs: Any,
) -> Any:
    """Save the best models by a metric, whenever the evaluator has completed.

    The files are named as in ``best_model_4_val_acc=0.9000.pt``.

    Args:
        save_handler: what the checkpoint saves through: a path, a save handler or a function.
        evaluator: the engine that has the metric.
        models: a model, or several by name.
        metric_name: the metric.
        n_saved: how many are kept.
        trainer: the engine whose epoch stands in the names; left out, none does.
        tag: what the score's name begins with.
        score_sign: 1.0 where more is better, -1.0 where less is.
        **kwargs: further arguments of the checkpoint.

    Returns:
        The checkpoint.

    Raises:
        InvalidType: when an argument is of the wrong type.
        InvalidArgument: when one has an impossible value.
        UnknownComponent: when glowplug-checkpoint is not installed.

    Example:
        >>> import torch
        >>> evaluator = Engine(lambda engine, batch: None)
        >>> evaluator.state.metrics["accuracy"] = 0.9
        >>> names = []
        >>> def save(checkpoint, filename, metadata):
        ...     names.append(filename)
        >>> best = gen_save_best_models_by_val_score(
        ...     save, evaluator, torch.nn.Linear(1, 1), "accuracy"
        ... )
        >>> state = evaluator.run([0])
        >>> names
        ['best_model_val_accuracy=0.9000.pt']
    """
    checked_engine("evaluator", evaluator)
    arguments = {
        "save_handler": save_handler,
        "filename_prefix": "best",
        "score_function": MetricScore(metric_name, score_sign),
        "score_name": f"{tag}_{metric_name.lower()}",
        "n_saved": n_saved,
        **kwargs,
    }
    if trainer is not None:
        arguments["global_step_transform"] = StepOf(checked_engine("trainer", trainer))
    to_save = models if isinstance(models, Mapping) else {"model": models}
    checkpoint = component("handler", "checkpoint")(to_save, **arguments)
    checkpoint.attach(evaluator, Events.COMPLETED)
    return checkpoint


def save_best_model_by_val_score(
    output_path: str,
    evaluator: Engine[Any, Any],
    model: Any,
    metric_name: str,
    n_saved: int = 3,
    trainer: Engine[Any, Any] | None = None,
    tag: str = "val",
    score_sign: float = 1.0,
    **kwargs: Any,
) -> Any:
    """Save the best models by a metric in a folder, whenever the evaluator has completed.

    Args:
        output_path: the folder, which is made if need be, and may hold other files.
        evaluator: the engine that has the metric.
        model: a model, or several by name.
        metric_name: the metric.
        n_saved: how many are kept.
        trainer: the engine whose epoch stands in the names; left out, none does.
        tag: what the score's name begins with.
        score_sign: 1.0 where more is better, -1.0 where less is.
        **kwargs: further arguments of the checkpoint.

    Returns:
        The checkpoint.

    Raises:
        InvalidType: when an argument is of the wrong type.
        InvalidArgument: when one has an impossible value.
        UnknownComponent: when glowplug-checkpoint is not installed.

    Example:
        >>> import os, tempfile, torch
        >>> evaluator = Engine(lambda engine, batch: None)
        >>> evaluator.state.metrics["loss"] = 0.25
        >>> model, folder = torch.nn.Linear(1, 1), tempfile.mkdtemp()
        >>> best = save_best_model_by_val_score(folder, evaluator, model, "loss", score_sign=-1.0)
        >>> state = evaluator.run([0])
        >>> "best_model_val_loss=-0.2500.pt" in os.listdir(folder)
        True
    """
    arguments = {"require_empty": False, **kwargs}
    shared = (metric_name, n_saved, trainer, tag, score_sign)
    return gen_save_best_models_by_val_score(output_path, evaluator, model, *shared, **arguments)


def add_early_stopping_by_val_score(
    patience: int,
    evaluator: Engine[Any, Any],
    trainer: Engine[Any, Any],
    metric_name: str,
    score_sign: float = 1.0,
) -> EarlyStopping:
    """End the trainer's run when a metric of the evaluator gets no better.

    Args:
        patience: how many evaluations without a better score there may be.
        evaluator: the engine that has the metric.
        trainer: the engine that is ended.
        metric_name: the metric.
        score_sign: 1.0 where more is better, -1.0 where less is.

    Returns:
        The handler.

    Raises:
        InvalidType: when an argument is of the wrong type.
        InvalidArgument: when ``patience`` is below 1, or ``score_sign`` neither 1.0 nor -1.0.

    Example:
        >>> losses = iter([0.5, 0.4, 0.4, 0.4, 0.4])
        >>> trainer = Engine(lambda engine, batch: None)
        >>> evaluator = Engine(lambda engine, batch: None)
        >>> def evaluate():
        ...     evaluator.state.metrics["loss"] = next(losses)
        ...     evaluator.run([0])
        >>> handle = trainer.add_event_handler(Events.EPOCH_COMPLETED, evaluate)
        >>> stopping = add_early_stopping_by_val_score(2, evaluator, trainer, "loss", -1.0)
        >>> trainer.run([0], max_epochs=5).epoch
        4
    """
    checked_engine("evaluator", evaluator)
    stopping = EarlyStopping(patience, MetricScore(metric_name, score_sign), trainer)
    stopping.attach(evaluator)
    return stopping
