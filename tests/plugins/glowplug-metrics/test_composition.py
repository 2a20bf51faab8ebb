from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from glowplug import Engine, Events
from glowplug.errors import InvalidArgument, InvalidType
from glowplug_metrics import Accuracy, Average, Loss, MetricGroup, MetricsLambda

Final = Callable[..., dict[str, Any]]
BINARY = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
    operator.floordiv,
    operator.mod,
    operator.pow,
]
UNARY = [operator.neg, operator.pos, operator.abs]
LEAVES = st.sampled_from([0, 1, 2]) | st.floats(0.5, 4.0, width=16)
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.tuples(st.sampled_from(BINARY), inner, inner) | st.tuples(st.sampled_from(UNARY), inner)
    ),
    max_leaves=6,
)


def built(tree: Any, metrics: list[Any]) -> Any:
    """The tree with metrics at its integers: a metric if the leaves are metrics, else a number."""
    if isinstance(tree, tuple):
        f, *operands = tree
        return f(*[built(operand, metrics) for operand in operands])
    return metrics[tree] if isinstance(tree, int) else tree


# Means that have no rounding: one in the last digit would be one in a floor's first.
OUTPUTS = st.sampled_from([1, 2, 4]).flatmap(
    lambda number: st.lists(st.integers(1, 9), min_size=number, max_size=number)
)


@given(tree=TREES, outputs=OUTPUTS)
def test_an_expression_of_metrics_has_the_value_of_the_expression(
    tree: Any, outputs: list[int]
) -> None:
    metrics = [Average(), Average(lambda output: output * 2), Average(lambda output: output - 10)]
    mean = sum(outputs) / len(outputs)
    try:
        expected = built(tree, [mean, mean * 2, mean - 10])
    except (ArithmeticError, TypeError):  # by zero, too large, or of complex numbers
        assume(False)
    assume(not isinstance(expected, complex))
    whole = built(tree, list(metrics))
    assume(isinstance(whole, MetricsLambda))
    engine: Engine[int, int] = Engine(lambda engine, batch: batch)
    whole.attach(engine, "m")
    value = engine.run(outputs).metrics["m"]
    assert value == pytest.approx(expected, rel=1e-9, nan_ok=True)


@pytest.mark.parametrize("f", BINARY)
def test_numbers_may_stand_on_either_side(f: Callable[..., Any]) -> None:
    metric = Average()
    metric.update(3.0)
    for number in (2, 2.5, np.float64(2.5), torch.tensor(2.5)):
        assert f(metric, number).compute() == f(3.0, number)
        assert f(number, metric).compute() == f(number, 3.0)


def test_matrices_are_multiplied() -> None:
    metric = Average()
    metric.update(torch.tensor([1.0, 2.0]))
    weights = torch.tensor([10.0, 1.0], dtype=torch.float64)
    assert (metric @ weights).compute() == (weights @ metric).compute() == 12.0


def test_an_index_takes_a_part_of_the_value(final: Final) -> None:
    metric = Average()
    outputs = [torch.tensor([[1.0, 2.0], [3.0, 4.0]])]
    assert final(metric[1], outputs) == {"m": 3.0}
    assert final(metric[1:], outputs)["m"].tolist() == [3.0]


def test_all_else_goes_through_apply(final: Final) -> None:
    outputs = [torch.tensor([1.0, 4.0])]
    assert final(Average().apply(torch.sum), outputs) == {"m": 5.0}
    assert final(Average().apply(torch.sum, dim=0), outputs) == {"m": 5.0}
    assert final(Average().apply(operator.attrgetter("ndim")), outputs) == {"m": 1}


@pytest.mark.parametrize("name", ["mean", "compote", "T", "item"])
def test_an_attribute_that_a_metric_lacks_is_an_error(name: str) -> None:
    for metric in (Average(), Average() + 1):
        with pytest.raises(AttributeError, match=name):
            getattr(metric, name)


def test_metrics_are_compared_by_identity_and_not_ordered() -> None:
    one: Any = Average()
    other: Any = Average()
    assert one != other
    assert {one: 1, other: 2}[one] == 1
    with pytest.raises(TypeError, match="'<' not supported"):
        _ = one < other


def test_a_metric_is_neither_iterated_nor_searched() -> None:
    metric: Any = Average()
    with pytest.raises(TypeError, match="not iterable"):
        iter(metric)
    with pytest.raises(TypeError, match="not a container"):
        _ = 1 in metric


def test_a_function_gets_values_in_place_of_metrics(final: Final) -> None:
    metric = MetricsLambda(lambda a, b, *, c, d: (a, b, c, d), Average(), "b", c=Average() + 1, d=4)
    assert final(metric, [1.0, 3.0]) == {"m": (2.0, "b", 3.0, 4)}


def test_a_function_may_return_a_mapping(final: Final) -> None:
    metric = MetricsLambda(lambda a: {"x": a}, Average(), metrics_result_mode="flatten")
    assert final(metric, [1.0, 3.0]) == {"x": 2.0}


def test_a_function_without_metrics_is_called(final: Final) -> None:
    assert final(MetricsLambda(lambda a: a, 1), [0]) == {"m": 1}


def test_a_function_that_cannot_be_called_is_refused() -> None:
    with pytest.raises(InvalidType, match="f must be callable, got 3 of type int"):
        MetricsLambda(3, Average())  # type: ignore[arg-type]  # that is what is tested


class Counting(Average):
    """Says how often it took something in, and how often it was computed."""

    updates = computations = 0

    def update(self, output: Any) -> None:
        super().update(output)
        self.updates += 1

    def compute(self) -> Any:
        self.computations += 1
        return super().compute()


def test_a_shared_part_takes_in_each_output_once(engine: Engine[Any, Any]) -> None:
    part = Counting()
    whole = (part + part) / (part * 2)
    whole.attach(engine, "whole")
    (part - 1).attach(engine, "less")
    part.attach(engine, "part")
    assert engine.run([1.0, 3.0]).metrics == {"whole": 1.0, "less": 1.0, "part": 2.0}
    assert part.updates == 2
    assert part.computations == 3


def test_a_composition_is_updated_and_reset_by_hand() -> None:
    part = Counting()
    whole = part * 2 + part
    whole.update(2.0)
    assert (whole.compute(), part.updates) == (6.0, 1)
    whole.reset()
    whole.update(1.0)
    assert whole.compute() == 3.0


def test_making_a_composition_resets_nothing() -> None:
    part = Average()
    part.update(2.0)
    assert (part + 1).compute() == 3.0


def test_a_composition_follows_every_usage(shown: Callable[..., Any]) -> None:
    iterations, _ = shown(Average() * 2, [1.0, 3.0], epochs=1, usage="batch_wise")
    assert iterations == [2.0, 6.0]


def test_a_composition_saves_and_loads_its_parts() -> None:
    one, other = Average() + 1, Average() + 1
    one.update(2.0)
    other.load_state_dict(one.state_dict())
    assert other.compute() == 3.0


def test_a_group_shows_each_value_under_its_key_and_all_under_its_name(final: Final) -> None:
    group = MetricGroup(
        {"once": Average(), "twice": Average(lambda output: 2 * output)},
        output_transform=lambda output: output + 1,
    )
    values = {"once": 3.0, "twice": 6.0}
    assert final(group, [1.0, 3.0]) == {**values, "m": values}


def test_a_group_hands_on_pairs(final: Final) -> None:
    group = MetricGroup({"acc": Accuracy(), "loss": Loss(torch.nn.functional.cross_entropy)})
    logits, y = torch.tensor([[0.0, 0.0], [0.0, -math.inf]]), torch.tensor([0, 0])
    for output in ((logits, y), {"y_pred": logits, "y": y}):
        values = final(group, [output])["m"]
        assert values["acc"] == 1.0
        assert values["loss"] == pytest.approx(math.log(2) / 2)


def test_a_group_feeds_a_shared_part_once(final: Final) -> None:
    part = Counting()
    values = final(MetricGroup({"part": part, "more": part + 1}), [1.0, 3.0])["m"]
    assert values == {"part": 2.0, "more": 3.0}
    assert (part.updates, part.computations) == (2, 1)


def test_groups_hold_groups_and_are_indexed(final: Final) -> None:
    group = MetricGroup({"inner": MetricGroup({"a": Average()})})
    assert final(group["inner"]["a"] + 1, [1.0, 3.0]) == {"m": 3.0}
    assert list(group.metrics) == ["inner"]


def test_a_group_saves_and_loads_its_metrics() -> None:
    def make() -> MetricGroup:
        return MetricGroup({"a": Average(), "any name": Average() * 2})

    one, other = make(), make()
    one.update(2.0)
    saved = one.state_dict()
    other.load_state_dict(saved)
    assert other.compute() == {"a": 2.0, "any name": 4.0}
    with pytest.raises(InvalidArgument, match="no 'any name'"):
        other.load_state_dict({"a": saved["a"]})


def test_a_key_that_is_the_groups_name_is_an_error(final: Final) -> None:
    with pytest.raises(InvalidArgument, match="its value has a key 'm' too"):
        final(MetricGroup({"m": Average()}), [1.0])


@pytest.mark.parametrize("metrics", [[Average()], {"a": 3}, None])
def test_what_is_no_mapping_of_metrics_is_refused(metrics: Any) -> None:
    with pytest.raises(InvalidType, match="metrics must"):
        MetricGroup(metrics)


def test_nothing_of_a_group_is_left_when_it_is_detached(engine: Engine[Any, Any]) -> None:
    group = MetricGroup({"a": Average(), "b": Average() + 1})
    group.attach(engine, "m", "batch_wise")
    group.detach(engine, "batch_wise")
    assert not engine.listens(Events.ITERATION_COMPLETED)
