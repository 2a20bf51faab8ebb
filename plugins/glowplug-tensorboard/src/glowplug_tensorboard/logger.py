"""The logger that writes TensorBoard's event files, and what it logs of an engine.

Owns: the writer, which rank has one, and writing values of an engine and of an optimizer.
Must not know: models.
"""

from __future__ import annotations

import inspect
from typing import Any, ClassVar

from torch.utils.tensorboard import SummaryWriter

from glowplug import Engine
from glowplug.errors import did_you_mean
from glowplug_loggers import (
    BaseLogger,
    BaseOptimizerParamsHandler,
    BaseOutputHandler,
    is_first_rank,
)
from glowplug_loggers.handlers import count_of


class TensorboardLogger(BaseLogger):
    """Writes what handlers log to TensorBoard's event files.

    What a ``SummaryWriter`` can do, the logger can: ``logger.add_text(...)`` is
    ``logger.writer.add_text(...)``. A writer is made on the first rank alone, where the logger is
    made; on the other ranks ``add_...`` does nothing. Initialise the process group first.

    Args:
        *args: arguments of ``torch.utils.tensorboard.SummaryWriter``, first of all ``log_dir``.
        **kwargs: its keyword arguments.

    Example:
        >>> import tempfile
        >>> from glowplug import Engine, Events
        >>> trainer = Engine(lambda engine, batch: 1 / batch)
        >>> with tempfile.TemporaryDirectory() as folder, TensorboardLogger(folder) as logger:
        ...     handle = logger.attach_output_handler(
        ...         trainer, Events.ITERATION_COMPLETED(every=10), tag="training",
        ...         output_transform=lambda loss: {"loss": loss})
        ...     state = trainer.run(range(1, 101))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        make = SummaryWriter if is_first_rank() else NoWriter
        self._writer: Any = make(*args, **kwargs)

    @property
    def writer(self) -> Any:
        """The ``SummaryWriter``; on ranks other than the first one that writes nothing.

        Raises:
            ClosedLogger: after ``close``.
        """
        self._check_open()
        return self._writer

    def close(self) -> None:
        """Write what is waiting and close the files; again does nothing."""
        if not self.closed:
            self._writer.flush()
            self._writer.close()
        super().close()

    def __getattr__(self, name: str) -> Any:
        """Return what the writer has under a name that the logger does not have."""
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        if not hasattr(SummaryWriter, name) and not hasattr(self.writer, name):
            near = did_you_mean(name, [*dir(SummaryWriter), *dir(type(self))])
            raise AttributeError(
                f"neither {type(self).__name__} nor its SummaryWriter has an attribute "
                f"{name!r}{near}"
            )
        return getattr(self.writer, name)

    def _create_output_handler(self, *args: Any, **kwargs: Any) -> OutputHandler:
        return OutputHandler(*args, **kwargs)

    def _create_opt_params_handler(self, *args: Any, **kwargs: Any) -> OptimizerParamsHandler:
        return OptimizerParamsHandler(*args, **kwargs)


class OutputHandler(BaseOutputHandler):
    """Writes metrics, the output and attributes of an engine's state as scalars.

    Names are ``tag/name``, and ``tag/name/0`` and so on for a vector; see
    :class:`glowplug_loggers.BaseOutputHandler`, whose arguments these are.

    Args:
        tag: what the names begin with.
        metric_names: names of metrics, or ``"all"``.
        output_transform: ``f(engine.state.output)``: a number, a tensor of at most one dimension,
            or a dict, list or tuple of them.
        global_step_transform: ``f(engine, event) -> int``; the engine's count of the event if None.
        state_attributes: names of attributes of the state.

    Raises:
        InvalidType: for an argument of another type.
        InvalidArgument: when nothing is named that could be logged.

    Example:
        >>> from glowplug import Engine, Events
        >>> trainer, evaluator = Engine(lambda e, b: b), Engine(lambda e, b: b)
        >>> handler = OutputHandler(
        ...     "validation", metric_names="all",
        ...     global_step_transform=lambda engine, event: trainer.state.epoch)
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, TensorboardLogger(folder) as logger:
        ...     handle = logger.attach(evaluator, handler, Events.EPOCH_COMPLETED)
    """

    logger_type: ClassVar[type] = TensorboardLogger

    def __call__(
        self, engine: Engine[Any, Any], logger: TensorboardLogger, event_name: Any
    ) -> None:
        """Write the values of now."""
        step = self.global_step(engine, event_name)
        for name, value in self.values(engine).items():
            logger.writer.add_scalar(name, value, step)


class OptimizerParamsHandler(BaseOptimizerParamsHandler):
    """Writes a parameter of an optimizer, such as the learning rate, as scalars.

    Args:
        optimizer: an optimizer, or anything with a list of dicts as ``param_groups``.
        param_name: the parameter's key in each group.
        tag: what the names begin with: ``tag/lr/group_0``.

    Raises:
        InvalidType: when ``optimizer`` or ``tag`` is something else.
        InvalidArgument: when a group lacks ``param_name``.

    Example:
        >>> import torch
        >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
        >>> OptimizerParamsHandler(optimizer).values()
        {'lr/group_0': 0.1}
    """

    logger_type: ClassVar[type] = TensorboardLogger

    def __call__(
        self, engine: Engine[Any, Any], logger: TensorboardLogger, event_name: Any
    ) -> None:
        """Write the values of now."""
        step = count_of(engine, event_name)
        for name, value in self.values().items():
            logger.writer.add_scalar(name, value, step)


class NoWriter:
    """Stands for a ``SummaryWriter`` on ranks that write nothing.

    Args:
        *args: what the writer would have been given.
        **kwargs: likewise.

    Attributes:
        log_dir: the folder that was named, or None.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        given = inspect.signature(SummaryWriter).bind(*args, **kwargs).arguments
        self.log_dir = given.get("log_dir")

    def get_logdir(self) -> Any:
        """Return the folder that was named, or None."""
        return self.log_dir

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not hasattr(SummaryWriter, name):
            raise AttributeError(f"a SummaryWriter of a rank that writes nothing has no {name!r}")
        return _do_nothing


def _do_nothing(*_: Any, **__: Any) -> None:
    """Take any arguments and write nothing."""
