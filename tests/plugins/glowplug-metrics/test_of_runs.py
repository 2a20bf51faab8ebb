from __future__ import annotations

import math
import pickle
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch

from glowplug import Engine, Events
from glowplug.errors import InvalidType
from glowplug_metrics import Frequency, GpuInfo, MissingLibrary, NoDevice


class Clock:
    """Moves on when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def working(clock: Clock) -> Engine[Any, Any]:
    """An engine whose batches are how many examples are done in two seconds each."""

    def step(engine: Engine[Any, Any], batch: Any) -> Any:
        clock.wait(2.0)
        return batch

    return Engine(step)


def test_the_frequency_is_of_the_epoch_so_far(working: Any, clock: Clock) -> None:
    Frequency(clock=clock).attach(working, "f")
    seen: list[float] = []
    working.add_event_handler(
        Events.ITERATION_COMPLETED, lambda engine: seen.append(engine.state.metrics["f"])
    )
    working.run([10, 20, 60], max_epochs=2)
    assert seen == [5.0, 7.5, 15.0] * 2


def test_it_can_be_shown_rarely_while_all_is_counted(working: Any, clock: Clock) -> None:
    Frequency(clock=clock).attach(working, "f", Events.ITERATION_COMPLETED(every=2))
    assert working.run([10, 20, 60]).metrics == {"f": 7.5}


def test_less_than_one_in_a_second_is_not_0(working: Any, clock: Clock) -> None:
    Frequency(clock=clock).attach(working, "f")
    assert working.run([1, 1]).metrics == {"f": 0.5}


def test_a_tensor_is_counted_where_it_is(clock: Clock, nothing_waits: Any) -> None:
    frequency = Frequency(lambda output: output.sum(), clock=clock)
    frequency.feed(torch.tensor([1, 2]))
    with nothing_waits:
        frequency.feed(torch.tensor([3, 4]))
    clock.wait(4.0)
    assert frequency.compute() == 2.5


def test_in_no_time_the_frequency_is_infinite(clock: Clock) -> None:
    frequency = Frequency(clock=clock)
    frequency.update(1)
    assert math.isinf(frequency.compute())


def test_the_time_between_saving_and_going_on_does_not_count(clock: Clock) -> None:
    frequency, later = Frequency(clock=clock), Frequency(clock=clock)
    frequency.update(6)
    clock.wait(2.0)
    saved = frequency.state_dict()
    clock.wait(1000.0)
    later.load_state_dict(saved)
    later.update(4)
    clock.wait(2.0)
    assert later.compute() == 2.5


def test_ranks_work_beside_each_other(ranks: Any) -> None:
    def work(rank: int) -> Any:
        clock = Clock()
        frequency = Frequency(clock=clock)
        frequency.update(10)
        clock.wait(rank + 1.0)
        return frequency.compute()

    assert ranks.run(work) == [10.0] * 3


@pytest.mark.parametrize("wrong", ["3", True, torch.ones(2)])
def test_what_is_no_number_is_not_counted(wrong: Any) -> None:
    with pytest.raises(InvalidType, match="Frequency expected a number, or a tensor of one elem"):
        Frequency().update(wrong)


def test_a_clock_must_be_callable() -> None:
    with pytest.raises(InvalidType, match="clock must be callable, got 3 of type int"):
        Frequency(clock=3)  # type: ignore[arg-type]  # that is what is refused


def test_a_detached_frequency_leaves_nothing_behind(working: Any) -> None:
    frequency, event = Frequency(), Events.ITERATION_COMPLETED(every=2)
    frequency.attach(working, "f", event)
    assert frequency.is_attached(working, event)
    frequency.detach(working, event)
    assert not frequency.is_attached(working, event)
    assert working.run([1, 2]).metrics == {}


class Driver(ModuleType):
    """NVIDIA's library, of machines that have none.

    Args:
        used: the used bytes of each GPU, of 400.
        utilization: of the first; the others do not say theirs.
    """

    class NVMLError(Exception):
        pass

    class NVMLError_NotSupported(NVMLError):  # noqa: N801  # the library's own name
        pass

    def __init__(self, used: list[int], utilization: int) -> None:
        super().__init__("pynvml")
        self.used = used
        self.utilization = utilization

    def nvmlInit(self) -> None:  # noqa: N802  # the library's own name
        if -1 in self.used:
            raise self.NVMLError("Driver Not Loaded")

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802  # as above
        return len(self.used)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802  # as above
        return index

    def nvmlDeviceGetMemoryInfo(self, index: int) -> Any:  # noqa: N802  # as above
        return SimpleNamespace(used=self.used[index], total=400)

    def nvmlDeviceGetUtilizationRates(self, index: int) -> Any:  # noqa: N802  # as above
        if index:
            raise self.NVMLError_NotSupported
        return SimpleNamespace(gpu=self.utilization)


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Driver:
    library = Driver([100, 398], utilization=60)
    monkeypatch.setitem(sys.modules, "pynvml", library)
    return library


@pytest.mark.usefixtures("driver")
def test_each_gpu_has_its_memory_and_where_it_says_so_its_utilization(engine: Any) -> None:
    GpuInfo().attach(engine)
    expected = {"gpu:0 mem(%)": 25, "gpu:0 util(%)": 60, "gpu:1 mem(%)": 99}
    assert engine.run([1]).metrics == expected


def test_gpus_are_asked_when_it_was_said_under_the_name_given(engine: Any, driver: Driver) -> None:
    info = GpuInfo()
    info.attach(engine, "card", Events.EPOCH_COMPLETED)
    driver.used = [200]
    assert engine.run([1]).metrics == {"card:0 mem(%)": 50, "card:0 util(%)": 60}
    info.detach(engine, Events.EPOCH_COMPLETED)
    assert not info.is_attached(engine, Events.EPOCH_COMPLETED)


def test_in_another_process_it_connects_anew(driver: Driver) -> None:
    copy = pickle.loads(pickle.dumps(GpuInfo()))
    driver.used = [4]
    assert copy.compute() == [(1.0, 60.0)]


@pytest.mark.parametrize(
    ("used", "says"),
    [([-1], r"no NVIDIA driver on this machine \(Driver Not Loaded\)"), ([], "but no GPU")],
)
def test_a_machine_without_gpus_is_an_error(driver: Driver, used: list[int], says: str) -> None:
    driver.used = used
    with pytest.raises(NoDevice, match=says):
        GpuInfo()


def test_without_the_library_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    with pytest.raises(MissingLibrary, match=r"pip install 'glowplug-metrics\[gpu\]'"):
        GpuInfo()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU to ask")
def test_a_real_gpu_uses_the_memory_that_torch_says_it_does() -> None:
    taken = torch.ones(2**30, dtype=torch.uint8, device="cuda")
    free, total = torch.cuda.mem_get_info()
    # the driver keeps a part for itself, which the two count differently
    expected = pytest.approx(100 * (total - free) / total, abs=2)
    assert expected in [reading.memory for reading in GpuInfo().compute()]
    del taken
