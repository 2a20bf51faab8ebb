"""The states of torchmetrics, as states of this package.

Owns: how each is combined over ranks, saved and loaded.
Must not know: where a metric keeps its states.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map_only

from glowplug_metrics.libraries import library
from glowplug_metrics.states import Reduction, StateSpec, StateValue
from glowplug_torch import all_gather, get_rank, get_world_size

EXTRA = "glowplug-metrics[torchmetrics]"


@dataclass(frozen=True)
class DeclaredSpec(StateSpec):
    """A state with a reduction that this package has too; its dtype may change on the way."""

    def loaded(self, saved: Any, device: torch.device) -> Any:
        """Return what ``saved`` gave back, as it is."""
        return saved


@dataclass(frozen=True)
class SeparateSpec(StateSpec):
    """A state that cannot be combined before a value is made of it.

    Each rank goes on with its own: what is saved is a list of one for each.

    Args:
        combine: makes one state of the ranks' tensors, one beside the other, or of all parts of
            their lists; None leaves them so.
    """

    combine: Callable[[Any], Any] | None = None

    def reduced(self, value: StateValue, device: torch.device) -> Any:
        """Return the state of all ranks, on the CPU where there are several."""
        if get_world_size() == 1:
            return value
        ranks = self._of_ranks(value)
        lists = isinstance(value, list)
        together = [part for rank in ranks for part in rank] if lists else torch.stack(ranks)
        return together if self.combine is None else self.combine(together)

    def saved(self, value: StateValue, device: torch.device) -> Any:
        """Return the states of all ranks, as what later updates do not change."""
        return tree_map_only(Tensor, torch.clone, self._of_ranks(value))

    def loaded(self, saved: Any, device: torch.device) -> Any:
        """Return this rank's own."""
        return saved[get_rank()]

    def problem_with(self, saved: Any) -> str | None:
        """Return why ``saved`` cannot be loaded into this state, or None."""
        if not isinstance(saved, list) or not all(
            isinstance(part, Tensor) for part in tree_leaves(saved)
        ):
            return (
                "must be a list of a tensor or a list of tensors for each rank, got "
                f"{saved!r} of type {type(saved).__name__}"
            )
        if len(saved) != get_world_size():
            return (
                f"was saved by {len(saved)} ranks, each of which must go on with its own, and "
                f"there are {get_world_size()}"
            )
        return None

    @staticmethod
    def _of_ranks(value: StateValue) -> list[Any]:
        if get_world_size() == 1:
            return [value]
        return [rank for [rank] in all_gather([tree_map_only(Tensor, Tensor.cpu, value)])]


def spec_of(default: Any, combine: Any) -> StateSpec:
    """Return how a state of torchmetrics is combined.

    Args:
        default: its value after a reset: a tensor or an empty list.
        combine: what torchmetrics made of its ``dist_reduce_fx``.

    Example:
        >>> from torchmetrics.utilities.data import dim_zero_sum
        >>> spec_of(torch.tensor(0.0), dim_zero_sum).reduction.name
        'SUM'
        >>> type(spec_of(torch.tensor(0.0), None)).__name__
        'SeparateSpec'
    """
    data = library("torchmetrics.utilities.data", EXTRA, "TorchMetric")
    declared = {
        data.dim_zero_sum: Reduction.SUM,
        data.dim_zero_mean: Reduction.MEAN,
        data.dim_zero_max: Reduction.MAX,
        data.dim_zero_min: Reduction.MIN,
        data.dim_zero_cat: Reduction.CAT,
    }
    reduction = declared.get(combine)
    if reduction is None or (reduction is Reduction.CAT) is not isinstance(default, list):
        return SeparateSpec(None, Reduction.LOCAL, combine=combine)
    return DeclaredSpec(default, reduction, compensate=False)
