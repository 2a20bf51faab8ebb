"""An exponential moving average of a metric or of an output.

Owns: the average, and the window of outputs that each of its steps is made from.
Must not know: what it averages.
"""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any, ClassVar

import torch
from torch import Tensor

from glowplug import Events
from glowplug.errors import InvalidArgument, InvalidType
from glowplug_metrics.attachment import AnyEngine
from glowplug_metrics.errors import NotComputableError
from glowplug_metrics.metric import CPU, Metric
from glowplug_metrics.outputs import as_it_is
from glowplug_metrics.results import as_numbers, publish
from glowplug_metrics.usage import (
    MetricUsage,
    RunningBatchWise,
    SingleEpochRunningBatchWise,
    Usage,
    usage_from,
)

RUNNING_BATCH_WISE = RunningBatchWise()


class RunningAverage(Metric):
    r"""An exponential moving average.

    .. math:: a_1 = x_1, \qquad a_t = \alpha \, a_{t-1} + (1 - \alpha) \, x_t

    where :math:`x_t` is the transformed output, or the value of ``src`` over the outputs since
    :math:`x_{t-1}`. Numbers, and tensors of any one shape. After each iteration the average is put
    into the metrics as a tensor, if it is one: nothing waits for the device until it is shown.
    Range, and what is better, are those of what is averaged.

    Args:
        src: a metric; the average gathers in a copy of it, so it may be attached by itself too.
            None averages the output.
        alpha: the share of the past, above 0, at most 1. The past fades by half in
            ``log(0.5) / log(alpha)`` steps: 34 for 0.98.
        output_transform: makes a number or a tensor of the step's output; where ``src`` is None,
            and only there.
        epoch_bound: True begins anew at each epoch, False goes on, whatever the usage; None leaves
            it to the usage.
        device: as for `Metric`; only where ``src`` is None.
        skip_unrolling: as for `Metric`.

    Raises:
        InvalidType: when ``src`` is no metric, or for values that cannot be averaged.
        InvalidArgument: for an ``alpha`` out of range, and for arguments that exclude each other.

    Source:
        R. G. Brown, "Statistical Forecasting for Inventory Control", 1959.

    Example:
        >>> from glowplug import Engine
        >>> engine = Engine(lambda engine, batch: batch)
        >>> RunningAverage(output_transform=lambda loss: loss, alpha=0.5).attach(engine, "loss")
        >>> engine.run([4.0, 2.0, 1.0]).metrics
        {'loss': 2.0}
    """

    required_output_keys: ClassVar[None] = None
    single_valued = True
    average: Any

    def __init__(
        self,
        src: Metric | None = None,
        alpha: float = 0.98,
        output_transform: Callable[[Any], Any] | None = None,
        epoch_bound: bool | None = None,
        device: str | torch.device | None = None,
        skip_unrolling: bool = False,
    ) -> None:
        if src is not None and not isinstance(src, Metric):
            raise InvalidType(f"src must be a Metric or None, got {src!r} of {type(src).__name__}")
        if not 0.0 < alpha <= 1.0:
            raise InvalidArgument(f"alpha must be above 0 and at most 1, got {alpha!r}")
        if (src is None) is (output_transform is None):
            raise InvalidArgument(
                "RunningAverage averages either src, a metric with a transform of its own, or what "
                "output_transform makes of the output; give one of the two, got "
                + ("neither" if src is None else "both")
            )
        if src is not None and device is not None:
            raise InvalidArgument(f"device is for outputs; src has its own; got {device!r}")
        super().__init__(output_transform or as_it_is, device or CPU, skip_unrolling)
        self._alpha = alpha
        self._epoch_bound = epoch_bound
        # What a source computes is of all ranks already.
        self.add_state("average", None, reduce="mean" if src is None else None)
        if src is not None:
            self._parts = {"src": src._twin({})}
            self.src.reset()

    @property
    def src(self) -> Metric:
        """The metric that is averaged."""
        return self._parts["src"]

    def update(self, output: Any) -> None:
        """Average one output in: as it is, or the source's value of it."""
        if not self._parts:
            self._average_in(output)
        else:
            self.src.feed(output)
            self._close_window()

    def value(self) -> Any:
        """Return the average as it is kept.

        Raises:
            NotComputableError: when there was nothing to average.
        """
        average = self.reduced()["average"]
        if average is None:
            raise NotComputableError(
                "RunningAverage has averaged nothing since it was made or reset, so it has no value"
            )
        return average

    def compute(self) -> Any:
        """Return the average, a number where it has no dimensions."""
        return as_numbers(self.value())

    def iteration_completed(self, engine: AnyEngine) -> None:
        """Average in the engine's output, or the source's value since the last time."""
        if self._parts:
            self._close_window()
        else:
            self.feed(engine.state.output)

    def source_completed(self, engine: AnyEngine) -> None:
        """Let the source take in the engine's output."""
        self.src.iteration_completed(engine)

    def completed(self, engine: AnyEngine, name: str) -> None:
        """Put the average into the metrics: after an iteration as it is, else as a number."""
        value = self.value()
        if engine.last_event_name is not Events.ITERATION_COMPLETED:
            value = as_numbers(value)
        publish(engine.state.metrics, name, value, self._result_mode)

    def attach(self, engine: AnyEngine, name: str, usage: Usage = RUNNING_BATCH_WISE) -> None:
        """Compute the average while an engine runs; see `Metric.attach`.

        Args:
            engine: the engine.
            name: the key in ``engine.state.metrics``.
            usage: when to begin anew, to average, and to show the average.
        """
        super().attach(engine, name, self._bound(usage))

    def detach(self, engine: AnyEngine, usage: Usage = RUNNING_BATCH_WISE) -> None:
        """Take back what ``attach`` did; see `Metric.detach`."""
        super().detach(engine, self._bound(usage))

    def is_attached(self, engine: AnyEngine, usage: Usage = RUNNING_BATCH_WISE) -> bool:
        """Return whether this is attached with a usage."""
        return super().is_attached(engine, self._bound(usage))

    def _bound(self, usage: Usage) -> MetricUsage:
        if self._epoch_bound is None:
            return usage_from(usage)
        return SingleEpochRunningBatchWise() if self._epoch_bound else RUNNING_BATCH_WISE

    def _listen(self, engine: AnyEngine, usage: MetricUsage) -> None:
        if self._parts:  # first, so that the window is whole when it is closed
            engine.add_event_handler(Events.ITERATION_COMPLETED, self.source_completed)
        super()._listen(engine, usage)

    def _unlisten(self, engine: AnyEngine, usage: MetricUsage) -> None:
        super()._unlisten(engine, usage)
        if self._parts:
            engine.remove_event_handler(self.source_completed, Events.ITERATION_COMPLETED)

    def _close_window(self) -> None:
        value = self.src.value()
        self.src.reset()
        self._average_in(value)

    def _average_in(self, value: Any) -> None:
        if not isinstance(value, (Tensor, int, float, Real)):
            raise InvalidType(
                f"RunningAverage averages numbers and tensors, got {value!r} of type "
                f"{type(value).__name__}; output_transform, or an index of src, can pick one"
            )
        past, alpha = self.average, self._alpha
        if isinstance(value, Tensor):
            value = value.detach()
            if self._fresh:
                self.follow(value.device)
                self._fresh = False
        if past is None:
            # A copy: the step may reuse its buffers.
            tensor = isinstance(value, Tensor)
            self.average = value.to(self.wide, copy=True) if tensor else float(value)
        elif isinstance(past, Tensor) and isinstance(value, Tensor):
            self.average = torch.add(past * alpha, value, alpha=1 - alpha)
        else:
            self.average = past * alpha + value * (1 - alpha)
