from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from scipy.stats import entropy
from skimage import metrics as skimage
from torch import Tensor, nn

from glowplug.errors import InvalidArgument, InvalidType
from glowplug_metrics import FID, SSIM, InceptionScore, MissingLibrary, NotComputableError
from glowplug_metrics.vision.frechet import frechet_distance, symmetric_root

similarity: Any = skimage.structural_similarity
SEEDS = st.integers(0, 2**31)
FEW = settings(max_examples=25)


def noisy(seed: int, *shape: int, peak: float = 1.0) -> tuple[Tensor, Tensor]:
    """Images, and the same with noise."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.rand(*shape, generator=generator, dtype=torch.float64) * peak
    return (y + torch.randn(*shape, generator=generator).double() * peak / 5).clamp(0, peak), y


def after(metric: Any, *outputs: Any) -> Any:
    for output in outputs:
        metric.update(output)
    return metric.compute()


def theirs(x: Tensor, y: Tensor, peak: float, **options: Any) -> float:
    """The mean similarity of images by scikit-image."""
    pairs = zip(x.numpy(), y.numpy(), strict=True)
    options = {"data_range": peak, "channel_axis": 0, "use_sample_covariance": False} | options
    return float(np.mean([similarity(a, b, **options) for a, b in pairs]))


@FEW
@given(
    seed=SEEDS,
    height=st.integers(11, 30),
    width=st.integers(11, 30),
    channels=st.integers(1, 3),
    peak=st.sampled_from([1.0, 255.0]),
)
def test_a_gaussian_window_gives_what_scikit_image_gives(
    seed: int, height: int, width: int, channels: int, peak: float
) -> None:
    x, y = noisy(seed, 3, channels, height, width, peak=peak)
    expected = theirs(x, y, peak, gaussian_weights=True, sigma=1.5)
    assert after(SSIM(peak), (x[:1], y[:1]), (x[1:], y[1:])) == pytest.approx(expected, rel=1e-9)


@FEW
@given(seed=SEEDS, size=st.sampled_from([3, 7, 9]), k1=st.floats(0.001, 0.1))
def test_an_even_window_gives_what_scikit_image_gives(seed: int, size: int, k1: float) -> None:
    x, y = noisy(seed, 2, 2, 12, 15)
    metric = SSIM(1.0, kernel_size=size, gaussian=False, k1=k1, k2=0.05)
    expected = theirs(x, y, 1.0, win_size=size, K1=k1, K2=0.05)
    assert after(metric, (x, y)) == pytest.approx(expected, rel=1e-9)


@FEW
@given(seed=SEEDS)
def test_volumes_give_what_scikit_image_gives(seed: int) -> None:
    x, y = noisy(seed, 2, 1, 12, 11, 14)
    expected = theirs(x[:, 0], y[:, 0], 1.0, gaussian_weights=True, sigma=1.5, channel_axis=None)
    assert after(SSIM(1.0, ndims=3), (x, y)) == pytest.approx(expected, rel=1e-9)


def test_equal_images_have_similarity_1_and_negatives_have_less_than_0() -> None:
    _, y = noisy(0, 1, 1, 16, 16)
    assert after(SSIM(1.0), (y, y)) == pytest.approx(1.0, rel=1e-12)
    assert after(SSIM(1.0), (1 - y, y)) < 0


def test_bytes_are_taken_as_they_are() -> None:
    x, y = (image.round() for image in noisy(0, 2, 3, 12, 12, peak=255.0))
    narrow = after(SSIM(255.0), (x.byte(), y.byte()))
    assert narrow == pytest.approx(after(SSIM(255.0), (x, y)), rel=1e-12)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_nan_and_infinity_make_the_similarity_nan(value: float) -> None:
    x, y = noisy(0, 2, 1, 12, 12)
    x[0, 0, 5, 5] = value
    assert np.isnan(after(SSIM(1.0), (x, y)))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"data_range": 0}, "data_range must be a positive number, got 0"),
        ({"kernel_size": 10}, "kernel_size must be an odd number, 1 or more, got 10 of type int"),
        ({"kernel_size": 1.5}, "kernel_size must be an odd number.*got 1.5 of type float"),
        ({"kernel_size": (3, 3, 3)}, "kernel_size must be one number, or one for each of 2"),
        ({"sigma": 0}, "sigma must be a positive number, got 0"),
        ({"k1": -1}, "k1 must be a number, 0 or more, got -1"),
        ({"ndims": 4}, "ndims must be 2 or 3, got 4"),
    ],
)
def test_windows_that_there_are_not_are_refused(arguments: Any, says: str) -> None:
    with pytest.raises(InvalidArgument, match=says):
        SSIM(**{"data_range": 1.0, **arguments})


@pytest.mark.parametrize("shape", [(2, 12, 12), (2, 3, 12, 10), (2, 3, 12, 12, 12)])
def test_images_of_another_form_are_refused_with_the_form(shape: tuple[int, ...]) -> None:
    says = r"SSIM expected real y_pred and y of one shape \(N, C, H, W\), of at least 11 x 11; got"
    with pytest.raises(InvalidArgument, match=says):
        SSIM(1.0).update((torch.ones(shape), torch.ones(shape)))


def drawn(seed: int, n: int, features: int, mean: float = 0.0) -> Tensor:
    """Vectors whose features depend on each other."""
    generator = torch.Generator().manual_seed(seed)
    mix = torch.randn(features, features, generator=generator, dtype=torch.float64)
    return torch.randn(n, features, generator=generator, dtype=torch.float64) @ mix + mean


def by_scipy(x: Tensor, y: Tensor) -> float:
    one, other = np.cov(x.numpy(), rowvar=False), np.cov(y.numpy(), rowvar=False)
    root = sqrtm(one @ other)
    gap = (x.mean(0) - y.mean(0)).numpy()
    return float(gap @ gap + np.trace(one + other - 2 * root.real))


@FEW
@given(seed=SEEDS, n=st.integers(12, 40), features=st.integers(2, 8), cut=st.integers(1, 11))
def test_the_distance_is_that_of_scipys_root(seed: int, n: int, features: int, cut: int) -> None:
    x, y = drawn(seed, n, features), drawn(seed + 1, 12, features, mean=1.0)
    metric = FID(num_features=features)
    found = after(metric, (x[:cut], y[:cut]), (x[cut:], y[cut:]))
    assert found == pytest.approx(by_scipy(x, y), rel=1e-6)


def test_a_large_mean_costs_no_digits() -> None:
    x, y = drawn(0, 30, 4), drawn(1, 30, 4)
    far = after(FID(4), (x + 2.0**20, y + 2.0**20))
    assert far == pytest.approx(after(FID(4), (x, y)), rel=1e-7)


def test_equal_sets_of_fewer_images_than_features_are_at_distance_0() -> None:
    x = drawn(0, 5, 40)
    assert after(FID(40), (x, x.flip(0))) == pytest.approx(0.0, abs=1e-9)


@FEW
@given(seed=SEEDS, rank=st.integers(1, 6))
def test_the_root_of_a_singular_matrix_times_itself_is_the_matrix(seed: int, rank: int) -> None:
    rows = drawn(seed, rank, 6)
    matrix = rows.T @ rows
    root = symmetric_root(matrix)
    torch.testing.assert_close(root @ root, matrix, rtol=1e-9, atol=1e-9)


def test_gaussians_of_which_one_is_not_finite_are_at_distance_nan() -> None:
    mean, covariance = torch.zeros(2), torch.eye(2)
    assert frechet_distance(mean, covariance, mean, covariance * torch.inf).isnan()


class Sums(nn.Module):
    """Two features of an image, worked out by a module that has a weight."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones((), dtype=torch.float64))

    def forward(self, images: Tensor) -> Tensor:
        flat = images.flatten(1) * self.weight
        return torch.stack((flat.sum(1), flat.square().sum(1)), dim=1)


def test_a_module_makes_the_features_without_gradients() -> None:
    x, y = noisy(0, 9, 1, 3, 3)
    metric = FID(num_features=2, feature_extractor=Sums())
    assert after(metric, (x, y)) == pytest.approx(by_scipy(Sums()(x).detach(), Sums()(y).detach()))
    assert not metric.state_dict()["real"]["products"].requires_grad


def test_a_distance_of_single_images_is_not_computable() -> None:
    with pytest.raises(NotComputableError, match="FID has a value for two images of each set"):
        after(FID(2), (torch.ones(1, 2), torch.ones(5, 2)))


@pytest.mark.parametrize("metric", [FID, InceptionScore])
@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"feature_extractor": nn.Identity()}, InvalidArgument, "num_features must say how many"),
        ({"num_features": 0}, InvalidArgument, "num_features must be a positive number, got 0"),
        (
            {"num_features": 2, "feature_extractor": 3},
            InvalidType,
            "feature_extractor must be a torch.nn.Module or another callable, got 3 of type int",
        ),
    ],
)
def test_extractors_that_cannot_be_are_refused(
    metric: Any, arguments: Any, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        metric(**arguments)


@pytest.mark.parametrize("metric", [FID, InceptionScore])
def test_without_torchvision_the_default_extractor_is_refused(
    metric: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)
    monkeypatch.setitem(sys.modules, "torchvision.models", None)
    with pytest.raises(MissingLibrary, match=r"needs the module torchvision.*pip install"):
        metric()


def test_features_of_another_number_are_refused() -> None:
    says = r"FID expected features of shape \(N, num_features\) = \(5, 3\), got \(5, 2\)"
    with pytest.raises(InvalidArgument, match=says):
        FID(3).update((torch.ones(5, 2), torch.ones(5, 2)))


def listed(images: Tensor) -> Any:
    """Features of another type."""
    return images.tolist()


def test_what_an_extractor_returns_must_be_a_tensor() -> None:
    with pytest.raises(InvalidType, match="expected the feature_extractor to return a tensor"):
        FID(1, listed).update((torch.ones(5, 1), torch.ones(5, 1)))


@FEW
@given(seed=SEEDS, n=st.integers(2, 30), classes=st.integers(2, 6))
def test_the_inception_score_is_that_of_scipys_entropies(seed: int, n: int, classes: int) -> None:
    p = drawn(seed, n, classes).softmax(dim=1)
    each = entropy(p.numpy(), p.mean(0, keepdim=True).numpy(), axis=1)
    found = after(InceptionScore(num_features=classes), p[: n // 2], p[n // 2 :])
    assert found == pytest.approx(float(np.exp(each.mean())), rel=1e-9)


def test_an_extractor_makes_the_probabilities() -> None:
    images = drawn(0, 8, 3)
    metric = InceptionScore(num_features=3, feature_extractor=nn.Softmax(dim=1))
    assert after(metric, images) == after(InceptionScore(num_features=3), images.softmax(dim=1))


@pytest.mark.parametrize("scores", [torch.full((2, 3), 0.5), torch.tensor([[-0.5, 1.0, 0.5]])])
def test_what_are_no_probabilities_is_refused(scores: Tensor) -> None:
    says = r"expected probabilities of shape \(N, C\), 0 or more, which add up to 1"
    with pytest.raises(InvalidArgument, match=says):
        InceptionScore(num_features=3).update(scores)


def test_the_inception_score_takes_one_tensor() -> None:
    with pytest.raises(InvalidType, match="InceptionScore expected a tensor of images, got tuple"):
        InceptionScore(num_features=3).update((torch.ones(1, 3), torch.ones(1, 3)))
