"""Train a small convolutional network to read handwritten digits.

    python docs/examples/digits.py
    python docs/examples/digits.py --describe   # what was attached, and how long it took
    python docs/examples/digits.py --explain    # what would run, and nothing else
    python docs/examples/digits.py --resume runs/DATE-TIME   # after Ctrl-C, a kill or a full disk
    tensorboard --logdir runs

The data are the 1,797 scans of 8x8 pixels that come with scikit-learn, so nothing is downloaded.
All but the engine comes from plugins and is asked for by name (`glowplug plugins list` shows what
there is); where one is not installed, the error says which package to install.

It ends when the held-out accuracy has not risen for some epochs. The best network and the last
state of the run are kept beside its logs. Ctrl-C finishes the running step, saves, and leaves; a
resumed run goes on with the batches and random numbers that it would have had.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from glowplug import Engine, Events, component

create_trainer = component("trainer", "supervised-trainer")
create_evaluator = component("trainer", "supervised-evaluator")
Accuracy = component("metric", "accuracy")
Checkpoint = component("handler", "checkpoint")
EarlyStopping = component("handler", "early-stopping")
GracefulStop = component("handler", "graceful-stop")
Loss = component("metric", "loss")
RunningAverage = component("metric", "running-average")
ProgressBar = component("logger", "progress-bar")
Resume = component("handler", "resume")
TensorboardLogger = component("logger", "tensorboard-logger")
WeightsHistogram = component("handler", "tensorboard-weights-hist-handler")

PATIENCE = 4
"""Epochs without a better held-out accuracy after which the run ends."""


def digits(batch_size: int) -> tuple[DataLoader[Any], DataLoader[Any]]:
    """Return the batches to learn from, and those of the 360 scans that are held out."""
    pixels, classes = load_digits(return_X_y=True)
    images = torch.tensor(pixels / 16, dtype=torch.float32).reshape(-1, 1, 8, 8)
    train_x, test_x, train_y, test_y = train_test_split(
        images, torch.tensor(classes), test_size=360, stratify=classes, random_state=0
    )
    batches = DataLoader(TensorDataset(train_x, train_y), batch_size, shuffle=True)
    return batches, DataLoader(TensorDataset(test_x, test_y), batch_size=360)


def network() -> nn.Module:
    """Return a network that takes images ``(N, 1, 8, 8)`` to scores ``(N, 10)``."""
    return nn.Sequential(
        nn.Conv2d(1, 32, kernel_size=3, padding=1, bias=False),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.Conv2d(32, 64, kernel_size=3, padding=1, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.25),
        nn.Linear(64 * 4 * 4, 10),
    )


def keep(folder: Path, trainer: Engine[Any, Any], evaluator: Engine[Any, Any], **parts: Any) -> Any:
    """Keep the best network and the last state of a run, and go on with a run that is there.

    Args:
        folder: where checkpoints are.
        trainer: what trains.
        evaluator: what knows the held-out accuracy.
        **parts: everything else that has a state, the model among it.

    Returns:
        What saves the last state.
    """
    best = Checkpoint(
        {"model": parts["model"]},
        folder,
        filename_prefix="best",
        score_name="accuracy",
        global_step_transform=trainer,
    )
    best.attach(evaluator, Events.COMPLETED)
    stopping = EarlyStopping(
        patience=PATIENCE,
        score_function=lambda engine: engine.state.metrics["accuracy"],
        trainer=trainer,
    )
    evaluator.add_event_handler(Events.COMPLETED, stopping)
    everything = {"trainer": trainer, "stopping": stopping, **parts}
    Resume(to_load=everything, folder=folder).attach(trainer)
    last = Checkpoint(everything, folder, filename_prefix="last")
    last.attach(trainer, Events.EPOCH_COMPLETED)
    return last


def train(asked: argparse.Namespace) -> str:
    """Train, validate after each epoch, log all of it, and return what came of it."""
    torch.manual_seed(asked.seed)
    torch.set_num_threads(1)  # so small a network gains nothing from more
    batches, held_out = digits(asked.batch_size)
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loss_fn = nn.functional.cross_entropy

    trainer: Engine[Any, Any] = create_trainer(model, optimizer, loss_fn)
    metrics = {"accuracy": Accuracy(), "loss": Loss(loss_fn)}
    evaluator: Engine[Any, Any] = create_evaluator(model, metrics=metrics)

    running = RunningAverage(output_transform=lambda loss: loss)
    running.attach(trainer, "loss")
    bar = ProgressBar(persist=True)
    bar.attach(trainer, metric_names=["loss"])

    trainer.state.accuracy = 0.0
    trainer.state_dict_user_keys.append("accuracy")

    @trainer.on(Events.EPOCH_COMPLETED)
    def validate() -> None:
        found = evaluator.run(held_out).metrics
        trainer.state.accuracy = found["accuracy"]
        bar.log_message(f"  held out: accuracy {found['accuracy']:.2%}, loss {found['loss']:.4f}")

    folder = asked.logdir / "checkpoints"
    last = keep(folder, trainer, evaluator, model=model, optimizer=optimizer, running=running)
    GracefulStop(save=last).attach(trainer)

    with TensorboardLogger(log_dir=asked.logdir) as logger:
        logger.attach_output_handler(
            trainer,
            Events.ITERATION_COMPLETED(every=5),
            tag="training",
            output_transform=lambda loss: {"loss": loss},
        )
        logger.attach_output_handler(
            evaluator,
            Events.COMPLETED,
            tag="validation",
            metric_names=["accuracy", "loss"],
            global_step_transform=lambda *_: trainer.state.epoch,
        )
        logger.attach(trainer, WeightsHistogram(model), Events.EPOCH_COMPLETED)
        if asked.explain:
            return str(trainer.explain(len(batches), asked.epochs))
        if asked.describe:
            trainer.time_calls()
        trainer.run(batches, max_epochs=asked.epochs)

    outcome = f"held-out accuracy {trainer.state.accuracy:.2%}; logs in {asked.logdir}"
    return f"{trainer.describe()}\n\n{outcome}" if asked.describe else outcome


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, train, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--logdir", type=Path, default=Path(f"runs/{datetime.now():%y%m%d-%H%M%S}"))
    parser.add_argument("--resume", type=Path, dest="logdir", help="a run's folder of logs")
    parser.add_argument("--seed", type=int, default=0)
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--describe", action="store_true", help="show what was attached")
    shown.add_argument("--explain", action="store_true", help="show what would run, and stop")
    asked = parser.parse_args(arguments)
    try:
        print(train(asked))
    except SystemExit:  # it was told to stop, and has saved
        print(f"stopped; go on by: python {sys.argv[0]} --resume {asked.logdir}", file=sys.stderr)
        raise


if __name__ == "__main__":
    main()
