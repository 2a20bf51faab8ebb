"""Metrics that are a sum over a count.

Owns: the two states, and the division.
Must not know: what is summed.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from glowplug_metrics.errors import NotComputableError
from glowplug_metrics.metric import Metric
from glowplug_metrics.results import as_numbers
from glowplug_metrics.states import in_float64


class MeanMetric(Metric):
    """The base of metrics that are a mean: an ``update`` adds to ``total`` and to ``count``.

    Args:
        *args: as for `Metric`.
        **kwargs: as for `Metric`.

    Attributes:
        total: the sum.
        count: how many it is of, which the host knows from shapes.
        total_dtype: float64, or int64 for sums of whole numbers.

    Example:
        >>> class MeanLength(MeanMetric):
        ...     def update(self, output):
        ...         self.add("total", sum(map(len, output)))
        ...         self.count += len(output)
        >>> metric = MeanLength()
        >>> metric.update(["one", "three"])
        >>> metric.compute()
        4.0
    """

    single_valued = True
    total_dtype: ClassVar[torch.dtype] = torch.float64
    total: Tensor
    count: int

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.add_state("total", torch.zeros((), dtype=self.total_dtype), reduce="sum")
        self.add_state("count", 0, reduce="sum")

    def value(self) -> Tensor:
        """Return the mean in float64, on the device of the outputs."""
        states = self.reduced()
        refuse_nothing(self, states["count"])
        mean: Tensor = in_float64(states["total"]) / states["count"]
        return mean

    def compute(self) -> Any:
        """Return the mean as a number.

        Raises:
            NotComputableError: when nothing was counted.
        """
        return as_numbers(self.value())


def refuse_nothing(metric: Metric, count: int) -> None:
    """Raise an error for a metric that has counted nothing.

    Raises:
        NotComputableError: when ``count`` is 0.
    """
    if count == 0:
        raise NotComputableError(
            f"{type(metric).__name__} has taken in no example since it was made or reset, so it "
            "has no value; call update first, or attach it so that at least one iteration comes "
            "before it is computed"
        )
