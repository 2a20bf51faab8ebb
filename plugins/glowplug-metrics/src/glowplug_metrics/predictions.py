"""Metrics of predictions and targets: what is checked of the two, and when.

Owns: the first update, its checks, and how their errors are worded.
Must not know: what a metric makes of predictions and targets.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, NoReturn

from torch import Tensor

from glowplug.errors import InvalidArgument, InvalidType
from glowplug_metrics.metric import Metric


class PredictionMetric(Metric):
    """The base of metrics that are updated with ``(y_pred, y)``, two tensors.

    Forms are checked on the first update after each reset. Value ranges, for which the device must
    be waited for, are checked on the first update of all. Later updates check nothing.

    Args:
        *args: as for `Metric`.
        **kwargs: as for `Metric`.

    Example:
        >>> import torch
        >>> class LargestError(PredictionMetric):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.add_state("largest", torch.tensor(0.0), reduce="max")
        ...
        ...     def check(self, y_pred, y):
        ...         if y_pred.shape != y.shape:
        ...             self.refuse("y_pred and y of shape (N, ...)", y_pred, y)
        ...
        ...     def accumulate(self, y_pred, y):
        ...         self.largest = torch.maximum(self.largest, (y_pred - y).abs().max())
        ...
        ...     def compute(self):
        ...         return self.reduced()["largest"].item()
        >>> metric = LargestError()
        >>> metric.update((torch.tensor([1.0, 2.0]), torch.tensor([1.0, 5.0])))
        >>> metric.compute()
        3.0
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._ranges_checked = False

    @abstractmethod
    def accumulate(self, y_pred: Tensor, y: Tensor) -> None:
        """Take in one batch, which is known to be of a right form."""

    def check(self, y_pred: Tensor, y: Tensor) -> None:
        """Look at shapes and dtypes, and refuse by `refuse`; nothing by default."""

    def check_ranges(self, y_pred: Tensor, y: Tensor) -> None:
        """Look at values, and refuse by `refuse`; nothing by default."""

    def update(self, output: Any) -> None:
        """Take in one batch.

        Args:
            output: predictions and targets, in the shapes that the class names.

        Raises:
            InvalidType: when the output is not two tensors.
            InvalidArgument: when shapes, dtypes or values do not fit, on the first update.
        """
        if self._fresh:
            self._begin(output)
        y_pred, y = output
        self.accumulate(y_pred.detach(), y.detach())

    def refuse(self, expected: str, y_pred: Tensor, y: Tensor) -> NoReturn:
        """Raise the error that says what was expected and what came.

        Raises:
            InvalidArgument: always.
        """
        raise InvalidArgument(
            f"{type(self).__name__} expected {expected}; got y_pred of shape {tuple(y_pred.shape)} "
            f"and {y_pred.dtype}, y of shape {tuple(y.shape)} and {y.dtype}; output_transform can "
            "bring the step's output into this form"
        )

    def _begin(self, output: Any) -> None:
        pair = isinstance(output, (tuple, list)) and len(output) == 2
        if not pair or not all(isinstance(part, Tensor) for part in output):
            kinds = (
                f"({', '.join(type(part).__name__ for part in output)})"
                if isinstance(output, (tuple, list))
                else type(output).__name__
            )
            raise InvalidType(
                f"{type(self).__name__} expected two tensors (y_pred, y), got {kinds}; "
                "output_transform can pick them out of the step's output"
            )
        y_pred, y = output
        self.check(y_pred, y)
        if not self._ranges_checked:
            self.check_ranges(y_pred, y)
            self._ranges_checked = True
        self.follow(y_pred.device)
        self._fresh = False
