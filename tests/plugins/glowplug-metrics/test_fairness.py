"""Metrics of groups against fairlearn, and the metrics of each group alone."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from fairlearn.metrics import (
    MetricFrame,
    demographic_parity_difference,
    selection_rate,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, mean_absolute_error
from torch import Tensor

from glowplug.errors import InvalidArgument, InvalidType
from glowplug_metrics import (
    Accuracy,
    Average,
    EpochMetric,
    Loss,
    MeanAbsoluteError,
    Metric,
    NotComputableError,
    Recall,
)
from glowplug_metrics.fairness import (
    DemographicParityDifference,
    SelectionRate,
    SubgroupAccuracyDifference,
    SubgroupDifference,
    SubgroupMetric,
)

A = torch.tensor
FEW = settings(max_examples=25)
SEEDS = st.integers(0, 2**31)
SIZES = st.integers(6, 20)
PAIR = (A([1, 0, 1, 1]), A([1, 0, 1, 0]))
HALVES = A([0, 0, 1, 1])


def of(metric: Metric, *output: Any) -> Any:
    metric.update(output)
    return metric.compute()


def drawn(seed: int, n: int, classes: int = 2) -> tuple[Tensor, Tensor, Tensor]:
    """Predicted classes, classes, and groups, of which none is without examples."""
    generator = torch.Generator().manual_seed(seed)
    y_pred, y, groups = (torch.randint(k, (n,), generator=generator) for k in (classes, classes, 3))
    groups[:3] = torch.arange(3)
    return y_pred, y, groups


def scores_of(classes: Tensor) -> Tensor:
    """Scores of four classes, of which these are the greatest."""
    return torch.eye(4)[classes]


@FEW
@given(seed=SEEDS, n=SIZES)
def test_the_difference_of_selection_rates_is_what_fairlearn_gives(seed: int, n: int) -> None:
    y_pred, y, groups = drawn(seed, n)
    expected = demographic_parity_difference(y, y_pred, sensitive_features=groups.numpy())
    value = of(DemographicParityDifference(range(3)), y_pred, y, groups)
    assert value == pytest.approx(expected)


@FEW
@given(seed=SEEDS, n=SIZES)
def test_of_several_classes_the_greatest_difference_counts(seed: int, n: int) -> None:
    y_pred, y, groups = drawn(seed, n, 4)
    expected = max(
        demographic_parity_difference(y, y_pred == c, sensitive_features=groups.numpy())
        for c in range(4)
    )
    value = of(DemographicParityDifference(range(3)), scores_of(y_pred), y, groups)
    assert value == pytest.approx(expected)


@FEW
@given(seed=SEEDS, n=SIZES)
def test_the_difference_of_accuracies_is_what_fairlearn_gives(seed: int, n: int) -> None:
    y_pred, y, groups = drawn(seed, n, 4)
    frame = MetricFrame(
        metrics=accuracy_score, y_true=y, y_pred=y_pred, sensitive_features=groups.numpy()
    )
    value = of(SubgroupAccuracyDifference(range(3)), scores_of(y_pred), y, groups)
    assert value == pytest.approx(frame.difference())


@FEW
@given(seed=SEEDS, n=SIZES)
def test_the_values_of_groups_are_what_fairlearn_gives(seed: int, n: int) -> None:
    y_pred, y, groups = drawn(seed, n, 9)
    frame = MetricFrame(
        metrics=mean_absolute_error, y_true=y, y_pred=y_pred, sensitive_features=groups.numpy()
    )
    value = of(SubgroupMetric(MeanAbsoluteError(), range(3)), y_pred, y, groups)
    assert value == pytest.approx(frame.by_group.to_dict())
    difference = of(SubgroupDifference(MeanAbsoluteError(), range(3)), y_pred, y, groups)
    assert difference == pytest.approx(frame.difference())


@FEW
@given(seed=SEEDS, n=SIZES)
def test_a_selection_rate_is_what_fairlearn_gives_of_each_class(seed: int, n: int) -> None:
    y_pred, y, _ = drawn(seed, n, 4)
    expected = [selection_rate(y, y_pred, pos_label=c) for c in range(4)]
    assert of(SelectionRate(), scores_of(y_pred), y).tolist() == pytest.approx(expected)
    positive = y_pred > 1
    rate = selection_rate(y > 1, positive)
    value = of(SelectionRate(), positive.long(), (y > 1).long())
    assert value.tolist() == pytest.approx([1 - rate, rate])


def test_the_selection_rates_of_labels_are_each_by_itself() -> None:
    labels = A([[1, 0, 1], [1, 0, 0]])
    assert of(SelectionRate(is_multilabel=True), labels, labels).tolist() == [1.0, 0.0, 0.5]


MAKERS: dict[str, Any] = {
    "accuracy": Accuracy,
    "loss": lambda: Loss(torch.nn.functional.l1_loss),
    "recall": Recall,
    "arithmetic": lambda: 1 - Accuracy() * 2,
    "everything": lambda: EpochMetric(lambda y_pred, y: float((y_pred > y).sum())),
    "transform": lambda: Accuracy(lambda output: (1 - output[0], output[1])),
}


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("size", [2, 5, 12])
def test_each_group_has_the_value_of_a_metric_that_took_in_its_examples_alone(
    name: str, size: int
) -> None:
    make, (y_pred, y, groups) = MAKERS[name], drawn(1, 12)
    metric = SubgroupMetric(make(), [2, 0, 1])
    y_pred, y = y_pred.float(), y.float()
    for batch in zip(*(part.split(size) for part in (y_pred, y, groups)), strict=True):
        metric.update(batch)
    expected = {}
    for group in (2, 0, 1):
        alone = make()
        alone.feed((y_pred[groups == group], y[groups == group]))
        expected[group] = alone.compute()
    torch.testing.assert_close(metric.compute(), expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize(
    "labels", [["a", "a", "b", "b"], ("a", "a", "b", "b"), [1.5, 1.5, "b", "b"]]
)
def test_groups_may_have_names(labels: Any) -> None:
    one, other = dict.fromkeys(labels)
    assert of(SubgroupMetric(Accuracy(), [one, other]), *PAIR, labels) == {one: 1.0, other: 0.5}


@pytest.mark.parametrize("dtype", [torch.int32, torch.float32, torch.bool])
def test_labels_may_be_of_any_real_type(dtype: torch.dtype) -> None:
    metric = SubgroupMetric(Accuracy(), A([0, 1]))
    assert of(metric, *PAIR, HALVES.to(dtype)) == {0: 1.0, 1: 0.5}


def test_groups_without_examples_and_examples_of_other_groups_are_left_out() -> None:
    metric = SubgroupMetric(Accuracy(), [1, 5])
    assert of(metric, *PAIR, HALVES) == {1: 0.5}


def test_the_metric_that_is_given_stays_as_it_is() -> None:
    base = Accuracy()
    base.update(PAIR)
    of(SubgroupMetric(base, [0, 1]), *PAIR, HALVES)
    assert base.compute() == 0.75


def test_the_values_of_groups_are_named_in_the_metrics_of_the_engine(final: Any) -> None:
    output = {"y_pred": PAIR[0], "y": PAIR[1], "group_labels": ["a", "b", "a", "b"]}
    metrics = final(SubgroupMetric(Accuracy(), ["a", "b"]), [output])
    assert metrics == {"a": 1.0, "b": 0.5, "m": {"a": 1.0, "b": 0.5}}
    assert final(SubgroupAccuracyDifference(["a", "b"]), [output]) == {"m": 0.5}


@pytest.fixture
def labels_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that labels must be waited for, played by the CPU."""
    monkeypatch.setattr("glowplug_metrics.fairness.subgroups.is_on_host", lambda labels: False)


@pytest.mark.usefixtures("labels_elsewhere")
def test_labels_on_a_device_are_looked_at_when_a_value_is_asked_for(nothing_waits: Any) -> None:
    metric, buffers = SubgroupMetric(Accuracy(), [0, 1]), [A([0] * 4) for _ in range(3)]
    metric.update((*PAIR, HALVES))  # the first is checked
    with nothing_waits:
        for buffer, part in zip(buffers, (*PAIR, HALVES), strict=True):
            buffer.copy_(part)
        metric.update(buffers)
    buffers[0].zero_()
    assert metric.sizes.tolist() == [0, 0]
    assert metric.compute() == metric.compute() == {0: 1.0, 1: 0.5}
    assert metric.sizes.tolist() == [4, 4]


@pytest.mark.usefixtures("labels_elsewhere")
def test_labels_on_a_device_are_in_what_is_saved() -> None:
    metric, restored = (SubgroupMetric(Accuracy(), [0, 1]) for _ in range(2))
    metric.update((*PAIR, HALVES))
    restored.load_state_dict(metric.state_dict())
    assert restored.compute() == {0: 1.0, 1: 0.5}


@pytest.mark.usefixtures("labels_elsewhere")
def test_labels_on_a_device_are_forgotten_with_the_rest() -> None:
    metric = SubgroupMetric(Accuracy(), [0, 1])
    metric.update((*PAIR, HALVES))
    metric.reset()
    with pytest.raises(NotComputableError, match="no example"):
        metric.compute()


@pytest.mark.usefixtures("labels_elsewhere")
def test_ranks_with_labels_on_devices_have_the_value_of_all(ranks: Any) -> None:
    def work(rank: int) -> float:
        metric = SubgroupAccuracyDifference([0, 1])
        if rank:
            metric.update((*PAIR, torch.full((4,), rank - 1)))
        return float(metric.compute())

    assert ranks.run(work) == [0.0] * 3


def test_a_value_that_is_nan_makes_the_difference_nan() -> None:
    y_pred, y = A([1.0, math.nan]), A([0.0, 0.0])
    assert math.isnan(of(SubgroupDifference(MeanAbsoluteError(), [0, 1]), y_pred, y, A([0, 1])))


@pytest.mark.parametrize("labels", [A([0, 0, 0, 0]), A([0, 0, 7, 7])])
def test_one_group_has_no_difference(labels: Tensor) -> None:
    with pytest.raises(NotComputableError, match=r"examples of \[0\] alone, and a difference"):
        of(SubgroupAccuracyDifference([0, 1]), *PAIR, labels)


@pytest.mark.parametrize("make", [SubgroupMetric, SubgroupDifference])
def test_no_example_of_a_group_has_no_value(make: Any) -> None:
    with pytest.raises(NotComputableError, match="has taken in no example"):
        of(make(Accuracy(), [8, 9]), *PAIR, HALVES)


def test_a_difference_is_of_numbers() -> None:
    metric = SubgroupDifference(EpochMetric(lambda y_pred, y: "text"), [0, 1])
    with pytest.raises(InvalidType, match="the metric's value is 'text' of type str"):
        of(metric, *PAIR, HALVES)


@pytest.mark.parametrize("base", ["accuracy", Accuracy, None])
def test_what_is_no_metric_is_refused(base: Any) -> None:
    with pytest.raises(InvalidType, match="base_metric must be a metric, got"):
        SubgroupMetric(base, [0, 1])


@pytest.mark.parametrize("groups", [[], [0, 0], A([1, 1])])
def test_no_groups_and_groups_named_twice_are_refused(groups: Any) -> None:
    with pytest.raises(InvalidArgument, match="at least one group, and each of them once, got"):
        SubgroupAccuracyDifference(groups)


@pytest.mark.parametrize("groups", ["ab", 2, A(2), A([[2]]), [[1], [2]], [A(1)]])
def test_groups_that_are_no_list_are_refused(groups: Any) -> None:
    with pytest.raises(InvalidType, match=r"groups must be a list of groups, .*, got"):
        SubgroupMetric(Average(), groups)


@pytest.mark.parametrize(
    "output",
    [
        PAIR,
        (*PAIR, "abcd"),
        (*PAIR, 1),
        (*PAIR, list(HALVES)),
        (*PAIR, [[0], [0], [1], [1]]),
        (*PAIR, HALVES.unsqueeze(1)),
        (PAIR[0].tolist(), *PAIR),
        (A(1), A(1), A([0])),
        {"y_pred": 1},
    ],
)
def test_an_output_that_is_not_two_tensors_and_labels_is_refused(output: Any) -> None:
    with pytest.raises(InvalidType, match=r"expected \(y_pred, y, group_labels\): .*; got "):
        SubgroupMetric(Accuracy(), [0, 1]).update(output)


def test_what_the_metric_refuses_is_taken_in_by_no_group() -> None:
    metric = SubgroupMetric(Accuracy(), [0, 1])
    with pytest.raises(InvalidArgument, match="Accuracy expected y of 0 and 1 alone"):
        metric.update((A([0, 1, 1, 1]), A([1, 0, 1, 2]), HALVES))
    metric.update((*PAIR, HALVES))
    assert metric.compute() == {0: 1.0, 1: 0.5}


def test_as_many_labels_as_examples_are_needed_in_every_update() -> None:
    metric = SubgroupMetric(Accuracy(), [0, 1])
    metric.update((*PAIR, HALVES))
    with pytest.raises(InvalidArgument, match="of one N, got 4, 4 and 3"):
        metric.update((*PAIR, HALVES[:3]))
    assert metric.compute() == {0: 1.0, 1: 0.5}
