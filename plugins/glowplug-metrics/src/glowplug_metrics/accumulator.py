"""What a metric gathers, before anything of engines.

Owns: the states of one object: declared, changed, reset, saved, loaded and reduced.
Must not know: engines, or what the states mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from glowplug.errors import InvalidArgument, InvalidType, did_you_mean
from glowplug_metrics.states import Reduction, StateSpec, StateValue, add_pair, has_float64
from glowplug_torch import get_rank


class Accumulator:
    """States, which are declared once.

    Args:
        device: where lists of tensors are kept, and the other states until `follow` is called.

    Raises:
        InvalidArgument: for a device that torch does not know.

    Example:
        >>> accumulator = Accumulator(torch.device("cpu"))
        >>> accumulator.add_state("total", torch.zeros((), dtype=torch.float64), reduce="sum")
        >>> accumulator.add("total", torch.tensor(2.5))
        >>> accumulator.state_dict()
        {'total': tensor(2.5000, dtype=torch.float64)}
        >>> accumulator.reset()
        >>> accumulator.total
        tensor(0., dtype=torch.float64)
    """

    def __init__(self, device: str | torch.device) -> None:
        try:
            self._device = self._home = torch.device(device)
        except (RuntimeError, TypeError) as error:
            raise InvalidArgument(
                f"device must be a torch.device or the name of one, got {device!r}: {error}"
            ) from None
        self._specs: dict[str, StateSpec] = {}
        self._parts: Mapping[str, Accumulator] = {}
        self._fresh = True
        self._restored = False

    def add_state(
        self,
        name: str,
        default: StateValue,
        reduce: Reduction | str | None = None,
        *,
        compensate: bool = True,
        grows: bool = False,
    ) -> None:
        """Declare a state, which becomes an attribute of this name.

        Args:
            name: a new attribute.
            default: its value after a reset: a tensor (a sum in float64, a count in int64), a plain
                number that the host knows by itself, ``[]`` for tensors to be joined, or None.
            reduce: how the values of all ranks become one: ``"sum"``, ``"min"``, ``"max"``,
                ``"mean"``, ``"cat"`` for lists; None where each keeps its own.
            compensate: whether a sum in float64 becomes a compensated one in float32 on devices
                without float64; it is then to be changed by `add` alone.
            grows: whether a tensor takes on the shape of what it is combined with.

        Raises:
            InvalidArgument: when the name is taken or no name, or the reduction is not known or
                does not fit.
            InvalidType: when the default is none of these.
        """
        if not name.isidentifier() or hasattr(self, name):
            raise InvalidArgument(
                f"{type(self).__name__}: a state needs a new attribute's name, got {name!r}"
            )
        try:
            reduction = Reduction(reduce)
        except ValueError:
            known = [str(member.value) for member in Reduction]
            raise InvalidArgument(
                f"reduce must be one of {', '.join(known)}, got {reduce!r}"
                f"{did_you_mean(str(reduce), known)}"
            ) from None
        spec = StateSpec(default, reduction, compensate, grows)
        self._specs[name] = spec
        setattr(self, name, spec.fresh(self._place_of(spec)))

    def _place_of(self, spec: StateSpec) -> torch.device:
        return self._device if spec.reduction is Reduction.CAT else self._home

    def follow(self, device: torch.device) -> None:
        """Move the states to where the outputs are, all but lists, without waiting."""
        if device == self._home:
            return
        self._home = device
        for name, spec in self._specs.items():
            setattr(self, name, spec.on(self._place_of(spec), getattr(self, name)))

    @property
    def wide(self) -> torch.dtype:
        """The dtype to sum in: float64, or float32 where the states' device has no float64."""
        return torch.float64 if has_float64(self._home) else torch.float32

    def add(self, name: str, amount: torch.Tensor | float, weight: float = 1) -> None:
        """Add ``weight`` times ``amount`` to a state that is a sum."""
        state = getattr(self, name)
        if state.dtype == torch.float32 and self._specs[name].is_pair(state):
            setattr(self, name, add_pair(state, amount, weight))
        else:
            setattr(self, name, torch.add(state, amount, alpha=weight))

    def held(self, name: str) -> torch.Tensor:
        """Return what a state that is a sum has come to, on its device, in `wide`."""
        state: torch.Tensor = getattr(self, name)
        return state.sum(dim=0) if self._specs[name].is_pair(state) else state

    def whole(self, name: str) -> Any:
        """Return a state as it was declared: in float64, on the host where its device has none."""
        return self._specs[name].whole(getattr(self, name))

    def reset(self) -> None:
        """Forget what was gathered."""
        for name, spec in self._specs.items():
            setattr(self, name, spec.fresh(self._place_of(spec)))
        for part in self._parts.values():
            part.reset()
        self._fresh = True

    def settle(self) -> None:
        """Bring the states up to date, before they are read; they are by default."""

    def brought(self) -> dict[str, StateValue]:
        """Return the states by name, as this rank brings them to the reduction."""
        return {name: getattr(self, name) for name in self._specs}

    def reduced_state(self, name: str, value: StateValue) -> Any:
        """Return ``value`` of a state, combined over all ranks as the state is."""
        return self._specs[name].reduced(value, self._device)

    def reduced(self) -> dict[str, Any]:
        """Return the states by name, combined over all ranks; the metric's own stay as they are."""
        self.settle()
        return {name: self.reduced_state(name, value) for name, value in self.brought().items()}

    def state_dict(self) -> dict[str, Any]:
        """Return the states by name, combined over all ranks: every rank must call it."""
        self.settle()
        states = {
            name: self._specs[name].saved(value, self._device)
            for name, value in self.brought().items()
        }
        return {**states, **{name: part.state_dict() for name, part in self._parts.items()}}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from what ``state_dict`` returned, in the middle of an epoch too.

        What all ranks had gathered goes to the first; the others begin anew. A run that goes on
        inside an epoch does not reset the metric at its start.

        Raises:
            InvalidType: when ``state_dict`` is no mapping.
            InvalidArgument: for missing, unknown or unfitting entries; nothing is changed then.
        """
        problems = self._problems_with(state_dict)
        if problems:
            raise InvalidArgument(f"cannot load into {type(self).__name__}: {'; '.join(problems)}")
        self._load(state_dict)

    def _problems_with(self, state_dict: Mapping[str, Any]) -> list[str]:
        if not isinstance(state_dict, Mapping):
            raise InvalidType(
                f"{type(self).__name__} loads a mapping such as state_dict() returns, got "
                f"{state_dict!r} of type {type(state_dict).__name__}"
            )
        expected = [*self._specs, *self._parts]
        problems = [f"no {name!r}" for name in expected if name not in state_dict]
        problems += [f"unknown {name!r}" for name in state_dict if name not in expected]
        for name in expected:
            if name not in state_dict:
                continue
            if name in self._parts:
                problems += self._parts[name]._problems_with(state_dict[name])
            elif problem := self._specs[name].problem_with(state_dict[name]):
                problems.append(f"{name!r} {problem}")
        return problems

    def _load(self, state_dict: Mapping[str, Any]) -> None:
        self.reset()
        for name, spec in self._specs.items():
            if spec.reduction.is_shared or get_rank() == 0:
                setattr(self, name, spec.loaded(state_dict[name], self._place_of(spec)))
        for name, part in self._parts.items():
            part._load(state_dict[name])
        self._restored = True
