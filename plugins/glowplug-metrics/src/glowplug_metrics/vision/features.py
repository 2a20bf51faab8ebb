"""What stands between images and the metrics of generated images.

Owns: the features of images: as they come, by the user's extractor, or by torchvision's Inception.
Must not know: what a metric makes of features.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from glowplug.errors import InvalidArgument, InvalidType
from glowplug_metrics.libraries import library

CLASSES = 1000
"""Of ImageNet, which torchvision's Inception was trained on."""


class Features:
    """Makes features of images.

    Args:
        metric: the name of the metric that they are for.
        num_features: how many, F; 1000 where neither this nor an extractor is given.
        extractor: called with images ``(N, ...)``, returns features ``(N, F)``; a module is moved
            to the images' device. None takes what comes as features, unless ``num_features`` is
            None too: then it is Inception v3 of torchvision, trained on ImageNet.
        probabilities: whether Inception's scores are to be made into probabilities.

    Raises:
        InvalidArgument: when an extractor comes without ``num_features``, or that is not a positive
            number.
        InvalidType: when the extractor cannot be called.
        MissingLibrary: when torchvision is needed and not installed.

    Attributes:
        number: F.

    Example:
        >>> features = Features("FID", 2, lambda images: images.flatten(1)[:, :2])
        >>> features(torch.tensor([[[1.0, 2.0], [3.0, 4.0]]]))
        tensor([[1., 2.]])
    """

    def __init__(
        self,
        metric: str,
        num_features: int | None,
        extractor: Callable[[Tensor], Tensor] | None,
        probabilities: bool = False,
    ) -> None:
        if extractor is not None and not callable(extractor):
            raise InvalidType(
                "feature_extractor must be a torch.nn.Module or another callable, got "
                f"{extractor!r} of type {type(extractor).__name__}"
            )
        if num_features is None and extractor is not None:
            raise InvalidArgument(
                "num_features must say how many features the feature_extractor makes of an image"
            )
        whole = isinstance(num_features, int) and not isinstance(num_features, bool)
        if num_features is not None and not (whole and num_features > 0):
            raise InvalidArgument(
                f"num_features must be a positive number, got {num_features!r} of type "
                f"{type(num_features).__name__}"
            )
        self.number = CLASSES if num_features is None else num_features
        self._metric = metric
        self._extractor = extractor if num_features else _inception(metric, probabilities)

    def to(self, device: torch.device) -> None:
        """Move an extractor that is a module."""
        if isinstance(self._extractor, nn.Module):
            self._extractor.to(device)

    def __call__(self, images: Tensor) -> Tensor:
        """Return the features of images.

        Args:
            images: ``(N, ...)``

        Returns:
            A tensor ``(N, F)``.

        Raises:
            InvalidType: when the extractor returns no tensor.
            InvalidArgument: for features of another shape.
        """
        features = images if self._extractor is None else self._extractor(images)
        if not isinstance(features, Tensor):
            raise InvalidType(
                f"{self._metric} expected the feature_extractor to return a tensor, got "
                f"{type(features).__name__}"
            )
        if features.shape != (len(images), self.number):
            source = "" if self._extractor is None else " from the feature_extractor"
            raise InvalidArgument(
                f"{self._metric} expected features of shape (N, num_features) = "
                f"({len(images)}, {self.number}){source}, got {tuple(features.shape)}"
            )
        return features.detach()


def _inception(metric: str, probabilities: bool) -> nn.Module:
    models: Any = library(
        "torchvision.models",
        "torchvision",
        f"{metric} without num_features and feature_extractor",
    )
    weights = models.Inception_V3_Weights.DEFAULT
    model: nn.Module = models.inception_v3(weights=weights).eval()
    return nn.Sequential(model, nn.Softmax(dim=1)).eval() if probabilities else model
