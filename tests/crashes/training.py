"""The training that the crash suite kills and resumes.

Owns: a small supervised training with everything that has a state, and a digest of all of it.
Must not know: when it is killed.

What it comes to is written to a file as one line of JSON: digests of the weights, the optimizer,
the schedule, the averages and the metrics, the random numbers after the run, and every loss.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from glowplug import Engine, Events, component
from glowplug_checkpoint import Checkpoint, resume

EPOCHS, EXAMPLES, BATCH = 4, 44, 8
"""Six iterations in an epoch, the last of them shorter."""


def data() -> DataLoader[Any]:
    """Return shuffled batches of noise, the same noise each time."""
    noise = torch.Generator().manual_seed(3)
    x = torch.randn(EXAMPLES, 6, generator=noise)
    return DataLoader(TensorDataset(x, x.sum(1, keepdim=True).tanh()), BATCH, shuffle=True)


def training(
    folder: Path, *, background: bool, forgotten: str | None
) -> tuple[Engine[Any, Any], dict[str, Any]]:
    """Return a trainer that saves twice in an epoch and at its end, and all that has a state.

    Args:
        folder: where it saves.
        background: whether it saves while the run goes on.
        forgotten: the name of what is not saved.
    """
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Dropout(0.3), nn.Linear(16, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10, growth_interval=5)
    trainer: Engine[Any, Any] = component("trainer", "supervised-trainer")(
        model,
        optimizer,
        nn.functional.mse_loss,
        amp_mode="amp",
        amp_dtype=torch.float16,
        scaler=scaler,
        gradient_accumulation_steps=2,
        device="cpu",
    )
    schedule = component("scheduler", "cosine-annealing-scheduler")(optimizer, "lr", 0.05, 0.001, 9)
    by_epoch = component("scheduler", "exp-state-scheduler")(
        initial_value=1.0, gamma=0.9, param_name="temperature", create_new=True
    )
    averages = component("handler", "ema-handler")(model, momentum=0.1)
    loss = component("metric", "running-average")(output_transform=lambda output: output)
    mean = component("metric", "average")()
    stopping = component("handler", "early-stopping")(
        patience=99, score_function=lambda engine: -engine.state.metrics["loss"], trainer=trainer
    )
    schedule.attach(trainer, Events.ITERATION_STARTED)
    by_epoch.attach(trainer, Events.EPOCH_STARTED)
    averages.attach(trainer)
    loss.attach(trainer, "loss")
    mean.attach(trainer, "mean")
    trainer.add_event_handler(Events.EPOCH_COMPLETED, stopping)
    objects = {
        "trainer": trainer,
        "model": model,
        "optimizer": optimizer,
        "schedule": schedule,
        "by_epoch": by_epoch,
        "averages": averages,
        "loss": loss,
        "mean": mean,
        "stopping": stopping,
    }
    saved = {name: value for name, value in objects.items() if name != forgotten}
    resume(trainer, to_load=saved, folder=folder)
    checkpoint = Checkpoint(saved, folder, n_saved=2, background=background)
    checkpoint.attach(trainer, Events.ITERATION_COMPLETED(every=2) | Events.EPOCH_COMPLETED)
    return trainer, objects


def train(
    folder: Path,
    outcome: Path,
    *,
    background: bool = False,
    forgotten: str | None = None,
    before_run: Callable[[Engine[Any, Any]], None] = lambda trainer: None,
) -> None:
    """Train to the end, from wherever the last checkpoint stands, and write what came of it.

    Args:
        folder: where checkpoints are.
        outcome: the file that is written at the end; losses are appended beside it meanwhile.
        background: whether checkpoints are saved while the run goes on.
        forgotten: the name of what is not saved; None for a training that saves everything.
        before_run: called with the trainer when all is attached.
    """
    folder.mkdir(exist_ok=True)
    trainer, objects = training(folder, background=background, forgotten=forgotten)
    losses = outcome.with_suffix(".losses")

    @trainer.on(Events.ITERATION_COMPLETED)
    def note() -> None:
        with losses.open("a", encoding="utf-8") as file:
            file.write(f"{trainer.state.iteration} {float(trainer.state.output).hex()}\n")

    before_run(trainer)
    trainer.run(data(), max_epochs=EPOCHS)
    came_to = {name: digest(value.state_dict()) for name, value in objects.items()}
    came_to["metrics"] = digest(trainer.state.metrics)
    came_to["random numbers"] = digest(torch.get_rng_state())
    outcome.write_text(json.dumps(came_to), encoding="utf-8")


def digest(value: Any) -> str:
    """Return a digest of tensors and plain values, to the last bit."""
    summed = hashlib.sha256()
    for part in _parts(value):
        summed.update(part)
    return summed.hexdigest()


def _parts(value: Any) -> Iterator[bytes]:
    if isinstance(value, torch.Tensor):
        yield f"{value.dtype} {tuple(value.shape)}".encode()
        yield value.detach().contiguous().numpy().tobytes()
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield repr(key).encode()
            yield from _parts(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _parts(part)
    else:
        yield (value.hex() if isinstance(value, float) else repr(value)).encode()


def losses_of(outcome: Path) -> dict[int, set[str]]:
    """Return the losses that were written for each iteration; more than one where they differ."""
    found: dict[int, set[str]] = {}
    for line in outcome.with_suffix(".losses").read_text("utf-8").splitlines():
        iteration, _, loss = line.partition(" ")
        found.setdefault(int(iteration), set()).add(loss)
    return found
