"""Weighted means over the windows of an image.

Owns: the weights of a window, and sliding it.
Must not know: what the means are for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor


def even_weights(size: int) -> list[float]:
    """Return the weights of a window along one dimension, all of which are the same.

    Example:
        >>> even_weights(4)
        [0.25, 0.25, 0.25, 0.25]
    """
    return [1 / size] * size


def gaussian_weights(size: int, sigma: float) -> list[float]:
    """Return the weights of a window along one dimension, which fall off from its middle.

    Args:
        size: how many, an odd number.
        sigma: the standard deviation, in places.

    Example:
        >>> [round(weight, 3) for weight in gaussian_weights(3, 1.0)]
        [0.274, 0.452, 0.274]
    """
    middle = size // 2
    weights = [math.exp(-((place - middle) ** 2) / (2 * sigma**2)) for place in range(size)]
    return [weight / sum(weights) for weight in weights]


def window_means(images: Tensor, weights: Sequence[Sequence[float]]) -> Tensor:
    """Return the weighted mean of each window that lies within the images.

    Args:
        images: ``(..., S_1, ..., S_n)``
        weights: those of a window along each of the n last dimensions, K_i of them.

    Returns:
        A tensor ``(..., S_1 - K_1 + 1, ..., S_n - K_n + 1)``.

    Example:
        >>> import torch
        >>> window_means(torch.tensor([[1.0, 2.0, 6.0], [1.0, 2.0, 6.0]]), [[1.0], [0.5, 0.5]])
        tensor([[1.5000, 4.0000],
                [1.5000, 4.0000]])
    """
    # A few multiplications and additions of whole tensors: in float64 several times faster than a
    # convolution, for which torch has fast kernels in float32 alone.
    for dim, along in enumerate(reversed(weights), start=1):
        length = images.shape[-dim] - len(along) + 1
        means = images.narrow(-dim, 0, length) * along[0]
        for start, weight in enumerate(along[1:], start=1):
            means.add_(images.narrow(-dim, start, length), alpha=weight)
        images = means
    return images
