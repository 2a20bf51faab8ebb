"""The metrics of torchmetrics, as they are.

Owns: what of a metric of torchmetrics resets, is updated, saved, and combined over ranks.
Must not know: any particular metric of torchmetrics.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map_only

from glowplug.errors import InvalidType
from glowplug_metrics.attachment import EPOCH_WISE, AnyEngine
from glowplug_metrics.errors import NotComputableError
from glowplug_metrics.libraries import library
from glowplug_metrics.metric import CPU, Metric
from glowplug_metrics.outputs import as_it_is
from glowplug_metrics.results import ResultMode, as_numbers
from glowplug_metrics.states import Reduction, StateSpec, StateValue
from glowplug_metrics.torch_states import EXTRA, spec_of
from glowplug_metrics.usage import Usage
from glowplug_torch import get_rank, get_world_size

UPDATES = "updates"
"""The state that counts updates, beside those of torchmetrics."""


class TorchMetric(Metric):
    r"""A metric of torchmetrics, or a collection of them, for all that this package does.

    .. math:: m(\hat{y}, y)

    It is called as torchmetrics has it, ``update(y_pred, y)``; formula, shapes, range, what is
    better, and what NaN makes of the value are that metric's own. It is moved to the device of the
    first output. A value that is a mapping, as a collection's, goes into the metrics as
    ``metrics_result_mode`` says. What waits for the device in an update is the metric's own too:
    most do with ``validate_args=True``, which is the default there.

    Its states are combined over ranks by the rank functions of glowplug-torch, as they were
    declared, and torchmetrics is kept from doing so itself. ``state_dict`` has the states alone:
    what else a metric keeps, as the wrapper ``Running`` does, is not saved.

    Args:
        metric: a ``torchmetrics.Metric`` or ``torchmetrics.MetricCollection``. Reset and updated
            from here; give each adapter one of its own.
        output_transform: makes the arguments of the metric's ``update`` of the step's output: a
            tuple, a single value, or a mapping of which ``y_pred`` and ``y`` are picked.
        device: where a metric is that has taken in nothing.
        skip_unrolling: as for `Metric`; True, since many metrics of torchmetrics take lists.
        metrics_result_mode: as for `Metric`.

    Raises:
        MissingLibrary: when torchmetrics, the extra ``torchmetrics``, is not installed.
        InvalidType: when ``metric`` is none of torchmetrics.

    Attributes:
        metric: the metric of torchmetrics.

    Source:
        The metric's documentation.

    Example:
        >>> from torchmetrics.classification import BinaryAccuracy
        >>> accuracy = TorchMetric(BinaryAccuracy())
        >>> error = 1 - accuracy
        >>> accuracy.update((torch.tensor([0.9, 0.2, 0.6, 0.1]), torch.tensor([1, 0, 0, 0])))
        >>> accuracy.compute(), error.compute()
        (0.75, 0.25)
    """

    metric: Any
    updates: int

    def __init__(
        self,
        metric: Any,
        output_transform: Callable[[Any], Any] = as_it_is,
        device: str | torch.device = CPU,
        skip_unrolling: bool = True,
        metrics_result_mode: ResultMode | str = "both",
    ) -> None:
        torchmetrics = library("torchmetrics", EXTRA, "TorchMetric")
        if not isinstance(metric, (torchmetrics.Metric, torchmetrics.MetricCollection)):
            raise InvalidType(
                "metric must be a torchmetrics.Metric or a torchmetrics.MetricCollection, got "
                f"{metric!r} of type {type(metric).__name__}"
            )
        self.metric = metric
        self._kind = torchmetrics.Metric
        for _, part in self._members():
            part.distributed_available_fn = _never
        super().__init__(output_transform, device, skip_unrolling, metrics_result_mode)
        self._specs[UPDATES] = StateSpec(0, Reduction.SUM)
        # What a metric declares, it keeps in these two alone: there are no public names for them.
        for path, part in self._members():
            for name, default in part._defaults.items():
                self._specs[path + name] = spec_of(default, part._reductions[name])
        self._keeps = any(
            isinstance(default, list)
            for _, part in self._members()
            for default in part._defaults.values()
        )

    def reset(self) -> None:
        """Forget what was gathered, here and in the metric."""
        self.metric.reset()
        self.updates = 0
        self._fresh = True

    def follow(self, device: torch.device) -> None:
        """Move the metric to where the outputs are."""
        self.metric.to(device)
        self._home = device

    def update(self, output: Any) -> None:
        """Update the metric: with ``*output`` where that is a tuple or a list."""
        if self._fresh:
            tensors = (leaf for leaf in tree_leaves(output) if isinstance(leaf, Tensor))
            self.follow(next((tensor.device for tensor in tensors), self._home))
            self._fresh = False
        if self._keeps:  # the step may reuse its buffers
            output = tree_map_only(Tensor, torch.clone, output)
        arguments = output if isinstance(output, (tuple, list)) else (output,)
        self.metric.update(*arguments)
        self.updates += 1

    def value(self) -> Any:
        """Return what the metric computes, of all ranks together."""
        updates = self.reduced_state(UPDATES, self.updates)
        if updates == 0:
            raise NotComputableError(
                f"{type(self.metric).__name__} has taken in nothing since it was made or reset, so "
                "it has no value; call update first"
            )
        if get_world_size() == 1:
            return self.metric.compute()
        whole = self.metric.clone()
        states = {
            name: tree_map_only(Tensor, self._copied, self._specs[name].reduced(value, self._home))
            for name, value in self.brought().items()
        }
        self._put(whole, states, updates)
        return whole.compute()

    def compute(self) -> Any:
        """Return what the metric computes, of all ranks together; one number as a number.

        Raises:
            NotComputableError: when nothing was taken in.
        """
        return as_numbers(self.value())

    def brought(self) -> dict[str, StateValue]:
        """Return the states by path and name, as the metric has them."""
        if not isinstance(self.metric, self._kind):
            self.metric.values(copy_state=False)  # lets those that share states have them all
        states: dict[str, StateValue] = {UPDATES: self.updates}
        for path, part in self._members():
            for name in part._defaults:
                value = getattr(part, name)
                if self._specs[path + name].reduction is Reduction.CAT:  # one number may be a row
                    value = [torch.atleast_1d(rows) for rows in value]
                states[path + name] = value
        return states

    def _members(self, metric: Any = None) -> Iterator[tuple[str, Any]]:
        """Yield the metrics that a metric is made of, itself among them, with their paths."""
        for path, module in (self.metric if metric is None else metric).named_modules():
            if isinstance(module, self._kind):
                yield f"metric.{path}." if path else "metric.", module

    def _load(self, state_dict: Mapping[str, Any]) -> None:
        self.reset()
        states = {
            name: tree_map_only(Tensor, self._copied, spec.loaded(state_dict[name], self._home))
            for name, spec in self._specs.items()
            if spec.reduction.is_shared or get_rank() == 0
        }
        self.updates = states.pop(UPDATES, 0)
        self._put(self.metric, states, self.updates)
        self._restored = True

    def _put(self, metric: Any, states: Mapping[str, Any], updates: int) -> None:
        """Let a metric go on from states."""
        for path, part in self._members(metric):
            for name in part._defaults:
                if path + name in states:
                    setattr(part, name, states[path + name])
            part._update_count = updates
            part._computed = None

    def _copied(self, tensor: Tensor) -> Tensor:
        return tensor.to(self._home, copy=True)

    def _twin(self, twins: dict[int, Metric]) -> Metric:
        if id(self) not in twins:
            twin = super()._twin(twins)
            assert isinstance(twin, TorchMetric)
            twin.metric = self.metric.clone()
        return twins[id(self)]


def _never() -> bool:
    """Say that nothing is distributed: ranks are combined here."""
    return False


def attach(engine: AnyEngine, metric: Any, name: str, usage: Usage = EPOCH_WISE) -> Metric:
    """Compute a metric of torchmetrics, or one of this package, while an engine runs.

    Args:
        engine: the engine.
        metric: a ``torchmetrics.Metric``, a ``torchmetrics.MetricCollection``, or a `Metric`.
        name: the key in ``engine.state.metrics``.
        usage: when it resets, updates and is computed, as for `Metric.attach`.

    Returns:
        The metric that was attached: the `TorchMetric` of ``metric``, or ``metric`` itself. It can
        be detached, saved, and calculated with.

    Raises:
        MissingLibrary: when torchmetrics is not installed, for what is no `Metric`.
        InvalidType: for what is no metric.
        InvalidArgument: for an unknown usage.

    Example:
        >>> from glowplug import Engine
        >>> from torchmetrics.regression import MeanAbsoluteError
        >>> engine = Engine(lambda engine, batch: batch)
        >>> error = attach(engine, MeanAbsoluteError(), "error")
        >>> (error * 100).attach(engine, "percent")
        >>> engine.run([(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 1.0]))]).metrics
        {'error': 0.5, 'percent': 50.0}
    """
    attached = metric if isinstance(metric, Metric) else TorchMetric(metric)
    attached.attach(engine, name, usage)
    return attached
