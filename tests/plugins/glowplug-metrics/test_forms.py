"""What the metrics of predicted numbers, vectors and distributions refuse."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import glowplug_metrics as m
from glowplug.errors import InvalidArgument, InvalidType
from glowplug_metrics import regression as r

FLAT = [
    *(r.PearsonCorrelation, r.R2Score, r.SpearmanRankCorrelation, r.KendallRankCorrelation),
    *(r.MedianAbsoluteError, r.MedianAbsolutePercentageError, r.MedianRelativeAbsoluteError),
    r.GeometricMeanRelativeAbsoluteError,
]
PAIRED = [
    *(m.MeanAbsoluteError, m.MeanSquaredError, m.RootMeanSquaredError, r.MeanError),
    *(r.CanberraMetric, r.ManhattanDistance, r.WaveHedgesDistance, r.MaximumAbsoluteError),
    *(r.FractionalAbsoluteError, r.FractionalBias, r.GeometricMeanAbsoluteError),
    *(r.MeanAbsoluteRelativeError, r.MeanNormalizedBias),
]
ROWS = [
    *(m.MeanPairwiseDistance, m.CosineSimilarity, lambda: m.PSNR(1.0), m.KLDivergence),
    *(m.JSDivergence, m.MaximumMeanDiscrepancy),
]
EXPECTED: dict[Any, str] = {
    **dict.fromkeys(FLAT, r"y_pred and y of shape \(N,\) or \(N, 1\)"),
    **dict.fromkeys(PAIRED, r"y_pred and y of one shape \(N, \.\.\.\)"),
    **dict.fromkeys(ROWS, r"y_pred and y of one shape \(N, D, \.\.\.\)"),
    m.HSIC: r"y_pred and y of shape \(N, \.\.\.\) each",
}


@pytest.mark.parametrize(("make", "expected"), EXPECTED.items())
def test_two_lengths_are_refused_by_a_message_that_names_metric_and_shapes(
    make: Any, expected: str
) -> None:
    metric = make()
    message = rf"{type(metric).__name__} expected .*{expected}.*\(3, 2\).*float32.*\(4, 2\)"
    with pytest.raises(InvalidArgument, match=message):
        metric.update((torch.ones(3, 2), torch.ones(4, 2)))


@pytest.mark.parametrize("make", [*FLAT, *PAIRED, *ROWS, m.HSIC, m.Entropy, m.MutualInformation])
def test_complex_numbers_are_refused(make: Any) -> None:
    complex_numbers = torch.ones(4, 1, dtype=torch.complex64)
    with pytest.raises(InvalidArgument, match=r"got y_pred of shape \(4, 1\) and torch.complex64"):
        make().update((complex_numbers, complex_numbers))


@pytest.mark.parametrize("make", [*FLAT, *PAIRED, *ROWS, m.HSIC, m.Entropy])
def test_what_is_not_two_tensors_is_refused(make: Any) -> None:
    with pytest.raises(InvalidType, match=r"expected two tensors \(y_pred, y\), got \(Tensor\)"):
        make().update((torch.ones(4, 1),))


@pytest.mark.parametrize("make", FLAT)
def test_a_matrix_is_refused_where_one_number_is_wanted(make: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"of shape \(N,\) or \(N, 1\)"):
        make().update((torch.ones(3, 2), torch.ones(3, 2)))


@pytest.mark.parametrize("make", ROWS)
def test_single_numbers_are_refused_where_rows_are_wanted(make: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"of one shape \(N, D, \.\.\.\)"):
        make().update((torch.ones(3), torch.ones(3)))


@pytest.mark.parametrize("make", [m.Entropy, m.MutualInformation])
def test_scores_have_a_dimension_of_classes(make: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"y_pred of shape \(N, C, \.\.\.\)"):
        make().update((torch.ones(3), torch.ones(3)))


@pytest.mark.parametrize("make", [*FLAT, *PAIRED])
def test_a_column_is_paired_with_a_row_of_targets_number_by_number(make: Any) -> None:
    y_pred, y = torch.rand(2, 7, generator=torch.Generator().manual_seed(0))
    metric, flat = make(), make()
    flat.update((y_pred, y))
    for pair in ((y_pred[:4], y[:4]), (y_pred[4:6, None], y[4:6]), (y_pred[6:], y[6:, None])):
        metric.update(pair)
    assert metric.compute() == pytest.approx(flat.compute())


@pytest.mark.parametrize("make", [*PAIRED, r.PearsonCorrelation, r.R2Score])
def test_a_later_batch_of_two_lengths_is_not_broadcast(make: Any) -> None:
    metric = make()
    metric.update((torch.rand(3), torch.rand(3)))
    with pytest.raises(RuntimeError, match="shape"):
        metric.update((torch.rand(3), torch.rand(1)))


@pytest.mark.parametrize(
    ("make", "shape"),
    [*((make, (5, 1)) for make in ROWS), *((make, (1, 3)) for make in [*ROWS, m.HSIC])],
)
def test_a_later_batch_of_other_rows_is_not_broadcast(make: Any, shape: tuple[int, ...]) -> None:
    metric = make()
    metric.update((torch.rand(5, 3), torch.rand(5, 3)))
    with pytest.raises((RuntimeError, InvalidArgument), match="shape"):
        metric.update((torch.rand(5, 3), torch.rand(*shape)))


@pytest.mark.parametrize("make", [r.MeanAbsoluteRelativeError, r.MeanNormalizedBias])
def test_a_target_of_0_is_refused_where_it_divides(make: Any) -> None:
    with pytest.raises(InvalidArgument, match="expected y without zeros, by which it divides"):
        make().update((torch.ones(2), torch.tensor([1.0, 0.0])))


def test_another_variant_of_kendall_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="variant must be 'b' or 'c', got 'a'"):
        r.KendallRankCorrelation("a")


@pytest.mark.parametrize("make", [*FLAT, *PAIRED, *ROWS, m.HSIC, m.Entropy])
def test_a_metric_that_took_in_nothing_says_so(make: Any) -> None:
    with pytest.raises(m.NotComputableError, match="has taken in no example"):
        make().compute()
