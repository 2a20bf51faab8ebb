"""The mean of weights over the last epochs, held against torch's and a plain mean."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, update_bn

from glowplug import Engine, Events
from glowplug.errors import InvalidArgument, InvalidType
from glowplug_handlers import StochasticWeightAveraging

Make = Callable[[], nn.Sequential]


def trainer_of(model: nn.Module) -> Engine[Any, Any]:
    """An engine that trains a model for real, batch statistics included."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    def step(engine: Engine[Any, Any], batch: torch.Tensor) -> None:
        model.train()
        optimizer.zero_grad()
        (model(batch) - batch.sum(1, keepdim=True)).square().mean().backward()
        optimizer.step()

    return Engine(step)


def counter_of(model: nn.Module) -> Engine[Any, Any]:
    """An engine that sets every parameter to the number of the iteration."""

    def step(engine: Engine[Any, Any], batch: Any) -> None:
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.fill_(engine.state.iteration)

    return Engine(step)


def test_it_is_torchs_average_with_torchs_statistics(
    network: Make, batches: list[torch.Tensor]
) -> None:
    model = network()
    swa, theirs = StochasticWeightAveraging(model, 3, batch_norm_data=batches), AveragedModel(model)
    trainer = trainer_of(model)
    swa.attach(trainer)
    trainer.add_event_handler(
        Events.EPOCH_COMPLETED(after=2), lambda: theirs.update_parameters(model)
    )
    trainer.run(batches, max_epochs=7)
    update_bn(batches, theirs)
    own, other = swa.swa_model.state_dict(), theirs.module.state_dict()
    assert swa.updates == 5
    torch.testing.assert_close(own, other)


def test_it_is_the_mean_of_the_weights_of_these_epochs(
    network: Make, batches: list[torch.Tensor]
) -> None:
    model = network().double()
    del model[1]
    swa, trainer = StochasticWeightAveraging(model, start=4), trainer_of(model)
    swa.attach(trainer)
    seen: list[torch.Tensor] = []
    trainer.add_event_handler(
        Events.EPOCH_COMPLETED(after=3),
        lambda: seen.append(model.get_parameter("0.weight").detach().clone()),
    )
    trainer.run([batch.double() for batch in batches], max_epochs=9)
    torch.testing.assert_close(swa.swa_model.get_parameter("0.weight"), torch.stack(seen).mean(0))


@pytest.mark.parametrize(
    ("start", "epochs", "counted"),
    [(1, 4, 4), (3, 4, 2), (0.5, 4, 2), (0.75, 4, 1), (0.7, 10, 3), (0.3, 10, 7), (0.01, 3, 3)],
)
def test_the_epochs_that_count_are_those_from_the_start_on(
    start: float, epochs: int, counted: int
) -> None:
    model = nn.Linear(1, 1)
    swa, trainer = StochasticWeightAveraging(model, start), counter_of(model)
    swa.attach(trainer)
    trainer.run([0], max_epochs=epochs)
    last = range(epochs - counted + 1, epochs + 1)
    assert swa.updates == counted
    assert swa.swa_model.get_parameter("weight").item() == pytest.approx(sum(last) / counted)


def test_it_averages_at_the_event_that_was_given() -> None:
    model = nn.Linear(1, 1)
    swa, trainer = StochasticWeightAveraging(model, start=2), counter_of(model)
    swa.attach(trainer, Events.ITERATION_COMPLETED(every=2))
    trainer.run(range(4), max_epochs=2)
    assert swa.swa_model.get_parameter("weight").item() == (6 + 8) / 2


def test_a_start_in_shares_needs_a_number_of_epochs() -> None:
    model = nn.Linear(1, 1)
    trainer = counter_of(model)
    StochasticWeightAveraging(model, start=0.5).attach(trainer)
    with pytest.raises(InvalidArgument, match=r"start=0\.5 is a share of max_epochs, which this"):
        trainer.run([0], max_iters=3)


@pytest.mark.parametrize(
    ("start", "error", "said"),
    [
        (0, InvalidArgument, "start must be 1 or more, got 0"),
        (0.0, InvalidArgument, "start, a share of max_epochs, must be above 0 and below 1"),
        (1.5, InvalidArgument, r"must be above 0 and below 1, got 1\.5"),
        ("half", InvalidType, "start must be a whole number, got 'half'"),
    ],
)
def test_a_start_that_makes_no_sense_is_refused(
    start: Any, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        StochasticWeightAveraging(nn.Linear(1, 1), start)


def test_statistics_of_other_weights_are_warned_of_in_the_log(
    network: Make, batches: list[torch.Tensor], caplog: pytest.LogCaptureFixture
) -> None:
    model = network()
    trainer = trainer_of(model)
    StochasticWeightAveraging(model).attach(trainer)
    with caplog.at_level(logging.WARNING):
        trainer.run(batches, max_epochs=2)
    assert "has 1 batch-norm layers, whose statistics are of other weights" in caplog.text


def test_a_run_that_ends_before_the_start_is_warned_of_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    model = nn.Linear(1, 1)
    trainer = counter_of(model)
    StochasticWeightAveraging(model, start=5).attach(trainer)
    with caplog.at_level(logging.WARNING):
        trainer.run([0], max_epochs=2)
    assert "nothing was averaged: the run ended in epoch 2, and the first that" in caplog.text


def test_the_first_average_is_exactly_the_first_weights() -> None:
    model = nn.Linear(1, 1)
    swa, trainer = StochasticWeightAveraging(model, start=1), counter_of(model)
    swa.attach(trainer)
    with torch.no_grad():
        swa.swa_model.get_parameter("weight").fill_(torch.inf)
    trainer.run([0])
    assert swa.swa_model.get_parameter("weight").item() == 1.0
