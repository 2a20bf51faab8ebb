"""The base of all metrics, and the metrics that are made of metrics.

Owns: what a metric does at its events, and the composition of metrics.
Must not know: any particular metric, how states are kept, or how handlers are attached.
"""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

import torch

from glowplug.errors import InvalidType
from glowplug_metrics.accumulator import Accumulator
from glowplug_metrics.attachment import AnyEngine, Attachable
from glowplug_metrics.operators import Arithmetic
from glowplug_metrics.outputs import as_it_is, picked, unrolled
from glowplug_metrics.results import ResultMode, as_numbers, publish, result_mode

CPU = torch.device("cpu")


class Metric(Accumulator, Attachable, Arithmetic):
    """Gathers what the steps of an engine return, and makes one value of it.

    A metric declares its states in ``__init__`` with `add_state`, changes them in ``update`` and
    makes a value of them in ``compute``. Reset, saving, loading and the reduction over ranks follow
    from the declaration. ``update`` leaves everything on the device: it never asks for a number.

    Args:
        output_transform: what makes of ``engine.state.output`` the argument of ``update``: a tuple,
            or a mapping of which the ``required_output_keys`` are picked in their order.
        device: where lists of outputs are kept. Sums are made where the outputs are, so that
            nothing waits for a transfer.
        skip_unrolling: take an output of lists, ``([p1, p2], [t1, t2])``, whole, instead of example
            by example.
        metrics_result_mode: where a value that is a mapping goes in ``engine.state.metrics``:
            each entry under its key (``"flatten"``), all under the metric's name (``"named"``), or
            ``"both"``.

    Raises:
        InvalidType: when ``output_transform`` cannot be called.
        InvalidArgument: for a device that torch does not know, or another result mode.

    Attributes:
        required_output_keys: what is picked from an output that is a mapping; None takes it whole.
        optional_output_keys: what is picked after these where it is there.
        single_valued: whether the value is never a mapping, so that no names but the metric's own
            appear among the engine's metrics.

    Example:
        >>> from glowplug import Engine
        >>> class Largest(Metric):
        ...     def __init__(self, output_transform=lambda output: output):
        ...         super().__init__(output_transform)
        ...         self.add_state("largest", torch.tensor(-torch.inf), reduce="max")
        ...
        ...     def update(self, output):
        ...         self.largest = torch.maximum(self.largest, output.max())
        ...
        ...     def compute(self):
        ...         return self.reduced()["largest"].item()
        >>> engine = Engine(lambda engine, batch: torch.tensor(batch))
        >>> Largest().attach(engine, "largest")
        >>> engine.run([[1.0, 4.0], [3.0, 2.0]]).metrics
        {'largest': 4.0}
    """

    required_output_keys: ClassVar[tuple[str, ...] | None] = ("y_pred", "y")
    optional_output_keys: ClassVar[tuple[str, ...]] = ()
    single_valued: ClassVar[bool] = False
    _parts: Mapping[str, Metric]

    def __init__(
        self,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
        skip_unrolling: bool = False,
        metrics_result_mode: ResultMode | str = "both",
    ) -> None:
        if not callable(output_transform):
            raise InvalidType(
                f"output_transform must be callable, got {output_transform!r} "
                f"of type {type(output_transform).__name__}"
            )
        Accumulator.__init__(self, device)
        Attachable.__init__(self)
        self._output_transform = output_transform
        self._skip_unrolling = skip_unrolling
        self._result_mode = result_mode(metrics_result_mode)
        self.reset()

    def _further_names(self) -> Iterable[Any]:
        return () if self.single_valued else (...,)

    @abstractmethod
    def update(self, output: Any) -> None:
        """Take in one output, transformed."""

    @abstractmethod
    def compute(self) -> Any:
        """Return the value of what was gathered, by all ranks together.

        Raises:
            NotComputableError: when nothing was gathered.
        """

    def value(self) -> Any:
        """Return what ``compute`` does, as a tensor that need not be waited for where it can be."""
        return self.compute()

    def feed(self, output: Any) -> None:
        """Update with what a step returned: transformed, its keys picked, its lists unrolled."""
        with torch.no_grad():
            output = self._output_transform(output)
            keys = self.required_output_keys
            if keys is not None and not isinstance(output, tuple) and isinstance(output, Mapping):
                output = picked(output, keys, self.optional_output_keys)
            if isinstance(output, (tuple, list)) and not self._skip_unrolling:
                examples = unrolled(output)
                if examples is not None:
                    for example in examples:
                        self.update(example)
                    return
            self.update(output)

    def started(self, engine: AnyEngine) -> None:
        """Reset, unless a state was loaded and the engine goes on from inside what it covers."""
        if not (self._restored and engine.goes_on()):
            self.reset()
        self._restored = False

    def iteration_completed(self, engine: AnyEngine) -> None:
        """Take in the engine's output."""
        self.feed(engine.state.output)

    def completed(self, engine: AnyEngine, name: str) -> None:
        """Put the value into ``engine.state.metrics``, tensors without dimensions as numbers.

        Args:
            engine: the engine whose metrics are changed.
            name: the name to put it under.

        Raises:
            InvalidArgument: when the value is a mapping that has the name among its keys.
        """
        publish(engine.state.metrics, name, as_numbers(self.compute()), self._result_mode)

    def apply(self, f: Callable[..., Any], *args: Any, **kwargs: Any) -> MetricsLambda:
        """Return the metric ``f(value, *args, **kwargs)``, for all that no operator says.

        Example:
            >>> from glowplug_metrics import Average
            >>> per_class = Average()
            >>> mean = per_class.apply(torch.mean)
            >>> per_class.update(torch.tensor([0.25, 0.75]))
            >>> mean.compute()
            tensor(0.5000, dtype=torch.float64)
        """
        return MetricsLambda(f, self, *args, **kwargs)

    def _combined(self, f: Callable[..., Any], *operands: Any) -> MetricsLambda:
        return MetricsLambda(f, *operands)

    def _sources(self) -> Sequence[Metric]:
        return (self,)

    def _twin(self, twins: dict[int, Metric]) -> Metric:
        """Return a metric that is set up as this one, and gathers by itself."""
        if id(self) not in twins:
            twin = copy.copy(self)
            twin._parts = {name: part._twin(twins) for name, part in self._parts.items()}
            twins[id(self)] = twin
        return twins[id(self)]

    def _evaluate(self, computed: dict[int, Any]) -> Any:
        """Return the value, computed once for all that are evaluated together."""
        if id(self) not in computed:
            computed[id(self)] = self.compute()
        return computed[id(self)]


class MetricsLambda(Metric):
    """A function of the values of other metrics, as the operators of metrics make them.

    Attached, it lets the metrics that it is made of take in the outputs, each once, whether they
    are attached themselves or not. Shared ones are computed once.

    Args:
        f: called with the values of the metrics in place of the metrics.
        *args: metrics, and other values, which are passed as they are.
        skip_unrolling: without effect here: each metric inside has its own.
        metrics_result_mode: as for every metric.
        **kwargs: as ``args``, by name.

    Raises:
        InvalidType: when ``f`` cannot be called, and for metrics of torchmetrics as they are.
        InvalidArgument: for another result mode.

    Example:
        >>> from glowplug_metrics import Average
        >>> error, scale = Average(lambda o: o[0]), Average(lambda o: o[1])
        >>> relative = MetricsLambda(lambda e, s, unit: e / s * unit, error, scale, unit=100)
        >>> relative.feed((0.5, 2.0))
        >>> relative.compute(), (error / scale).compute()
        (25.0, 0.25)
    """

    def __init__(
        self,
        f: Callable[..., Any],
        *args: Any,
        skip_unrolling: bool = False,
        metrics_result_mode: ResultMode | str = "both",
        **kwargs: Any,
    ) -> None:
        if not callable(f):
            raise InvalidType(f"f must be callable, got {f!r} of type {type(f).__name__}")
        super().__init__(skip_unrolling=skip_unrolling, metrics_result_mode=metrics_result_mode)
        self._function = f
        operands = {**{str(index): arg for index, arg in enumerate(args)}, **kwargs}
        for operand in operands.values():
            if isinstance(operand, torch.nn.Module) and hasattr(operand, "compute"):
                raise InvalidType(
                    f"a metric of torchmetrics, here {type(operand).__name__}, is an operand by "
                    f"TorchMetric({type(operand).__name__}(...))"
                )
        self._operands = {k: None if isinstance(v, Metric) else v for k, v in operands.items()}
        self._parts = {key: value for key, value in operands.items() if isinstance(value, Metric)}
        self._positional = len(args)
        self._read_sources()

    def update(self, output: Any) -> None:
        """Update each metric that this one is made of."""
        for source in self._sources():
            source.update(output)

    def compute(self) -> Any:
        """Return the function's value."""
        return self._evaluate({})

    def feed(self, output: Any) -> None:
        """Feed each metric that this one is made of."""
        for source in self._sources():
            source.feed(output)

    def started(self, engine: AnyEngine) -> None:
        """Start each metric that this one is made of."""
        for source in self._sources():
            source.started(engine)

    def iteration_completed(self, engine: AnyEngine) -> None:
        """Let each metric that this one is made of take in the engine's output."""
        for source in self._sources():
            source.iteration_completed(engine)

    def _sources(self) -> Sequence[Metric]:
        return sources_of(self._parts.values())

    def _evaluate(self, computed: dict[int, Any]) -> Any:
        if id(self) not in computed:
            values = {key: part._evaluate(computed) for key, part in self._parts.items()}
            operands = {**self._operands, **values}
            args = [operands.pop(str(index)) for index in range(self._positional)]
            computed[id(self)] = self._function(*args, **operands)
        return computed[id(self)]


def sources_of(metrics: Iterable[Metric]) -> list[Metric]:
    """Return the metrics that take in outputs for these, each once, in order."""
    return list(dict.fromkeys(source for metric in metrics for source in metric._sources()))
