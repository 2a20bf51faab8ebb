"""A training that saves in the background, on a disk that is slow from the second save on.

Owns: the process that ends, or is killed, while a save is under way.
Must not know: what is left then.

Run with a folder, the seconds that a save takes, and how the process ends; writes lines of JSON.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from typing import Any

import torch

from glowplug import Engine, Events
from glowplug_checkpoint import Checkpoint, CheckpointEvents, DiskSaver


class SlowSaver(DiskSaver):
    """Takes its time after the first file."""

    seconds = 0.0

    def __call__(self, checkpoint: Any, filename: str, metadata: Any = None) -> None:
        if self.names():
            time.sleep(self.seconds)
        super().__call__(checkpoint, filename, metadata)


class Model:
    """Counts its steps."""

    steps = 0

    def state_dict(self) -> dict[str, Any]:
        return {"steps": [self.steps], "weights": torch.full((10_000,), float(self.steps))}


def say(what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main(folder: str, seconds: str, end: str = "") -> None:
    saver, model, entered = SlowSaver(folder), Model(), []
    saver.seconds = float(seconds)
    checkpoint = Checkpoint({"model": model}, saver, background=True)

    def step(engine: Engine[Any, Any], batch: int) -> None:
        model.steps += 1
        if batch == 2:
            checkpoint.wait()  # for the first
        if batch == 4:
            say("under way")
            finish()

    def finish() -> None:
        if end == "exit":
            sys.exit(5)
        if end == "error":
            raise ZeroDivisionError("of the step")
        if end == "SIGTERM":
            signal.raise_signal(signal.SIGTERM)
        if end != "SIGTERM":
            time.sleep(60)

    trainer = Engine(step)
    if end == "SIGTERM":
        trainer.add_event_handler(Events.STARTED, lambda: None)
        from glowplug import component

        component("handler", "graceful-stop")().attach(trainer)
    checkpoint.attach(trainer, Events.ITERATION_COMPLETED(once=[1, 3]))
    trainer.add_event_handler(
        CheckpointEvents.SAVED_CHECKPOINT, lambda: entered.append(checkpoint.last_checkpoint)
    )
    try:
        trainer.run([1, 2, 3, 4, 5])
    finally:
        say({"entered": len(entered)})


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(*sys.argv[1:])
