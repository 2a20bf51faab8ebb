"""Scores of clusters against scikit-learn."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score
from torch import Tensor

from glowplug.errors import InvalidArgument, InvalidType
from glowplug_metrics import EpochMetricWarning, Metric
from glowplug_metrics.clustering import CalinskiHarabaszScore, DaviesBouldinScore, SilhouetteScore

A = torch.tensor
FEW = settings(max_examples=50)
SEEDS = st.integers(0, 2**31)
SCORES: dict[Any, Callable[[Any, Any], float]] = {
    CalinskiHarabaszScore: calinski_harabasz_score,
    DaviesBouldinScore: davies_bouldin_score,
    SilhouetteScore: silhouette_score,
}
DISTANCES = (
    "euclidean",
    "l2",
    "sqeuclidean",
    "manhattan",
    "cityblock",
    "l1",
    "chebyshev",
    "cosine",
)


def of(metric: Metric, features: Tensor, labels: Tensor) -> float:
    metric.update((features, labels))
    value: float = metric.compute()
    return value


def drawn(seed: int, n: int, dimensions: int, clusters: int) -> tuple[Tensor, Tensor]:
    """Features, and labels that are not in a row; the first three are of two clusters."""
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(n, dimensions, generator=generator, dtype=torch.float64)
    labels = torch.randint(clusters, (n,), generator=generator)
    labels[:3] = A([0, 1, 1])
    return features + 3 * labels.unsqueeze(1), 7 * labels - 5


@pytest.mark.parametrize("make", SCORES)
@FEW
@given(seed=SEEDS, n=st.integers(5, 30), dimensions=st.integers(1, 4), clusters=st.integers(2, 4))
def test_a_score_is_what_scikit_learn_gives(
    make: Any, seed: int, n: int, dimensions: int, clusters: int
) -> None:
    features, labels = drawn(seed, n, dimensions, clusters)
    assert of(make(), features, labels) == pytest.approx(SCORES[make](features, labels))


@pytest.mark.parametrize("metric", DISTANCES)
@FEW
@given(seed=SEEDS, dimensions=st.integers(1, 4))
def test_a_silhouette_may_be_of_another_distance(metric: str, seed: int, dimensions: int) -> None:
    features, labels = drawn(seed, 12, dimensions, 3)
    expected = silhouette_score(features, labels, metric=metric)
    score = SilhouetteScore(silhouette_kwargs={"metric": metric})
    assert of(score, features, labels) == pytest.approx(expected, abs=1e-9)


def test_distances_may_be_given() -> None:
    features, labels = drawn(0, 12, 3, 3)
    distances = torch.from_numpy(cdist(features, features, "canberra"))
    metric = SilhouetteScore(silhouette_kwargs={"metric": "precomputed"}, check_compute_fn=False)
    for rows in torch.arange(12).split(5):
        metric.update((distances[rows], labels[rows]))
    assert metric.compute() == pytest.approx(
        silhouette_score(distances, labels, metric="precomputed")
    )


def test_given_distances_must_be_of_all_examples() -> None:
    metric = SilhouetteScore(silhouette_kwargs={"metric": "precomputed"}, check_compute_fn=False)
    with pytest.raises(InvalidArgument, match=r"of shape \(N, N\), got \(12, 3\)"):
        of(metric, *drawn(0, 12, 3, 3))


def test_a_silhouette_does_not_depend_on_how_many_distances_are_made_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("glowplug_metrics.clustering.silhouette.BLOCK", 100)
    features, labels = drawn(0, 31, 3, 4)
    assert of(SilhouetteScore(), features, labels) == pytest.approx(
        silhouette_score(features, labels)
    )


@pytest.mark.parametrize("metric", ["euclidean", "precomputed"])
def test_a_sample_is_drawn_of_the_examples_that_its_seed_tells(metric: str) -> None:
    features, labels = drawn(0, 40, 3, 3)
    if metric == "precomputed":
        features = torch.cdist(features, features)

    def sampled(**kwargs: Any) -> float:
        given = {"metric": metric, "sample_size": 20, **kwargs}
        return of(SilhouetteScore(silhouette_kwargs=given), features, labels)

    assert sampled() == sampled(random_state=0) != sampled(random_state=1)
    assert sampled(sample_size=40) == pytest.approx(sampled(sample_size=None))
    assert sampled(random_state=3) == pytest.approx(sampled(sample_size=None), abs=0.2)


@pytest.mark.parametrize("make", SCORES)
@pytest.mark.parametrize("labels", [[3, 3, 3], [0, 1, 2]])
def test_one_cluster_or_only_single_examples_give_nan(make: Any, labels: list[int]) -> None:
    assert math.isnan(of(make(), A([[0.0], [1.0], [3.0]]), A(labels)))


@pytest.mark.parametrize("make", SCORES)
@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("place", [0, 4])
def test_nan_and_infinity_make_a_score_nan(make: Any, value: float, place: int) -> None:
    features, labels = drawn(0, 12, 2, 3)
    features[place, 1] = value
    assert math.isnan(of(make(), features, labels))


@pytest.mark.parametrize(
    ("make", "value"), [(CalinskiHarabaszScore, 1), (DaviesBouldinScore, 0), (SilhouetteScore, 0)]
)
def test_equal_examples_have_a_documented_score(make: Any, value: float) -> None:
    assert of(make(), torch.ones(4, 2), A([0, 0, 1, 1])) == value


def test_clusters_of_one_mean_are_not_held_against_each_other() -> None:
    features, labels = A([[0.0], [2.0], [1.0], [1.0], [9.0], [9.5]]), A([0, 0, 1, 1, 2, 2])
    expected = davies_bouldin_score(features, labels)
    assert of(DaviesBouldinScore(), features, labels) == pytest.approx(expected)


@pytest.mark.parametrize("make", SCORES)
def test_great_numbers_lose_no_digits(make: Any) -> None:
    features, labels = drawn(0, 20, 2, 3)
    value = of(make(), features + 1e6, labels)
    assert value == pytest.approx(of(make(), features, labels), rel=1e-6)


@pytest.mark.parametrize("make", SCORES)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.int64])
def test_features_may_be_of_any_real_type(make: Any, dtype: torch.dtype) -> None:
    features, labels = drawn(0, 20, 2, 3)
    features = features.to(dtype)
    expected = SCORES[make](features.double(), labels)
    assert of(make(), features, labels.float()) == pytest.approx(expected)


@pytest.mark.parametrize("make", SCORES)
def test_features_and_labels_are_picked_from_what_the_step_returns(make: Any, final: Any) -> None:
    features, labels = drawn(0, 20, 2, 3)
    output = {"labels": labels, "features": features, "loss": 1.0}
    assert final(make(), [output])["m"] == pytest.approx(SCORES[make](features, labels))


@pytest.mark.parametrize("make", SCORES)
@pytest.mark.parametrize(
    ("features", "labels"), [((4,), (4,)), ((4, 2), (4, 1)), ((4, 2), (3,)), ((4, 2, 1), (4,))]
)
def test_other_shapes_are_refused(make: Any, features: Any, labels: Any) -> None:
    expected = r"expected features of shape \(N, D\) .*; got features of shape .*, labels of shape"
    with pytest.raises(InvalidArgument, match=expected):
        of(make(), torch.ones(features), torch.ones(labels))


def test_what_is_no_tensor_is_refused() -> None:
    with pytest.raises(InvalidType, match=r"expected two tensors \(features, labels\), got float"):
        SilhouetteScore().update(1.0)


@pytest.mark.parametrize(
    ("kwargs", "expected"),
    [
        ({"metrics": "l1"}, "may hold metric, .*, got 'metrics'; did you mean 'metric'"),
        ({"metric": "manhatten"}, "must be one of euclidean, .* did you mean 'manhattan'"),
        ({"sample_size": 0}, "sample_size of silhouette_kwargs must be a positive whole number"),
        ({"random_state": 0.5}, "random_state of silhouette_kwargs must be a whole number"),
    ],
)
def test_other_arguments_of_a_silhouette_are_refused(kwargs: Any, expected: str) -> None:
    with pytest.raises(InvalidArgument, match=expected):
        SilhouetteScore(silhouette_kwargs=kwargs)


def test_what_will_fail_is_told_of_the_first_batch() -> None:
    metric = SilhouetteScore(silhouette_kwargs={"metric": "precomputed"})
    with pytest.warns(EpochMetricWarning, match=r"of shape \(N, N\)"):
        metric.update(drawn(0, 12, 3, 3))
