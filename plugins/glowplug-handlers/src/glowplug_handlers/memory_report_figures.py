"""Who holds how much memory, in words, and what to do about it.

Owns: the figures of a model, an optimizer, the GPUs and the process; the advice that follows.
Must not know: which error they are for, or what a batch is made of.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch

from glowplug import Engine
from glowplug_handlers.memory_report_batch import in_units

FRAGMENTED = 0.2
"""The share of what CUDA's allocator holds and does not use, from which on it is fragmented."""


def model_memory(model: torch.nn.Module | None) -> str:
    """Return what the parameters, their gradients and the buffers of a model take."""
    if model is None:
        return ""
    parameters = list(model.parameters())
    gradients = [one.grad for one in parameters if one.grad is not None]
    figures: dict[str, list[torch.Tensor]] = {
        "parameters": [*parameters],
        "gradients": gradients,
        "buffers": list(model.buffers()),
    }
    return ", ".join(f"{name} {in_units(_size(held))}" for name, held in figures.items() if held)


def optimizer_memory(optimizer: torch.optim.Optimizer | None) -> str:
    """Return what the state of an optimizer takes."""
    if optimizer is None:
        return ""
    held = [value for state in optimizer.state.values() for value in state.values()]
    return f"state {in_units(_size(value for value in held if isinstance(value, torch.Tensor)))}"


def cuda_memory() -> Iterator[tuple[str, str]]:
    """Yield each GPU that this process uses, and what of its memory is held by whom."""
    if not (torch.cuda.is_available() and torch.cuda.is_initialized()):
        return
    for index in range(torch.cuda.device_count()):
        reserved = torch.cuda.memory_reserved(index)
        if reserved:
            free, total = torch.cuda.mem_get_info(index)
            yield (
                f"cuda:{index}",
                f"{in_units(torch.cuda.memory_allocated(index))} in tensors, "
                f"{in_units(torch.cuda.max_memory_allocated(index))} at the most, "
                f"{in_units(reserved)} held by torch, {in_units(free)} free of {in_units(total)}",
            )


def host_memory() -> str:
    """Return what this process uses of the machine's memory, as far as the system tells."""
    figures = [f"{in_units(used)} in use" for used in _resident()]
    figures += [f"{in_units(free)} free on the machine" for free in _available()]
    figures += [f"limited to {in_units(limit)} of addresses" for limit in _limit()]
    return ", ".join(figures)


def advice(engine: Engine[Any, Any], said: str) -> Iterator[str]:
    """Yield what to try, the likeliest first.

    Args:
        engine: the engine that failed.
        said: what the error says.
    """
    said = said.lower()
    if "shared memory" in said:
        yield "more shared memory (/dev/shm; docker run --shm-size), or fewer num_workers"
    if "killed by signal" in said:
        yield "fewer num_workers, or a smaller prefetch_factor; the kernel's log says who died"
    kept = sorted(
        name
        for name, value in engine.state.metrics.items()
        if isinstance(value, torch.Tensor) and value.grad_fn is not None
    )
    if kept:
        yield f"detach() the metrics {', '.join(kept)}: each keeps the graph of a whole step"
    if engine.state.iteration <= 1:
        yield "a smaller batch, with gradients accumulated over several: not even the first fits"
    else:
        yield (
            f"compare this batch with the others: {engine.state.iteration - 1} iterations fitted; "
            "if it is no larger, something keeps what it should let go, such as losses in a list"
        )
        yield "a smaller batch, with gradients accumulated over several"
    yield "torch.autocast, and torch.utils.checkpoint for the largest layers"
    if _is_fragmented():
        yield "PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True: torch holds what it cannot use"


def _size(tensors: Iterable[torch.Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def _is_fragmented() -> bool:
    if not (torch.cuda.is_available() and torch.cuda.is_initialized()):
        return False
    reserved, used = torch.cuda.memory_reserved(), torch.cuda.memory_allocated()
    return reserved - used > FRAGMENTED * max(reserved, 1)


def _resident() -> list[int]:
    path = Path("/proc/self/statm")
    if not path.exists():
        return []
    import resource  # not on Windows, which has no such file either

    return [int(path.read_text("ascii").split()[1]) * resource.getpagesize()]


def _available() -> list[int]:
    path = Path("/proc/meminfo")
    lines = path.read_text("ascii").splitlines() if path.exists() else []
    return [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]


def _limit() -> list[int]:
    if sys.platform == "win32":
        return []
    import resource  # not on Windows

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return [] if limit == resource.RLIM_INFINITY else [limit]
