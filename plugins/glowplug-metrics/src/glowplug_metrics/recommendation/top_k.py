"""Metrics of the first k items of rankings, for several k at once.

Owns: the numbers k, which users count, and the mean over them.
Must not know: what a ranking is worth.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from glowplug.errors import InvalidArgument
from glowplug_metrics.arguments import whole
from glowplug_metrics.means import refuse_nothing
from glowplug_metrics.metric import CPU
from glowplug_metrics.outputs import as_it_is
from glowplug_metrics.predictions import PredictionMetric
from glowplug_metrics.states import has_float64, in_float64


class TopKMetric(PredictionMetric):
    """The base of metrics that are the mean over users of what the first k items come to.

    Shapes: ``y_pred`` and ``y`` of one shape ``(N, I)``: the scores of I items for N users, and
    what each item is worth. The first items are those with the highest scores; among equal scores
    they keep their order, and NaN counts as the highest. A k beyond I takes all items.

    Args:
        top_k: one k or several, positive whole numbers; the values are in the order of their size.
        ignore_zero_hits: leave users out who have no relevant item; they count 0 otherwise.
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.

    Raises:
        InvalidArgument: when ``top_k`` is something else; on the first update, for other shapes.
        InvalidType: for an output that is not two tensors.

    Attributes:
        totals: the sum over the users, for each k.
        users: how many users that is of.
        count: how many there were, whether they count or not.

    Example:
        >>> class FirstAlone(TopKMetric):
        ...     def relevant(self, y):
        ...         return y > 0
        ...
        ...     def worth(self, y_pred, y):
        ...         return y.gather(1, y_pred.argmax(1, keepdim=True))
        >>> metric = FirstAlone(1)
        >>> metric.update((torch.tensor([[0.2, 0.9]]), torch.tensor([[1.0, 3.0]])))
        >>> metric.compute()
        [3.0]
    """

    single_valued = True
    joins = True
    totals: Tensor
    users: Tensor
    count: int

    def __init__(
        self,
        top_k: int | Sequence[int],
        ignore_zero_hits: bool = True,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
    ) -> None:
        super().__init__(output_transform, device, skip_unrolling)
        several = top_k if isinstance(top_k, (list, tuple)) else [top_k]
        self._top_k = sorted(whole("top_k", k) for k in several)
        if not self._top_k:
            raise InvalidArgument("top_k must have at least one positive whole number, got none")
        self._ignore_zero_hits = ignore_zero_hits
        self.add_state("totals", torch.zeros(len(self._top_k), dtype=torch.float64), reduce="sum")
        self.add_state("users", torch.zeros((), dtype=torch.int64), reduce="sum")
        self.add_state("count", 0, reduce="sum")

    @abstractmethod
    def relevant(self, y: Tensor) -> Tensor:
        """Return which items ``(N, I)`` are relevant."""

    @abstractmethod
    def worth(self, y_pred: Tensor, y: Tensor) -> Tensor:
        """Return what the first items are worth for each user and k, ``(N, K)``.

        It is 0 for users who have no relevant item. Scores are floating-point numbers, none NaN.
        """

    def check(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse what is not items beside items."""
        if y_pred.shape != y.shape or y.ndim != 2 or y.shape[1] == 0:
            self.refuse("y_pred and y of one shape (N, I), I >= 1", y_pred, y)
        if y_pred.is_complex() or y.is_complex():
            self.refuse("real numbers", y_pred, y)

    def accumulate(self, y_pred: Tensor, y: Tensor) -> None:
        """Add what the users of a batch come to."""
        self.add("totals", self.worth(_nan_first(y_pred), y).sum(dim=0, dtype=self.wide))
        if self._ignore_zero_hits:
            self.users = self.users + self.relevant(y).any(dim=1).sum()
        else:
            self.users = self.users + len(y)
        self.count += len(y)

    def value(self) -> Tensor:
        """Return the means ``(K,)`` in float64, NaN where no user counts."""
        return self._of(self.reduced())

    def _of(self, states: dict[str, Any]) -> Tensor:
        refuse_nothing(self, states["count"])
        means: Tensor = in_float64(states["totals"]) / in_float64(states["users"])
        return means

    def compute(self) -> list[float]:
        """Return the means, one for each k in the order of their size.

        Raises:
            NotComputableError: when no user was taken in, or none that counts.
        """
        states = self.reduced()
        refuse_nothing(self, int(states["users"]))
        values: list[float] = self._of(states).tolist()
        return values


def _nan_first(scores: Tensor) -> Tensor:
    """Return scores as floating-point numbers, with infinity for NaN."""
    if not scores.is_floating_point():
        return scores.to(torch.float64 if has_float64(scores.device) else torch.float32)
    return scores.nan_to_num(nan=torch.inf, posinf=torch.inf, neginf=-torch.inf)
