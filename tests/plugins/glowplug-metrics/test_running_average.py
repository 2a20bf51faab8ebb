from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import lfilter

from glowplug import Engine, Events
from glowplug.errors import InvalidArgument, InvalidType
from glowplug_metrics import (
    Accuracy,
    Average,
    BatchFiltered,
    Loss,
    Metric,
    NotComputableError,
    RunningAverage,
)

Shown = tuple[list[Any], list[Any]]
A = torch.tensor
NUMBERS = st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=8)


def same(output: Any) -> Any:
    return output


class Sum(Metric):
    """The sum of what it took in."""

    total: float

    def __init__(self) -> None:
        super().__init__()
        self.add_state("total", 0.0, "sum")

    def update(self, output: float) -> None:
        self.total += output

    def compute(self) -> float:
        return self.total


def slow_model(numbers: list[float], alpha: float) -> float:
    """The formula written out as one sum: the newest weighs most."""
    total = alpha ** (len(numbers) - 1) * numbers[0]
    for age, number in enumerate(reversed(numbers[1:])):
        total += (1 - alpha) * alpha**age * number
    return total


@given(numbers=NUMBERS, alpha=st.floats(0.1, 1.0), tensors=st.booleans())
def test_it_is_what_the_formula_says(numbers: list[float], alpha: float, tensors: bool) -> None:
    average = RunningAverage(output_transform=same, alpha=alpha)
    for number in numbers:
        average.update(A(number) if tensors else number)
    assert average.compute() == pytest.approx(slow_model(numbers, alpha), rel=1e-6, abs=1e-6)


@given(numbers=NUMBERS, alpha=st.floats(0.1, 1.0))
def test_it_is_what_scipys_recursive_filter_says(numbers: list[float], alpha: float) -> None:
    average = RunningAverage(output_transform=same, alpha=alpha)
    for number in numbers:
        average.update(number)
    filtered, _ = lfilter([1 - alpha], [1, -alpha], numbers, zi=[alpha * numbers[0]])
    assert average.compute() == pytest.approx(filtered[-1], rel=1e-6, abs=1e-6)


@given(numbers=NUMBERS, alpha=st.floats(0.1, 1.0))
def test_a_metric_is_averaged_as_its_values_are(numbers: list[float], alpha: float) -> None:
    engine: Engine[float, float] = Engine(lambda engine, batch: batch)
    RunningAverage(Average(), alpha=alpha).attach(engine, "m")
    value = engine.run(numbers).metrics["m"]
    assert value.item() == pytest.approx(slow_model(numbers, alpha), rel=1e-6, abs=1e-6)


def test_it_goes_on_over_epochs_by_default(shown: Callable[..., Shown]) -> None:
    iterations, _ = shown(RunningAverage(output_transform=same, alpha=0.5), [1.0, 2.0, 4.0])
    assert iterations == [1.0, 1.5, 2.75, 1.875, 1.9375, 2.96875]


@pytest.mark.parametrize("usage", ["running_batch_wise", "single_epoch_running_batch_wise"])
@pytest.mark.parametrize("bound", [True, False])
def test_whether_it_ends_with_the_epoch_can_be_said_at_once(
    shown: Callable[..., Shown], bound: bool, usage: str
) -> None:
    average = RunningAverage(output_transform=same, alpha=0.5, epoch_bound=bound)
    iterations, _ = shown(average, [1.0, 2.0], usage=usage)
    assert iterations == ([1.0, 1.5, 1.0, 1.5] if bound else [1.0, 1.5, 1.25, 1.625])


@pytest.mark.parametrize(
    ("usage", "ends"),
    [
        ("epoch_wise", [2.75, 2.75]),
        ("running_epoch_wise", [7.0, 7.0]),
        (BatchFiltered(every=2), [3.0, 3.5]),
    ],
)
def test_each_step_is_made_of_the_outputs_since_the_last(
    shown: Callable[..., Shown], usage: Any, ends: list[float]
) -> None:
    assert shown(RunningAverage(Sum(), alpha=0.5), [1.0, 2.0, 4.0], usage=usage)[1] == ends


def test_an_average_over_epochs_of_what_a_metric_was_in_each(engine: Engine[Any, Any]) -> None:
    RunningAverage(Average(), alpha=0.5).attach(engine, "m", "running_epoch_wise")
    engine.add_event_handler(
        Events.ITERATION_STARTED(after=2), lambda e: setattr(e.state, "batch", 10.0)
    )
    assert engine.run([1.0, 3.0], max_epochs=2).metrics == {"m": (2.0 + 10.0) / 2}


def test_the_source_may_be_attached_by_itself_too(engine: Engine[Any, Any]) -> None:
    source = Average()
    RunningAverage(source, alpha=0.5).attach(engine, "running", "single_epoch_running_batch_wise")
    source.attach(engine, "epoch")
    metrics = engine.run([1.0, 2.0, 4.0], max_epochs=2).metrics
    assert metrics["epoch"] == pytest.approx(7 / 3)
    assert metrics["running"] == 2.75


def test_making_one_does_not_touch_the_source() -> None:
    source = Average()
    source.update(4.0)
    RunningAverage(source * 2).update(10.0)
    assert source.compute() == 4.0


def test_a_composition_is_averaged(shown: Callable[..., Shown]) -> None:
    source = Average()
    iterations, _ = shown(RunningAverage(source + source, alpha=0.5), [1.0, 2.0], epochs=1)
    assert iterations == [2.0, 3.0]


def test_a_running_average_is_averaged(shown: Callable[..., Shown]) -> None:
    inner = RunningAverage(output_transform=same, alpha=0.5)
    iterations, _ = shown(RunningAverage(inner, alpha=0.5), [1.0, 2.0], epochs=1)
    assert iterations == [1.0, 1.5]


def test_it_can_be_part_of_a_composition(shown: Callable[..., Shown]) -> None:
    doubled = RunningAverage(Sum(), alpha=0.5) * 2
    iterations, _ = shown(doubled, [1.0, 2.0], epochs=1, usage="running_batch_wise")
    assert iterations == [2.0, 3.0]


def test_examples_in_lists_are_one_output_to_the_source(shown: Callable[..., Shown]) -> None:
    iterations, _ = shown(RunningAverage(Accuracy(), alpha=0.5), [([1, 0], [1, 1])], epochs=1)
    assert iterations == [0.5]


def test_vectors_are_averaged_place_by_place(shown: Callable[..., Shown]) -> None:
    outputs = [A([1.0, 2.0]), A([2.0, 5.0])]
    iterations, _ = shown(RunningAverage(output_transform=same, alpha=0.5), outputs, epochs=1)
    assert [value.tolist() for value in iterations] == [[1.0, 2.0], [1.5, 3.5]]


def test_after_an_iteration_a_tensor_stays_one_and_keeps_its_value(
    shown: Callable[..., Shown],
) -> None:
    iterations, _ = shown(RunningAverage(output_transform=same, alpha=0.5), [A(1.0), A(2.0)])
    assert all(isinstance(value, torch.Tensor) for value in iterations)
    assert [value.item() for value in iterations] == [1.0, 1.5, 1.25, 1.625]


def test_after_an_epoch_it_is_a_number(shown: Callable[..., Shown]) -> None:
    average = RunningAverage(output_transform=same, alpha=0.5)
    _, ends = shown(average, [A(1.0), A(2.0)], usage="epoch_wise")
    assert [type(value) for value in ends] == [float, float]


def test_numbers_and_tensors_may_take_turns() -> None:
    average = RunningAverage(output_transform=same, alpha=0.5)
    for value in (1.0, A(2.0), 4, A(8.0)):
        average.update(value)
    assert average.compute() == pytest.approx(slow_model([1.0, 2.0, 4.0, 8.0], 0.5))


def test_a_buffer_that_is_used_again_does_no_harm() -> None:
    average = RunningAverage(output_transform=same, alpha=0.5)
    buffer = torch.ones((), dtype=torch.float64)
    average.update(buffer)
    buffer.fill_(5.0)
    assert average.compute() == 1.0


def test_no_graph_is_kept() -> None:
    average = RunningAverage(output_transform=same)
    average.update(A(1.0, requires_grad=True))
    average.update(A(1.0, requires_grad=True))
    assert not average.value().requires_grad


def test_it_is_detached_with_all_that_belongs_to_it(engine: Engine[Any, Any]) -> None:
    average = RunningAverage(Average(), epoch_bound=True)
    average.attach(engine, "m")
    assert average.is_attached(engine)
    average.detach(engine)
    assert not average.is_attached(engine)
    assert not engine.listens(Events.ITERATION_COMPLETED)
    assert not engine.listens(Events.EPOCH_STARTED)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, "give one of the two, got neither"),
        ({"src": Average(), "output_transform": same}, "give one of the two, got both"),
        ({"src": Average(), "device": "cpu"}, "device is for outputs"),
        ({"src": Average(), "alpha": 0.0}, "alpha must be above 0 and at most 1, got 0.0"),
        ({"src": Average(), "alpha": 1.5}, "alpha must be above 0 and at most 1, got 1.5"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments: Any, says: str) -> None:
    with pytest.raises(InvalidArgument, match=says):
        RunningAverage(**arguments)


def test_a_source_that_is_no_metric_is_refused() -> None:
    with pytest.raises(InvalidType, match="src must be a Metric or None, got 3"):
        RunningAverage(3)  # type: ignore[arg-type]  # that is what is tested


@pytest.mark.parametrize("output", [(1.0, 2.0), {"a": 1.0}, "x", None])
def test_what_cannot_be_averaged_is_refused(output: Any) -> None:
    with pytest.raises(InvalidType, match="RunningAverage averages numbers and tensors, got"):
        RunningAverage(output_transform=same).update(output)


def test_nothing_to_average_is_not_computable() -> None:
    with pytest.raises(NotComputableError, match="RunningAverage has averaged nothing"):
        RunningAverage(Loss(torch.nn.functional.mse_loss)).compute()
