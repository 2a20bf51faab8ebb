"""How sure and how varied the classes of generated images are.

Owns: the sums over the classes' probabilities.
Must not know: how probabilities come about.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor

from glowplug.errors import InvalidArgument, InvalidType
from glowplug_metrics.means import MeanMetric
from glowplug_metrics.metric import CPU
from glowplug_metrics.outputs import as_it_is
from glowplug_metrics.states import in_float64
from glowplug_metrics.vision.features import Features

NEARLY = 0.02
"""How far the sum of probabilities in float16 may be from 1."""


class InceptionScore(MeanMetric):
    r"""The inception score of generated images.

    .. math:: \exp\left(\frac{1}{N} \sum_{i=1}^{N} \sum_{c=1}^{C} p_{ic} \ln \frac{p_{ic}}{q_c}
        \right), \qquad q_c = \frac{1}{N} \sum_{i=1}^{N} p_{ic}

    with the probability :math:`p_{ic}` that image i shows class c. Shapes: images ``(N, ...)``,
    which an extractor makes probabilities ``(N, C)`` of. From 1, where all images are of the same
    classes, to C, where each is surely of one class, and all classes come equally often; larger is
    better. A probability of 0 adds nothing. NaN stays in the value.

    It is of all images at once, not the mean over ten parts that some publications give.
    pytorch-ignite takes anything for probabilities; here the first batch must add up to 1.

    Args:
        num_features: how many classes, C, there are.
        feature_extractor: makes probabilities of images, without gradients: a module, in evaluation
            mode already, which is moved to the images' device, or a function. None takes the output
            as probabilities; where ``num_features`` is None too, those of torchvision's Inception
            v3, for images ``(N, 3, H, W)`` that its weights' ``transforms()`` prepared.
        output_transform: makes the images of the step's output.
        device: as for `Metric`.

    Raises:
        InvalidArgument: when ``num_features`` is missing or not positive; for probabilities of
            another shape; on the first update, for what are no probabilities.
        InvalidType: for an extractor that cannot be called, or an output that is no tensor.
        MissingLibrary: when torchvision is needed and not installed.

    Source:
        T. Salimans, I. Goodfellow, W. Zaremba, V. Cheung, A. Radford and X. Chen, "Improved
        Techniques for Training GANs", NeurIPS 2016; S. Barratt and R. Sharma, "A Note on the
        Inception Score", 2018.

    Example:
        >>> metric = InceptionScore(num_features=2)
        >>> metric.update(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
        >>> round(metric.compute(), 6)
        2.0
    """

    required_output_keys: ClassVar[None] = None
    sums: Tensor

    def __init__(
        self,
        num_features: int | None = None,
        feature_extractor: Callable[[Tensor], Tensor] | None = None,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
    ) -> None:
        super().__init__(output_transform, device=device)
        name = type(self).__name__
        self._features = Features(name, num_features, feature_extractor, probabilities=True)
        self._ranges_checked = False
        self.add_state(
            "sums", torch.zeros(self._features.number, dtype=torch.float64), reduce="sum"
        )

    def update(self, output: Any) -> None:
        """Take in images ``(N, ...)``.

        Raises:
            InvalidType: for an output that is no tensor.
            InvalidArgument: for probabilities of another shape, and on the first update for what
                are no probabilities.
        """
        if self._fresh:
            self._begin(output)
        if len(output) == 0:
            return
        probabilities = self._features(output.detach())
        if not self._ranges_checked:
            self._check_ranges(probabilities)
            self._ranges_checked = True
        probabilities = probabilities.to(self.wide)
        self.add("total", torch.xlogy(probabilities, probabilities).sum())
        self.add("sums", probabilities.sum(0))
        self.count += len(probabilities)

    def value(self) -> Tensor:
        """Return the score in float64, on the device of the images."""
        mean = super().value()
        states = self.reduced()
        marginal = in_float64(states["sums"]) / states["count"]
        return (mean - torch.xlogy(marginal, marginal).sum()).exp()

    def _begin(self, output: Any) -> None:
        name = type(self).__name__
        if not isinstance(output, Tensor):
            raise InvalidType(
                f"{name} expected a tensor of images, got {type(output).__name__}; "
                "output_transform can pick it out of the step's output"
            )
        if output.ndim < 1 or output.is_complex():
            raise InvalidArgument(
                f"{name} expected real images of shape (N, ...), got shape {tuple(output.shape)} "
                f"and {output.dtype}"
            )
        self._features.to(output.device)
        self.follow(output.device)
        self._fresh = False

    def _check_ranges(self, probabilities: Tensor) -> None:
        wide = probabilities.to(self.wide)
        known = ~wide.isnan().any(dim=1)
        wrong = ((wide < 0).any(dim=1) | ((wide.sum(1) - 1).abs() > NEARLY)) & known
        if wrong.any():
            row = int(wrong.int().argmax())
            raise InvalidArgument(
                f"{type(self).__name__} expected probabilities of shape (N, C), 0 or more, which "
                f"add up to 1 for each image; those of image {row} are from "
                f"{wide[row].min().item():.6g} to {wide[row].max().item():.6g} and add up to "
                f"{wide[row].sum().item():.6g}; a softmax makes scores into probabilities"
            )
