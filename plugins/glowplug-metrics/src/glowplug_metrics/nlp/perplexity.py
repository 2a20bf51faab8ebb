"""How little a language model is surprised.

Owns: which tokens count, and the exponential of their mean loss.
Must not know: models.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from glowplug_metrics.means import refuse_nothing
from glowplug_metrics.metric import CPU
from glowplug_metrics.outputs import as_it_is
from glowplug_metrics.predictions import PredictionMetric
from glowplug_metrics.results import as_numbers
from glowplug_metrics.scores import log_probabilities
from glowplug_metrics.states import in_float64


class Perplexity(PredictionMetric):
    r"""The perplexity of a language model: among how many tokens it chooses, so to speak.

    .. math:: \exp\left(-\frac{1}{n} \sum_{i=1}^{n} \ln p_i(y_i)\right), \quad
        p_i = \mathrm{softmax}(\hat{y}_i)

    over the n tokens that are not ``ignore_index``. Shapes: ``y_pred`` of shape ``(N, V, ...)``,
    floating-point scores of V tokens for each place (most often ``(N, V, L)``), and ``y`` of shape
    ``(N, ...)``, token numbers. From 1 to infinity; smaller is better.

    Probabilities are worked out in float32 at least, and summed in float64. A token whose score is
    minus infinity makes the value infinite; NaN and infinity otherwise make it NaN, but at
    places that are ignored.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`.
        ignore_index: the number of what is no token, such as padding.

    Raises:
        InvalidArgument: on the first update, for other shapes, types or token numbers.
        InvalidType: for an output that is not two tensors.

    Source:
        F. Jelinek, R. L. Mercer, L. R. Bahl and J. K. Baker, "Perplexity: a Measure of the
        Difficulty of Speech Recognition Tasks", 1977.

    Example:
        >>> metric = Perplexity()
        >>> metric.update((torch.zeros(1, 50, 3), torch.tensor([[7, 49, -100]])))
        >>> round(metric.compute(), 4)
        50.0
    """

    single_valued = True
    joins = True
    total: Tensor
    tokens: Tensor
    count: int

    def __init__(
        self,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
        ignore_index: int = -100,
    ) -> None:
        super().__init__(output_transform, device)
        self._ignore_index = ignore_index
        self.add_state("total", torch.zeros((), dtype=torch.float64), reduce="sum")
        self.add_state("tokens", torch.zeros((), dtype=torch.int64), reduce="sum")
        self.add_state("count", 0, reduce="sum")

    def check(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse what is not scores beside token numbers."""
        shape, target = tuple(y_pred.shape), tuple(y.shape)
        whole = not (y.is_floating_point() or y.is_complex() or y.dtype == torch.bool)
        if len(shape) < 2 or shape[:1] + shape[2:] != target:
            self.refuse("y_pred of shape (N, V, ...) and y of shape (N, ...)", y_pred, y)
        if not (y_pred.is_floating_point() and whole):
            self.refuse("floating-point scores in y_pred and whole numbers in y", y_pred, y)

    def check_ranges(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse token numbers that have no score."""
        known = (y >= 0) & (y < y_pred.shape[1])
        if not (known | (y == self._ignore_index)).all():
            self.refuse(
                f"token numbers in y from 0 to V - 1 = {y_pred.shape[1] - 1}, or "
                f"ignore_index={self._ignore_index}",
                y_pred,
                y,
            )

    def accumulate(self, y_pred: Tensor, y: Tensor) -> None:
        """Add the losses of the tokens of a batch."""
        y = y.long()
        if y_pred.dtype in (torch.float16, torch.bfloat16):
            y_pred = y_pred.float()
        ignored = y == self._ignore_index
        tokens = y.masked_fill(ignored, 0).unsqueeze(0)
        losses = log_probabilities(y_pred).gather(0, tokens).masked_fill_(ignored, 0)
        self.add("total", losses.sum(dtype=self.wide), -1)
        self.tokens = self.tokens + ignored.logical_not().sum()
        self.count += y.numel()

    def value(self) -> Tensor:
        """Return the perplexity in float64, NaN where all places are ignored."""
        return self._of(self.reduced())

    def _of(self, states: dict[str, Any]) -> Tensor:
        refuse_nothing(self, states["count"])
        mean: Tensor = in_float64(states["total"]) / in_float64(states["tokens"])
        return mean.exp()

    def compute(self) -> Any:
        """Return the perplexity as a number.

        Raises:
            NotComputableError: when no token was taken in, or none that is not ignored.
        """
        states = self.reduced()
        refuse_nothing(self, int(states["tokens"]))
        return as_numbers(self._of(states))
