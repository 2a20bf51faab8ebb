"""A function of all the predictions and targets of an epoch.

Owns: keeping them, and calling the function.
Must not know: what the function computes.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from glowplug.errors import InvalidType
from glowplug_metrics.errors import EpochMetricWarning
from glowplug_metrics.means import refuse_nothing
from glowplug_metrics.metric import CPU
from glowplug_metrics.outputs import as_it_is
from glowplug_metrics.predictions import PredictionMetric
from glowplug_metrics.results import ResultMode


class EpochMetric(PredictionMetric):
    r"""A function of everything: ``compute_fn`` of the joined predictions and the joined targets.

    Shapes: ``y_pred`` and ``y`` of ``(N,)`` or ``(N, C)`` each, of which ``(N, 1)`` is kept as
    ``(N,)``. Range, and what is better, are the function's own.

    It keeps all outputs, on ``device``: on the CPU they cost no memory of an accelerator and one
    transfer each; give the model's device where memory allows, and no update waits.

    Args:
        compute_fn: called as ``compute_fn(y_preds, ys)`` with tensors ``(n, ...)`` of all outputs;
            in a distributed run on every rank, with the outputs of all.
        output_transform: makes ``(y_pred, y)`` of the step's output.
        check_compute_fn: try the function on the first batch, and warn when it fails.
        device: where the outputs are kept.
        skip_unrolling: as for `Metric`.
        metrics_result_mode: as for `Metric`.

    Raises:
        InvalidType: when ``compute_fn`` cannot be called, or for an output that is not two tensors.
        InvalidArgument: on the first update, for other shapes.

    Example:
        >>> median = EpochMetric(lambda y_pred, y: (y_pred - y).abs().median().item())
        >>> median.update((torch.tensor([1.0, 2.0]), torch.tensor([1.0, 1.0])))
        >>> median.update((torch.tensor([5.0]), torch.tensor([0.0])))
        >>> median.compute()
        1.0
    """

    predictions: list[Tensor]
    targets: list[Tensor]

    def __init__(
        self,
        compute_fn: Callable[[Tensor, Tensor], Any],
        output_transform: Callable[[Any], Any] = as_it_is,
        check_compute_fn: bool = True,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
        *,
        metrics_result_mode: ResultMode | str = "both",
    ) -> None:
        if not callable(compute_fn):
            raise InvalidType(
                f"compute_fn must be callable, got {compute_fn!r} "
                f"of type {type(compute_fn).__name__}"
            )
        super().__init__(output_transform, device, skip_unrolling, metrics_result_mode)
        self._compute_fn = compute_fn
        self._check_compute_fn = check_compute_fn
        self.add_state("predictions", [], reduce="cat")
        self.add_state("targets", [], reduce="cat")

    def check(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse what is neither rows nor single values, and targets of another length."""
        if not 1 <= y_pred.ndim <= 2 or not 1 <= y.ndim <= 2 or len(y_pred) != len(y):
            self.refuse("y_pred and y of shape (N,) or (N, C) each", y_pred, y)

    def check_ranges(self, y_pred: Tensor, y: Tensor) -> None:
        """Try the function, if that is wanted."""
        if not self._check_compute_fn:
            return
        try:
            self._compute_fn(self._kept(y_pred.detach()), self._kept(y.detach()))
        except Exception as error:
            warnings.warn(
                f"{type(self).__name__}: compute_fn failed on the first outputs, and may fail when "
                f"the epoch ends: {type(error).__name__}: {error}",
                EpochMetricWarning,
                stacklevel=2,
            )

    def accumulate(self, y_pred: Tensor, y: Tensor) -> None:
        """Keep both."""
        self.predictions.append(self._kept(y_pred))
        self.targets.append(self._kept(y))

    def _kept(self, tensor: Tensor) -> Tensor:
        if tensor.ndim == 2 and tensor.shape[1] == 1:
            tensor = tensor.squeeze(1)
        return tensor.to(self._device, copy=True)  # the step may reuse its buffers

    def compute(self) -> Any:
        """Return the function's value.

        Raises:
            NotComputableError: when nothing was taken in.
        """
        states = self.reduced()
        refuse_nothing(self, sum(map(len, states["predictions"])))
        return self._compute_fn(torch.cat(states["predictions"]), torch.cat(states["targets"]))
