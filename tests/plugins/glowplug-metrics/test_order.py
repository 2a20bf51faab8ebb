"""Medians, ranks and inversions beside NumPy, SciPy and counting."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from glowplug_metrics.order import average_ranks, inversions, true_median

NUMBERS = st.lists(st.integers(-5, 5), min_size=1, max_size=40)


@given(numbers=NUMBERS)
def test_the_median_is_that_of_numpy(numbers: list[int]) -> None:
    assert true_median(torch.tensor(numbers).double()) == np.median(numbers)


def test_the_median_of_numbers_and_a_nan_is_nan() -> None:
    assert true_median(torch.tensor([1.0, torch.nan, 2.0])).isnan()


@given(numbers=NUMBERS)
def test_equal_numbers_share_the_mean_of_their_ranks(numbers: list[int]) -> None:
    assert average_ranks(torch.tensor(numbers)).tolist() == rankdata(numbers).tolist()


@given(numbers=st.lists(st.integers(-5, 5), max_size=40))
def test_inversions_are_the_pairs_in_the_wrong_order(numbers: list[int]) -> None:
    counted = sum(a > b for a, b in combinations(numbers, 2))
    assert inversions(torch.tensor(numbers, dtype=torch.int64)) == counted


@pytest.mark.parametrize("n", [1000, 1024, 1025])
def test_all_pairs_of_falling_numbers_are_inversions(n: int) -> None:
    assert inversions(torch.arange(n).flip(0)) == n * (n - 1) // 2
