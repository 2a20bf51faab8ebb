"""Metrics of predictions and targets: what is checked of the two, and when.

Owns: the first update, its checks, and how their errors are worded.
Must not know: what a metric makes of predictions and targets.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, NoReturn

from torch import Tensor

from glowplug.errors import InvalidArgument, InvalidType
from glowplug_metrics.metric import Metric
from glowplug_metrics.rows import PIECE, pieces
from glowplug_metrics.states import is_shared_out
from glowplug_metrics.waiting import Waiting, copies


class PredictionMetric(Metric):
    """The base of metrics that are updated with ``(y_pred, y)``, two tensors.

    Forms are checked on the first update after each reset. Value ranges, for which the device must
    be waited for, are checked on the first update of all. Later updates check nothing.

    Args:
        *args: as for `Metric`.
        **kwargs: as for `Metric`.

    Attributes:
        joins: whether small batches may be joined, and accumulated together: for metrics whose
            value does not depend on how examples are split into batches. An update then costs
            little more than a copy of its batch; the states of `reduced` always tell of all. A
            large batch is accumulated in pieces.
        piece: the numbers that a piece of a large batch has, so that what is made of it stays in a
            processor's cache.
        waits_in: the states that hold what `kept` returns while batches wait.

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

    joins: ClassVar[bool] = False
    piece: ClassVar[int] = PIECE
    waits_in: ClassVar[tuple[str, ...]] = ("waiting_predictions", "waiting_targets")
    _waiting: Waiting

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._ranges_checked = False
        if self.joins:
            for name in self.waits_in:
                self.add_state(name, [], reduce="cat")
            self._watch()

    @abstractmethod
    def accumulate(self, y_pred: Tensor, y: Tensor) -> None:
        """Take in one batch, which is known to be of a right form."""

    def kept(self, y_pred: Tensor, y: Tensor) -> tuple[Tensor, ...]:
        """Return what of a batch waits, one tensor for each of `waits_in`: copies of both."""
        return copies(y_pred, y)

    def accumulate_kept(self, *kept: Tensor) -> None:
        """Take in what waited, joined; nothing in it may be changed."""
        self.accumulate(*kept)

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
        if self.joins and self._waiting.admits(y_pred, y, self.kept):
            if self._waiting.full:
                self.accumulate_waiting()
            return
        y_pred, y = y_pred.detach(), y.detach()
        if not self.joins:
            self.accumulate(y_pred, y)
            return
        self.accumulate_waiting()
        for piece in pieces(y_pred, y, self.piece):
            self.accumulate(*piece)

    def accumulate_waiting(self) -> None:
        """Take in the batches that wait."""
        if self.joins and self._waiting:
            kept = self._waiting.joined()
            self._waiting.clear()
            self.accumulate_kept(*kept)

    @contextmanager
    def _as_if_none_waited(self) -> Iterator[None]:
        """Let the states be as if no batch waited, for a while: to look changes nothing."""
        if not (self.joins and self._waiting):
            yield
            return
        kept = {name: getattr(self, name) for name in self._specs}
        for name, state in kept.items():
            setattr(self, name, state.clone() if isinstance(state, Tensor) else state)
        try:
            self.accumulate_kept(*self._waiting.joined())
            yield
        finally:
            for name, state in kept.items():
                setattr(self, name, state)

    def reduced(self) -> dict[str, Any]:
        """Return the states by name, with what waits taken in, combined over all ranks."""
        self.settle()
        with self._as_if_none_waited():
            return {
                name: self.reduced_state(name, value)
                for name, value in self.brought().items()
                if name not in self.waits_in
            }

    def state_dict(self) -> dict[str, Any]:
        """Return the states by name, combined over all ranks: every rank must call it.

        What waits is a state like others, so that a run that goes on from here adds up the same
        numbers in the same order; of several ranks it is taken in first.
        """
        if is_shared_out():
            self.accumulate_waiting()
        return super().state_dict()

    def reset(self) -> None:
        """Forget what was gathered, and what waits."""
        super().reset()
        self._watch()

    def _load(self, state_dict: Mapping[str, Any]) -> None:
        super()._load(state_dict)
        self._watch()

    def _watch(self) -> None:
        """See to what waits now: it is where the other states are, not where rows are kept."""
        if self.joins and self.waits_in[0] in self._specs:
            for name in self.waits_in:
                setattr(self, name, [part.to(self._home) for part in getattr(self, name)])
            self._waiting = Waiting([getattr(self, name) for name in self.waits_in])

    def refuse(self, expected: str, y_pred: Tensor, y: Tensor) -> NoReturn:
        """Raise the error that says what was expected and what came.

        Raises:
            InvalidArgument: always.
        """
        came = ", ".join(
            f"{name} of shape {tuple(part.shape)} and {part.dtype}"
            for name, part in zip(self.required_output_keys or (), (y_pred, y), strict=False)
        )
        raise InvalidArgument(
            f"{type(self).__name__} expected {expected}; got {came}; output_transform can bring "
            "the step's output into this form"
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
                f"{type(self).__name__} expected two tensors "
                f"({', '.join(self.required_output_keys or ())}), got {kinds}; "
                "output_transform can pick them out of the step's output"
            )
        y_pred, y = output
        self.check(y_pred, y)
        if not self._ranges_checked:
            self.check_ranges(y_pred, y)
            self._ranges_checked = True
        self.follow(y_pred.device)
        self._watch()
        self._fresh = False
