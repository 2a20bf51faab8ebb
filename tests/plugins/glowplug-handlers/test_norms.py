"""Norms of gradients and weights: their values against torch's, their names, and their moment."""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.utils import clip_grad_norm_, get_total_norm
from torch.utils._python_dispatch import TorchDispatchMode

from glowplug import Engine, EventEnum, Events, component
from glowplug.errors import InvalidArgument, InvalidType, UnknownEvent
from glowplug_handlers import GradientNorms, NormWarning, WeightNorms

ORDERS = [1.0, 2.0, math.inf]


def layers() -> torch.nn.Sequential:
    """Two layers, the same in each test."""
    torch.manual_seed(3)
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))


def trainer_of(model: torch.nn.Module, *, zero_last: bool = False) -> Engine[Any, Any]:
    """An engine that computes gradients of a sum, and drops them before or after."""

    def step(engine: Engine[Any, Any], batch: Tensor) -> Tensor:
        if not zero_last:
            model.zero_grad()
        model(batch).square().sum().backward()
        engine.fire_event("BACKWARD_DONE")
        if zero_last:
            model.zero_grad()
        return batch

    engine = Engine(step)
    engine.register_events("BACKWARD_DONE")
    return engine


def batches(number: int = 2) -> list[Tensor]:
    """The data of a run."""
    generator = torch.Generator().manual_seed(5)
    return [torch.randn(6, 3, generator=generator) for _ in range(number)]


@pytest.mark.parametrize("norm_type", ORDERS)
def test_the_norm_of_the_gradients_is_what_torch_clips_by(norm_type: float) -> None:
    model = layers()
    engine = trainer_of(model)
    GradientNorms(model, norm_type).attach(engine)
    measured = engine.run(batches()).metrics["gradient_norm"]
    clipped = clip_grad_norm_(model.parameters(), 1.0, norm_type)
    torch.testing.assert_close(measured, clipped)


@pytest.mark.parametrize("norm_type", ORDERS)
def test_the_norm_of_the_weights_is_torchs_total_norm(norm_type: float) -> None:
    model = layers()
    engine = trainer_of(model)
    WeightNorms(model, norm_type).attach(engine)
    measured = engine.run(batches()).metrics["weight_norm"]
    torch.testing.assert_close(measured, get_total_norm(list(model.parameters()), norm_type))


@given(
    st.lists(st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=5), min_size=1),
    st.sampled_from(ORDERS),
)
def test_the_norm_of_any_weights_is_that_of_one_long_vector(
    weights: list[list[float]], norm_type: float
) -> None:
    model = torch.nn.ParameterList(torch.tensor(numbers) for numbers in weights)
    flat = torch.tensor([number for numbers in weights for number in numbers])
    expected = torch.linalg.vector_norm(flat.double(), norm_type).float()
    torch.testing.assert_close(WeightNorms(model, norm_type).compute()[""], expected)


def test_each_parameter_has_its_norm_where_asked_for() -> None:
    model = layers()
    engine = trainer_of(model)
    GradientNorms(model, per_parameter=True).attach(engine, "g")
    metrics = engine.run(batches()).metrics
    for name, parameter in model.named_parameters():
        gradient = parameter.grad
        assert gradient is not None
        torch.testing.assert_close(metrics[f"g/{name}"], gradient.norm())
    assert set(metrics) == {"g", *(f"g/{name}" for name, _ in model.named_parameters())}


@pytest.mark.parametrize("pattern", ["2", "2.*", ["2.weight", "2.bias"], "[2].*"])
def test_a_group_is_named_by_a_layer_a_pattern_or_a_list(pattern: Any) -> None:
    model = layers()
    norms = WeightNorms(model, groups={"head": pattern}).compute()
    torch.testing.assert_close(norms["head"], get_total_norm(list(model[2].parameters())))


def test_the_squares_of_groups_that_divide_the_model_sum_up_to_the_total() -> None:
    norms = WeightNorms(layers(), groups={"body": "0", "head": "2"}).compute()
    torch.testing.assert_close(norms["body"] ** 2 + norms["head"] ** 2, norms[""] ** 2)


@pytest.mark.parametrize("options", [{}, {"amp_mode": "amp", "amp_dtype": torch.bfloat16}])
def test_a_supervised_trainer_shows_gradients_before_and_after_clipping(
    options: dict[str, Any],
) -> None:
    model = layers()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    create = component("trainer", "supervised-trainer")
    mse_loss = torch.nn.functional.mse_loss
    trainer = create(model, optimizer, mse_loss, clip_grad_norm=1e-3, **options)
    norms = GradientNorms(model)
    norms.attach(trainer, "before", "BACKWARD_COMPLETED")
    norms.attach(trainer, "seen", "OPTIMIZER_STEP_STARTED")
    norms.attach(trainer, "after")
    metrics = trainer.run([(torch.randn(6, 3), 9 * torch.ones(6, 2))]).metrics
    assert metrics["before"] > 1.0
    assert float(metrics["seen"]) == float(metrics["after"]) == pytest.approx(1e-3, rel=1e-3)


def test_a_gradient_scaler_s_factor_is_gone_where_the_optimizer_sees_the_gradients() -> None:
    model = layers()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    create = component("trainer", "supervised-trainer")
    mse_loss = torch.nn.functional.mse_loss
    trainer = create(model, optimizer, mse_loss, amp_mode="amp", scaler=scaler)
    norms = GradientNorms(model)
    norms.attach(trainer, "before", "BACKWARD_COMPLETED")
    norms.attach(trainer, "after")
    metrics = trainer.run([(torch.randn(6, 3), torch.ones(6, 2))]).metrics
    assert float(metrics["before"]) == pytest.approx(1024 * float(metrics["after"]), rel=1e-3)


class NoNumbers(TorchDispatchMode):
    """Fails when a number is asked of a tensor, which on a device means to wait for it."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        assert func is not torch.ops.aten._local_scalar_dense.default, "a number was asked for"
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("made", [GradientNorms, WeightNorms])
def test_nothing_is_waited_for(made: Any) -> None:
    model = layers()
    engine = trainer_of(model)
    made(model, math.inf, groups={"head": "2"}, per_parameter=True).attach(engine)
    with NoNumbers():  # type: ignore[no-untyped-call]  # torch has no type for it
        engine.run(batches())


def test_a_step_that_drops_its_gradients_last_is_warned_of_once() -> None:
    model = layers()
    engine = trainer_of(model, zero_last=True)
    GradientNorms(model).attach(engine)
    with pytest.warns(
        NormWarning, match=r"at ITERATION_COMPLETED, epoch 1, iteration 1.*zero_grad"
    ) as warned:
        metrics = engine.run(batches(), max_epochs=2).metrics
    assert len(warned) == 1
    assert metrics == {}


def test_an_event_inside_such_a_step_sees_the_gradients() -> None:
    model = layers()
    engine = trainer_of(model, zero_last=True)
    GradientNorms(model).attach(engine, event="BACKWARD_DONE")
    assert engine.run(batches()).metrics["gradient_norm"] > 0


def test_what_has_no_gradient_any_more_leaves_the_metrics() -> None:
    model = layers()
    engine = trainer_of(model)
    GradientNorms(model, groups={"head": "2"}, per_parameter=True).attach(engine, "g")
    freeze = Events.EPOCH_COMPLETED(once=1)
    engine.add_event_handler(freeze, lambda: model[2].requires_grad_(False))
    assert "g/head" in engine.run(batches(), max_epochs=1).metrics
    assert set(engine.run(batches(), max_epochs=1).metrics) == {"g", "g/0.weight", "g/0.bias"}


def test_the_norms_are_tensors_without_history() -> None:
    norms = WeightNorms(layers(), per_parameter=True).compute()
    assert all(norm.shape == () and not norm.requires_grad for norm in norms.values())


def test_half_precision_does_not_overflow() -> None:
    layer = torch.nn.Linear(1000, 100, bias=False).half()
    torch.nn.init.constant_(layer.weight, 300.0)
    assert float(WeightNorms(layer).compute()[""]) == pytest.approx(300 * math.sqrt(1e5), rel=1e-4)


def test_parameters_of_several_types_have_one_norm() -> None:
    model = torch.nn.ParameterList([torch.ones(3).double(), torch.ones(2).half(), torch.ones(4)])
    assert float(WeightNorms(model).compute()[""]) == pytest.approx(3.0)


def test_a_sparse_gradient_counts_by_its_values() -> None:
    table = torch.nn.Embedding(10, 2, sparse=True)
    table(torch.tensor([1, 1, 4])).sum().backward()
    assert float(GradientNorms(table).compute()[""]) == pytest.approx(math.sqrt(2 * 4 + 2))


def test_a_lazy_layer_and_an_empty_parameter_are_left_out_until_there_is_something() -> None:
    model = torch.nn.Sequential(torch.nn.LazyLinear(1), torch.nn.ParameterList([torch.ones(0)]))
    norms = WeightNorms(model, groups={"first": "0"})
    assert norms.compute() == {}
    model[0](torch.ones(1, 2))
    assert set(norms.compute()) == {"", "first"}


def test_attached_twice_under_two_names_and_events_both_are_there() -> None:
    model = layers()
    engine = trainer_of(model)
    norms = GradientNorms(model)
    norms.attach(engine, "all", "BACKWARD_DONE")
    with norms.attach(engine, "last"):
        assert set(engine.run(batches()).metrics) == {"all", "last"}
    engine.state.metrics.clear()
    assert set(engine.run(batches()).metrics) == {"all"}


def test_a_copy_measures_its_own_model() -> None:
    norms = WeightNorms(layers())
    copied = copy.deepcopy(norms)
    for parameter in copied.model.parameters():
        torch.nn.init.zeros_(parameter)
    assert float(copied.compute()[""]) < float(norms.compute()[""])


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda: GradientNorms([]), InvalidType, "model must be a torch.nn.Module, got []"),  # type: ignore[arg-type]  # the test's matter
        (lambda: GradientNorms(layers(), "2"), InvalidType, "norm_type must be 1, 2 or"),  # type: ignore[arg-type]  # the test's matter
        (lambda: WeightNorms(layers(), 3), InvalidArgument, "norm_type must be 1, 2 or"),
        (lambda: WeightNorms(layers(), groups={"a": "nine"}), InvalidArgument, "no parameter"),
        (lambda: WeightNorms(layers(), groups={"a": []}), InvalidArgument, "no parameter"),
        (lambda: WeightNorms(layers(), groups={"a": 1}), InvalidType, "must be a pattern"),  # type: ignore[dict-item]  # the test's matter
        (lambda: WeightNorms(layers(), groups=["a"]), InvalidType, "groups must be a mapping"),  # type: ignore[arg-type]  # the test's matter
        (
            lambda: WeightNorms(layers(), groups={"0.bias": "0"}, per_parameter=True),
            InvalidArgument,
            "a parameter's name",
        ),
        (lambda: WeightNorms(layers(), per_parameter=1), InvalidType, "True or False"),  # type: ignore[arg-type]  # the test's matter
    ],
)
def test_an_impossible_argument_is_refused(
    make: Callable[[], Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=re.escape(said)):
        make()


def test_attaching_to_what_is_no_engine_event_or_name_is_refused() -> None:
    model = layers()
    with pytest.raises(InvalidType, match="engine must be an Engine"):
        WeightNorms(model).attach(model)  # type: ignore[arg-type]  # the test's matter
    with pytest.raises(InvalidType, match="name must be a string"):
        WeightNorms(model).attach(trainer_of(model), 3)  # type: ignore[arg-type]  # the test's matter

    class Others(EventEnum):
        ONE = "one"

    with pytest.raises(UnknownEvent, match="ONE is not registered"):
        WeightNorms(model).attach(trainer_of(model), event=Others.ONE)
