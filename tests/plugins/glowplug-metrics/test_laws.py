"""What holds for every metric, whatever it computes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from glowplug_metrics import (
    Accuracy,
    Average,
    EpochMetric,
    GeometricAverage,
    Loss,
    Metric,
    MetricGroup,
    RunningAverage,
    VariableAccumulation,
)

Examples = Any
F = torch.nn.functional


def scores(generator: torch.Generator, n: int) -> Examples:
    return (
        torch.randn(n, 3, generator=generator, dtype=torch.float64),
        torch.randint(3, (n,), generator=generator),
    )


def zeros_and_ones(generator: torch.Generator, n: int) -> Examples:
    return tuple(torch.randint(2, (n, 3), generator=generator) for _ in range(2))


def rows(generator: torch.Generator, n: int) -> Examples:
    return torch.rand(n, 2, generator=generator, dtype=torch.float64)


def squared(y_pred: Tensor, y: Tensor) -> Tensor:
    return (y_pred.sum(1) - y).square().mean()


METRICS: dict[str, tuple[Callable[[], Metric], Callable[[torch.Generator, int], Examples]]] = {
    "accuracy": (Accuracy, scores),
    "accuracy, binary": (Accuracy, zeros_and_ones),
    "accuracy, multilabel": (lambda: Accuracy(is_multilabel=True), zeros_and_ones),
    "loss": (lambda: Loss(F.cross_entropy), scores),
    "average": (Average, rows),
    "geometric average": (GeometricAverage, rows),
    "accumulation": (lambda: VariableAccumulation(lambda a, x: a + x.sum(0)), rows),
    "epoch metric": (lambda: EpochMetric(squared, check_compute_fn=False), scores),
    "lambda": (lambda: (Accuracy() + 1) * Loss(F.cross_entropy), scores),
    "group": (lambda: MetricGroup({"a": Accuracy(), "l": Loss(F.cross_entropy)}), scores),
}
ORDERED = {
    **METRICS,
    "running average": (
        lambda: RunningAverage(Accuracy(), alpha=0.7),
        scores,
    ),
    "running average of outputs": (
        lambda: RunningAverage(output_transform=lambda output: output.mean(0), alpha=0.7),
        rows,
    ),
}
FEW = settings(max_examples=25)
SEEDS = st.integers(0, 2**31)
SIZES = st.lists(st.integers(1, 5), min_size=2, max_size=5)


def split(examples: Examples, sizes: list[int]) -> list[Examples]:
    if isinstance(examples, Tensor):
        return list(examples.split(sizes))
    return list(zip(*(part.split(sizes) for part in examples), strict=True))


def updated(metric: Metric, batches: list[Examples]) -> Metric:
    for batch in batches:
        metric.feed(batch)
    return metric


def same(one: Any, other: Any) -> None:
    torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", METRICS)
@FEW
@given(seed=SEEDS, sizes=SIZES)
def test_how_the_examples_are_split_into_batches_does_not_matter(
    name: str, seed: int, sizes: list[int]
) -> None:
    make, draw = METRICS[name]
    examples = draw(torch.Generator().manual_seed(seed), sum(sizes))
    whole = updated(make(), [examples])
    same(updated(make(), split(examples, sizes)).compute(), whole.compute())


@pytest.mark.parametrize("name", METRICS)
@FEW
@given(seed=SEEDS, sizes=SIZES, data=st.data())
def test_the_order_of_the_batches_does_not_matter(
    name: str, seed: int, sizes: list[int], data: st.DataObject
) -> None:
    make, draw = METRICS[name]
    batches = split(draw(torch.Generator().manual_seed(seed), sum(sizes)), sizes)
    shuffled = data.draw(st.permutations(batches))
    same(updated(make(), shuffled).compute(), updated(make(), batches).compute())


@pytest.mark.parametrize("name", ORDERED)
@FEW
@given(seed=SEEDS, sizes=SIZES)
def test_a_reset_metric_is_a_new_one(name: str, seed: int, sizes: list[int]) -> None:
    make, draw = ORDERED[name]
    generator = torch.Generator().manual_seed(seed)
    before, after = (split(draw(generator, sum(sizes)), sizes) for _ in range(2))
    metric = updated(make(), before)
    metric.reset()
    assert repr(metric.state_dict()) == repr(make().state_dict())
    assert repr(updated(metric, after).compute()) == repr(updated(make(), after).compute())


@pytest.mark.parametrize("name", ORDERED)
@FEW
@given(seed=SEEDS, sizes=SIZES, data=st.data())
def test_saving_and_loading_in_the_middle_changes_nothing(
    name: str, seed: int, sizes: list[int], data: st.DataObject
) -> None:
    make, draw = ORDERED[name]
    batches = split(draw(torch.Generator().manual_seed(seed), sum(sizes)), sizes)
    middle = data.draw(st.integers(0, len(batches)))
    metric = updated(make(), batches[:middle])
    restored = make()
    restored.load_state_dict(metric.state_dict())
    for going_on in (metric, restored):
        updated(going_on, batches[middle:])
    assert repr(restored.compute()) == repr(metric.compute())


@pytest.mark.parametrize("name", ORDERED)
@FEW
@given(seed=SEEDS, sizes=SIZES)
def test_computing_in_between_changes_nothing(name: str, seed: int, sizes: list[int]) -> None:
    make, draw = ORDERED[name]
    batches = split(draw(torch.Generator().manual_seed(seed), sum(sizes)), sizes)
    metric, asked = make(), make()
    for batch in batches:
        metric.feed(batch)
        asked.feed(batch)
        asked.compute()
        asked.state_dict()
    assert repr(asked.compute()) == repr(metric.compute())


@pytest.mark.parametrize("name", ["accuracy", "loss", "average", "geometric average"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_what_comes_in_less_precision_is_gathered_in_full(name: str, dtype: torch.dtype) -> None:
    make, draw = METRICS[name]
    examples = draw(torch.Generator().manual_seed(0), 20)
    parts = (examples,) if isinstance(examples, Tensor) else examples
    narrow = [part.to(dtype) if part.is_floating_point() else part for part in parts]
    wide = [part.double() if part.is_floating_point() else part for part in narrow]
    values = [
        updated(make(), [tensors[0] if len(tensors) == 1 else tuple(tensors)]).value()
        for tensors in (narrow, wide)
    ]
    # The loss function itself computes in the precision of what it is given.
    loss = name == "loss" and dtype != torch.float64
    assert values[0].dtype == torch.float64
    torch.testing.assert_close(*values, rtol=0.02 if loss else 1e-9, atol=0.0)


@pytest.mark.parametrize("name", ORDERED)
def test_no_update_asks_for_a_number(name: str, nothing_waits: Any) -> None:
    make, draw = ORDERED[name]
    batches = split(draw(torch.Generator().manual_seed(0), 9), [3, 3, 3])
    metric = updated(make(), batches[:1])
    with nothing_waits:
        updated(metric, batches[1:])


def test_the_watch_notices_waiting(nothing_waits: Any) -> None:
    with nothing_waits, pytest.raises(AssertionError, match="waits for the device"):
        torch.ones(()).item()


def test_a_running_average_is_shown_without_asking_for_a_number(
    nothing_waits: Any, engine: Any
) -> None:
    RunningAverage(Accuracy()).attach(engine, "accuracy")
    RunningAverage(output_transform=lambda output: output[0].mean()).attach(engine, "mean")
    batches = split(scores(torch.Generator().manual_seed(0), 9), [3, 3, 3])
    with nothing_waits:
        metrics = engine.run(batches, max_epochs=2).metrics
    assert set(metrics) == {"accuracy", "mean"}
