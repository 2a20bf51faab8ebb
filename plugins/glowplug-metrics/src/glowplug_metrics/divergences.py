"""How far predicted distributions are from others, and how much they tell.

Owns: entropy, mutual information and divergences of class scores.
Must not know: how means are kept.

Scores are any real numbers: the distribution of a place is their softmax over the classes. A score
of minus infinity is a probability of 0, and 0 times the logarithm of anything is 0.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from glowplug_metrics.forms import check_rows
from glowplug_metrics.means import MeanMetric, refuse_nothing
from glowplug_metrics.metric import CPU
from glowplug_metrics.outputs import as_it_is
from glowplug_metrics.predictions import PredictionMetric
from glowplug_metrics.results import ResultMode
from glowplug_metrics.scores import log_probabilities, probabilities
from glowplug_metrics.states import in_float64


class ScoresMean(PredictionMetric, MeanMetric):
    """The base of metrics that are the mean of something over the distributions of a batch.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.
        metrics_result_mode: as for `Metric`.

    Raises:
        InvalidArgument: on the first update, for other shapes than those of the class.
        InvalidType: for an output that is not two tensors.

    Example:
        >>> class MeanConfidence(ScoresMean):
        ...     def of_scores(self, y_pred, y):
        ...         return y_pred.softmax(dim=1).amax(dim=1)
        >>> metric = MeanConfidence()
        >>> metric.update((torch.zeros(1, 4), torch.zeros(1, 4)))
        >>> metric.compute()
        0.25
    """

    joins = True

    def __init__(
        self,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
        metrics_result_mode: ResultMode | str = "both",
    ) -> None:
        super().__init__(output_transform, device, skip_unrolling, metrics_result_mode)

    @abstractmethod
    def of_scores(self, y_pred: Tensor, y: Tensor) -> Tensor:
        """Return what is averaged, ``(N, ...)``.

        Args:
            y_pred: scores ``(N, C, ...)`` in float64.
            y: targets as they came.
        """

    def check(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse what is not scores beside scores."""
        check_rows(self, y_pred, y)

    def accumulate(self, y_pred: Tensor, y: Tensor) -> None:
        """Add what the distributions of a batch come to."""
        values = self.of_scores(y_pred.to(self.wide), y)
        self.add("total", values.sum())
        self.count += values.numel()


class Entropy(ScoresMean):
    r"""The mean entropy of the predicted distributions, in nats.

    .. math:: \frac{1}{n} \sum_{i=1}^{n} \sum_{c=1}^{C} -p_{ic} \ln p_{ic}, \quad
        p_i = \mathrm{softmax}(\hat{y}_i)

    Shapes: ``y_pred`` of shape ``(N, C, ...)``, scores of C classes at each of n places; ``y`` is
    not looked at. From 0, where every prediction is certain, to ln C; what is better, the task
    says. A score of minus infinity is a probability of 0; NaN and other infinity make the value
    NaN.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.
        metrics_result_mode: as for `Metric`.

    Raises:
        InvalidArgument: on the first update, for other shapes.
        InvalidType: for an output that is not two tensors.

    Source:
        C. E. Shannon, "A Mathematical Theory of Communication", 1948; SciPy's ``entropy``.

    Example:
        >>> metric = Entropy()
        >>> metric.update((torch.zeros(1, 2), torch.tensor([1])))
        >>> round(metric.compute(), 4)  # the logarithm of 2
        0.6931
    """

    def check(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse what is not scores of classes."""
        if y_pred.ndim < 2 or y_pred.is_complex():
            self.refuse("y_pred of shape (N, C, ...)", y_pred, y)

    def of_scores(self, y_pred: Tensor, y: Tensor) -> Tensor:
        """Return the entropy of each distribution."""
        return _entropies(probabilities(y_pred))


class MutualInformation(Entropy):
    r"""The mutual information of the inputs and their predicted classes, in nats.

    .. math:: H\left(\frac{1}{n} \sum_{i=1}^{n} p_i\right) - \frac{1}{n} \sum_{i=1}^{n} H(p_i),
        \quad p_i = \mathrm{softmax}(\hat{y}_i), \quad H(p) = \sum_{c=1}^{C} -p_c \ln p_c

    Shapes: ``y_pred`` of shape ``(N, C, ...)``, scores of C classes at each of n places; ``y`` is
    not looked at. From 0, where all predictions are alike, to ln C, where each is certain and all
    classes are predicted equally often; what is better, the task says. A score of minus infinity is
    a probability of 0; NaN and other infinity make the value NaN.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.
        metrics_result_mode: as for `Metric`.

    Raises:
        InvalidArgument: on the first update, for other shapes.
        InvalidType: for an output that is not two tensors.

    Source:
        J. Bridle, A. Heading and D. MacKay, "Unsupervised Classifiers, Mutual Information and
        Phantom Targets", NIPS 1991.

    Example:
        >>> metric = MutualInformation()
        >>> certain = torch.tensor([[0.0, -torch.inf], [-torch.inf, 0.0]])
        >>> metric.update((certain, torch.tensor([0, 1])))
        >>> round(metric.compute(), 4)  # the logarithm of 2
        0.6931
    """

    probabilities: Tensor

    def __init__(
        self,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
        metrics_result_mode: ResultMode | str = "both",
    ) -> None:
        super().__init__(output_transform, device, skip_unrolling, metrics_result_mode)
        nothing = torch.zeros((), dtype=torch.float64)
        self.add_state("probabilities", nothing, reduce="sum", grows=True)

    def accumulate(self, y_pred: Tensor, y: Tensor) -> None:
        """Add the entropies and the probabilities of a batch."""
        predicted = probabilities(y_pred.to(self.wide)).flatten(1)
        self.add("probabilities", predicted.sum(dim=1))
        self.add("total", _entropies(predicted).sum())
        self.count += predicted.shape[1]

    def value(self) -> Tensor:
        """Return the mutual information in float64, on the device of the outputs."""
        states = self.reduced()
        refuse_nothing(self, states["count"])
        mean = in_float64(states["probabilities"]) / states["count"]
        conditional = in_float64(states["total"]) / states["count"]
        information: Tensor = _entropies(mean).sum() - conditional
        # What is 0 may come out a rounding below.
        return information.clamp(min=0)


class KLDivergence(ScoresMean):
    r"""The mean Kullback-Leibler divergence of the targets from the predictions, in nats.

    .. math:: \frac{1}{n} \sum_{i=1}^{n} \sum_{c=1}^{C} q_{ic} \ln \frac{q_{ic}}{p_{ic}}, \quad
        p_i = \mathrm{softmax}(\hat{y}_i), \quad q_i = \mathrm{softmax}(y_i)

    Shapes: ``y_pred`` and ``y`` of one shape ``(N, C, ...)``, scores of C classes at each of n
    places. From 0, where the distributions are alike, to infinity, where a class that the targets
    hold for possible is predicted with probability 0; smaller is better. A score of minus infinity
    is a probability of 0, of which pytorch-ignite makes NaN; NaN and other infinity make the value
    NaN.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output; logarithms of probabilities
            are scores.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.
        metrics_result_mode: as for `Metric`.

    Raises:
        InvalidArgument: on the first update, for other shapes.
        InvalidType: for an output that is not two tensors.

    Source:
        S. Kullback and R. A. Leibler, "On Information and Sufficiency", 1951; SciPy's ``entropy``
        of two distributions.

    Example:
        >>> metric = KLDivergence()
        >>> metric.update((torch.zeros(1, 2), torch.tensor([[0.0, -torch.inf]])))
        >>> round(metric.compute(), 4)  # the logarithm of 2
        0.6931
    """

    def of_scores(self, y_pred: Tensor, y: Tensor) -> Tensor:
        """Return the divergence at each place."""
        p, q = self._logarithms(y_pred, y)
        return _divergence(q, p)

    def _logarithms(self, y_pred: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        y = y.to(self.wide).reshape(y_pred.shape)  # never broadcast
        return log_probabilities(y_pred), log_probabilities(y)


class JSDivergence(KLDivergence):
    r"""The mean Jensen-Shannon divergence of predictions and targets, in nats.

    .. math:: \frac{1}{n} \sum_{i=1}^{n} \frac{D(p_i \| m_i) + D(q_i \| m_i)}{2}, \quad
        m_i = \frac{p_i + q_i}{2}

    with the Kullback-Leibler divergence D, :math:`p_i = \mathrm{softmax}(\hat{y}_i)` and
    :math:`q_i = \mathrm{softmax}(y_i)`. Shapes: ``y_pred`` and ``y`` of one shape ``(N, C, ...)``,
    scores of C classes at each of n places. From 0, where the distributions are alike, to ln 2,
    where they have no class in common; smaller is better. A score of minus infinity is a
    probability of 0, of which pytorch-ignite makes NaN; NaN and other infinity make the value NaN.

    Args:
        output_transform: makes ``(y_pred, y)`` of the step's output; logarithms of probabilities
            are scores.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.
        metrics_result_mode: as for `Metric`.

    Raises:
        InvalidArgument: on the first update, for other shapes.
        InvalidType: for an output that is not two tensors.

    Source:
        J. Lin, "Divergence Measures Based on the Shannon Entropy", 1991; the square of SciPy's
        ``jensenshannon``.

    Example:
        >>> metric = JSDivergence()
        >>> metric.update((torch.tensor([[0.0, -torch.inf]]), torch.tensor([[-torch.inf, 0.0]])))
        >>> round(metric.compute(), 4)  # the logarithm of 2
        0.6931
    """

    def of_scores(self, y_pred: Tensor, y: Tensor) -> Tensor:
        """Return the divergence at each place."""
        p, q = self._logarithms(y_pred, y)
        middle = torch.logaddexp(p, q) - math.log(2)
        return (_divergence(p, middle) + _divergence(q, middle)) / 2


def _entropies(predicted: Tensor) -> Tensor:
    """Return the entropy of each distribution, ``(...)`` for ``(C, ...)``."""
    entropies: Tensor = torch.special.entr(predicted).sum(dim=0)
    return entropies


def _divergence(log_p: Tensor, log_q: Tensor) -> Tensor:
    """Return how far p is from q, ``(...)``, for logarithms ``(C, ...)``."""
    p = log_p.exp()
    return torch.where(p == 0, p, p * (log_p - log_q)).sum(dim=0)
