from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torchmetrics
from torch import Tensor
from torchmetrics.classification import MulticlassAccuracy, MulticlassF1Score
from torchmetrics.regression import MeanAbsoluteError, PearsonCorrCoef
from torchmetrics.text import CharErrorRate
from torchmetrics.utilities import dim_zero_cat

from glowplug import Engine
from glowplug.errors import InvalidArgument, InvalidType
from glowplug_metrics import (
    Accuracy,
    MetricGroup,
    MissingLibrary,
    NotComputableError,
    RunningAverage,
    TorchMetric,
    attach,
)

GENERATOR = torch.Generator().manual_seed(0)
PAIRS = (torch.randn(12, 3, generator=GENERATOR), torch.randint(3, (12,), generator=GENERATOR))
BATCHES = list(zip(*(part.split(4) for part in PAIRS), strict=True))
NUMBERS = (PAIRS[0][:, 0].contiguous(), PAIRS[0][:, 1].contiguous())


def accuracy() -> MulticlassAccuracy:
    return MulticlassAccuracy(3, average="micro")


def collection() -> torchmetrics.MetricCollection:
    return torchmetrics.MetricCollection([MulticlassAccuracy(3), MulticlassF1Score(3)])


def of_torchmetrics(metric: Any, *outputs: Any) -> Any:
    for output in outputs:
        metric.update(*output)
    return metric.compute()


class Extremes(torchmetrics.Metric):
    """States of every reduction, with one that a user made."""

    least: Tensor
    greatest: Tensor
    number: Tensor
    product: Tensor
    parts: list[Tensor]
    rows: list[Tensor]

    def __init__(self) -> None:
        super().__init__()
        self.add_state("least", torch.tensor(torch.inf), dist_reduce_fx="min")
        self.add_state("greatest", torch.tensor(-torch.inf), dist_reduce_fx="max")
        self.add_state("number", torch.tensor(0), dist_reduce_fx="sum")
        self.add_state("product", torch.tensor(1.0), dist_reduce_fx=product)
        self.add_state("parts", [], dist_reduce_fx=None)
        self.add_state("rows", [], dist_reduce_fx="cat")

    def update(self, x: Tensor) -> None:
        self.least = torch.minimum(self.least, x.min())
        self.greatest = torch.maximum(self.greatest, x.max())
        self.number += len(x)
        self.product = self.product * x.prod()
        self.parts.append(x)
        self.rows.append(x.sum())

    def compute(self) -> Tensor:
        sums = [sum(part.sum() for part in self.parts), dim_zero_cat(self.rows).sum()]
        numbers = [self.least, self.greatest, self.number, self.product]
        return torch.stack([torch.as_tensor(value).float() for value in (*numbers, *sums)])


def product(of_ranks: Tensor) -> Tensor:
    return of_ranks.prod(dim=0)


@pytest.mark.parametrize("make", [accuracy, collection, lambda: accuracy() * 2])
def test_its_value_is_that_of_torchmetrics(make: Callable[[], Any]) -> None:
    metric = TorchMetric(make())
    for batch in BATCHES:
        metric.feed(batch)
    expected = of_torchmetrics(make(), *BATCHES)
    torch.testing.assert_close(metric.value(), expected)


def test_attach_takes_it_as_it_is_and_returns_what_can_be_detached(engine: Any) -> None:
    attached = attach(engine, accuracy(), "acc")
    (1 - attached).attach(engine, "error")
    expected = of_torchmetrics(accuracy(), *BATCHES).item()
    assert engine.run(BATCHES).metrics == {"acc": expected, "error": pytest.approx(1 - expected)}
    attached.detach(engine)
    assert not attached.is_attached(engine)


def test_attach_takes_a_metric_of_this_package_too(engine: Any) -> None:
    own = Accuracy()
    assert attach(engine, own, "acc", "running_batch_wise") is own
    assert own.is_attached(engine, "running_batch_wise")


@pytest.mark.parametrize(
    ("usage", "seen"), [("epoch_wise", 12), ("batch_wise", 4), ("running_batch_wise", 24)]
)
def test_a_usage_says_when_it_resets(engine: Any, usage: str, seen: int) -> None:
    attached: Any = attach(engine, Extremes(), "m", usage)
    engine.run([(part,) for part in NUMBERS[0].split(4)], max_epochs=2)
    assert attached.metric.number == seen


def test_a_running_average_and_a_group_take_it(engine: Any) -> None:
    source = TorchMetric(accuracy())
    RunningAverage(source, alpha=0.5).attach(engine, "average")
    MetricGroup({"theirs": source, "ours": Accuracy()}).attach(engine, "group")
    metrics = engine.run(BATCHES).metrics
    assert metrics["theirs"] == pytest.approx(metrics["ours"])
    assert 0 < metrics["average"] < 1


def test_the_values_of_a_collection_appear_under_their_names(final: Any) -> None:
    metrics = final(TorchMetric(collection()), BATCHES)
    assert set(metrics) == {"m", "MulticlassAccuracy", "MulticlassF1Score"}


@pytest.mark.parametrize(
    ("output_transform", "output"),
    [
        (lambda output: output, {"y_pred": PAIRS[0], "y": PAIRS[1], "loss": 1.0}),
        (lambda output: (output["p"], output["t"]), {"p": PAIRS[0], "t": PAIRS[1]}),
    ],
)
def test_an_output_is_transformed_and_picked(output_transform: Any, output: Any) -> None:
    metric = TorchMetric(accuracy(), output_transform)
    metric.feed(output)
    assert metric.compute() == of_torchmetrics(accuracy(), PAIRS)


def test_lists_are_handed_on_whole() -> None:
    metric = TorchMetric(CharErrorRate())
    metric.feed((["abcd", "x"], ["abce", "x"]))
    assert metric.compute() == pytest.approx(1 / 5)


@pytest.mark.parametrize("make", [accuracy, collection, lambda: accuracy() * 2, Extremes])
def test_ranks_with_parts_of_the_data_have_the_value_of_the_whole(ranks: Any, make: Any) -> None:
    examples = NUMBERS[:1] if make is Extremes else PAIRS
    parts = list(zip(*(part.split([6, 1, 5]) for part in examples), strict=True))

    def work(rank: int) -> Any:
        metric = TorchMetric(make())
        metric.feed(parts[rank])
        return metric.value()

    for value in ranks.run(work):
        torch.testing.assert_close(value, of_torchmetrics(make(), examples))


def test_ranks_hand_states_that_cannot_be_combined_to_torchmetrics(ranks: Any) -> None:
    parts = list(zip(*(part.split([5, 3, 4]) for part in NUMBERS), strict=True))

    def work(rank: int) -> Any:
        metric = TorchMetric(PearsonCorrCoef())
        metric.feed(parts[rank])
        loaded = TorchMetric(PearsonCorrCoef())
        loaded.load_state_dict(metric.state_dict())
        return metric.value(), loaded.value()

    whole = of_torchmetrics(PearsonCorrCoef(), NUMBERS)
    for values in ranks.run(work):
        torch.testing.assert_close(values, (whole, whole))


@pytest.mark.parametrize("make", [accuracy, collection, Extremes])
def test_ranks_that_load_what_ranks_saved_have_its_value(ranks: Any, make: Any) -> None:
    examples = NUMBERS[:1] if make is Extremes else PAIRS
    parts = list(zip(*(part.split([6, 1, 5]) for part in examples), strict=True))

    def work(rank: int) -> Any:
        metric, loaded = TorchMetric(make()), TorchMetric(make())
        metric.feed(parts[rank])
        loaded.load_state_dict(metric.state_dict())
        return metric.value(), loaded.value()

    for before, after in ranks.run(work):
        torch.testing.assert_close(after, before)


def test_what_several_ranks_keep_apart_is_not_loaded_by_one() -> None:
    metric = TorchMetric(PearsonCorrCoef())
    saved = {
        name: [*value, *value] if isinstance(value, list) else value
        for name, value in metric.state_dict().items()
    }
    with pytest.raises(InvalidArgument, match="was saved by 2 ranks, each of which must go on"):
        metric.load_state_dict(saved)


def test_a_collection_that_shares_states_goes_on_from_what_was_saved() -> None:
    metric, other = TorchMetric(collection()), TorchMetric(collection())
    for batch in BATCHES[:2]:
        metric.feed(batch)
    other.load_state_dict(metric.state_dict())
    other.feed(BATCHES[2])
    torch.testing.assert_close(other.value(), of_torchmetrics(collection(), *BATCHES))


def test_it_can_be_pickled_in_the_middle() -> None:
    metric = TorchMetric(accuracy())
    metric.feed(PAIRS)
    assert pickle.loads(pickle.dumps(metric)).compute() == metric.compute()


def test_it_moves_to_the_device_of_the_outputs() -> None:
    metric = TorchMetric(MeanAbsoluteError())
    metric.update((torch.ones(2, device="meta"), torch.ones(2, device="meta")))
    assert metric.metric.device.type == "meta"


def test_before_an_update_there_is_no_value() -> None:
    with pytest.raises(NotComputableError, match="MeanAbsoluteError has taken in nothing"):
        TorchMetric(MeanAbsoluteError()).compute()


@pytest.mark.parametrize("wrong", [3, MeanAbsoluteError, Accuracy()])
def test_what_is_no_metric_of_torchmetrics_is_refused(wrong: Any) -> None:
    with pytest.raises(InvalidType, match=r"metric must be a torchmetrics\.Metric or a"):
        TorchMetric(wrong)


def test_without_torchmetrics_the_error_says_what_to_install(
    engine: Engine[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torchmetrics", None)
    with pytest.raises(MissingLibrary, match=r"pip install 'glowplug-metrics\[torchmetrics\]'"):
        attach(engine, object(), "m")


def test_a_metric_of_torchmetrics_as_it_is_is_no_operand() -> None:
    with pytest.raises(InvalidType, match=r"an operand by TorchMetric\(MeanAbsoluteError"):
        Accuracy() + MeanAbsoluteError()
