from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from glowplug.errors import InvalidArgument, InvalidType
from glowplug_metrics import Loss, NotComputableError

F = torch.nn.functional
A = torch.tensor


@given(seed=st.integers(0, 2**31), sizes=st.lists(st.integers(1, 5), min_size=1, max_size=5))
def test_it_is_the_loss_of_the_whole(seed: int, sizes: list[int]) -> None:
    generator = torch.Generator().manual_seed(seed)
    y_pred = torch.randn(sum(sizes), 3, generator=generator)
    y = torch.randint(3, (sum(sizes),), generator=generator)
    loss = Loss(F.cross_entropy)
    for batch in zip(y_pred.split(sizes), y.split(sizes), strict=True):
        loss.update(batch)
    assert loss.compute() == pytest.approx(F.cross_entropy(y_pred, y).item(), rel=1e-5)


def test_keyword_arguments_reach_the_loss() -> None:
    loss = Loss(F.mse_loss)
    loss.update((A([1.0, 3.0]), A([0.0, 0.0]), {"reduction": "sum"}))
    assert loss.compute() == 10.0


def test_the_size_of_a_batch_can_be_told() -> None:
    loss = Loss(F.l1_loss, batch_size=lambda y: y.numel())
    loss.update((torch.ones(2, 3), torch.zeros(2, 3)))
    loss.update((torch.zeros(1, 3), torch.zeros(1, 3)))
    assert loss.compute() == pytest.approx(6 / 9)


def test_predictions_and_targets_may_be_of_any_form() -> None:
    loss = Loss(lambda y_pred, y: y_pred["a"].mean(), batch_size=lambda y: y["n"])
    loss.update(({"a": A([1.0, 2.0])}, {"n": 2}))
    assert loss.compute() == 1.5


def test_a_loss_that_is_a_plain_number_is_taken() -> None:
    loss = Loss(lambda y_pred, y: 3)
    loss.update((None, [0, 0]))
    assert loss.compute() == 3.0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_the_mean_is_made_in_float64(dtype: torch.dtype) -> None:
    loss = Loss(lambda y_pred, y: y_pred)
    for _ in range(1000):
        loss.update((A(0.125, dtype=dtype), [0]))
    loss.update((A(4096.0, dtype=dtype), [0]))
    assert loss.compute() == (125 + 4096) / 1001


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_nan_and_infinity_stay(value: float) -> None:
    loss = Loss(lambda y_pred, y: y_pred)
    for part in (1.0, value, 2.0):
        loss.update((A(part), [0]))
    assert loss.compute() == pytest.approx(value, nan_ok=True)


@pytest.mark.parametrize("returned", [torch.ones(2), torch.ones(1), None, "0.5"])
def test_a_loss_that_is_no_mean_is_an_error(returned: Any) -> None:
    loss = Loss(lambda y_pred, y: returned)
    with pytest.raises(InvalidArgument, match="a tensor without dimensions or a number, got"):
        loss.update((A([1.0]), A([1.0])))


@pytest.mark.parametrize("arguments", [{"loss_fn": 3}, {"loss_fn": len, "batch_size": 3}])
def test_what_cannot_be_called_is_refused(arguments: Any) -> None:
    with pytest.raises(InvalidType, match="must be callable, got 3 of type int"):
        Loss(**arguments)


def test_nothing_taken_in_is_not_computable() -> None:
    with pytest.raises(NotComputableError, match="Loss has taken in no example"):
        Loss(F.mse_loss).compute()


def test_no_graph_is_kept() -> None:
    loss = Loss(F.mse_loss)
    loss.update((A([1.0], requires_grad=True), A([0.0])))
    assert not loss.total.requires_grad
