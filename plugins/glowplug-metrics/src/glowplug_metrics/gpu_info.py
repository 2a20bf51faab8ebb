"""How busy the GPUs of this machine are.

Owns: asking NVIDIA's management library, and the names that its answers go by.
Must not know: which device a model is on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, NamedTuple

from glowplug import Events
from glowplug.events import AnyEvent
from glowplug_metrics.attachment import AnyEngine
from glowplug_metrics.errors import NoDevice
from glowplug_metrics.libraries import library
from glowplug_metrics.metric import Metric


class GpuReading(NamedTuple):
    """What one GPU said.

    Attributes:
        memory: used memory in percent of all.
        utilization: the time in percent that it worked, of the last moments; None where the GPU
            does not say.

    Example:
        >>> GpuReading(memory=50.0, utilization=None).memory
        50.0
    """

    memory: float
    utilization: float | None


class GpuInfo(Metric):
    r"""Used memory and utilization of each GPU of the machine, in percent.

    .. math:: 100 \cdot \frac{\text{used bytes}}{\text{all bytes}}

    Attached as ``"gpu"`` it puts ``"gpu:0 mem(%)"`` and ``"gpu:0 util(%)"`` into the metrics, and
    the same for every further GPU that the driver shows, whoever uses it; a utilization that a GPU
    does not say is left out. Both are whole numbers from 0 to 100. How much memory is better is
    yours to say; a low utilization means that the GPU waits for something.

    Nothing is gathered: each value is of the moment. Asking takes the driver some microseconds, and
    waits for no tensor.

    Raises:
        MissingLibrary: when nvidia-ml-py, the extra ``gpu``, is not installed.
        NoDevice: when there is no NVIDIA driver or no GPU.

    Source:
        NVIDIA's NVML API reference: nvmlMemory_t and nvmlUtilization_t.

    Example:
        >>> from glowplug import Engine
        >>> from glowplug_metrics import MissingLibrary, NoDevice
        >>> trainer = Engine(lambda engine, batch: batch)
        >>> try:
        ...     GpuInfo().attach(trainer, "gpu", Events.ITERATION_COMPLETED(every=100))
        ... except (MissingLibrary, NoDevice):
        ...     pass  # nothing to watch
    """

    required_output_keys: ClassVar[None] = None

    def __init__(self) -> None:
        super().__init__()
        self._library: Any = None
        if self._count() == 0:
            raise NoDevice("GpuInfo found an NVIDIA driver on this machine, but no GPU")

    def update(self, output: Any) -> None:
        """Leave the output alone: what a step returns says nothing of GPUs."""

    def compute(self) -> list[GpuReading]:
        """Return what each GPU says now, in the driver's order."""
        return [self._read(index) for index in range(self._count())]

    def completed(self, engine: AnyEngine, name: str) -> None:
        """Put what the GPUs say into ``engine.state.metrics``.

        Args:
            engine: the engine whose metrics are changed.
            name: what their names begin with.
        """
        for index, reading in enumerate(self.compute()):
            engine.state.metrics[f"{name}:{index} mem(%)"] = int(reading.memory)
            if reading.utilization is not None:
                engine.state.metrics[f"{name}:{index} util(%)"] = int(reading.utilization)

    def attach(  # type: ignore[override]  # the parameters that users know
        self,
        engine: AnyEngine,
        name: str = "gpu",
        event_name: AnyEvent = Events.ITERATION_COMPLETED,
    ) -> None:
        """Ask the GPUs while an engine runs.

        Args:
            engine: the engine.
            name: what the names in ``engine.state.metrics`` begin with.
            event_name: when they are asked.

        Raises:
            UnknownEvent: when the engine has not registered the event.
        """
        handle = engine.add_event_handler(event_name, self.completed, name)
        handle.declare(computes=self._names(name))

    def detach(  # type: ignore[override]  # as for attach
        self, engine: AnyEngine, event_name: AnyEvent = Events.ITERATION_COMPLETED
    ) -> None:
        """Take back what ``attach`` did for an event; nothing where it is not attached."""
        if self.is_attached(engine, event_name):
            engine.remove_event_handler(self.completed, event_name)

    def is_attached(  # type: ignore[override]  # as for attach
        self, engine: AnyEngine, event_name: AnyEvent = Events.ITERATION_COMPLETED
    ) -> bool:
        """Return whether GPUs are asked at an event."""
        return engine.has_event_handler(self.completed, event_name)

    def _names(self, name: str) -> Iterable[str]:
        kinds = ("mem(%)", "util(%)")
        return [f"{name}:{index} {kind}" for index in range(self._count()) for kind in kinds]

    def _nvml(self) -> Any:
        """Return the library, connected to the driver."""
        if self._library is None:
            nvml = library("pynvml", "glowplug-metrics[gpu]", type(self).__name__)
            try:
                nvml.nvmlInit()
            except nvml.NVMLError as error:
                raise NoDevice(
                    f"GpuInfo found no NVIDIA driver on this machine ({error}); leave it out where "
                    "torch.cuda.is_available() is False"
                ) from error
            self._library = nvml
        return self._library

    def _count(self) -> int:
        return int(self._nvml().nvmlDeviceGetCount())

    def _read(self, index: int) -> GpuReading:
        nvml = self._nvml()
        device = nvml.nvmlDeviceGetHandleByIndex(index)
        memory = nvml.nvmlDeviceGetMemoryInfo(device)
        try:
            utilization = float(nvml.nvmlDeviceGetUtilizationRates(device).gpu)
        except nvml.NVMLError_NotSupported:
            utilization = None
        return GpuReading(100 * memory.used / memory.total, utilization)

    # Another process must connect by itself.
    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_library": None}
