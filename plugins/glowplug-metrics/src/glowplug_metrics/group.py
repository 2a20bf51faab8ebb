"""Several metrics under one name.

Owns: handing one output to all, and the mapping of their values.
Must not know: the metrics.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import Any

from glowplug.errors import InvalidType
from glowplug_metrics.metric import Metric, sources_of
from glowplug_metrics.outputs import as_it_is


class MetricGroup(Metric):
    """Metrics that share one transform of the output, and whose values make a mapping.

    Attached under ``name``, each value is put under its own key, and the mapping under ``name``.
    The group updates its metrics: they are not to be attached to the same engine themselves.

    Args:
        metrics: metrics by key.
        output_transform: makes of the step's output what each metric transforms further.
        skip_unrolling: as for `Metric`; each metric has its own too.

    Raises:
        InvalidType: when ``metrics`` is no mapping of metrics.

    Attributes:
        metrics: the metrics by key.

    Example:
        >>> import torch
        >>> from glowplug_metrics import Accuracy, Loss
        >>> group = MetricGroup({"acc": Accuracy(), "nll": Loss(torch.nn.functional.nll_loss)})
        >>> group.update((torch.tensor([[0.0, -1.0], [-3.0, 0.0]]), torch.tensor([0, 0])))
        >>> group.compute()
        {'acc': 0.5, 'nll': 1.5}
    """

    def __init__(
        self,
        metrics: Mapping[str, Metric],
        output_transform: Callable[[Any], Any] = as_it_is,
        skip_unrolling: bool = False,
    ) -> None:
        if not isinstance(metrics, Mapping):
            raise InvalidType(
                f"metrics must be a mapping of metrics, got {metrics!r} "
                f"of type {type(metrics).__name__}"
            )
        wrong = {name: type(m).__name__ for name, m in metrics.items() if not isinstance(m, Metric)}
        if wrong:
            raise InvalidType(f"metrics must hold metrics alone, got {wrong}")
        super().__init__(output_transform, skip_unrolling=skip_unrolling)
        self._parts = dict(metrics)

    def _further_names(self) -> Iterable[Any]:
        return chain(self._parts, *(part._further_names() for part in self._parts.values()))

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """The metrics by key."""
        return self._parts

    def update(self, output: Any) -> None:
        """Feed each metric, those that several are made of once."""
        for source in sources_of(self._parts.values()):
            source.feed(output)

    def compute(self) -> dict[str, Any]:
        """Return the values by key."""
        computed: dict[int, Any] = {}
        return {name: metric._evaluate(computed) for name, metric in self._parts.items()}
