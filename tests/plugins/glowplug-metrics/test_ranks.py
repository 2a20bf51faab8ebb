from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from metric_cases import CASES, Case, split
from torch import Tensor

from glowplug_metrics import (
    Accuracy,
    Average,
    EpochMetric,
    Metric,
    NotComputableError,
    RunningAverage,
    VariableAccumulation,
)
from glowplug_metrics.regression import MaximumAbsoluteError, PearsonCorrelation, R2Score

A = torch.tensor


def both(y_pred: Tensor, y: Tensor) -> tuple[Any, Any]:
    return sorted(y_pred.tolist()), sorted(y.tolist())


PAIRS = CASES["accuracy"].draw(torch.Generator().manual_seed(0), 9)
METRICS: dict[str, Case] = {
    **{name: case for name, case in CASES.items() if case.splits and case.shares},
    "smallest": replace(
        CASES["average"],
        make=lambda: VariableAccumulation(lambda a, x: min(a, x.min()), initial=9.0, reduce="min"),
    ),
}


def drawn(name: str) -> Any:
    return METRICS[name].draw(torch.Generator().manual_seed(0), 9)


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("sizes", [[3, 3, 3], [5, 3, 1], [8, 1, 0]])
def test_ranks_with_parts_of_the_data_have_the_value_of_the_whole(
    ranks: Any, name: str, sizes: list[int]
) -> None:
    make, examples = METRICS[name].make, drawn(name)
    whole: Metric = make()
    whole.feed(examples)

    def work(rank: int) -> Any:
        metric: Metric = make()
        if sizes[rank]:
            metric.feed(split(examples, sizes)[rank])
        before = repr(vars(metric))
        value = metric.compute()
        assert repr(vars(metric)) == before
        return value

    for value in ranks.run(work):
        torch.testing.assert_close(value, whole.compute())


@pytest.mark.parametrize("name", METRICS)
def test_ranks_that_load_what_ranks_saved_go_on_as_if_nothing_had_been(
    ranks: Any, name: str
) -> None:
    make, examples = METRICS[name].make, drawn(name)
    whole: Metric = make()
    for _ in range(2):
        whole.feed(examples)

    def work(rank: int) -> Any:
        metric, restored = make(), make()
        metric.feed(split(examples, [2, 3, 4])[rank])
        restored.load_state_dict(metric.state_dict())
        restored.feed(split(examples, [4, 3, 2])[rank])
        return restored.compute()

    for value in ranks.run(work):
        torch.testing.assert_close(value, whole.compute())


def test_what_three_ranks_saved_is_loaded_by_one(ranks: Any) -> None:
    def work(rank: int) -> dict[str, Any]:
        metric = Accuracy()
        metric.update(split(PAIRS, [2, 3, 4])[rank])
        return metric.state_dict()

    whole, alone = Accuracy(), Accuracy()
    whole.update(PAIRS)
    for saved in ranks.run(work):
        alone.load_state_dict(saved)
        assert alone.compute() == whole.compute()


def test_a_running_average_of_outputs_is_the_mean_of_the_ranks(ranks: Any) -> None:
    def work(rank: int) -> Any:
        average = RunningAverage(output_transform=lambda output: output, alpha=0.5)
        for output in (1.0, 2.0):
            average.update(torch.tensor(output + rank))
        restored = RunningAverage(output_transform=lambda output: output, alpha=0.5)
        restored.load_state_dict(average.state_dict())
        return average.compute(), restored.compute()

    assert ranks.run(work) == [(2.5, 2.5)] * 3


def test_a_running_average_of_a_metric_averages_what_all_ranks_have(ranks: Any) -> None:
    def work(rank: int) -> Any:
        average = RunningAverage(Average(), alpha=0.5)
        for output in (1.0, 2.0):
            average.update(output + rank)
        return average.compute()

    assert ranks.run(work) == [2.5] * 3


@pytest.mark.parametrize("make", [Accuracy, lambda: EpochMetric(both)])
def test_ranks_that_all_took_in_nothing_say_so_together(ranks: Any, make: Any) -> None:
    def work(rank: int) -> Any:
        with pytest.raises(NotComputableError, match="has taken in no example"):
            make().compute()

    ranks.run(work)


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_nan_in_one_rank_is_the_greatest_error_of_all(ranks: Any, lost: int) -> None:
    def work(rank: int) -> float:
        metric = MaximumAbsoluteError()
        metric.update((A([torch.nan if rank == lost else 1.0]), A([3.0])))
        return float(metric.compute())

    assert all(value != value for value in ranks.run(work))


@pytest.mark.parametrize("make", [PearsonCorrelation, R2Score])
def test_ranks_whose_numbers_are_far_apart_lose_no_digits(ranks: Any, make: Any) -> None:
    far = A([0.0, 1e9, 1e9 + 1], dtype=torch.float64)
    noise = torch.randn(2, 30, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    y_pred, y = noise + far.repeat_interleave(10)
    whole = make()
    whole.update((y_pred, y))

    def work(rank: int) -> float:
        metric = make()
        metric.update((y_pred.split(10)[rank], y.split(10)[rank]))
        return float(metric.compute())

    assert ranks.run(work) == pytest.approx([whole.compute()] * 3, rel=1e-12)


@pytest.mark.parametrize(("make", "value"), [(PearsonCorrelation, 0.0), (R2Score, 0.0)])
def test_targets_that_are_equal_on_all_ranks_are_constant(
    ranks: Any, make: Any, value: float
) -> None:
    def work(rank: int) -> float:
        metric = make()
        for _ in range(50):
            metric.update((torch.arange(3.0), torch.full((3,), 0.1)))
        return float(metric.compute())

    assert ranks.run(work) == [value] * 3
