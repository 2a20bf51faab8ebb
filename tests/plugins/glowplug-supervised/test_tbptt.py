"""Truncated backpropagation through time against a loop written by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from glowplug import Engine, Events
from glowplug_supervised import Tbptt_Events, create_supervised_tbptt_trainer


class Network(nn.Module):
    """A recurrent layer and a linear one on top."""

    def __init__(self, cell: type[nn.Module], batch_first: bool = False) -> None:
        super().__init__()
        self.cell = cell(2, 3, batch_first=batch_first)
        self.head = nn.Linear(3, 1)

    def forward(self, x: torch.Tensor, hidden: Any = None) -> Any:
        features, hidden = self.cell(x) if hidden is None else self.cell(x, hidden)
        return self.head(features), hidden


def make(cell: type[nn.Module] = nn.LSTM, batch_first: bool = False) -> tuple[Any, Any, Any]:
    torch.manual_seed(0)
    model = Network(cell, batch_first)
    return model, torch.optim.SGD(model.parameters(), lr=0.1), nn.functional.mse_loss


def sequences(count: int, length: int = 7) -> list[Any]:
    generator = torch.Generator().manual_seed(1)
    return [
        tuple(torch.randn(length, 4, size, generator=generator) for size in (2, 1))
        for _ in range(count)
    ]


def train_by_hand(setup: Any, data: list[Any], cuts: list[slice]) -> list[list[float]]:
    model, optimizer, loss_fn = setup
    losses: list[Any] = []
    for x, y in data:
        hidden: Any = None
        losses.append([])
        for cut in cuts:
            if isinstance(hidden, tuple):
                hidden = tuple(part.detach() for part in hidden)
            elif hidden is not None:
                hidden = hidden.detach()
            optimizer.zero_grad()
            y_pred, hidden = model(x[cut], hidden)
            loss = loss_fn(y_pred, y[cut])
            loss.backward()
            optimizer.step()
            losses[-1].append(loss.item())
    return losses


CUTS = [slice(0, 3), slice(3, 6), slice(6, 7)]


@pytest.mark.parametrize("cell", [nn.LSTM, nn.GRU])
def test_weights_and_losses_are_those_of_a_loop_written_by_hand(cell: type[nn.Module]) -> None:
    ours, theirs = make(cell), make(cell)
    trainer = create_supervised_tbptt_trainer(*ours, tbtt_step=3)
    outputs: list[float] = []
    trainer.add_event_handler(
        Events.ITERATION_COMPLETED, lambda e: outputs.append(e.state.output.item())
    )
    trainer.run(sequences(4))
    losses = train_by_hand(theirs, sequences(4), CUTS)
    assert all(map(torch.equal, ours[0].parameters(), theirs[0].parameters()))
    assert outputs == pytest.approx([sum(row) / 3 for row in losses])


def test_time_may_be_another_dimension() -> None:
    ours, theirs = make(batch_first=True), make()
    data = [(x.transpose(0, 1), y.transpose(0, 1)) for x, y in sequences(2)]
    create_supervised_tbptt_trainer(*ours, tbtt_step=3, dim=1).run(data)
    train_by_hand(theirs, sequences(2), CUTS)
    for mine, other in zip(ours[0].parameters(), theirs[0].parameters(), strict=True):
        assert torch.allclose(mine, other, atol=1e-6)


def test_events_fire_around_each_stretch_and_the_state_counts_them() -> None:
    trainer = create_supervised_tbptt_trainer(*make(), tbtt_step=3)
    log: list[tuple[str, int, bool]] = []

    def note(engine: Engine[Any, Any], event: Tbptt_Events) -> None:
        log.append((event.name, engine.state.time_iteration, engine.state.output is None))

    for event in Tbptt_Events:
        trainer.add_event_handler(event, note, event)
    trainer.run(sequences(1, length=5))
    started, completed = (event.name for event in Tbptt_Events)
    assert log == [
        (started, 1, True),
        (completed, 1, False),
        (started, 2, False),
        (completed, 2, False),
    ]


def test_filters_count_stretches_over_all_batches() -> None:
    trainer = create_supervised_tbptt_trainer(*make(), tbtt_step=3)
    seen: list[int] = []
    trainer.add_event_handler(
        Tbptt_Events.TIME_ITERATION_COMPLETED(every=4), lambda e: seen.append(e.state.iteration)
    )
    trainer.run(sequences(3))
    assert seen == [2, 3]


def test_the_counter_begins_again_with_a_new_run_and_goes_on_in_a_resumed_one() -> None:
    trainer = create_supervised_tbptt_trainer(*make(), tbtt_step=4)
    trainer.run(sequences(3))
    assert trainer.run(sequences(3)).time_iteration == 6
    resumed = create_supervised_tbptt_trainer(*make(), tbtt_step=4)
    resumed.load_state_dict(trainer.state_dict())
    assert resumed.run(sequences(3), max_epochs=2).time_iteration == 12


def test_each_stretch_is_trained_in_training_mode() -> None:
    model, optimizer, loss_fn = make()
    trainer = create_supervised_tbptt_trainer(model, optimizer, loss_fn, tbtt_step=3)
    modes: list[bool] = []
    trainer.add_event_handler(
        Tbptt_Events.TIME_ITERATION_COMPLETED, lambda: modes.append(model.cell.training)
    )
    trainer.add_event_handler(Tbptt_Events.TIME_ITERATION_STARTED, lambda: model.eval())
    trainer.run(sequences(1))
    assert modes == [True] * 3


def test_inputs_and_targets_of_other_lengths_are_an_error() -> None:
    trainer = create_supervised_tbptt_trainer(*make(), tbtt_step=3)
    with pytest.raises(ValueError, match="as many steps of time, got 7 and 3 in dimension 0"):
        trainer.run([(torch.ones(7, 4, 2), torch.ones(3, 4, 1))])


@pytest.mark.parametrize("stretch", [0, -1, 1.5, True, "3"])
def test_an_impossible_stretch_is_refused(stretch: Any) -> None:
    with pytest.raises(ValueError, match="tbtt_step must be a positive integer, got"):
        create_supervised_tbptt_trainer(*make(), tbtt_step=stretch)


def test_prepare_batch_and_device_are_used() -> None:
    seen: list[Any] = []

    def prepare(batch: Any, device: Any, non_blocking: bool) -> Any:
        seen.append((device, non_blocking))
        return batch["x"], batch["y"]

    trainer: Callable[..., Any] = create_supervised_tbptt_trainer
    x, y = sequences(1)[0]
    trainer(*make(), tbtt_step=3, device="cpu", non_blocking=True, prepare_batch=prepare).run(
        [{"x": x, "y": y}]
    )
    assert seen == [("cpu", True)]
