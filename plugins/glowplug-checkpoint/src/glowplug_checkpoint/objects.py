"""What the objects of a checkpoint are, and what is saved of them.

Owns: checking objects, looking through what wraps a model, and the state that is saved of it.
Must not know: files, engines, or how a state gets back into an object.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from glowplug.errors import InvalidArgument, InvalidType
from glowplug_torch import get_rank, get_world_size

_COMPILED = "torch._dynamo.eval_frame", "OptimizedModule"
_DIVIDED = "torch.distributed.optim.zero_redundancy_optimizer", "ZeroRedundancyOptimizer"


def checked_objects(argument: str, objects: Any, *, method: str) -> dict[str, Any]:
    """Return objects by their names, if each of them can be saved, or loaded.

    Args:
        argument: what the objects are called in errors.
        objects: a mapping of names to objects.
        method: what each object must have: ``"state_dict"`` or ``"load_state_dict"``.

    Raises:
        InvalidType: when it is no mapping, or some objects lack the method.
        InvalidArgument: when it is empty, or two names stand for one object.
    """
    if not isinstance(objects, Mapping):
        raise InvalidType(
            f"{argument} must be a mapping of names to objects, as {{'model': model}}; got "
            f"{objects!r} of type {type(objects).__name__}"
        )
    if not objects:
        raise InvalidArgument(f"{argument} is empty; give objects by name, as {{'model': model}}")
    unfit = [
        f"{name!r} is a name of type {type(name).__name__}, and not a string"
        for name in objects
        if not isinstance(name, str)
    ]
    unfit += [
        f"{name!r} is {'None' if value is None else f'of type {type(value).__name__}'}, which has "
        f"no {method}()"
        for name, value in objects.items()
        if isinstance(value, type) or not callable(getattr(value, method, None))
    ]
    twice = _said_twice(objects)
    if unfit:
        raise InvalidType(f"{argument}: {'; '.join(unfit + twice)}")
    if twice:
        raise InvalidArgument(f"{argument}: {'; '.join(twice)}")
    return dict(objects)


def _said_twice(objects: Mapping[Any, Any]) -> list[str]:
    first: dict[int, Any] = {}
    problems = []
    for name, value in objects.items():
        if value is None:
            continue
        known = first.setdefault(id(bare(value)), name)
        if known is not name:
            problems.append(f"{known!r} and {name!r} are the same object")
    return problems


def bare(value: Any) -> Any:
    """Return the module within what wraps it to run it elsewhere; anything else as it is.

    Example:
        >>> model = nn.Linear(1, 1)
        >>> bare(nn.DataParallel(model)) is model
        True
    """
    while (attribute := _wraps(value)) is not None:
        value = getattr(value, attribute)
    return value


def state_of(value: Any, rank: int = 0) -> Any:
    """Return what is saved of an object: its state, without the prefixes of what wraps a module.

    Args:
        value: an object with ``state_dict()``.
        rank: the rank that saves; an optimizer that is divided among the ranks is brought there.
    """
    value = bare(value)
    if _is_a(value, *_DIVIDED) and get_world_size() > 1:
        value.consolidate_state_dict(to=rank)
        if get_rank() != rank:  # it has none to give there
            return {}
    if isinstance(value, nn.Module):
        return renamed(value.state_dict(), bare_name(value))
    return value.state_dict()


def bare_name(module: nn.Module) -> Callable[[str], str]:
    """Return a function that takes the wrappers within a module out of a parameter's name.

    Example:
        >>> model = nn.Sequential(nn.DataParallel(nn.Linear(1, 1)))
        >>> bare_name(model)("0.module.weight")
        '0.weight'
    """
    wrappers = [
        (f"{path}." if path else "", attribute)
        for path, part in module.named_modules(remove_duplicate=False)
        if (attribute := _wraps(part)) is not None
    ]
    wrappers.sort(key=lambda wrapper: -len(wrapper[0]))  # the innermost first

    def bared(name: str) -> str:
        for path, attribute in wrappers:
            inner = f"{path}{attribute}"
            if name == inner:
                name = path.removesuffix(".")
            elif name.startswith(f"{inner}."):
                name = path + name[len(inner) + 1 :]
        return name

    return bared


def renamed(state: Any, new_name: Callable[[str], str]) -> Any:
    """Return a module's state with other names, torch's notes on its versions included.

    Args:
        state: what ``state_dict()`` of a module returned.
        new_name: gives a name for each.
    """
    if not isinstance(state, Mapping) or all(new_name(name) == name for name in state):
        return state
    changed = OrderedDict((new_name(name), value) for name, value in state.items())
    notes = getattr(state, "_metadata", None)
    if isinstance(notes, Mapping):
        # The note on a wrapper comes before that on what it wraps, which is the one that counts.
        of_modules = OrderedDict((new_name(path), note) for path, note in notes.items())
        changed._metadata = of_modules  # type: ignore[attr-defined]  # where torch keeps it
    return changed


def _wraps(value: Any) -> str | None:
    """Return the attribute in which a wrapper has its module; None for what is no wrapper."""
    if isinstance(value, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
        return "module"
    return "_orig_mod" if _is_a(value, *_COMPILED) else None


def _is_a(value: Any, module: str, name: str) -> bool:
    """Return whether an object is of a class whose module takes long to import.

    Where nobody has imported it, there is no such object.
    """
    found = getattr(sys.modules.get(module), name, None)
    return found is not None and isinstance(value, found)
