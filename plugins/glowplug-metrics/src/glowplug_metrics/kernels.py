"""How two sets of vectors relate, told by Gaussian kernels over the pairs of a batch.

Owns: the kernels, and the mean of what each batch comes to.
Must not know: how means are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from glowplug.errors import InvalidArgument
from glowplug_metrics.arguments import positive
from glowplug_metrics.forms import check_rows
from glowplug_metrics.means import MeanMetric
from glowplug_metrics.metric import CPU
from glowplug_metrics.order import true_median
from glowplug_metrics.outputs import as_it_is
from glowplug_metrics.predictions import PredictionMetric


class HSIC(PredictionMetric, MeanMetric):
    r"""The Hilbert-Schmidt independence criterion, its mean over the batches.

    .. math:: \frac{1}{n (n - 3)} \left[ \mathrm{tr}(KL)
        + \frac{1^\top K 1 \; 1^\top L 1}{(n - 1)(n - 2)} - \frac{2}{n - 2} 1^\top K L 1 \right]

    with the kernels :math:`K_{ij} = \exp(-\|x_i - x_j\|^2 / 2 \sigma_x^2)` of a batch of n
    examples, of which the diagonals are 0. Shapes: ``y_pred`` of shape ``(N, ...)`` and ``y`` of
    shape ``(N, ...)``, one vector each for N examples; further dimensions count as one.

    A batch whose estimate is below 0, as chance makes it of independent vectors, counts as 0. So
    from 0, where the two do not depend on each other, upwards; what is better, the task says. The
    batches are what is averaged, whatever their sizes: how the data is split matters. NaN stays in
    the value, and infinity makes it NaN.

    pytorch-ignite's value is NaN where most examples are equal, such as labels of few classes: the
    median of the distances is 0. Here their mean takes its place.

    Args:
        sigma_x: the width of the kernel of ``y_pred``; -1 takes that whose square is the median
            of the squared distances of all pairs in the batch.
        sigma_y: the same for ``y``.
        ignore_invalid_batch: leave a batch of fewer than four examples out; it is an error
            otherwise.
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.

    Raises:
        InvalidArgument: when a width is neither positive nor -1; for a batch of fewer than four
            examples, where these are not ignored; on the first update, for other shapes.
        InvalidType: for an output that is not two tensors.

    Source:
        L. Song, A. Smola, A. Gretton, J. Bedo and K. Borgwardt, "Feature Selection via Dependence
        Maximization", JMLR 13, 2012, equation 5.

    Example:
        >>> x = torch.arange(8.0).unsqueeze(1)
        >>> metric = HSIC()
        >>> metric.update((x, -x))
        >>> round(metric.compute(), 4)
        0.12
    """

    def __init__(
        self,
        sigma_x: float = -1,
        sigma_y: float = -1,
        ignore_invalid_batch: bool = True,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
    ) -> None:
        super().__init__(output_transform, device=device, skip_unrolling=skip_unrolling)
        given = {"sigma_x": sigma_x, "sigma_y": sigma_y}
        self._sigmas = [
            -1.0 if s == -1 else positive(name, s, otherwise=", or -1 for the median distance")
            for name, s in given.items()
        ]
        self._ignore_invalid_batch = ignore_invalid_batch

    def check(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse what is not N vectors beside N vectors."""
        rows = y_pred.ndim > 0 and y.ndim > 0 and len(y_pred) == len(y)
        if not rows or y_pred.is_complex() or y.is_complex():
            self.refuse("real y_pred and y of shape (N, ...) each, with one N", y_pred, y)

    def accumulate(self, y_pred: Tensor, y: Tensor) -> None:
        """Add the estimate of a batch."""
        self.check(y_pred, y)  # two lengths would be no error
        n = len(y)
        if n < 4:
            if self._ignore_invalid_batch:
                return
            raise InvalidArgument(
                f"HSIC has an estimate for batches of four examples and more, got one of {n}; "
                "ignore_invalid_batch=True leaves such batches out"
            )
        k, l = (  # noqa: E741  # the letters of the formula
            self._kernel(x.reshape(n, -1).to(self.wide), sigma)
            for x, sigma in zip((y_pred, y), self._sigmas, strict=True)
        )
        k_sums, l_sums = k.sum(0), l.sum(0)
        estimate = (k * l).sum() - k_sums @ l_sums * (2 / (n - 2))
        estimate = estimate + k_sums.sum() * l_sums.sum() / ((n - 1) * (n - 2))
        self.add("total", estimate.clamp_(min=0) / (n * (n - 3)))
        self.count += 1

    @staticmethod
    def _kernel(x: Tensor, sigma: float) -> Tensor:
        squares = squared_distances(x, x)
        variance: Tensor | float = sigma**2
        if sigma == -1:
            median = true_median(squares)
            variance = torch.where(median > 0, median, squares.mean())
            variance = torch.where(variance > 0, variance, 1.0)  # all are equal: any width does
        kernel = torch.exp(squares / (-2 * variance))
        kernel.diagonal().zero_()
        return kernel


class MaximumMeanDiscrepancy(PredictionMetric, MeanMetric):
    r"""The maximum mean discrepancy of two sets of vectors: the root of its square's mean.

    The square is estimated in every batch of n vectors of each set as

    .. math:: \frac{1}{n (n - 1)} \sum_{i \neq j} \left( k(x_i, x_j) + k(y_i, y_j) \right)
        - \frac{2}{n^2} \sum_{i, j} k(x_i, y_j)

    with the kernel :math:`k(x, y) = \exp(-\|x - y\|^2 / 2 v)`. Shapes: ``y_pred`` and ``y`` of one
    shape ``(N, D, ...)``; further dimensions count as one with D. An estimate has no bias, so it
    may be negative by chance; a mean that is negative counts as 0.

    From 0, where the sets have one distribution, to the root of 2; smaller is better. The batches
    are what is averaged, whatever their sizes: how the data is split matters. A batch of one
    vector has no estimate, and is left out. NaN stays in the value, and infinity makes it NaN.

    Args:
        var: the variance v of the kernel.
        output_transform: makes ``(y_pred, y)`` of the step's output: the two sets.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.

    Raises:
        InvalidArgument: when ``var`` is not positive; on the first update, for other shapes.
        InvalidType: for an output that is not two tensors.

    Source:
        A. Gretton, K. Borgwardt, M. Rasch, B. Schölkopf and A. Smola, "A Kernel Two-Sample Test",
        JMLR 13, 2012, equation 3.

    Example:
        >>> metric = MaximumMeanDiscrepancy()
        >>> metric.update((torch.zeros(4, 1), torch.full((4, 1), 9.0)))
        >>> round(metric.compute(), 4)  # the root of 2
        1.4142
    """

    def __init__(
        self,
        var: float = 1.0,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
    ) -> None:
        super().__init__(output_transform, device=device, skip_unrolling=skip_unrolling)
        self._scale = -1 / (2 * positive("var", var))

    def check(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse what is not vectors beside vectors."""
        check_rows(self, y_pred, y)

    def accumulate(self, y_pred: Tensor, y: Tensor) -> None:
        """Add the estimate of a batch."""
        self.check(y_pred, y)  # two lengths would be no error
        n = len(y)
        if n < 2:
            return
        x, y = y_pred.flatten(1).to(self.wide), y.flatten(1).to(self.wide)
        # The diagonals within a set are n ones.
        within = (self._sum_of_kernel(x, x) + self._sum_of_kernel(y, y) - 2 * n) / (n * (n - 1))
        between = self._sum_of_kernel(x, y) * (2 / n**2)
        self.add("total", within - between)
        self.count += 1

    def value(self) -> Tensor:
        """Return the root of the mean in float64."""
        return super().value().clamp(min=0).sqrt()

    def _sum_of_kernel(self, x: Tensor, y: Tensor) -> Tensor:
        return torch.exp(squared_distances(x, y) * self._scale).sum()


def squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """Return the squared distance of every row of ``x`` to every row of ``y``.

    Args:
        x: ``(N, D)``
        y: ``(M, D)``

    Returns:
        A tensor ``(N, M)``; exactly 0 for equal rows.

    Example:
        >>> squared_distances(torch.tensor([[0.0]]), torch.tensor([[2.0], [3.0]]))
        tensor([[4., 9.]])
    """
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist").square()
