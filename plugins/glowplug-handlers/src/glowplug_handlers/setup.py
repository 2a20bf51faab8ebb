"""The handlers that most trainings want, in one call.

Owns: which they are, and that all are found and made before any is attached.
Must not know: the plugins that offer them: they are asked for by name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import torch

from glowplug import Engine, Events, component
from glowplug.errors import InvalidArgument, InvalidType
from glowplug_handlers.arguments import checked_count, checked_engine
from glowplug_handlers.setup_values import OneStep, OutputPart
from glowplug_handlers.terminate_on_nan import TerminateOnNan

Attach: TypeAlias = Callable[[], object]


def setup_common_training_handlers(
    trainer: Engine[Any, Any],
    train_sampler: Any = None,
    to_save: Mapping[str, Any] | None = None,
    save_every_iters: int = 1000,
    output_path: str | None = None,
    lr_scheduler: Any = None,
    with_gpu_stats: bool = False,
    output_names: Iterable[str] | None = None,
    with_pbars: bool = True,
    with_pbar_on_iters: bool = True,
    log_every_iters: int = 100,
    stop_on_nan: bool = True,
    clear_cuda_cache: bool = True,
    save_handler: Any = None,
    **kwargs: Any,
) -> None:
    """Attach to a trainer what most trainings want.

    That is: ending at NaN, shuffling anew at each epoch, a scheduler of the learning rate, clearing
    CUDA's cache after each epoch, a checkpoint, running averages of the step's output, what the
    GPUs do, and progress bars. Components of other plugins are asked for by name. Where one is
    missing, or an argument is wrong, nothing is attached at all.

    Args:
        trainer: the trainer.
        train_sampler: has ``set_epoch``, as torch's ``DistributedSampler``; it is told each epoch,
            from 0.
        to_save: objects to save by name; needs ``output_path`` or ``save_handler``.
        save_every_iters: iterations between two checkpoints.
        output_path: the folder of the checkpoints.
        lr_scheduler: called at the start of each iteration; or, if it has ``step()`` as torch's
            schedulers do, stepped after each.
        with_gpu_stats: whether to put what the GPUs do into the metrics, as ``"gpu:0 mem(%)"``.
        output_names: names for running averages of the output: of its values where it is a mapping,
            of its elements, in order, where it is a list or a tuple, else of itself.
        with_pbars: whether to show a bar of epochs.
        with_pbar_on_iters: whether to show a bar of iterations too, with all metrics.
        log_every_iters: how often that bar moves, and the GPUs are asked, in iterations.
        stop_on_nan: whether to end the run when the output holds NaN or infinity.
        clear_cuda_cache: whether to give back CUDA's unused memory after each epoch, where there is
            CUDA.
        save_handler: what the checkpoint saves through, instead of ``output_path``.
        **kwargs: further arguments of the checkpoint, such as ``n_saved``.

    Raises:
        InvalidType: when an argument is of the wrong type.
        InvalidArgument: for numbers below 1, and for arguments that need or exclude each other.
        UnknownComponent: when the plugin of something that is asked for is not installed.

    Example:
        >>> trainer = Engine(lambda engine, batch: {"loss": batch / 2})
        >>> setup_common_training_handlers(trainer, output_names=["loss"], with_pbars=False)
        >>> trainer.run([1.0, 1.0, 1.0]).metrics
        {'loss': 0.5}
    """
    checked_engine("trainer", trainer)
    checked_count("log_every_iters", log_every_iters)
    named = _checked_names(output_names)
    saves = _checked_saving(to_save, save_handler, output_path, kwargs)
    every = Events.ITERATION_COMPLETED(every=log_every_iters)
    attached: list[Attach] = []
    if stop_on_nan:
        attached.append(_later(TerminateOnNan().attach, trainer))
    if train_sampler is not None:
        attached.append(_shuffling(trainer, train_sampler))
    if lr_scheduler is not None:
        attached.append(_scheduling(trainer, lr_scheduler))
    if clear_cuda_cache and torch.cuda.is_available():
        attached.append(_adding(trainer, Events.EPOCH_COMPLETED, empty_cuda_cache))
    if to_save is not None:
        checked_count("save_every_iters", save_every_iters)
        at = Events.ITERATION_COMPLETED(every=save_every_iters)
        made = component("handler", "checkpoint")(to_save, **saves)
        attached.append(_later(made.attach, trainer, at))
    for name, part in named.items():
        average = component("metric", "running-average")(output_transform=part, epoch_bound=False)
        attached.append(_later(average.attach, trainer, name))
    if with_gpu_stats:
        attached.append(_later(component("metric", "gpu-info")().attach, trainer, "gpu", every))
    if with_pbars:
        attached += _showing(trainer, every if with_pbar_on_iters else None)
    for attach in attached:
        attach()


def empty_cuda_cache(_: Engine[Any, Any]) -> None:
    """Give CUDA's unused memory back, and collect what Python no longer needs; a handler.

    Args:
        _: the engine, which is not looked at.

    Example:
        >>> trainer = Engine(lambda engine, batch: batch)
        >>> handle = trainer.add_event_handler(Events.EPOCH_COMPLETED, empty_cuda_cache)
    """
    import gc

    torch.cuda.empty_cache()
    gc.collect()


def _later(attach: Callable[..., object], *args: Any) -> Attach:
    return lambda: attach(*args)


def _adding(trainer: Engine[Any, Any], event: Any, handler: Callable[..., Any]) -> Attach:
    return _later(trainer.add_event_handler, event, handler)


def _shuffling(trainer: Engine[Any, Any], sampler: Any) -> Attach:
    if not callable(getattr(sampler, "set_epoch", None)):
        raise InvalidType(
            "train_sampler must have set_epoch(epoch), as torch's DistributedSampler, got "
            f"{sampler!r} of type {type(sampler).__name__}"
        )
    return _adding(
        trainer,
        Events.EPOCH_STARTED,
        lambda engine: sampler.set_epoch(engine.state.epoch - 1),
    )


def _scheduling(trainer: Engine[Any, Any], scheduler: Any) -> Attach:
    if callable(scheduler):
        return _adding(trainer, Events.ITERATION_STARTED, scheduler)
    step = getattr(scheduler, "step", None)
    if not callable(step):
        raise InvalidType(
            "lr_scheduler must be a scheduler: a handler, or something with step() as torch's, got "
            f"{scheduler!r} of type {type(scheduler).__name__}"
        )
    try:
        inspect.signature(step).bind()
    except TypeError:
        raise InvalidType(
            f"lr_scheduler: step() of {type(scheduler).__name__} needs more than can be known here,"
            " such as a metric; attach a handler that steps it to the evaluator instead"
        ) from None
    return _adding(trainer, Events.ITERATION_COMPLETED, OneStep(scheduler))


def _showing(trainer: Engine[Any, Any], on_iterations: Any) -> list[Attach]:
    bar = component("logger", "progress-bar")
    shown = []
    if on_iterations is not None:
        shown.append(_later(bar(persist=False).attach, trainer, "all", None, on_iterations))
    epochs = bar(persist=True)
    shown.append(_later(epochs.attach, trainer, None, None, Events.EPOCH_STARTED, Events.COMPLETED))
    return shown


def _checked_saving(
    to_save: Mapping[str, Any] | None, save_handler: Any, output_path: Any, kwargs: Any
) -> dict[str, Any]:
    """Return the arguments of the checkpoint."""
    if to_save is None:
        if kwargs:
            raise InvalidArgument(
                f"{', '.join(kwargs)} would be for the checkpoint, and there is none without "
                "to_save; give what to save, or check the names of the arguments"
            )
        return {}
    if (output_path is None) is (save_handler is None):
        raise InvalidArgument(
            "to_save needs either output_path, a folder, or save_handler; got "
            + ("neither" if save_handler is None else "both")
        )
    if save_handler is not None:
        return {"save_handler": save_handler, "filename_prefix": "training", **kwargs}
    folder = {"save_handler": output_path, "require_empty": False}
    return {**folder, "filename_prefix": "training", **kwargs}


def _checked_names(names: Iterable[str] | None) -> dict[str, OutputPart]:
    if names is None:
        return {}
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise InvalidType(
            f"output_names must be a list of names, got {names!r} of type {type(names).__name__}"
        )
    listed = list(names)
    if odd := [name for name in listed if not isinstance(name, str)]:
        raise InvalidType(f"output_names must be a list of names, got {odd[0]!r} in it")
    return {name: OutputPart(name, place) for place, name in enumerate(listed)}
