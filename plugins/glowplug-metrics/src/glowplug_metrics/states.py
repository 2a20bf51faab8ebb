"""What a metric has gathered so far: declared once, reset, moved, saved and reduced from that.

Owns: the kinds of state, how they are combined over ranks, and sums where float64 is missing.
Must not know: what a state means, or when it changes.

A state is a tensor, a plain number, a list of tensors (reduction ``cat``), or None for "nothing
yet". A sum declared as float64 is kept, on a device that has no float64, as two float32 tensors in
one, ``(2, ...)``: the sum, and what its additions lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

import torch
from torch import Tensor

from glowplug.errors import InvalidArgument, InvalidType
from glowplug_torch import all_gather, all_gather_tensors_with_shapes, all_reduce, get_world_size

StateValue: TypeAlias = Tensor | float | list[Tensor] | None


class Reduction(Enum):
    """How the states of all ranks become one.

    Example:
        >>> Reduction("sum")
        <Reduction.SUM: 'sum'>
    """

    SUM = "sum"
    MIN = "min"
    MAX = "max"
    CAT = "cat"
    """Lists of tensors are joined."""
    MEAN = "mean"
    """The mean; loaded by every rank, where the others are loaded by the first alone."""
    LOCAL = None
    """Each rank has its own."""

    @property
    def is_shared(self) -> bool:
        """Whether every rank loads what was saved."""
        return self in (Reduction.MEAN, Reduction.LOCAL)


def has_float64(device: torch.device) -> bool:
    """Return whether tensors of float64 can be made on ``device``.

    Example:
        >>> has_float64(torch.device("cpu")), has_float64(torch.device("mps"))
        (True, False)
    """
    return device.type != "mps"


def is_shared_out() -> bool:
    """Return whether the examples are shared out among several ranks.

    Example:
        >>> is_shared_out()
        False
    """
    return get_world_size() > 1


@dataclass(frozen=True)
class StateSpec:
    """One declared state.

    Args:
        default: its value after a reset.
        reduction: how it is combined over ranks.
        compensate: whether a sum in float64 becomes two float32 where float64 is missing.
        grows: whether a tensor may take on the shape of what it is combined with, so that ranks
            that took in nothing do not know it.

    Raises:
        InvalidType: when the default is no tensor, number, empty list or None.
        InvalidArgument: when a list is not concatenated, when something else is, or when None is
            to be combined.
    """

    default: StateValue
    reduction: Reduction
    compensate: bool = True
    grows: bool = False

    def __post_init__(self) -> None:
        default = self.default
        if not (default is None or default == [] or isinstance(default, (Tensor, int, float))):
            raise InvalidType(
                "a state begins as a tensor, a number, an empty list or None, got "
                f"{default!r} of type {type(default).__name__}"
            )
        if default is None and not self.reduction.is_shared:
            raise InvalidArgument(
                "a state that begins as None is reduced by 'mean' or None, got "
                f"{self.reduction.value!r}"
            )
        if isinstance(default, list) is not (self.reduction is Reduction.CAT):
            raise InvalidArgument(
                f"a list, and only a list, is reduced by 'cat'; got {default!r} with "
                f"reduce={self.reduction.value!r}"
            )

    def fresh(self, device: torch.device) -> StateValue:
        """Return the default, as a tensor or list of its own."""
        if isinstance(self.default, Tensor):
            return self.on(device, self.default.clone())
        return [] if isinstance(self.default, list) else self.default

    def is_pair(self, value: StateValue) -> bool:
        """Return whether ``value`` is a sum of float64 kept as two float32."""
        wanted = self.default
        return (
            self.compensate
            and self.reduction is Reduction.SUM
            and isinstance(wanted, Tensor)
            and isinstance(value, Tensor)
            and wanted.dtype == torch.float64 != value.dtype
            and not has_float64(value.device)
        )

    def on(self, device: torch.device, value: StateValue) -> StateValue:
        """Return ``value`` on ``device``, without waiting for it."""
        if isinstance(value, list):
            return [part.to(device) for part in value]
        if not isinstance(value, Tensor):
            return value
        fits = value.dtype != torch.float64 or has_float64(device)
        if value.device == device and fits:
            return value
        whole = self.whole(value)
        assert isinstance(whole, Tensor)
        if whole.dtype == torch.float64 and not has_float64(device):
            whole = self._narrow(whole)
        # To the host there is no hurry, and the copy must have arrived when it is read.
        moved: Tensor = whole.to(device, non_blocking=device.type != "cpu")
        return moved

    def _narrow(self, whole: Tensor) -> Tensor:
        high = whole.to(torch.float32)
        if not (self.compensate and self.reduction is Reduction.SUM):
            return high
        low = torch.where(high.isfinite(), whole - high, 0.0).to(torch.float32)
        return torch.stack((high, low))

    def whole(self, value: StateValue) -> StateValue:
        """Return ``value`` as it was declared: a sum that was kept in two parts becomes one."""
        if self.is_pair(value):
            assert isinstance(value, Tensor)
            whole: Tensor = value.cpu().to(torch.float64).sum(dim=0)
            return whole
        return value

    def reduced(self, value: StateValue, device: torch.device) -> Any:
        """Return ``value`` combined over all ranks; gathered rows are on ``device``."""
        value = self.whole(value)
        if get_world_size() == 1 or self.reduction is Reduction.LOCAL:
            return value
        if isinstance(value, list):
            return _gathered(value, device)
        if value is None:
            return None
        if self.grows:
            value = torch.as_tensor(value, dtype=torch.as_tensor(self.default).dtype)
            value = value.expand(torch.broadcast_shapes(*all_gather(tuple(value.shape))))
        if self.reduction is Reduction.MEAN:
            return all_reduce(value) / get_world_size()
        if self.reduction is Reduction.SUM:
            return all_reduce(value)
        return self._extreme(value)

    def _extreme(self, value: Tensor | float) -> Any:
        """Return the least or the greatest value of all ranks, or NaN where a rank has NaN."""
        extreme = all_reduce(torch.as_tensor(value), self.reduction.name)
        if torch.as_tensor(self.default).is_floating_point():
            # What a backend makes of NaN among numbers is its own matter.
            lost = all_reduce(torch.as_tensor(value).isnan().long())
            extreme = torch.where(lost > 0, torch.nan, extreme)
        return extreme if isinstance(value, Tensor) else extreme.item()

    def saved(self, value: StateValue, device: torch.device) -> Any:
        """Return ``value`` combined over all ranks, as what later updates do not change."""
        value = self.reduced(value, device)
        if isinstance(value, list):
            return [part.clone() for part in value]
        return value.clone() if isinstance(value, Tensor) else value

    def loaded(self, saved: Any, device: torch.device) -> Any:
        """Return what ``saved`` gave back, on ``device``, as what the caller's copy is not."""
        if isinstance(saved, list):
            return [part.to(device, copy=True) for part in saved]
        if isinstance(self.default, Tensor):
            return self.on(device, torch.as_tensor(saved, dtype=self.default.dtype).clone())
        return self.on(device, saved.clone()) if isinstance(saved, Tensor) else saved

    def problem_with(self, saved: Any) -> str | None:
        """Return why ``saved`` cannot be loaded into this state, or None."""
        if self.default is None:
            wanted, fits = "a tensor, a number or None", saved is None or _is_value(saved)
        elif isinstance(self.default, list):
            wanted = "a list of tensors"
            fits = isinstance(saved, list) and all(isinstance(part, Tensor) for part in saved)
        else:
            wanted, fits = "a tensor or a number", _is_value(saved)
        if fits:
            return None
        return f"must be {wanted}, got {saved!r} of type {type(saved).__name__}"


def add_pair(pair: Tensor, amount: Tensor | float, weight: float = 1) -> Tensor:
    """Add to a sum that is kept in two parts, losing nothing that float32 can hold.

    Args:
        pair: the sum and what it lost, ``(2, ...)``.
        amount: what to add.
        weight: how many times.

    Returns:
        A new pair.

    Source:
        The exact addition of two floats: D. E. Knuth, The Art of Computer Programming, vol. 2,
        section 4.2.2, theorem B.

    Example:
        >>> pair = torch.tensor([16777216.0, 0.0])
        >>> add_pair(pair, 1.0)
        tensor([1.6777e+07, 1.0000e+00])
    """
    high, low = pair[0], pair[1]
    more = torch.as_tensor(amount, dtype=high.dtype, device=high.device) * weight
    total = high + more
    share = total - high
    lost = (high - (total - share)) + (more - share)
    lost = torch.where(total.isfinite(), lost, 0.0)  # infinity loses nothing
    return torch.stack((total, (low + lost).expand_as(total)))


def in_float64(tensor: Tensor) -> Tensor:
    """Return ``tensor`` in float64, on the host where its device has none.

    Example:
        >>> in_float64(torch.tensor(3))
        tensor(3., dtype=torch.float64)
    """
    return (tensor if has_float64(tensor.device) else tensor.cpu()).to(torch.float64)


def _is_value(saved: Any) -> bool:
    return isinstance(saved, (Tensor, int, float))


def _gathered(parts: list[Tensor], device: torch.device) -> list[Tensor]:
    """Join the rows of all ranks, of which some may have none and know no shape."""
    mine = torch.cat(parts) if parts else None
    forms = all_gather(None if mine is None else (tuple(mine.shape), mine.dtype))
    known = [form for form in forms if form is not None]
    if not known:
        return []
    (_, *row), dtype = known[0]
    if mine is None:
        mine = torch.empty((0, *row), dtype=dtype, device=device)
    shapes = [(0, *row) if form is None else form[0] for form in forms]
    return all_gather_tensors_with_shapes(mine.to(dtype), shapes)
