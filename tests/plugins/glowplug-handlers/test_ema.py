"""The moving average of weights, held against torch's, a slow model and what its users know."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils._python_dispatch import TorchDispatchMode

from glowplug import Engine, Events
from glowplug.errors import InvalidArgument, InvalidType
from glowplug_handlers import EMAHandler, HandlerWarning

Make = Callable[[], nn.Sequential]


def trainer_of(model: nn.Module) -> Engine[Any, Any]:
    """An engine that trains a model for real, batch statistics included."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)

    def step(engine: Engine[Any, Any], batch: torch.Tensor) -> torch.Tensor:
        model.train()
        optimizer.zero_grad()
        loss = (model(batch) - batch.sum(1, keepdim=True)).square().mean()
        loss.backward()
        optimizer.step()
        found: torch.Tensor = loss.detach()
        return found

    return Engine(step)


def setter_of(model: nn.Module) -> Engine[Any, Any]:
    """An engine that sets every parameter to the batch."""

    def step(engine: Engine[Any, Any], batch: float) -> None:
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.fill_(batch)

    return Engine(step)


def one_weight(value: float = 0.0, dtype: torch.dtype = torch.float64) -> nn.Linear:
    """A model of one weight."""
    model = nn.Linear(1, 1, bias=False, dtype=dtype)
    with torch.no_grad():
        model.weight.fill_(value)
    return model


def momenta(ema: EMAHandler, event: Any = Events.ITERATION_COMPLETED, **run: Any) -> list[float]:
    """Return the momentum in the state after each iteration."""
    engine = setter_of(ema.model)
    ema.attach(engine, event=event)
    seen: list[float] = []
    engine.add_event_handler(
        Events.ITERATION_COMPLETED, lambda: seen.append(engine.state.ema_momentum)
    )
    engine.run([0.0] * 3, max_epochs=2)
    return seen


@pytest.mark.parametrize("momentum", [0.0002, 0.1, 0.7])
def test_it_is_torchs_average_of_a_model_that_is_trained(
    network: Make, batches: list[torch.Tensor], momentum: float
) -> None:
    model = network()
    ema = EMAHandler(model, momentum, handle_buffers="update")
    theirs = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(1 - momentum), use_buffers=True)
    theirs.update_parameters(model)  # its first update copies
    trainer = trainer_of(model)
    ema.attach(trainer)
    trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda: theirs.update_parameters(model))
    trainer.run(batches, max_epochs=5)
    own, other = ema.ema_model.state_dict(), theirs.module.state_dict()
    del own["1.num_batches_tracked"], other["1.num_batches_tracked"]  # rounded averages there
    torch.testing.assert_close(own, other)


@given(
    st.lists(st.floats(-100, 100), min_size=1, max_size=12),
    st.floats(0.01, 0.99),
    st.floats(0.01, 0.99),
    st.integers(1, 6),
)
def test_it_averages_as_a_slow_model_does(
    weights: list[float], momentum: float, first: float, warmup: int
) -> None:
    model = one_weight(3.0)
    ema, engine = EMAHandler(model, momentum, first, warmup), setter_of(model)
    ema.attach(engine)
    engine.run(weights)
    expected = 3.0
    for number, weight in enumerate(weights):
        done = min(number / (warmup - 1), 1) if warmup > 1 else 1
        share = first * (1 - done) + momentum * done
        expected = (1 - share) * expected + share * weight
    assert ema.ema_model.get_parameter("weight").item() == pytest.approx(expected)


def test_the_momentum_warms_up_in_equal_steps_to_the_update_that_was_named() -> None:
    ema = EMAHandler(one_weight(), 0.1, momentum_warmup=0.5, warmup_iters=5)
    assert momenta(ema) == pytest.approx([0.5, 0.4, 0.3, 0.2, 0.1, 0.1])


def test_the_warm_up_counts_updates() -> None:
    ema = EMAHandler(one_weight(), 0.1, momentum_warmup=0.5, warmup_iters=2)
    event = Events.ITERATION_COMPLETED(every=2)
    assert momenta(ema, event) == pytest.approx([0.1, 0.5, 0.5, 0.1, 0.1, 0.1])


def test_another_handler_may_move_the_momentum() -> None:
    model = one_weight()
    ema, engine = EMAHandler(model, 0.1), setter_of(model)
    ema.attach(engine)
    engine.add_event_handler(
        Events.ITERATION_STARTED(once=2), lambda: setattr(engine.state, "ema_momentum", 0.5)
    )
    engine.run([0.0, 8.0])
    assert ema.ema_model.get_parameter("weight").item() == 4.0


def test_a_momentum_that_was_moved_out_of_range_is_an_error() -> None:
    model = one_weight()
    ema, engine = EMAHandler(model), setter_of(model)
    ema.attach(engine)
    engine.state.ema_momentum = 1.5
    with pytest.raises(InvalidArgument, match=r"state\.ema_momentum must be from 0 to 1, got 1\.5"):
        engine.run([0.0])


def test_plain_handlers_of_an_iteration_find_its_average() -> None:
    model = one_weight()
    engine = setter_of(model)
    seen: list[float] = []
    engine.add_event_handler(
        Events.ITERATION_COMPLETED,
        lambda: seen.append(ema.ema_model.get_parameter("weight").item()),
    )
    ema = EMAHandler(model, 0.5)
    ema.attach(engine)
    engine.run([4.0, 8.0])
    assert seen == [2.0, 5.0]


@pytest.mark.parametrize("event", [Events.EPOCH_COMPLETED, Events.ITERATION_COMPLETED(every=2)])
def test_it_averages_at_the_event_that_was_given(event: Any) -> None:
    model = one_weight()
    ema, engine = EMAHandler(model, 0.5), setter_of(model)
    ema.attach(engine, event=event)
    engine.run([9.0, 4.0], max_epochs=2)
    assert (ema.ema_model.get_parameter("weight").item(), ema.updates) == (3.0, 2)


def test_buffers_are_copied(network: Make, batches: list[torch.Tensor]) -> None:
    model = network()
    ema, trainer = EMAHandler(model), trainer_of(model)
    ema.attach(trainer)
    trainer.run(batches)
    assert all(map(torch.equal, ema.ema_model.buffers(), model.buffers()))
    assert not ema.ema_model.training


def test_or_averaged_with_those_of_integers_copied(
    network: Make, batches: list[torch.Tensor]
) -> None:
    model = network()
    ema, trainer = EMAHandler(model, 0.5, handle_buffers="update"), trainer_of(model)
    ema.attach(trainer)
    expected = torch.zeros(4)
    trainer.add_event_handler(
        Events.ITERATION_COMPLETED,
        lambda: expected.mul_(0.5).add_(model[1].get_buffer("running_mean"), alpha=0.5),
    )
    trainer.run(batches)
    torch.testing.assert_close(ema.ema_model.get_buffer("1.running_mean"), expected)
    assert ema.ema_model.get_buffer("1.num_batches_tracked") == 6


def test_or_left_to_the_averaged_model_in_training_mode(
    network: Make, batches: list[torch.Tensor]
) -> None:
    model = network()
    ema, trainer = EMAHandler(model, handle_buffers="ema_train"), trainer_of(model)
    ema.attach(trainer)
    trainer.run(batches)
    assert ema.ema_model.training
    assert ema.ema_model.get_buffer("1.num_batches_tracked") == 0
    ema.ema_model(batches[0])
    assert ema.ema_model.get_buffer("1.num_batches_tracked") == 1


def test_a_buffer_that_a_module_replaces_is_followed() -> None:
    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1))
            self.register_buffer("seen", torch.zeros(1))

    model = Counting()
    engine: Engine[Any, Any] = Engine(
        lambda engine, batch: setattr(model, "seen", torch.full((1,), batch))
    )
    ema = EMAHandler(model)
    ema.attach(engine)
    engine.run([4.0, 8.0])
    assert ema.ema_model.get_buffer("seen").item() == 8.0


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_small_steps_in_half_precision_add_up(dtype: torch.dtype) -> None:
    model = one_weight(1.0, dtype)
    ema, engine = EMAHandler(model, 0.0002), setter_of(model)
    ema.attach(engine)
    engine.run([2.0] * 5000)
    expected = 2 - (1 - 0.0002) ** 5000
    assert ema.ema_model.get_parameter("weight").dtype is dtype
    assert ema.ema_model.get_parameter("weight").item() == pytest.approx(expected, rel=0.005)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_resume_is_exact(dtype: torch.dtype) -> None:
    weights = torch.randn(20, generator=torch.Generator().manual_seed(0)).tolist()
    model = one_weight(1.0, dtype)
    whole, engine = EMAHandler(model, 0.01, 0.5, 9), setter_of(model)
    whole.attach(engine)
    file = io.BytesIO()
    engine.add_event_handler(
        Events.ITERATION_COMPLETED(once=7), lambda: torch.save(whole.state_dict(), file)
    )
    engine.run(weights)
    model = one_weight(5.0, dtype)
    resumed, engine = EMAHandler(model, 0.01, 0.5, 9), setter_of(model)
    resumed.attach(engine)
    file.seek(0)
    resumed.load_state_dict(torch.load(file, weights_only=True))
    engine.load_state_dict({"iteration": 7, "epoch_length": 20, "max_epochs": 1})
    engine.run(weights)
    assert torch.equal(*(ema.ema_model.get_parameter("weight") for ema in (resumed, whole)))
    assert engine.state.ema_momentum == 0.01


def test_a_run_that_is_resumed_in_the_warm_up_has_its_momentum_from_the_start() -> None:
    model = one_weight()
    ema, engine = EMAHandler(model, 0.1, momentum_warmup=0.5, warmup_iters=5), setter_of(model)
    ema.attach(engine)
    ema.load_state_dict({**ema.state_dict(), "updates": 3})
    seen: list[Any] = []
    engine.add_event_handler(
        Events.ITERATION_STARTED, lambda: seen.append(engine.state.ema_momentum)
    )
    engine.run([0.0, 0.0])
    assert seen == pytest.approx([0.3, 0.2])


class Operations(TorchDispatchMode):
    """Notes the operations on tensors."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch has no type for it
        self.seen: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.seen.append(str(func))
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("layers", [1, 30])
def test_an_update_is_as_many_operations_whatever_the_number_of_layers(layers: int) -> None:
    model = nn.Sequential(*(nn.BatchNorm1d(2) for _ in range(layers)))
    ema, engine = EMAHandler(model, handle_buffers="update"), setter_of(nn.Linear(1, 1))
    ema.attach(engine)
    engine.run([0.0])
    with Operations() as operations:
        engine.fire_event(Events.ITERATION_COMPLETED)
    moved = ["aten._foreach_lerp_.Scalar"] * 2  # parameters, buffers
    assert operations.seen == [*moved, "aten._foreach_copy_.default"]  # buffers of integers


def test_an_attribute_that_is_there_already_is_kept_and_warned_of() -> None:
    model = one_weight()
    engine = setter_of(model)
    engine.state.ema_momentum = 0.5
    said = r"the engine's state has ema_momentum=0\.5 already"
    with pytest.warns(HandlerWarning, match=said) as caught:
        EMAHandler(model).attach(engine)
    assert engine.state.ema_momentum == 0.5
    assert caught[0].filename == __file__
    EMAHandler(model).attach(engine, warn_if_exists=False)


def test_a_state_that_was_replaced_has_the_momentum_again() -> None:
    model = one_weight()
    ema, engine = EMAHandler(model, 0.5), setter_of(model)
    ema.attach(engine)
    engine.state = type(engine.state)()
    assert engine.run([4.0]).ema_momentum == 0.5
    assert ema.ema_model.get_parameter("weight").item() == 2.0


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"model": 3}, InvalidType, "model must be a module, got 3 of type int"),
        ({"momentum": 0}, InvalidArgument, "momentum must be above 0 and below 1, got 0"),
        ({"momentum": 1.0}, InvalidArgument, r"momentum must be above 0 and below 1, got 1\.0"),
        ({"momentum": "x"}, InvalidType, "momentum must be a number, got 'x'"),
        ({"momentum_warmup": 0.5}, InvalidArgument, "belong together; got momentum_warmup=0.5"),
        ({"warmup_iters": 3}, InvalidArgument, "belong together; .* and warmup_iters=3"),
        ({"momentum_warmup": 2, "warmup_iters": 3}, InvalidArgument, "momentum_warmup must be"),
        ({"momentum_warmup": 0.5, "warmup_iters": 0}, InvalidArgument, "warmup_iters must be 1"),
        ({"handle_buffers": "copied"}, InvalidArgument, "did you mean 'copy'"),
    ],
)
def test_an_argument_that_makes_no_sense_is_refused(
    change: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        EMAHandler(**{"model": one_weight(), **change})


def test_a_name_that_is_no_attributes_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="must name an attribute of the state, got 'a b'"):
        EMAHandler(one_weight()).attach(Engine(lambda engine, batch: None), "a b")
