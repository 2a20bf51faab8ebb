"""The model whose weights are averaged, and the one that holds the averages.

Owns: unwrapping, copying and comparing models; bringing two of them together, tensor by tensor.
Must not know: rates, engines, or what the averages are for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.parallel import DataParallel, DistributedDataParallel

from glowplug.errors import InvalidArgument, InvalidType

LOW_PRECISION = (torch.float16, torch.bfloat16)
"""Types in which a small step towards a weight is rounded away."""

Place: TypeAlias = tuple[dict[str, Any], str]
"""Where a tensor is found: a module's table, and the name in it."""


class Group(NamedTuple):
    """Tensors of one device and type, and where their averages are.

    Args:
        places: where the model's tensors are. They are looked up at each update, since a module
            may have replaced them.
        averages: what is averaged into.
        shown: the tensors of the averaged model, where these are not the averages.
    """

    places: list[Place]
    averages: list[Tensor]
    shown: list[Tensor]

    @torch.no_grad()
    def move(self, share: float) -> None:
        """Move the averages a share of the way to the model's tensors; 1 copies these."""
        tensors = [table[name] for table, name in self.places]
        if self.shown:
            tensors = [tensor.float() for tensor in tensors]
        if share == 1:  # exactly, whatever the averages were
            torch._foreach_copy_(self.averages, tensors)
        else:
            torch._foreach_lerp_(self.averages, tensors, share)
        if self.shown:
            torch._foreach_copy_(self.shown, self.averages)

    @property
    def can_be_averaged(self) -> bool:
        """Whether there is anything between two values of these tensors."""
        return self.averages[0].is_floating_point() or self.averages[0].is_complex()


def grouped_parameters(
    model: nn.Module, averaged: nn.Module, exact: Mapping[str, Tensor]
) -> list[Group]:
    """Return the parameters of two models in groups.

    Args:
        model: the model.
        averaged: a copy of it.
        exact: averages that are kept in another type than the copy's, by name.

    Raises:
        InvalidArgument: when the copy is of another type, or on another device.
    """
    averages = dict(averaged.named_parameters())
    # The tables themselves: asking a module takes ten times as long, at every iteration.
    places = (
        (name, own, (model.get_submodule(name.rpartition(".")[0])._parameters, _last(name)))
        for name, own in model.named_parameters()
    )
    return _grouped(places, averages, exact)


def grouped_buffers(model: nn.Module, averaged: nn.Module) -> list[Group]:
    """Return the buffers of two models in groups.

    Raises:
        InvalidArgument: when the copy is of another type, or on another device.
    """
    averages = dict(averaged.named_buffers())
    places = (
        (name, own, (model.get_submodule(name.rpartition(".")[0])._buffers, _last(name)))
        for name, own in model.named_buffers()
    )
    return _grouped(places, averages, {})


def _grouped(
    places: Iterator[tuple[str, Tensor, Place]],
    averages: Mapping[str, Tensor],
    exact: Mapping[str, Tensor],
) -> list[Group]:
    groups: dict[tuple[Any, ...], Group] = {}
    for name, own, place in places:
        average = averages.get(name)
        if average is None or average.device != own.device or average.dtype != own.dtype:
            what = "nothing" if average is None else f"{average.dtype} on {average.device}"
            raise InvalidArgument(
                f"{name} is {own.dtype} on {own.device}, and its average is {what}; move or change "
                "the model before it is given to its handler, or the averaged model likewise"
            )
        group = groups.setdefault((own.device, own.dtype), Group([], [], []))
        group.places.append(place)
        group.averages.append(exact.get(name, average))
        group.shown.extend([average] if name in exact else [])
    return list(groups.values())


def unwrapped(model: Any) -> nn.Module:
    """Return a model without what wraps it for several processes, or compiles it.

    Raises:
        InvalidType: when it is no module.

    Example:
        >>> unwrapped(nn.DataParallel(nn.ReLU()))
        ReLU()
    """
    if isinstance(model, (DataParallel, DistributedDataParallel)):
        return unwrapped(model.module)
    if not isinstance(model, nn.Module):
        raise InvalidType(f"model must be a module, got {model!r} of type {type(model).__name__}")
    compiled = getattr(model, "_orig_mod", None)  # torch.compile's name for what it compiled
    return compiled if isinstance(compiled, nn.Module) else model


def averaging_copy(model: nn.Module) -> nn.Module:
    """Return a copy of a model, in evaluation mode, that needs no gradients.

    Raises:
        InvalidArgument: when it cannot be copied, or has parameters that a first batch makes.

    Example:
        >>> [p.requires_grad for p in averaging_copy(nn.Linear(1, 1)).parameters()]
        [False, False]
    """
    lazy = [name for name, p in model.named_parameters() if nn.parameter.is_lazy(p)]
    if lazy:
        raise InvalidArgument(
            f"the parameters {', '.join(lazy)} are made by the first batch; run one through the "
            "model before its weights are averaged"
        )
    try:
        copied = deepcopy(model)
    except Exception as error:  # a module may raise anything in its __deepcopy__
        raise InvalidArgument(
            f"{type(model).__name__} cannot be copied, which averages need: {error}"
        ) from error
    for parameter in copied.parameters():
        parameter.grad = None
    return copied.requires_grad_(False).eval()


@torch.no_grad()
def up_to_date(exact: Mapping[str, Tensor], averaged: nn.Module) -> dict[str, Tensor]:
    """Return the exact averages on the device of the averaged model.

    What it does not show any more, since values were loaded into it, is taken over from it.

    Args:
        exact: averages in single precision by name.
        averaged: the model that has them in half precision.

    Example:
        >>> averaged = nn.Linear(1, 1, bias=False).bfloat16()
        >>> _ = averaged.requires_grad_(False).weight.fill_(2.0)
        >>> up_to_date({"weight": torch.tensor([[2.0001]])}, averaged)["weight"]
        tensor([[2.0001]])
        >>> up_to_date({"weight": torch.tensor([[7.0]])}, averaged)["weight"]
        tensor([[2.]])
    """
    current = {}
    for name, own in exact.items():
        shown = averaged.get_parameter(name)
        own = own.to(shown.device)
        current[name] = torch.where(own.to(shown.dtype) == shown, own, shown.float())
    return current


def check_like(own: Mapping[str, Any], saved: Any) -> None:
    """Raise where saved tensors are not those of a model like this one.

    Args:
        own: tensors by name.
        saved: what should have the same names and shapes.

    Raises:
        InvalidType: when ``saved`` is no mapping.
        InvalidArgument: when a name or a shape differs.
    """
    if not isinstance(saved, Mapping):
        raise InvalidType(f"expected a mapping of saved tensors, got {type(saved).__name__}")
    unlike = [n for n in {**own, **saved} if _shape(own.get(n)) != _shape(saved.get(n))]
    if unlike:
        told = "; ".join(
            f"{n}: {_shape(saved.get(n)) or 'not there'}, not {_shape(own.get(n)) or 'there'}"
            for n in unlike[:5]
        )
        raise InvalidArgument(
            f"the saved averages are of another model ({len(unlike)} tensors differ): {told}"
        )


def _shape(tensor: Any) -> tuple[int, ...] | str | None:
    if isinstance(tensor, Tensor):
        return tuple(tensor.shape)
    return None if tensor is None else type(tensor).__name__


def _last(name: str) -> str:
    return name.rpartition(".")[2]
