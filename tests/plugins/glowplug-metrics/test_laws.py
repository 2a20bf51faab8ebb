"""What holds for every metric, whatever it computes."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_cases import CASES, Examples, mapped, split, updated
from torch import Tensor
from torch.utils._pytree import tree_map

from glowplug_metrics import Accuracy, GpuInfo, RunningAverage

FEW = settings(max_examples=8)
SEEDS = st.integers(0, 2**31)
SIZES = st.lists(st.integers(1, 5), min_size=2, max_size=5).filter(lambda sizes: sum(sizes) > 3)
DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]


def those(law: str) -> list[str]:
    """The names of the cases that are under a law."""
    return [name for name, case in CASES.items() if getattr(case, law)]


def drawn(name: str, seed: int, n: int) -> Examples:
    return CASES[name].draw(torch.Generator().manual_seed(seed), n)


def same(one: Any, other: Any, rtol: float = 1e-9, **options: Any) -> None:
    torch.testing.assert_close(one, other, rtol=rtol, atol=1e-12, equal_nan=True, **options)


@pytest.mark.parametrize("name", those("splits"))
@FEW
@given(seed=SEEDS, sizes=SIZES)
def test_how_the_examples_are_split_into_batches_does_not_matter(
    name: str, seed: int, sizes: list[int]
) -> None:
    make = CASES[name].make
    examples = drawn(name, seed, sum(sizes))
    whole = updated(make(), [examples])
    same(updated(make(), split(examples, sizes)).compute(), whole.compute())


@pytest.mark.parametrize("name", those("reorders"))
@FEW
@given(seed=SEEDS, sizes=SIZES, data=st.data())
def test_the_order_of_the_batches_does_not_matter(
    name: str, seed: int, sizes: list[int], data: st.DataObject
) -> None:
    make = CASES[name].make
    batches = split(drawn(name, seed, 6 + sum(sizes)), [6, *sizes])
    shuffled = data.draw(st.permutations(batches))
    same(updated(make(), shuffled).compute(), updated(make(), batches).compute())


@pytest.mark.parametrize("name", CASES)
@FEW
@given(seed=SEEDS, sizes=SIZES)
def test_a_reset_metric_is_a_new_one(name: str, seed: int, sizes: list[int]) -> None:
    make = CASES[name].make
    before, after = (split(drawn(name, s, 6 + sum(sizes)), [6, *sizes]) for s in (seed, seed + 1))
    metric = updated(make(), before)
    metric.reset()
    assert repr(metric.state_dict()) == repr(make().state_dict())
    assert repr(updated(metric, after).compute()) == repr(updated(make(), after).compute())


@pytest.mark.parametrize("name", CASES)
@FEW
@given(seed=SEEDS, sizes=SIZES, data=st.data())
def test_saving_and_loading_in_the_middle_changes_nothing(
    name: str, seed: int, sizes: list[int], data: st.DataObject
) -> None:
    make = CASES[name].make
    batches = split(drawn(name, seed, 6 + sum(sizes)), [6, *sizes])
    middle = data.draw(st.integers(0, len(batches)))
    metric = updated(make(), batches[:middle])
    restored = make()
    restored.load_state_dict(metric.state_dict())
    for going_on in (metric, restored):
        updated(going_on, batches[middle:])
    assert repr(restored.compute()) == repr(metric.compute())


@pytest.mark.parametrize("name", CASES)
@FEW
@given(seed=SEEDS, sizes=SIZES)
def test_computing_in_between_changes_nothing(name: str, seed: int, sizes: list[int]) -> None:
    make = CASES[name].make
    batches = split(drawn(name, seed, 6 + sum(sizes)), [6, *sizes])
    metric, asked = make(), make()
    for batch in batches:
        metric.feed(batch)
        asked.feed(batch)
        asked.compute()
        asked.state_dict()
    assert repr(asked.compute()) == repr(metric.compute())


@pytest.mark.parametrize("name", those("exact"))
@pytest.mark.parametrize("dtype", DTYPES)
def test_what_comes_in_less_precision_is_gathered_in_full(name: str, dtype: torch.dtype) -> None:
    narrow = mapped(lambda part: part.to(dtype), drawn(name, 0, 20))
    one, other = (
        updated(CASES[name].make(), [examples]).value()
        for examples in (narrow, mapped(Tensor.double, narrow))
    )
    assert not isinstance(one, Tensor) or one.dtype in (torch.float64, torch.int64)
    same(one, other, rtol=CASES[name].rounding)


@pytest.mark.usefixtures("without_float64")
@pytest.mark.parametrize("name", CASES)
def test_a_device_without_float64_gives_nearly_the_same(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CASES[name]
    batches = split(mapped(Tensor.float, drawn(name, 0, 30)), [8, 15, 7])
    value = updated(case.make(), batches).compute()
    monkeypatch.undo()
    same(value, updated(case.make(), batches).compute(), rtol=case.close, check_dtype=False)


@pytest.mark.parametrize("name", those("nan"))
@pytest.mark.parametrize("batch", [0, 1, 2])
def test_a_nan_among_the_predictions_makes_the_value_nan(name: str, batch: int) -> None:
    batches = split(mapped(Tensor.clone, drawn(name, 0, 15)), [5, 5, 5])
    first = batches[batch] if isinstance(batches[batch], Tensor) else batches[batch][0]
    first[2] = torch.nan
    value = torch.as_tensor(updated(CASES[name].make(), batches).compute())
    assert value.isnan().all()


@pytest.mark.parametrize("name", those("emptiness"))
def test_a_batch_without_examples_changes_nothing(name: str) -> None:
    make, batches = CASES[name].make, split(drawn(name, 0, 15), [8, 0, 7])
    same(updated(make(), batches).compute(), updated(make(), batches[::2]).compute())


@pytest.mark.parametrize("name", CASES)
def test_no_update_asks_for_a_number(name: str, nothing_waits: Any) -> None:
    batches = split(drawn(name, 0, 15), [5, 5, 5])
    metric = updated(CASES[name].make(), batches[:1])
    with nothing_waits:
        updated(metric, batches[1:])


@pytest.mark.parametrize("name", CASES)
def test_an_update_leaves_what_it_is_given_as_it_was(name: str) -> None:
    examples = drawn(name, 0, 15)
    before = tree_map(Tensor.clone, examples)
    updated(CASES[name].make(), split(examples, [5, 5, 5]))
    same(examples, before, rtol=0.0)


@pytest.mark.parametrize("name", CASES)
def test_what_is_given_may_be_used_anew_by_the_next_step(name: str) -> None:
    batches = split(drawn(name, 0, 15), [5, 5, 5])
    metric, buffers = CASES[name].make(), tree_map(Tensor.clone, batches[0])
    for batch in batches:
        tree_map(Tensor.copy_, buffers, batch)
        metric.feed(buffers)
    same(metric.compute(), updated(CASES[name].make(), batches).compute())


def test_the_watch_notices_waiting(nothing_waits: Any) -> None:
    with nothing_waits, pytest.raises(AssertionError, match="waits for the device"):
        torch.ones(()).item()


def test_a_running_average_is_shown_without_asking_for_a_number(
    nothing_waits: Any, engine: Any
) -> None:
    RunningAverage(Accuracy()).attach(engine, "accuracy")
    RunningAverage(output_transform=lambda output: output[0].mean()).attach(engine, "mean")
    batches = split(drawn("accuracy", 0, 9), [3, 3, 3])
    with nothing_waits:
        metrics = engine.run(batches, max_epochs=2).metrics
    assert set(metrics) == {"accuracy", "mean"}


def test_every_metric_of_the_catalog_is_under_the_laws() -> None:
    offered = entry_points(group="glowplug.metrics")
    classes = {entry.load() for entry in offered if entry.value.startswith("glowplug_metrics")}
    # what asks the driver of the GPUs gathers nothing that a law could be about
    assert classes - {type(case.make()) for case in CASES.values()} - {GpuInfo} == set()
