from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from glowplug_metrics import (
    Accuracy,
    Average,
    EpochMetric,
    Loss,
    Metric,
    MetricGroup,
    NotComputableError,
    RunningAverage,
    VariableAccumulation,
)

F = torch.nn.functional
GENERATOR = torch.Generator().manual_seed(0)
PAIRS = (torch.randn(9, 3, generator=GENERATOR), torch.randint(3, (9,), generator=GENERATOR))
ROWS = torch.rand(9, 2, generator=GENERATOR)


def both(y_pred: Tensor, y: Tensor) -> tuple[Any, Any]:
    return sorted(y_pred.tolist()), sorted(y.tolist())


METRICS: dict[str, tuple[Any, Any]] = {
    "accuracy": (Accuracy, PAIRS),
    "loss": (lambda: Loss(F.cross_entropy), PAIRS),
    "average": (Average, ROWS),
    "smallest": (
        lambda: VariableAccumulation(lambda a, x: min(a, x.min()), initial=9.0, reduce="min"),
        ROWS,
    ),
    "epoch metric": (lambda: EpochMetric(both), PAIRS),
    "group": (lambda: MetricGroup({"a": Accuracy(), "l": Loss(F.cross_entropy)}), PAIRS),
    "lambda": (lambda: Accuracy() + 1, PAIRS),
}


def part(examples: Any, rank: int, sizes: list[int]) -> Any:
    if isinstance(examples, Tensor):
        return examples.split(sizes)[rank]
    return tuple(tensor.split(sizes)[rank] for tensor in examples)


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("sizes", [[3, 3, 3], [5, 3, 1], [8, 1, 0]])
def test_ranks_with_parts_of_the_data_have_the_value_of_the_whole(
    ranks: Any, name: str, sizes: list[int]
) -> None:
    make, examples = METRICS[name]
    whole: Metric = make()
    whole.update(examples)

    def work(rank: int) -> Any:
        metric: Metric = make()
        if sizes[rank]:
            metric.update(part(examples, rank, sizes))
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
    make, examples = METRICS[name]
    whole: Metric = make()
    for _ in range(2):
        whole.update(examples)

    def work(rank: int) -> Any:
        metric, restored = make(), make()
        metric.update(part(examples, rank, [2, 3, 4]))
        restored.load_state_dict(metric.state_dict())
        restored.update(part(examples, rank, [4, 3, 2]))
        return restored.compute()

    for value in ranks.run(work):
        torch.testing.assert_close(value, whole.compute())


def test_what_three_ranks_saved_is_loaded_by_one(ranks: Any) -> None:
    def work(rank: int) -> dict[str, Any]:
        metric = Accuracy()
        metric.update(part(PAIRS, rank, [2, 3, 4]))
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
