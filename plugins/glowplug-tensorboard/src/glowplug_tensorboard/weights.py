"""A model's weights and gradients in TensorBoard.

Owns: writing a number or a histogram for each parameter.
Must not know: how a writer is made, or which parameters there are.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any, ClassVar

import torch

from glowplug import Engine
from glowplug_loggers import BaseWeightsHandler, BaseWeightsScalarHandler, LoggerWarning
from glowplug_loggers.handlers import count_of
from glowplug_loggers.weights import Whitelist
from glowplug_tensorboard.logger import TensorboardLogger


class WeightsScalarHandler(BaseWeightsScalarHandler):
    """Writes one number for each parameter of a model, such as its norm, as scalars.

    Names are ``weights_norm/layer/weight``. All numbers are computed on the model's device and
    fetched together. A model whose parameters are sharded over ranks must not be given to it, as
    only the first rank writes.

    Args:
        model: a module, or anything with ``named_parameters()``.
        reduction: ``f(tensor)``, a number or a tensor of one element; its name is part of the names
            that are logged.
        tag: what the names begin with: ``tag/weights_norm/layer/weight``.
        whitelist: which parameters are logged: names of parameters (``"fc.weight"``) or of layers
            (``"fc"``: all that is below it), or ``f(name, parameter) -> bool``, asked each time.
            All of them if None.

    Raises:
        InvalidType: for an argument of another type, or when ``reduction`` gives no single number.
        InvalidArgument: when the model has no parameter or layer of a whitelisted name.

    Example:
        >>> model = torch.nn.Linear(2, 1)
        >>> handler = WeightsScalarHandler(model, tag="net")
        >>> list(handler.reduced(handler.weights()))
        ['net/weights_norm/weight', 'net/weights_norm/bias']
    """

    logger_type: ClassVar[type] = TensorboardLogger

    def __call__(
        self, engine: Engine[Any, Any], logger: TensorboardLogger, event_name: Any
    ) -> None:
        """Write the numbers of now."""
        step = count_of(engine, event_name)
        for name, value in self.reduced(self.weights()).items():
            logger.writer.add_scalar(name, value, step)


class GradsScalarHandler(BaseWeightsScalarHandler):
    """Writes one number for the gradient of each parameter, such as its norm, as scalars.

    Names are ``grads_norm/layer/weight``. A parameter without gradient is left out. All numbers are
    computed on the model's device and fetched together. A model whose parameters are sharded over
    ranks must not be given to it, as only the first rank writes.

    Args:
        model: a module, or anything with ``named_parameters()``.
        reduction: ``f(tensor)``, a number or a tensor of one element; its name is part of the names
            that are logged.
        tag: what the names begin with: ``tag/grads_norm/layer/weight``.
        whitelist: which parameters are logged: names of parameters (``"fc.weight"``) or of layers
            (``"fc"``: all that is below it), or ``f(name, parameter) -> bool``, asked each time.
            All of them if None.

    Raises:
        InvalidType: for an argument of another type, or when ``reduction`` gives no single number.
        InvalidArgument: when the model has no parameter or layer of a whitelisted name.

    Example:
        >>> model = torch.nn.Linear(2, 1)
        >>> handler = GradsScalarHandler(model, whitelist=["weight"])
        >>> handler.reduced(handler.gradients())
        {}
        >>> model(torch.tensor([3.0, 4.0])).sum().backward()
        >>> handler.reduced(handler.gradients())
        {'grads_norm/weight': 5.0}
    """

    logger_type: ClassVar[type] = TensorboardLogger

    def __call__(
        self, engine: Engine[Any, Any], logger: TensorboardLogger, event_name: Any
    ) -> None:
        """Write the numbers of now."""
        step = count_of(engine, event_name)
        for name, value in self.reduced(self.gradients()).items():
            logger.writer.add_scalar(name, value, step)


class _HistogramHandler(BaseWeightsHandler):
    """What the two handlers that write histograms share."""

    logger_type: ClassVar[type] = TensorboardLogger

    def __init__(
        self, model: Any, tag: str | None = None, whitelist: Whitelist | None = None
    ) -> None:
        super().__init__(model, tag, whitelist)
        self._warned: set[str] = set()

    def _write(self, writer: Any, named: Iterable[tuple[str, torch.Tensor]], step: int) -> None:
        """Write a histogram of the finite values of each tensor that has some."""
        for name, tensor in named:
            dense = tensor.to_dense() if tensor.is_sparse else tensor
            values = dense.cpu().float()
            finite = values[values.isfinite()]
            if finite.numel() < values.numel() and name not in self._warned:
                self._warned.add(name)
                warnings.warn(
                    f"{values.numel() - finite.numel()} of {values.numel()} values of {name!r} are "
                    f"infinite or NaN and left out of its histogram at step {step}; this is said "
                    "once for each name",
                    LoggerWarning,
                    stacklevel=2,
                )
            if finite.numel():
                writer.add_histogram(tag=name, values=finite.numpy(), global_step=step)


class WeightsHistHandler(_HistogramHandler):
    """Writes a histogram of each parameter of a model.

    Names are ``weights/layer/weight``. Infinities and NaN have no place in a histogram: they are
    left out, with one warning for each name.

    Args:
        model: a module, or anything with ``named_parameters()``.
        tag: what the names begin with: ``tag/weights/layer/weight``.
        whitelist: which parameters are logged: names of parameters (``"fc.weight"``) or of layers
            (``"fc"``: all that is below it), or ``f(name, parameter) -> bool``, asked each time.
            All of them if None.

    Raises:
        InvalidType: for an argument of another type.
        InvalidArgument: when the model has no parameter or layer of a whitelisted name.

    Example:
        >>> model = torch.nn.Linear(2, 1)
        >>> [name for name, _ in WeightsHistHandler(model, tag="net").weights()]
        ['net/weights/weight', 'net/weights/bias']
    """

    def __call__(
        self, engine: Engine[Any, Any], logger: TensorboardLogger, event_name: Any
    ) -> None:
        """Write the histograms of now."""
        self._write(logger.writer, self.weights(), count_of(engine, event_name))


class GradsHistHandler(_HistogramHandler):
    """Writes a histogram of the gradient of each parameter.

    Names are ``grads/layer/weight``. A parameter without gradient is left out; infinities and NaN
    are too, with one warning for each name.

    Args:
        model: a module, or anything with ``named_parameters()``.
        tag: what the names begin with: ``tag/grads/layer/weight``.
        whitelist: which parameters are logged: names of parameters (``"fc.weight"``) or of layers
            (``"fc"``: all that is below it), or ``f(name, parameter) -> bool``, asked each time.
            All of them if None.

    Raises:
        InvalidType: for an argument of another type.
        InvalidArgument: when the model has no parameter or layer of a whitelisted name.

    Example:
        >>> model = torch.nn.Linear(2, 1)
        >>> list(GradsHistHandler(model).gradients())
        []
    """

    def __call__(
        self, engine: Engine[Any, Any], logger: TensorboardLogger, event_name: Any
    ) -> None:
        """Write the histograms of now."""
        self._write(logger.writer, self.gradients(), count_of(engine, event_name))
