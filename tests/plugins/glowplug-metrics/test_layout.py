"""How numbers lie in memory changes no value: large batches, short rows, few classes and many."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from scipy.stats import entropy
from torch import Tensor
from torch.nn import functional

from glowplug_metrics import Entropy, KLDivergence, MeanSquaredError, MutualInformation, Perplexity
from glowplug_metrics.rows import PIECE, SHORT, pieces, row_sums
from glowplug_metrics.scores import FEW, log_probabilities, probabilities


def drawn(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def of(metric: Any, y_pred: Tensor, y: Tensor) -> Any:
    metric.update((y_pred, y))
    return metric.compute()


class Watched(MeanSquaredError):
    """Notes how many examples come at once."""

    def __init__(self) -> None:
        super().__init__()
        self.lengths: list[int] = []

    def accumulate(self, y_pred: Tensor, y: Tensor) -> None:
        self.lengths.append(len(y))
        super().accumulate(y_pred, y)


def test_a_large_batch_is_taken_in_by_pieces() -> None:
    y_pred, y = drawn(2, 3 * PIECE // 4 + 1, 4)
    metric = Watched()
    assert of(metric, y_pred, y) == pytest.approx(functional.mse_loss(y_pred, y.double()).item())
    assert metric.lengths == [PIECE // 4] * 3 + [1]


def test_an_example_larger_than_a_piece_is_a_piece() -> None:
    y_pred, y = drawn(2, 3, 2 * PIECE)
    assert [len(part) for part, _ in pieces(y_pred, y)] == [1, 1, 1]


def test_what_is_not_paired_row_by_row_is_not_taken_apart() -> None:
    y_pred, y = torch.zeros(4 * PIECE), torch.zeros(1)
    assert [(len(one), len(other)) for one, other in pieces(y_pred, y)] == [(4 * PIECE, 1)]


def test_targets_that_are_not_looked_at_may_be_of_any_form_beside_a_large_batch() -> None:
    y_pred = drawn(PIECE, 3)
    assert of(Entropy(), y_pred, torch.tensor(7)) == pytest.approx(of(Entropy(), y_pred, y_pred))


@pytest.mark.parametrize("length", [0, 1, SHORT, SHORT + 1])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rows_of_any_length_are_summed(length: int, dtype: torch.dtype) -> None:
    rows = drawn(2, 5, length).to(dtype)
    torch.testing.assert_close(row_sums(rows), rows.sum(dim=-1))


@pytest.mark.parametrize("length", [SHORT, SHORT + 1])
@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_nan_and_infinity_stay_in_the_sum_of_their_row(length: int, value: float) -> None:
    rows = torch.ones(2, length)
    rows[0, 3] = value
    torch.testing.assert_close(row_sums(rows), torch.tensor([value, length]), equal_nan=True)


@pytest.mark.parametrize("classes", [1, FEW, FEW + 1])
@pytest.mark.parametrize("places", [(), (2, 3)])
def test_probabilities_are_those_of_the_classes(classes: int, places: tuple[int, ...]) -> None:
    scores = drawn(4, classes, *places)
    torch.testing.assert_close(probabilities(scores), scores.softmax(1).movedim(1, 0))
    torch.testing.assert_close(log_probabilities(scores), scores.log_softmax(1).movedim(1, 0))


@pytest.mark.parametrize("classes", [FEW, FEW + 1])
def test_few_classes_and_many_are_compared_alike(classes: int) -> None:
    one, other = drawn(2, 6, classes).double()
    p, q = one.softmax(1).numpy(), other.softmax(1).numpy()
    assert of(KLDivergence(), one, other) == pytest.approx(entropy(q, p, axis=1).mean())
    expected = entropy(p.mean(0)) - entropy(p, axis=1).mean()
    assert of(MutualInformation(), one, other) == pytest.approx(expected)


@pytest.mark.parametrize("tokens", [FEW, FEW + 1])
def test_a_language_of_few_tokens_is_as_one_of_many(tokens: int) -> None:
    scores, y = drawn(4, tokens, 5), torch.arange(20).view(4, 5)
    expected = functional.cross_entropy(scores.double(), y).exp().item()
    assert of(Perplexity(), scores, y) == pytest.approx(expected)
