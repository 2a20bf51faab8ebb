"""Metrics of means, variances and covariances.

Owns: the moments of variables, merged batch by batch and rank by rank without cancellation.
Must not know: what is made of the moments.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor

from glowplug_metrics.means import refuse_nothing
from glowplug_metrics.predictions import PredictionMetric
from glowplug_metrics.results import as_numbers
from glowplug_metrics.states import StateValue, in_float64


class MomentsMetric(PredictionMetric):
    r"""The base of metrics that are a function of the moments of K variables.

    Variables are taken from their first example, the origin, and squares are summed about the mean
    of what was taken in so far, and moved when that mean moves:

    .. math:: S_{a \cup b} = S_a + S_b + \frac{n_a n_b}{n_a + n_b} (\mu_a - \mu_b)
        (\mu_a - \mu_b)^\top

    so that a variable whose mean is far larger than its variation loses no digits, and one that is
    constant has squares of exactly 0.

    Args:
        *args: as for `Metric`.
        **kwargs: as for `Metric`.

    Attributes:
        variables: K.
        count: how many examples there were.
        origin: what the variables are taken from, ``(K,)``.
        total: the sums of their differences from the origin, ``(K,)``.
        products: the sums of products of their differences from the means, ``(K, K)``.

    Source:
        T. F. Chan, G. H. Golub and R. J. LeVeque, "Updating Formulae and a Pairwise Algorithm for
        Computing Sample Variances", 1979.

    Example:
        >>> class StandardError(MomentsMetric):
        ...     variables = 1
        ...
        ...     def columns(self, y_pred, y):
        ...         return (y - y_pred).to(self.wide).reshape(1, -1)
        ...
        ...     def of_moments(self, states):
        ...         return (states["products"][0, 0] / states["count"]).sqrt()
        >>> metric = StandardError()
        >>> metric.update((torch.tensor([0.0, 0.0]), torch.tensor([1e8, 1e8 + 8])))
        >>> metric.compute()
        4.0
    """

    single_valued = True
    joins = True
    variables: int
    count: int
    total: Tensor
    products: Tensor
    origin: Tensor

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zeros = torch.zeros(self.variables, dtype=torch.float64)
        self.add_state("count", 0, reduce="sum")
        self.add_state("total", zeros, reduce="sum")
        self.add_state("products", zeros.diag(), reduce="sum")
        self.add_state("origin", zeros + torch.inf, reduce="min")

    @abstractmethod
    def columns(self, y_pred: Tensor, y: Tensor) -> Tensor:
        """Return the variables of a batch, ``(K, N)``, in ``self.wide``."""

    @abstractmethod
    def of_moments(self, states: dict[str, Any]) -> Tensor:
        """Return the value, for the states of all ranks in float64."""

    def accumulate(self, y_pred: Tensor, y: Tensor) -> None:
        """Merge the moments of a batch with those of all before it."""
        columns = self.columns(y_pred, y.reshape(y_pred.shape))
        n = columns.shape[1]
        if n == 0:
            return
        if self.count == 0:
            self.origin = columns[:, 0].clone()
        columns = columns - self.origin.unsqueeze(1)
        total = columns.sum(dim=1)
        mean = total / n
        columns -= mean.unsqueeze(1)  # our own since the origin was taken away
        products = columns @ columns.T
        if self.count:
            gap = mean - self.held("total") / self.count
            products.addr_(gap, gap, alpha=n * self.count / (n + self.count))
        self.add("products", products)
        self.add("total", total)
        self.count += n

    def brought(self) -> dict[str, StateValue]:
        """Return the states, as they are for an origin and means that all ranks share."""
        count = self.reduced_state("count", self.count)
        origin = self.reduced_state("origin", self.origin)
        total, products = self.whole("total"), self.whole("products")
        if self.count:
            total = total + self.count * (self.origin - origin).to(total)
        gap = -self.reduced_state("total", total) / max(count, 1)
        if self.count:
            gap = gap + total / self.count
            products = products + self.count * gap.outer(gap)
        return {**super().brought(), "origin": origin, "total": total, "products": products}

    def value(self) -> Tensor:
        """Return the value in float64, on the device of the outputs."""
        states = self.reduced()
        refuse_nothing(self, states["count"])
        wide = {name: in_float64(torch.as_tensor(state)) for name, state in states.items()}
        return self.of_moments({**wide, "count": states["count"]})

    def compute(self) -> Any:
        """Return the value as a number.

        Raises:
            NotComputableError: when nothing was taken in.
        """
        return as_numbers(self.value())
