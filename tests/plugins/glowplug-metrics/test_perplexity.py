"""Perplexity against the product of probabilities."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torchmetrics.functional.text import perplexity

from glowplug.errors import InvalidArgument
from glowplug_metrics import NotComputableError, Perplexity

A = torch.tensor


def of(metric: Perplexity, y_pred: Tensor, y: Tensor) -> float:
    metric.update((y_pred, y))
    return float(metric.compute())


@pytest.mark.parametrize("places", [(), (3,), (3, 2)])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("whole", [torch.int64, torch.int32, torch.uint8])
def test_it_is_the_inverse_geometric_mean_of_the_probabilities(
    places: Any, dtype: torch.dtype, whole: torch.dtype
) -> None:
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(4, 6, *places, generator=generator).to(dtype)
    y = torch.randint(6, (4, *places), generator=generator)
    probabilities = scores.double().softmax(1).gather(1, y.unsqueeze(1)).flatten().tolist()
    expected = math.prod(probabilities) ** (-1 / len(probabilities))
    assert of(Perplexity(), scores, y.to(whole)) == pytest.approx(expected)


def test_it_is_what_torchmetrics_says_where_tokens_are_ignored() -> None:
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(4, 6, 9, generator=generator, dtype=torch.float64)
    y = torch.randint(6, (4, 9), generator=generator)
    expected = perplexity(scores.transpose(1, 2), y, ignore_index=3).item()
    assert of(Perplexity(ignore_index=3), scores, y) == pytest.approx(expected)


def test_what_is_ignored_does_not_count_whatever_its_scores() -> None:
    scores = torch.zeros(1, 4, 3)
    scores[..., 1] = torch.nan
    assert of(Perplexity(ignore_index=3), scores, A([[0, 3, 1]])) == pytest.approx(4)


def test_a_token_of_no_probability_makes_it_infinite() -> None:
    assert of(Perplexity(), A([[0.0, -math.inf]]), A([1])) == math.inf


@pytest.mark.parametrize("score", [math.nan, math.inf])
def test_nan_and_infinity_make_it_nan(score: float) -> None:
    assert math.isnan(of(Perplexity(), A([[0.0, score]]), A([0])))


@pytest.mark.parametrize("y", [A([-100, -100]), A([], dtype=torch.int64)])
def test_nothing_but_ignored_places_has_no_value(y: Tensor) -> None:
    metric = Perplexity()
    metric.update((torch.zeros(len(y), 5), y))
    with pytest.raises(NotComputableError, match="no example"):
        metric.compute()


@pytest.mark.parametrize(
    ("y_pred", "y", "expected"),
    [
        (torch.zeros(2, 3, 5), A([[0, 1, 2], [0, 1, 2]]), r"\(N, V, \.\.\.\) and y of shape"),
        (torch.zeros(2), A([0, 1]), r"\(N, V, \.\.\.\) and y of shape"),
        (torch.zeros(2, 5), A([0.0, 1.0]), "whole numbers in y"),
        (torch.zeros(2, 5, dtype=torch.int64), A([0, 1]), "floating-point scores"),
        (torch.zeros(2, 5), A([0, 5]), "from 0 to V - 1 = 4, or ignore_index=-100"),
    ],
)
def test_other_forms_and_tokens_are_refused(y_pred: Tensor, y: Tensor, expected: str) -> None:
    with pytest.raises(InvalidArgument, match=f"Perplexity expected .*{expected}"):
        Perplexity().update((y_pred, y))
