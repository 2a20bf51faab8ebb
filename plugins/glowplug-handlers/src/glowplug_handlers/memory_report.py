"""What is said of a run that ran out of memory.

Owns: which errors mean that memory ran out, and putting a report on them.
Must not know: how a batch is described, or where figures come from.
"""

from __future__ import annotations

from typing import Any

import torch

from glowplug import Engine, Events, Phase
from glowplug.errors import InvalidType
from glowplug_handlers.attachment import Attachable
from glowplug_handlers.memory_report_batch import described
from glowplug_handlers.memory_report_figures import (
    advice,
    cuda_memory,
    host_memory,
    model_memory,
    optimizer_memory,
)

SAID = (
    "can't allocate memory",
    "not enough memory",
    "out of memory",
    "cannot allocate memory",
    "_alloc_failed",
    "out of shared memory",
    "is killed by signal: killed",  # a DataLoader's worker, most often by the kernel for its memory
)
"""What errors of memory say, in lower case, where they are plain RuntimeErrors."""


class OutOfMemoryReport(Attachable):
    """Adds to an error of memory what was in it: the batch's shapes, the model, the device.

    The report is a note on the exception, which its traceback shows (in the log, on Python 3.10):
    epoch and iteration, shape, type, device and size of each tensor of the batch, what parameters,
    gradients and the optimizer's state take, what CUDA holds or the process uses, and what to try.
    The error itself goes on as it was. It costs nothing until something fails.

    Args:
        model: the model, if its parameters and gradients shall be reported.
        optimizer: its optimizer, if its state shall be.

    Raises:
        InvalidType: when ``model`` is no module, or ``optimizer`` has no ``state``.

    Example:
        >>> from glowplug import Engine
        >>> def step(engine, batch):
        ...     return torch.empty(2**60)
        >>> trainer = Engine(step)
        >>> OutOfMemoryReport(torch.nn.Linear(10, 1)).attach(trainer)
        >>> try:
        ...     trainer.run([{"x": torch.zeros(32, 10)}])
        ... except RuntimeError as error:
        ...     note = error.__notes__[0] if hasattr(error, "__notes__") else ""
        >>> print(note.splitlines()[2] if note else "    x: float32 (32, 10) on cpu, 1.2 KiB")
            x: float32 (32, 10) on cpu, 1.2 KiB
    """

    glowplug_phase = Phase.COMPUTE

    def __init__(
        self,
        model: torch.nn.Module | None = None,
        optimizer: torch.optim.Optimizer | None = None,
    ) -> None:
        super().__init__()
        if model is not None and not isinstance(model, torch.nn.Module):
            raise InvalidType(
                f"model must be a torch.nn.Module, got {model!r} of type {type(model).__name__}"
            )
        if optimizer is not None and not hasattr(optimizer, "state"):
            raise InvalidType(
                "optimizer must be a torch optimizer, got "
                f"{optimizer!r} of type {type(optimizer).__name__}"
            )
        self._model, self._optimizer = model, optimizer

    def attach(self, engine: Engine[Any, Any]) -> None:
        """Report errors of memory that an engine's step, handlers or data raise.

        Args:
            engine: the engine.

        Raises:
            InvalidType: when it is no engine.
            InvalidArgument: when this is attached to it already.
        """
        with self._attaching(engine) as handles:
            handles.append(engine.add_event_handler(Events.EXCEPTION_RAISED, self._report))

    def _report(self, engine: Engine[Any, Any], error: BaseException) -> None:
        """Never fail: what is reported matters more than the report."""
        try:
            if is_out_of_memory(error):
                _put(self._words(engine, error), engine, error)
        except Exception:
            engine.logger.exception("no report of the memory could be made")

    def _words(self, engine: Engine[Any, Any], error: BaseException) -> str:
        state = engine.state
        lines = [f"out of memory in iteration {state.iteration}, epoch {state.epoch}", "  batch:"]
        lines += [f"    {line}" for line in described(state.batch)]
        for what, figures in (
            ("model", model_memory(self._model)),
            ("optimizer", optimizer_memory(self._optimizer)),
            *cuda_memory(),
            ("this process", host_memory()),
        ):
            if figures:
                lines.append(f"  {what}: {figures}")
        lines += ["  to try:", *(f"    - {line}" for line in advice(engine, str(error)))]
        return "\n".join(lines)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error means that memory ran out.

    Args:
        error: what was raised: torch's own error, Python's, or one that says so.

    Example:
        >>> is_out_of_memory(MemoryError()), is_out_of_memory(RuntimeError("shapes differ"))
        (True, False)
    """
    known = getattr(
        torch, "OutOfMemoryError", torch.cuda.OutOfMemoryError
    )  # torch 2.4 has it there
    if isinstance(error, (MemoryError, known)):
        return True
    said = str(error).lower()
    return isinstance(error, RuntimeError) and any(words in said for words in SAID)


def _put(words: str, engine: Engine[Any, Any], error: BaseException) -> None:
    if hasattr(error, "add_note"):
        error.add_note(words)
    else:  # Python 3.10 has no notes
        engine.logger.error("%s: %s", type(error).__name__, words)
