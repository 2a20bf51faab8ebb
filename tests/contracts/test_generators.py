"""The kit sees the global generators of the libraries that the plugins use."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from glowplug.testing.generators import watched

USES: dict[str, Callable[[], object]] = {
    "numpy.random": lambda: np.random.rand(),
    "torch": lambda: torch.rand(()),
}


@pytest.mark.parametrize(("name", "use"), USES.items(), ids=USES)
def test_a_number_drawn_from_a_global_generator_is_seen(
    name: str, use: Callable[[], object]
) -> None:
    with watched() as used:
        use()
        assert used() == [name]


def test_seeding_with_the_seed_that_was_there_is_seen() -> None:
    torch.manual_seed(0)
    with watched() as used:
        torch.manual_seed(0)
        assert used() == ["torch"]


def test_generators_of_ones_own_are_nobodys_business() -> None:
    with watched() as used:
        torch.rand((), generator=torch.Generator().manual_seed(1))
        np.random.default_rng(1).random()
        assert used() == []


def test_what_was_drawn_next_before_is_drawn_next_after() -> None:
    state = torch.get_rng_state()
    with watched():
        torch.rand(3)
    assert torch.equal(torch.get_rng_state(), state)
