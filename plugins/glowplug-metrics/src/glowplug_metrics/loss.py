"""The mean of a loss function.

Owns: weighting the loss of a batch by its size.
Must not know: any loss function.
"""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any, ClassVar

import torch
from torch import Tensor

from glowplug.errors import InvalidArgument, InvalidType
from glowplug_metrics.means import MeanMetric
from glowplug_metrics.metric import CPU
from glowplug_metrics.outputs import as_it_is


class Loss(MeanMetric):
    r"""The mean of a loss over all examples, from its means over batches.

    .. math:: \frac{\sum_b n_b \, \ell_b}{\sum_b n_b}

    with the loss :math:`\ell_b` of a batch of :math:`n_b` examples. Range, and whether smaller is
    better, are the loss's own; NaN and infinity stay in the mean.

    Args:
        loss_fn: called as ``loss_fn(y_pred, y, **kwargs)``; returns the batch's mean, a tensor
            without dimensions or a number.
        output_transform: makes of the step's output ``(y_pred, y)`` or ``(y_pred, y, kwargs)``, or
            a mapping with ``y_pred``, ``y`` and, where there are any, ``criterion_kwargs``.
        batch_size: the number of examples in ``y``, as a plain number.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.

    Raises:
        InvalidType: when ``loss_fn`` or ``batch_size`` cannot be called.
        InvalidArgument: on the first update, for a loss that has dimensions.

    Source:
        The mean of the whole, of which the batches are parts.

    Example:
        >>> loss = Loss(torch.nn.functional.mse_loss)
        >>> loss.update((torch.tensor([1.0, 3.0]), torch.tensor([1.0, 1.0])))
        >>> loss.update((torch.tensor([1.0]), torch.tensor([0.0])))
        >>> round(loss.compute(), 4)
        1.6667
    """

    optional_output_keys: ClassVar[tuple[str, ...]] = ("criterion_kwargs",)

    def __init__(
        self,
        loss_fn: Callable[..., Any],
        output_transform: Callable[[Any], Any] = as_it_is,
        batch_size: Callable[[Any], int] = len,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
    ) -> None:
        for name, function in (("loss_fn", loss_fn), ("batch_size", batch_size)):
            if not callable(function):
                raise InvalidType(
                    f"{name} must be callable, got {function!r} of type {type(function).__name__}"
                )
        super().__init__(output_transform, device=device, skip_unrolling=skip_unrolling)
        self._loss_fn = loss_fn
        self._batch_size = batch_size

    def update(self, output: Any) -> None:
        """Take in one batch.

        Args:
            output: ``(y_pred, y)``, or ``(y_pred, y, kwargs)`` with keyword arguments of the loss.

        Raises:
            InvalidArgument: on the first update, for a loss that has dimensions.
        """
        y_pred, y, *kwargs = output
        loss = self._loss_fn(y_pred, y, **(kwargs[0] if kwargs else {}))
        if self._fresh:
            self._begin(loss)
        if isinstance(loss, Tensor):
            loss = loss.detach()
        examples = self._batch_size(y)
        self.add("total", loss, examples)
        self.count += examples

    def _begin(self, loss: Any) -> None:
        if isinstance(loss, Tensor) and loss.ndim == 0:
            self.follow(loss.device)
        elif not isinstance(loss, Real):
            shown = f"a tensor of shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else loss
            raise InvalidArgument(
                "Loss expected loss_fn to return the mean over the batch, a tensor without "
                f"dimensions or a number, got {shown}; use reduction='mean'"
            )
        self._fresh = False
