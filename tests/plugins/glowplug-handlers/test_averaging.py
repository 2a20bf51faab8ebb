"""What every average of weights can do: exchange, save, begin anew, follow a model."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from threading import Lock
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import update_bn

from glowplug.errors import InvalidArgument, InvalidType
from glowplug_handlers import AveragedWeights, EMAHandler, WeightsSwapped

Make = Callable[[], nn.Sequential]


def values(model: nn.Module) -> list[torch.Tensor]:
    """Return copies of all parameters and buffers."""
    return [tensor.clone() for tensor in [*model.parameters(), *model.buffers()]]


def same(one: list[torch.Tensor], other: list[torch.Tensor]) -> bool:
    """Return whether two lists hold equal tensors."""
    return all(map(torch.equal, one, other))


@pytest.fixture
def averages(network: Make) -> AveragedWeights:
    """Averages that are not the model's weights."""
    made = AveragedWeights(network())
    with torch.no_grad():
        for number, tensor in enumerate([*made.model.parameters(), *made.model.buffers()]):
            tensor.add_(number + 1)
    return made


def test_within_the_context_the_model_has_the_averages(averages: AveragedWeights) -> None:
    own, averaged = values(averages.model), values(averages.averaged_model)
    with averages.swapped() as model:
        assert model is averages.model
        assert same(values(model), averaged)
        assert same(values(averages.averaged_model), own)
    assert same(values(averages.model), own)
    assert same(values(averages.averaged_model), averaged)


def test_an_error_within_the_context_puts_the_weights_back(averages: AveragedWeights) -> None:
    own = values(averages.model)
    with pytest.raises(ZeroDivisionError, match="by zero"), averages.swapped():
        _ = 1 / 0
    assert same(values(averages.model), own)


def test_an_optimizer_goes_on_with_the_parameters_that_it_holds(
    averages: AveragedWeights, batches: list[torch.Tensor]
) -> None:
    model = averages.model
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    places = [parameter.data_ptr() for parameter in model.parameters()]
    with averages.swapped():
        pass
    before = values(model)
    model(batches[0]).sum().backward()
    optimizer.step()
    assert places == [parameter.data_ptr() for parameter in model.parameters()]
    assert not same(values(model), before)


def test_training_through_a_swap_is_an_error_of_torch(
    averages: AveragedWeights, batches: list[torch.Tensor]
) -> None:
    loss = averages.model(batches[0]).sum()
    with averages.swapped(), pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.parametrize(
    ("act", "what"),
    [
        (lambda averages: averages.move_averages(0.5), "averaged"),
        (lambda averages: averages.move_buffers(), "averaged"),
        (lambda averages: averages.reset(), "averaged"),
        (lambda averages: averages.copy_to_model(), "copied"),
        (lambda averages: averages.update_batch_norm([]), "run"),
        (lambda averages: averages.state_dict(), "saved"),
        (lambda averages: averages.load_state_dict({}), "loaded"),
        (lambda averages: averages.swapped().__enter__(), "swapped again"),
    ],
)
def test_within_the_context_nothing_else_can_be_done(
    averages: AveragedWeights, act: Callable[[AveragedWeights], Any], what: str
) -> None:
    with averages.swapped(), pytest.raises(WeightsSwapped, match=f"cannot be {what} here"):
        act(averages)


def test_the_averages_can_be_copied_into_the_model(averages: AveragedWeights) -> None:
    averages.copy_to_model()
    assert same(values(averages.model), values(averages.averaged_model))


def test_reset_begins_anew_with_the_weights_of_now(averages: AveragedWeights) -> None:
    averages.updates = 3
    averages.reset()
    assert same(values(averages.model), values(averages.averaged_model))
    assert averages.updates == 0


def test_reset_mends_averages_that_are_not_finite(averages: AveragedWeights) -> None:
    with torch.no_grad():
        averages.averaged_model.get_parameter("0.weight").fill_(torch.nan)
    averages.reset()
    assert same(values(averages.model), values(averages.averaged_model))


def test_the_copy_needs_no_gradients_and_has_none(
    network: Make, batches: list[torch.Tensor]
) -> None:
    model = network()
    model(batches[0]).sum().backward()
    copied = AveragedWeights(model).averaged_model
    assert {(p.requires_grad, p.grad is None) for p in copied.parameters()} == {(False, True)}
    assert all(p.requires_grad and p.grad is not None for p in model.parameters())


def test_tied_parameters_are_averaged_once() -> None:
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    model[1].weight = model[0].weight
    averages = AveragedWeights(model)
    with torch.no_grad():
        averages.averaged_model.get_parameter("0.weight").zero_()
        model.get_parameter("0.weight").fill_(1.0)
    averages.move_averages(0.5)
    assert averages.averaged_model.get_parameter(
        "0.weight"
    ) is averages.averaged_model.get_parameter("1.weight")
    assert averages.averaged_model.get_parameter("1.weight").unique().tolist() == [0.5]


def test_parameters_of_several_types_are_averaged() -> None:
    parts = [torch.float64, torch.float32, torch.bfloat16, torch.complex64]
    model = nn.ParameterList([nn.Parameter(torch.zeros(2, dtype=dtype)) for dtype in parts])
    averages = AveragedWeights(model)
    with torch.no_grad():
        for parameter in model:
            parameter.fill_(1.0)
    averages.move_averages(0.25)
    assert [p.dtype for p in averages.averaged_model.parameters()] == parts
    assert {complex(p[0].item()) for p in averages.averaged_model.parameters()} == {0.25 + 0j}


def test_a_parameter_that_was_replaced_is_followed(averages: AveragedWeights) -> None:
    averages.move_averages(1)
    averages.model.get_submodule("0").weight = nn.Parameter(torch.full((4, 3), 7.0))
    averages.move_averages(1)
    assert averages.averaged_model.get_parameter("0.weight").unique().tolist() == [7.0]


def test_values_that_were_loaded_into_the_averaged_model_are_where_it_goes_on(
    network: Make,
) -> None:
    averages = AveragedWeights(network().bfloat16())
    averages.move_averages(0.5)
    with torch.no_grad():
        averages.averaged_model.get_parameter("0.weight").fill_(8.0)
        averages.model.get_parameter("0.weight").fill_(4.0)
    averages.look_up()
    averages.move_averages(0.5)
    assert averages.averaged_model.get_parameter("0.weight").unique().tolist() == [6.0]


def test_a_model_that_was_changed_after_its_copy_was_made_is_an_error(network: Make) -> None:
    averages = AveragedWeights(network())
    averages.model.double()
    with pytest.raises(InvalidArgument, match=r"0\.weight is torch\.float64 on cpu, and its aver"):
        averages.move_averages(0.5)


def test_changed_likewise_the_averages_follow(network: Make) -> None:
    averages = AveragedWeights(network().bfloat16())
    averages.move_averages(0.5)
    averages.model.to("meta")
    averages.averaged_model.to("meta")
    averages.look_up()
    averages.move_averages(0.5)
    averages.move_buffers()


def test_a_model_that_waits_for_its_first_batch_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="weight, bias are made by the first batch; run one"):
        AveragedWeights(nn.LazyLinear(2))


def test_a_model_that_cannot_be_copied_is_refused(network: Make) -> None:
    model = network()
    model.lock = Lock()  # type: ignore[assignment]  # any attribute
    with pytest.raises(InvalidArgument, match="Sequential cannot be copied, which averages need"):
        AveragedWeights(model)


def test_what_is_no_module_is_refused() -> None:
    wrong: Any = [nn.Linear(1, 1)]
    with pytest.raises(InvalidType, match=r"model must be a module, got \[Linear"):
        AveragedWeights(wrong)


@pytest.mark.parametrize("how", [copy.deepcopy, lambda made: pickle.loads(pickle.dumps(made))])
def test_a_copy_goes_on_by_itself(
    averages: AveragedWeights, how: Callable[[AveragedWeights], AveragedWeights]
) -> None:
    averages.move_averages(0.5)
    copied, before = how(averages), values(averages.averaged_model)
    copied.move_averages(1)
    assert same(values(copied.model), values(averages.model))
    assert same(values(averages.averaged_model), before)
    assert torch.equal(
        copied.averaged_model.get_parameter("0.weight"), averages.model.get_parameter("0.weight")
    )


def test_a_wrapped_model_is_averaged_without_its_wrapper(
    network: Make, batches: list[torch.Tensor], group: None
) -> None:
    wrapped = DistributedDataParallel(network())
    ema = EMAHandler(wrapped)
    assert ema.model is wrapped.module
    assert list(ema.ema_model.state_dict()) == list(wrapped.module.state_dict())
    with torch.no_grad():
        ema.ema_model.get_parameter("3.bias").fill_(100.0)
    with ema.swapped():
        assert wrapped(batches[0]).mean().item() > 90
    assert wrapped(batches[0]).mean().item() < 90


def test_a_compiled_model_is_averaged_as_what_it_was_compiled_from(network: Make) -> None:
    model = network()
    compiled = torch.compile(model, backend="eager")
    assert AveragedWeights(compiled).model is model  # type: ignore[arg-type]  # it is a module


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"updates": -1}, "updates must be 1 or more, got -1"),
        (
            {"model": {}},
            r"averages are of another model \(9 tensors differ\): 0\.weight: not there",
        ),
        ({"exact": {"0.weight": torch.ones(4, 3)}}, "0.weight: .*, not there"),
    ],
)
def test_a_state_of_something_else_is_refused_and_changes_nothing(
    averages: AveragedWeights, change: dict[str, Any], said: str
) -> None:
    before = values(averages.averaged_model)
    with pytest.raises(InvalidArgument, match=said):
        averages.load_state_dict({**averages.state_dict(), **change})
    assert same(values(averages.averaged_model), before)


def test_a_state_that_lacks_something_is_refused(averages: AveragedWeights) -> None:
    with pytest.raises(InvalidArgument, match=r"AveragedWeights has .*; this one lacks 'exact'"):
        averages.load_state_dict({"updates": 0, "model": {}})


def test_batch_norm_statistics_are_those_that_torch_computes(
    averages: AveragedWeights, batches: list[torch.Tensor]
) -> None:
    theirs = copy.deepcopy(averages.averaged_model)
    update_bn(batches, theirs)
    averages.update_batch_norm(batches)
    for own, other in zip(averages.averaged_model.buffers(), theirs.buffers(), strict=True):
        torch.testing.assert_close(own, other)
    assert not any(module.training for module in averages.averaged_model.modules())
    assert averages.averaged_model.get_submodule("1").momentum == 0.1


def test_dropout_takes_no_part_in_the_statistics() -> None:
    model = nn.Sequential(nn.Dropout(0.9), nn.BatchNorm1d(2))
    averages = AveragedWeights(model)
    averages.update_batch_norm([(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), "a target")])
    assert averages.averaged_model.get_buffer("1.running_mean").tolist() == [2.0, 3.0]


def test_the_input_of_another_form_of_batch_is_picked_by_a_function(
    averages: AveragedWeights, batches: list[torch.Tensor]
) -> None:
    data = [{"x": batch} for batch in batches]
    averages.update_batch_norm(data, prepare=lambda batch: batch["x"])
    assert averages.averaged_model.get_buffer("1.num_batches_tracked") == len(batches)


@pytest.mark.parametrize(
    ("data", "error", "said"),
    [
        ([], InvalidArgument, "data has no batch to compute batch-norm statistics of"),
        ([{"x": 1}], InvalidType, "a batch of type dict has no input by itself"),
    ],
)
def test_data_without_inputs_is_refused_and_changes_no_statistics(
    averages: AveragedWeights, data: list[Any], error: type[Exception], said: str
) -> None:
    before = values(averages.averaged_model)
    with pytest.raises(error, match=said):
        averages.update_batch_norm(data)
    assert same(values(averages.averaged_model), before)
