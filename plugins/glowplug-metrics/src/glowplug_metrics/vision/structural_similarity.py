"""The structural similarity of images.

Owns: its windows, and the mean over images.
Must not know: how means are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from glowplug.errors import InvalidArgument
from glowplug_metrics.arguments import not_negative, positive
from glowplug_metrics.means import MeanMetric
from glowplug_metrics.metric import CPU
from glowplug_metrics.outputs import as_it_is
from glowplug_metrics.predictions import PredictionMetric
from glowplug_metrics.vision.windows import even_weights, gaussian_weights, window_means


class SSIM(PredictionMetric, MeanMetric):
    r"""The structural similarity index of images, its mean over the images.

    .. math:: \mathrm{SSIM} = \frac{(2 \mu_x \mu_y + c_1)(2 \sigma_{xy} + c_2)}
        {(\mu_x^2 + \mu_y^2 + c_1)(\sigma_x^2 + \sigma_y^2 + c_2)},
        \qquad c_i = (k_i R)^2

    with the means, variances and covariance of ``y_pred`` and ``y`` in a window, the range R of the
    data, and the mean over all channels and all windows that lie within the image. Shapes:
    ``y_pred`` and ``y`` of one shape ``(N, C, H, W)``, or ``(N, C, D, H, W)`` where ``ndims`` is 3,
    N images that are at least as large as the window. Any real types: all is worked out in
    float64. From -1 to 1, of which equal images have 1; larger is better. NaN stays in the value,
    and infinity makes it NaN.

    pytorch-ignite mirrors an image at its borders and counts windows that lie beyond them, which
    neither the paper nor scikit-image does; the difference is in the third digit for small images.

    Args:
        data_range: the largest value that a place can have less the smallest: 255 for bytes.
        kernel_size: the window's size along each dimension, odd; one number for all.
        sigma: the standard deviation of a Gaussian window, in places; one number for all.
        k1: keeps the ratio of dark windows finite.
        k2: keeps the ratio of even windows finite.
        gaussian: weigh the places of a window by their distance from its middle, or all alike.
        output_transform: makes ``(y_pred, y)`` of the step's output.
        device: as for `Metric`.
        skip_unrolling: as for `Metric`.
        ndims: 2 for images, 3 for volumes.

    Raises:
        InvalidArgument: for numbers out of their range; on the first update, for other shapes.
        InvalidType: for an output that is not two tensors.

    Source:
        Z. Wang, A. C. Bovik, H. R. Sheikh and E. P. Simoncelli, "Image Quality Assessment: From
        Error Visibility to Structural Similarity", IEEE Transactions on Image Processing 13(4),
        2004; scikit-image's ``structural_similarity`` with ``use_sample_covariance=False``.

    Example:
        >>> metric = SSIM(data_range=1.0)
        >>> image = torch.linspace(0, 1, 256).reshape(1, 1, 16, 16)
        >>> metric.update((image * 0.75, image))
        >>> round(metric.compute(), 3)
        0.924
    """

    def __init__(
        self,
        data_range: float,
        kernel_size: int | Sequence[int] = 11,
        sigma: float | Sequence[float] = 1.5,
        k1: float = 0.01,
        k2: float = 0.03,
        gaussian: bool = True,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
        ndims: int = 2,
    ) -> None:
        super().__init__(output_transform, device=device, skip_unrolling=skip_unrolling)
        if ndims not in (2, 3):
            raise InvalidArgument(f"ndims must be 2 or 3, got {ndims!r}")
        sizes = [_odd(size) for size in _for_each("kernel_size", kernel_size, ndims)]
        sigmas = [positive("sigma", one) for one in _for_each("sigma", sigma, ndims)]
        data_range = positive("data_range", data_range)
        self._c1 = (not_negative("k1", k1) * data_range) ** 2
        self._c2 = (not_negative("k2", k2) * data_range) ** 2
        self._sizes = sizes
        self._weights = (
            [gaussian_weights(*pair) for pair in zip(sizes, sigmas, strict=True)]
            if gaussian
            else [even_weights(size) for size in sizes]
        )

    def check(self, y_pred: Tensor, y: Tensor) -> None:
        """Refuse what is not images beside images, or smaller than the window."""
        ndims = len(self._sizes)
        large = all(s >= k for s, k in zip(y.shape[2:], self._sizes, strict=False))
        real = not (y_pred.is_complex() or y.is_complex())
        if y_pred.shape != y.shape or y.ndim != ndims + 2 or not large or not real:
            form = "(N, C, H, W)" if ndims == 2 else "(N, C, D, H, W)"
            least = " x ".join(map(str, self._sizes))
            self.refuse(f"real y_pred and y of one shape {form}, of at least {least}", y_pred, y)

    def accumulate(self, y_pred: Tensor, y: Tensor) -> None:
        """Add the similarity of each image."""
        if len(y) == 0:
            return
        x, y = y_pred.to(self.wide), y.to(self.wide)
        moments = torch.stack((x, y, x * x, y * y, x * y))
        mean_x, mean_y, xx, yy, xy = window_means(moments, self._weights).unbind()
        squares, product = mean_x.square() + mean_y.square(), mean_x * mean_y
        variances = (xx + yy).sub_(squares)
        covariance = xy.sub_(product)
        similarity = (2 * product + self._c1).mul_(2 * covariance + self._c2)
        similarity.div_(squares.add_(self._c1).mul_(variances.add_(self._c2)))
        self.add("total", similarity.flatten(1).mean(1).sum())
        self.count += len(y)


def _for_each(name: str, given: Any, ndims: int) -> list[Any]:
    if not isinstance(given, Sequence):
        return [given] * ndims
    if len(given) != ndims:
        raise InvalidArgument(
            f"{name} must be one number, or one for each of {ndims} dimensions, got {given!r}"
        )
    return list(given)


def _odd(size: Any) -> int:
    if isinstance(size, int) and not isinstance(size, bool) and size > 0 and size % 2 == 1:
        return size
    raise InvalidArgument(
        f"kernel_size must be an odd number, 1 or more, got {size!r} of type {type(size).__name__}"
    )
