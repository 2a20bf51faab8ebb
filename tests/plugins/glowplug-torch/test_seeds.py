"""Seeding all sources of random numbers, and capturing and restoring their state."""

from __future__ import annotations

import io
import random
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from glowplug_torch import capture_random_state, manual_seed, restore_random_state


def draw() -> tuple[float, float, float, float]:
    """Draw a uniform and a normal number, since each source keeps a spare normal one."""
    normal = random.gauss(0, 1), float(np.random.standard_normal())
    return random.random(), float(np.random.rand()), float(torch.rand(())), sum(normal)


@pytest.mark.parametrize("seed", [0, 7, 2**32 - 1, np.int64(7)])
def test_the_same_seed_gives_the_same_numbers_everywhere(seed: int) -> None:
    manual_seed(seed)
    first = draw()
    manual_seed(seed)
    assert draw() == first


def test_two_seeds_give_other_numbers_everywhere() -> None:
    manual_seed(1)
    first = draw()
    manual_seed(2)
    assert all(a != b for a, b in zip(first, draw(), strict=True))


@pytest.mark.parametrize(
    ("seed", "kind"), [(-1, ValueError), (2**32, ValueError), ("1", TypeError), (1.5, TypeError)]
)
def test_a_bad_seed_is_an_error_and_seeds_nothing(seed: Any, kind: type[Exception]) -> None:
    manual_seed(3)
    expected = draw()
    manual_seed(3)
    with pytest.raises(kind, match="a seed"):
        manual_seed(seed)
    assert draw() == expected


@given(before=st.integers(0, 5), between=st.integers(0, 5))
def test_a_restored_state_goes_on_as_it_did(before: int, between: int) -> None:
    for _ in range(before):
        draw()
    state = capture_random_state()
    expected = [draw() for _ in range(3)]
    for _ in range(between):
        draw()
    restore_random_state(state)
    assert [draw() for _ in range(3)] == expected


def test_a_state_is_read_back_by_the_safe_loader() -> None:
    file = io.BytesIO()
    torch.save(capture_random_state(), file)
    expected = draw()
    file.seek(0)
    restore_random_state(torch.load(file, weights_only=True))
    assert draw() == expected


def test_a_state_without_numpy_leaves_numpy_alone() -> None:
    state = capture_random_state()
    del state["numpy"]
    manual_seed(5)
    expected = np.random.rand()
    manual_seed(5)
    restore_random_state(state)
    assert np.random.rand() == expected


@pytest.mark.parametrize("key", ["python", "torch", "numpy"])
def test_a_broken_state_is_an_error_and_restores_nothing(key: str) -> None:
    broken = {**capture_random_state(), key: [1, torch.zeros(3), 2]}
    manual_seed(5)
    expected = draw()
    manual_seed(5)
    with pytest.raises(ValueError, match="cannot be used"):
        restore_random_state(broken)
    assert draw() == expected


@pytest.mark.skipif(torch.cuda.is_available(), reason="the state is of a GPU that is absent here")
def test_a_state_of_more_gpus_than_there_are_is_restored_as_far_as_it_goes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    state = {**capture_random_state(), "cuda": [torch.get_rng_state()]}
    expected = draw()
    restore_random_state(state)
    assert "1 GPUs and this machine has 0" in caplog.text
    assert draw() == expected


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_numbers_drawn_on_a_gpu_go_on_as_they_did() -> None:
    torch.rand(3, device="cuda")
    state = capture_random_state()
    expected = torch.rand(3, device="cuda")
    restore_random_state(state)
    assert torch.equal(torch.rand(3, device="cuda"), expected)


def test_without_numpy_the_other_sources_are_seeded_and_captured() -> None:
    script = """
import sys
sys.modules["numpy"] = None
import warnings
warnings.simplefilter("ignore")  # torch says that it has no NumPy
import random, torch
from glowplug_torch import capture_random_state, manual_seed, restore_random_state
manual_seed(1)
state = capture_random_state()
assert set(state) == {"python", "torch"}, state
expected = random.random(), torch.rand(())
restore_random_state(state)
assert expected == (random.random(), torch.rand(()))
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)
