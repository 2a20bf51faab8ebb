"""Getting what was saved back into objects.

Owns: which part of a checkpoint is whose, what keeps it from being loaded, and loading it.
Must not know: files, engines, or how a checkpoint was saved.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import torch
from torch import nn

from glowplug.errors import InvalidArgument, InvalidType, did_you_mean
from glowplug_checkpoint.errors import CheckpointError
from glowplug_checkpoint.following import RECORD
from glowplug_checkpoint.objects import bare, bare_name, checked_objects, renamed

_MOST = 5
"""How many parameters are named of those that do not fit."""
_WRAPPERS = ("module.", "_orig_mod.")


class StateRefused(CheckpointError, RuntimeError):
    """An object did not take the state that was saved of it.

    Attributes:
        name: the object's name.
        loaded: the names of the objects that have theirs already.
    """

    def __init__(self, message: str, name: str, loaded: tuple[str, ...]) -> None:
        super().__init__(message)
        self.name, self.loaded = name, loaded


def load_states(to_load: Any, content: Any, **kwargs: Any) -> None:
    """Load objects from the content of a checkpoint; see ``Checkpoint.load_objects``.

    Args:
        to_load: objects by name.
        content: states by name, or the state of the one object.
        **kwargs: for the ``load_state_dict`` of modules.

    Raises:
        InvalidType: when ``to_load`` or ``content`` is no mapping, or some objects cannot load.
        InvalidArgument: when the content lacks some of them, or their parameters are others;
            nothing is changed then.
        StateRefused: when an object refuses its state.
    """
    objects = checked_objects("to_load", to_load, method="load_state_dict")
    if not isinstance(content, Mapping):
        raise InvalidType(
            "a checkpoint is a mapping of names to states, or the path or URL of a file; got "
            f"{content!r} of type {type(content).__name__}"
        )
    states, missing = _states(objects, content)
    strict = kwargs.get("strict", True)
    prepared = {name: _prepared(objects[name], state) for name, state in states.items()}
    problems = [problem for name in missing for problem in _missing(name, objects, content)]
    problems += [
        f"{name!r}: {misfit}"
        for name, state in prepared.items()
        for misfit in _misfits(bare(objects[name]), state, strict)
    ]
    if problems:
        raise InvalidArgument(f"cannot load these objects: {'; '.join(problems)}")
    loaded: list[str] = []
    for name, state in prepared.items():
        _load(name, bare(objects[name]), state, kwargs, tuple(loaded))
        loaded.append(name)


def _states(
    objects: Mapping[str, Any], content: Mapping[Any, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Return the state of each object, and the names of those that have none."""
    missing = [name for name in objects if name not in content]
    if len(objects) == 1 and missing and not _has_several(content, objects[missing[0]]):
        return {missing[0]: content}, []
    return {name: content[name] for name in objects if name in content}, missing


def _has_several(content: Mapping[Any, Any], value: Any) -> bool:
    """Return whether a content that lacks an object's name is one of several other objects."""
    if RECORD in content:
        return True
    states = [state for state in content.values() if isinstance(state, Mapping)]
    return isinstance(bare(value), nn.Module) and len(states) == len(content) > 0


def _missing(name: str, objects: Mapping[str, Any], content: Mapping[Any, Any]) -> Iterator[str]:
    others = [str(other) for other in content if other not in objects]
    held = ", ".join(map(repr, islice(content, 2 * _MOST))) or "nothing"
    more = ", ..." if len(content) > 2 * _MOST else ""
    yield f"no {name!r} in the checkpoint{did_you_mean(name, others)} (it holds {held}{more})"


def _prepared(value: Any, state: Any) -> Any:
    """Return a state with the names that a module has for its parameters now."""
    module = bare(value)
    if not isinstance(module, nn.Module) or not isinstance(state, Mapping):
        return state
    short = bare_name(module)
    own = {short(name): name for name in module.state_dict()}
    for prefix in _WRAPPERS:  # as in files that were saved without looking through wrappers
        wrapped = bool(state) and all(str(name).startswith(prefix) for name in state)
        if wrapped and not any(name.startswith(prefix) for name in own):
            state = renamed(state, lambda name, prefix=prefix: name.removeprefix(prefix))  # type: ignore[misc]  # mypy does not infer a lambda with a default
    paths = {short(path): path for path, _ in module.named_modules(remove_duplicate=False)}
    return renamed(state, lambda name: own.get(name, paths.get(name, name)))


def _misfits(module: Any, state: Any, strict: bool) -> Iterator[str]:
    """Yield what keeps a state from being loaded, as far as it can be told before."""
    if not isinstance(module, nn.Module):
        return
    if not isinstance(state, Mapping):
        yield f"the state of a module is a mapping, got type {type(state).__name__}"
        return
    if _loads_its_own_way(module):
        return
    own = module.state_dict()
    if strict:
        lacking = [name for name in own if name not in state and not _may_lack(name)]
        strange = [str(name) for name in state if name not in own]
        if lacking:
            yield f"the checkpoint lacks {_some(lacking)}{did_you_mean(lacking[0], strange)}"
        if strange:
            yield f"the checkpoint has {_some(strange)}, which the module has not"
    for name, value in own.items():
        if _differ(value, state.get(name)):
            yield (
                f"{name} has the shape {tuple(value.shape)} here and {tuple(state[name].shape)} in "
                "the checkpoint"
            )


def _differ(own: Any, saved: Any) -> bool:
    if not isinstance(own, torch.Tensor) or not isinstance(saved, torch.Tensor):
        return False
    if nn.parameter.is_lazy(own):
        return False  # it takes whatever shape comes
    if own.dim() == 0 and saved.shape == (1,):
        return False  # as torch allows, for files of old versions
    return own.shape != saved.shape


def _may_lack(name: str) -> bool:
    # Files of old versions of torch lack the one, and what is extra need not be tensors.
    return name.endswith(("num_batches_tracked", "_extra_state"))


def _loads_its_own_way(module: nn.Module) -> bool:
    """Return whether a module, or a part of it, takes other names than those of its state."""
    return any(
        part._load_state_dict_pre_hooks
        or not type(part)._load_from_state_dict.__module__.startswith("torch.nn.")
        or type(part).load_state_dict is not nn.Module.load_state_dict
        for part in module.modules()
    )


def _some(names: list[str]) -> str:
    shown = ", ".join(map(repr, names[:_MOST]))
    return shown if len(names) <= _MOST else f"{shown} and {len(names) - _MOST} more"


def _load(
    name: str, value: Any, state: Any, kwargs: Mapping[str, Any], loaded: tuple[str, ...]
) -> None:
    try:
        if isinstance(value, nn.Module):
            value.load_state_dict(state, **kwargs)
        else:
            value.load_state_dict(state)
    except Exception as error:
        done = f"; {', '.join(map(repr, loaded))} have theirs already" if loaded else ""
        raise StateRefused(
            f"{name!r} of type {type(value).__name__} did not take its state from the checkpoint"
            f"{done}: {type(error).__name__}: {error}",
            name,
            loaded,
        ) from error
