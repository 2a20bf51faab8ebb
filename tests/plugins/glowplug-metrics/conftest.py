"""What the tests of the metrics share.

Owns: running a metric in an engine, ranks that are threads, and a watch over waiting for numbers.
Must not know: any particular metric.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias, TypeVar

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from glowplug import Engine, Events
from glowplug_metrics import Metric

T = TypeVar("T")
Shown: TypeAlias = list[Any]


def echo() -> Engine[Any, Any]:
    """An engine whose output is its batch."""
    return Engine(lambda engine, batch: batch)


@pytest.fixture
def engine() -> Engine[Any, Any]:
    return echo()


@pytest.fixture
def final() -> Callable[..., dict[str, Any]]:
    """Run a metric over outputs in one epoch, and return the engine's metrics."""

    def run(metric: Metric, outputs: Iterable[Any], **attach: Any) -> dict[str, Any]:
        engine = echo()
        metric.attach(engine, "m", **attach)
        return engine.run(outputs).metrics

    return run


@pytest.fixture
def shown() -> Callable[..., tuple[Shown, Shown]]:
    """Run a metric, and return what is shown of it after each iteration, and after each epoch."""

    def run(metric: Metric, outputs: Any, epochs: int = 2, **attach: Any) -> tuple[Shown, Shown]:
        engine = echo()
        metric.attach(engine, "m", **attach)
        seen: tuple[Shown, Shown] = ([], [])
        for event, log in zip(
            (Events.ITERATION_COMPLETED, Events.EPOCH_COMPLETED), seen, strict=True
        ):
            engine.add_event_handler(
                event, lambda engine, log=log: log.append(engine.state.metrics.get("m"))
            )
        engine.run(outputs, max_epochs=epochs)
        return seen

    return run


class Waiting(TorchDispatchMode):
    """Fails when a number is asked of a tensor, which on a device means to wait for it."""

    WAITS = frozenset(
        {
            torch.ops.aten._local_scalar_dense.default,
            torch.ops.aten.nonzero.default,
            torch.ops.aten.equal.default,
            torch.ops.aten.masked_select.default,
        }
    )

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        assert func not in self.WAITS, f"{func} waits for the device"
        return func(*args, **(kwargs or {}))


@pytest.fixture
def nothing_waits() -> Waiting:
    return Waiting()  # type: ignore[no-untyped-call]  # torch has no type for it


class Ranks:
    """Ranks that are threads of this process, with collectives of their own.

    Args:
        size: how many there are.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._me = threading.local()
        self._meeting = threading.Barrier(size, timeout=30)
        self._brought: list[Any] = [None] * size

    def run(self, work: Callable[[int], T]) -> list[T]:
        """Return what ``work(rank)`` returned in each rank."""

        def as_rank(rank: int) -> T:
            self._me.rank = rank
            return work(rank)

        with ThreadPoolExecutor(self.size) as pool:
            return list(pool.map(as_rank, range(self.size)))

    def get_rank(self) -> int:
        return int(getattr(self._me, "rank", 0))

    def get_world_size(self) -> int:
        return self.size if hasattr(self._me, "rank") else 1

    def exchange(self, mine: Any) -> list[Any]:
        self._brought[self.get_rank()] = mine
        self._meeting.wait()
        everything = list(self._brought)
        self._meeting.wait()
        return everything

    def all_reduce(self, mine: Any, op: str = "SUM") -> Any:
        together = torch.stack([torch.as_tensor(value) for value in self.exchange(mine)])
        if op != "SUM":  # of NaN among numbers a backend may make anything
            together = together.nan_to_num(nan=0.0, posinf=torch.inf, neginf=-torch.inf)
        combine: Any = {"SUM": torch.sum, "MIN": torch.amin, "MAX": torch.amax}[op]
        reduced = combine(together, dim=0)
        return reduced if isinstance(mine, torch.Tensor) else reduced.item()

    def all_gather_tensors_with_shapes(self, mine: Any, shapes: Sequence[Any]) -> list[Any]:
        gathered = self.exchange(mine)
        assert [tuple(tensor.shape) for tensor in gathered] == [tuple(shape) for shape in shapes]
        return gathered


@pytest.fixture
def ranks(monkeypatch: pytest.MonkeyPatch) -> Ranks:
    """Three ranks, which the states of metrics are combined over."""
    three = Ranks(3)
    states = "glowplug_metrics.states."
    monkeypatch.setattr(states + "get_world_size", three.get_world_size)
    monkeypatch.setattr(states + "all_reduce", three.all_reduce)
    monkeypatch.setattr(states + "all_gather", three.exchange)
    monkeypatch.setattr(
        states + "all_gather_tensors_with_shapes", three.all_gather_tensors_with_shapes
    )
    monkeypatch.setattr("glowplug_metrics.accumulator.get_rank", three.get_rank)
    for module in ("torch_metric", "torch_states"):
        monkeypatch.setattr(f"glowplug_metrics.{module}.get_rank", three.get_rank)
        monkeypatch.setattr(f"glowplug_metrics.{module}.get_world_size", three.get_world_size)
    monkeypatch.setattr("glowplug_metrics.torch_states.all_gather", three.exchange)
    return three


@pytest.fixture
def without_float64(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that lacks float64, played by the CPU."""
    monkeypatch.setattr("glowplug_metrics.states.has_float64", lambda device: False)
    monkeypatch.setattr("glowplug_metrics.accumulator.has_float64", lambda device: False)
