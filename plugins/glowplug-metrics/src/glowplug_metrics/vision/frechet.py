"""The distance of generated images from real ones, as two Gaussians of their features.

Owns: the distance of two Gaussians, and the moments that it is made of.
Must not know: how features come about.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from glowplug_metrics.errors import NotComputableError
from glowplug_metrics.metric import CPU
from glowplug_metrics.moments import MomentsMetric
from glowplug_metrics.outputs import as_it_is
from glowplug_metrics.predictions import PredictionMetric
from glowplug_metrics.results import as_numbers
from glowplug_metrics.vision.features import Features


class FID(PredictionMetric):
    r"""The Fréchet inception distance of generated images from real ones.

    .. math:: \|\mu_1 - \mu_2\|^2
        + \mathrm{tr}\left(\Sigma_1 + \Sigma_2 - 2 (\Sigma_1 \Sigma_2)^{1/2}\right)

    with the means and the unbiased covariances of the features of the two sets of images. Shapes:
    ``y_pred`` and ``y`` of shape ``(N, ...)`` each, which an extractor makes features ``(N, F)``
    of; the sets need not be equally large. From 0, for equal moments, to infinity; smaller is
    better. NaN and infinity among the features make the value NaN. It needs two images of each
    set, and says more the more there are: below F of them the covariances are singular, which it
    takes in its stride.

    Covariances are gathered about the mean, in float64, and the trace of the root is the sum of the
    singular values of :math:`\Sigma_1^{1/2} \Sigma_2^{1/2}`, so that neither large means nor
    singular covariances cost digits. pytorch-ignite sums raw squares, wants SciPy, and for singular
    covariances adds a constant to their diagonals.

    Args:
        num_features: how many features, F, the extractor makes of an image.
        feature_extractor: makes features of images, without gradients: a module, in evaluation mode
            already, which is moved to the images' device, or a function. None takes the output as
            features; where ``num_features`` is None too, the 1000 scores of torchvision's Inception
            v3, for images ``(N, 3, H, W)`` that its weights' ``transforms()`` prepared.
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`.

    Raises:
        InvalidArgument: when ``num_features`` is missing or not positive, and for features of
            another shape.
        InvalidType: for an extractor that cannot be called, or an output that is not two tensors.
        MissingLibrary: when torchvision is needed and not installed.

    Source:
        M. Heusel, H. Ramsauer, T. Unterthiner, B. Nessler and S. Hochreiter, "GANs Trained by a Two
        Time-Scale Update Rule Converge to a Local Nash Equilibrium", NeurIPS 2017. Published values
        are of other weights of Inception and of 2048 features.

    Example:
        >>> metric = FID(num_features=1)
        >>> metric.update((torch.tensor([[0.0], [2.0]]), torch.tensor([[3.0], [5.0]])))
        >>> metric.compute()
        9.0
    """

    single_valued = True

    def __init__(
        self,
        num_features: int | None = None,
        feature_extractor: Callable[[Tensor], Tensor] | None = None,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
    ) -> None:
        super().__init__(output_transform, device=device)
        self._features = Features(type(self).__name__, num_features, feature_extractor)
        number = self._features.number
        self._parts = {"generated": _Moments(number, device), "real": _Moments(number, device)}

    def check(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse what is not images beside images, and move the extractor to them."""
        real = not (y_pred.is_complex() or y.is_complex())
        if y_pred.ndim < 1 or y.ndim < 1 or not real:
            self.refuse("real y_pred and y of shape (N, ...)", y_pred, y)
        self._features.to(y_pred.device)

    def follow(self, device: torch.device) -> None:
        """Move the moments to where the images are."""
        super().follow(device)
        for part in self._parts.values():
            part.follow(device)

    def accumulate(self, y_pred: Tensor, y: Tensor) -> None:
        """Merge the moments of a batch's features with those of all before it."""
        taken = [self._features(images) if len(images) else None for images in (y_pred, y)]
        for part, features in zip(self._parts.values(), taken, strict=True):
            if features is not None:
                part.accumulate(features, features)  # type: ignore[attr-defined]  # both are moments

    def value(self) -> Tensor:
        """Return the distance in float64, on the device of the images."""
        (mean_1, covariance_1), (mean_2, covariance_2) = (
            part.value() for part in self._parts.values()
        )
        return frechet_distance(mean_1, covariance_1, mean_2, covariance_2)

    def compute(self) -> Any:
        """Return the distance as a number.

        Raises:
            NotComputableError: when fewer than two images of a set were taken in.
        """
        return as_numbers(self.value())


class _Moments(MomentsMetric):
    """The mean and the covariance of one set of features."""

    joins = False  # features are handed on one set at a time

    def __init__(self, variables: int, device: str | torch.device) -> None:
        self.variables = variables
        super().__init__(device=device)

    def columns(self, y_pred: Tensor, y: Tensor) -> Tensor:
        """Return the features as columns."""
        return y_pred.to(self.wide).T

    def of_moments(self, states: dict[str, Any]) -> Any:
        """Return the mean ``(F,)`` and the covariance ``(F, F)``."""
        count = states["count"]
        return states["origin"] + states["total"] / count, states["products"] / (count - 1)

    def value(self) -> Any:
        """Return both, where there are enough features for a covariance."""
        count = self.reduced_state("count", self.count)
        if count < 2:
            raise NotComputableError(
                "FID has a value for two images of each set and more, and has taken in "
                f"{count} of one since it was made or reset; call update first"
            )
        return super().value()


def frechet_distance(
    mean_1: Tensor, covariance_1: Tensor, mean_2: Tensor, covariance_2: Tensor
) -> Tensor:
    """Return the squared Fréchet distance of two Gaussians, which is that of Wasserstein too.

    Args:
        mean_1: ``(F,)``
        covariance_1: ``(F, F)``, symmetric and positive semidefinite, singular or not.
        mean_2: ``(F,)``
        covariance_2: ``(F, F)``

    Returns:
        A tensor without dimensions, 0 or more; NaN where something is NaN or infinite.

    Source:
        D. C. Dowson and B. V. Landau, "The Fréchet Distance between Multivariate Normal
        Distributions", Journal of Multivariate Analysis 12(3), 1982.

    Example:
        >>> mean, covariance = torch.zeros(2), torch.eye(2)
        >>> frechet_distance(mean, covariance, mean + 1, 4 * covariance)
        tensor(4.)
    """
    parts = (mean_1, covariance_1, mean_2, covariance_2)
    if not all(bool(part.isfinite().all()) for part in parts):
        return torch.full_like(mean_1.sum(), torch.nan)
    roots = symmetric_root(covariance_1) @ symmetric_root(covariance_2)
    shared = torch.linalg.svdvals(roots).sum()
    traces = covariance_1.trace() + covariance_2.trace()
    distance: Tensor = (mean_1 - mean_2).square().sum() + (traces - 2 * shared).clamp(min=0)
    return distance


def symmetric_root(matrix: Tensor) -> Tensor:
    """Return the root of a symmetric, positive semidefinite matrix.

    Eigenvalues that cannot be told from 0 are taken as 0: the root of what rounding leaves of them
    would be far larger than they are.

    Args:
        matrix: ``(F, F)``

    Returns:
        A tensor ``(F, F)``, symmetric.

    Example:
        >>> symmetric_root(torch.tensor([[4.0, 0.0], [0.0, 9.0]]))
        tensor([[2., 0.],
                [0., 3.]])
    """
    values, vectors = torch.linalg.eigh(matrix)
    noise = values.abs().max() * len(matrix) * torch.finfo(matrix.dtype).eps
    roots = torch.where(values > noise, values, 0.0).sqrt()
    root: Tensor = (vectors * roots) @ vectors.T
    return root
