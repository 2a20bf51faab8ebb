"""What a call of ``run`` asks for: a new run, going on with an old one, or resuming exactly.

Owns: the rules of ``max_epochs``, ``max_iters`` and ``epoch_length`` over several runs.
Must not know: the loop, handlers, or how data is iterated.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, replace
from typing import Any

from glowplug import data as data_module
from glowplug.errors import InvalidArgument
from glowplug.state import State


@dataclass(frozen=True)
class Plan:
    """A checked call of ``run``; making one changes nothing.

    Args:
        anew: whether the counters start at 0.
        data: the data of the run, or None where the batches are None.
        max_epochs: where the run ends, in epochs, or None.
        max_iters: where the run ends, in iterations, or None.
        epoch_length: iterations in an epoch, or None where the data's first end defines it.
        within: iterations of the first epoch that are done already.
    """

    anew: bool
    data: Any
    max_epochs: int | None
    max_iters: int | None
    epoch_length: int | None
    within: int = 0

    def apply(self, state: State[Any, Any]) -> None:
        """Put the plan into a state."""
        if self.anew:
            state.iteration = state.epoch = 0
        state.dataloader = self.data
        state.max_epochs, state.max_iters = self.max_epochs, self.max_iters
        state.epoch_length = self.epoch_length


def make_plan(
    state: State[Any, Any],
    data: Any,
    *,
    max_epochs: int | None,
    max_iters: int | None,
    epoch_length: int | None,
    resumes_after: int | None = None,
) -> Plan:
    """Check the arguments of ``run`` against the state and each other.

    Args:
        state: what has been done so far; not changed.
        data: the data, or None.
        max_epochs: as given to ``run``.
        max_iters: as given to ``run``.
        epoch_length: as given to ``run``.
        resumes_after: the iterations done in the epoch where an interrupted run, or a loaded
            position, waits to be resumed; None where none does.

    Raises:
        InvalidType: for data that is not iterable.
        InvalidArgument: for everything else that cannot be run.
    """
    max_epochs = _checked("max_epochs", max_epochs)
    max_iters = _checked("max_iters", max_iters)
    epoch_length = _checked("epoch_length", epoch_length)
    if max_epochs is not None and max_iters is not None:
        raise InvalidArgument(
            f"max_epochs={max_epochs} and max_iters={max_iters} exclude each other; give one"
        )
    if data is not None:
        data_module.check(data)
    ends = state.max_epochs is not None or state.max_iters is not None
    if ends:
        _check_mode(state, max_epochs, max_iters)
        _check_progress(state, max_epochs, max_iters)
    if not ends or (resumes_after is None and is_done(state, max_epochs, max_iters)):
        return _new(state, data, max_epochs, max_iters, epoch_length)
    if resumes_after is None:
        return _going_on(state, data, max_epochs, max_iters, epoch_length)
    if state.epoch_length is None and (epoch_length or resumes_after + 1) <= resumes_after:
        raise InvalidArgument(
            f"epoch_length={epoch_length} is no more than the {resumes_after} iterations already "
            "done in this epoch; leave it out"
        )
    # The length stays as it is: where it is not known, the end of the data defines it.
    plan = _going_on(state, data, max_epochs, max_iters, epoch_length)
    return replace(plan, epoch_length=state.epoch_length or epoch_length)


def _new(
    state: State[Any, Any],
    data: Any,
    max_epochs: int | None,
    max_iters: int | None,
    epoch_length: int | None,
) -> Plan:
    # A state that has counted nothing yet was made by the user: what it presets is kept.
    preset = state.epoch_length if state.iteration == state.epoch == 0 or data is None else None
    length = epoch_length or preset or (None if data is None else data_module.length_of(data))
    if data is None and length is None:
        raise InvalidArgument(
            "run() without data needs epoch_length, the number of iterations in an epoch"
        )
    if max_epochs is None and max_iters is None:
        max_epochs = 1
    return Plan(True, data, max_epochs, max_iters, length)


def _going_on(
    state: State[Any, Any],
    data: Any,
    max_epochs: int | None,
    max_iters: int | None,
    epoch_length: int | None,
) -> Plan:
    length = state.epoch_length
    if length is not None and epoch_length is not None and epoch_length != length:
        raise InvalidArgument(
            f"this run has epochs of {length} iterations, got epoch_length={epoch_length}; leave "
            "it out to go on, or set engine.state.max_epochs = None to start anew"
        )
    if data is None:
        data = state.dataloader
    length = length or epoch_length
    if length is None and data is not None:
        length = data_module.length_of(data)
    if data is None and length is None:
        raise InvalidArgument(
            "run() without data needs epoch_length, the number of iterations in an epoch"
        )
    # Loaded from within an epoch, iterations are ahead of epochs; after a stop they are behind.
    within = state.iteration - state.epoch * (length or state.iteration)
    return Plan(
        False,
        data,
        max_epochs or state.max_epochs,
        max_iters or state.max_iters,
        length,
        within if within > 0 and (length is None or within < length) else 0,
    )


def _checked(name: str, value: Any) -> int | None:
    if value is None:
        return None
    try:
        count = 0 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        count = 0
    if count < 1:
        raise InvalidArgument(
            f"{name} must be an integer of at least 1, got {value!r} of type {type(value).__name__}"
        )
    return count


def _check_mode(state: State[Any, Any], max_epochs: int | None, max_iters: int | None) -> None:
    for asked, name, present, other in (
        (max_iters, "max_iters", state.max_epochs, "max_epochs"),
        (max_epochs, "max_epochs", state.max_iters, "max_iters"),
    ):
        if asked is not None and present is not None:
            raise InvalidArgument(
                f"this engine runs to {other}={present}, got {name}={asked}; "
                f"set engine.state.{other} = None first, which starts anew"
            )


def _check_progress(state: State[Any, Any], max_epochs: int | None, max_iters: int | None) -> None:
    for asked, name, done, unit in (
        (max_epochs, "max_epochs", state.epoch, "epochs"),
        (max_iters, "max_iters", state.iteration, "iterations"),
    ):
        if asked is not None and asked < done:
            raise InvalidArgument(
                f"{name}={asked} is less than the {done} {unit} already done; give at least {done} "
                f"to go on, or set engine.state.{name} = None to start anew"
            )


def is_done(
    state: State[Any, Any], max_epochs: int | None = None, max_iters: int | None = None
) -> bool:
    """Return whether the state has reached its end, or the one that is asked for now."""
    epochs, iters = max_epochs or state.max_epochs, max_iters or state.max_iters
    if iters is not None and state.iteration >= iters:
        return True
    return epochs is not None and state.epoch >= epochs


def iterations_wanted(state: State[Any, Any]) -> int:
    """Return the iterations of a whole run, or 0 where they are not known."""
    return state.max_iters or (state.max_epochs or 0) * (state.epoch_length or 0)
