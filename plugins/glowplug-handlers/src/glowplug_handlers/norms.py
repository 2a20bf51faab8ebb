"""The norms of a model's gradients and of its weights, as metrics.

Owns: when they are computed, and the names that they go by.
Must not know: how a norm is computed, or where metrics are shown.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar
from weakref import WeakSet

import torch
from torch import Tensor

from glowplug import Engine, Events, Phase, RemovableEventHandle
from glowplug.errors import InvalidType
from glowplug.events import AnyEvent
from glowplug_handlers.arguments import checked_engine
from glowplug_handlers.errors import HandlerWarning
from glowplug_handlers.norms_arithmetic import checked_norm_type, norms_of, together
from glowplug_handlers.norms_groups import Patterns, checked_groups, named

NO_GROUPS: Mapping[str, Patterns] = MappingProxyType({})


class NormWarning(HandlerWarning):
    """There is nothing to compute a norm of at the event at which it is computed."""


class _Norms(ABC):
    """What both have in common: one number for all parameters, and more where that is asked for.

    Args:
        model: the network.
        norm_type: the order of the norm: 1, 2 or ``math.inf``.
        groups: names of groups and what belongs to each: a pattern, or several.
        per_parameter: whether each parameter gets a norm of its own too.

    Raises:
        InvalidType: for an argument of another type.
        InvalidArgument: for another order, a group without parameters, or a name given twice.
    """

    glowplug_phase: ClassVar[Phase] = Phase.COMPUTE
    default_name: ClassVar[str]
    _reason: ClassVar[str]

    def __init__(
        self,
        model: torch.nn.Module,
        norm_type: float = 2.0,
        *,
        groups: Mapping[str, str | Sequence[str]] = NO_GROUPS,
        per_parameter: bool = False,
    ) -> None:
        if not isinstance(model, torch.nn.Module):
            raise InvalidType(
                f"model must be a torch.nn.Module, got {model!r} of type {type(model).__name__}"
            )
        if not isinstance(per_parameter, bool):
            raise InvalidType(f"per_parameter must be True or False, got {per_parameter!r}")
        self.model, self.per_parameter = model, per_parameter
        self.norm_type = checked_norm_type(norm_type)
        self.groups = checked_groups(groups, model, per_parameter=per_parameter)
        self._epoch = -1
        self._parameters: list[tuple[str, Tensor]] = []
        self._told: WeakSet[Engine[Any, Any]] = WeakSet()

    @abstractmethod
    def _tensor(self, parameter: Tensor) -> Tensor | None:
        """Return the tensor of a parameter whose norm is wanted, where there is one."""

    def attach(
        self,
        engine: Engine[Any, Any],
        name: str | None = None,
        event: AnyEvent = Events.ITERATION_COMPLETED,
    ) -> RemovableEventHandle:
        """Compute the norms at an event, and put them into ``engine.state.metrics``.

        Args:
            engine: the engine that trains the model.
            name: the name of the norm of all parameters together; those of groups and parameters
                follow it, as in ``name/encoder``. ``default_name`` where left out.
            event: an event, one with a filter, a union, or the name of a registered one.

        Returns:
            A handle whose ``remove()`` undoes this.

        Raises:
            InvalidType: when ``engine`` is no engine, or ``name`` no string.
            UnknownEvent: when the engine has not registered the event.
        """
        checked_engine("engine", engine)
        if name is None:
            name = self.default_name
        if not isinstance(name, str):
            raise InvalidType(f"name must be a string, got {name!r} of type {type(name).__name__}")
        handle = engine.add_event_handler(event, self._measure, name)
        parameters = [n for n, _ in self.model.named_parameters()] if self.per_parameter else []
        parts = [f"{name}/{part}" for part in (*self.groups, *parameters)]
        return handle.declare(computes=(name, *parts))

    @torch.no_grad()
    def compute(self) -> dict[str, Tensor]:
        """Return the norms as they are now, without waiting for a device.

        Returns:
            Tensors of one number, on the model's device: under ``""`` that of all parameters
            together, under the names of groups and parameters theirs. What there is nothing of is
            left out: the norms of frozen parameters' gradients, say.
        """
        return self._norms_of(named(self.model))

    def _measure(self, engine: Engine[Any, Any], name: str) -> None:
        if self._epoch != engine.state.epoch:  # to walk through the modules takes its time
            self._epoch, self._parameters = engine.state.epoch, list(named(self.model))
        with torch.no_grad():
            norms = self._norms_of(self._parameters)
        metrics = engine.state.metrics
        parameters = [each for each, _ in self._parameters] if self.per_parameter else []
        for part in ("", *self.groups, *parameters):
            key = f"{name}/{part}" if part else name
            if part in norms:
                metrics[key] = norms[part]
            else:
                metrics.pop(key, None)  # what was true of an earlier iteration is not of this one
        if not norms and engine not in self._told:
            self._told.add(engine)
            where = f"{engine.last_event_name!s}, epoch {engine.state.epoch}, iteration "
            what = f"no norms of {type(self.model).__name__} at {where}{engine.state.iteration}"
            warnings.warn(NormWarning(f"{what}: {self._reason}"), stacklevel=2)

    def _norms_of(self, parameters: Sequence[tuple[str, Tensor]]) -> dict[str, Tensor]:
        there = [(name, t) for name, p in parameters if (t := self._tensor(p)) is not None]
        if not there:
            return {}
        each = dict(
            zip(
                (name for name, _ in there),
                norms_of([tensor for _, tensor in there], self.norm_type),
                strict=True,
            )
        )
        norms = {"": together(list(each.values()), self.norm_type)}
        for group, members in self.groups.items():
            present = [each[member] for member in members if member in each]
            if present:
                norms[group] = together(present, self.norm_type)
        return {**norms, **each} if self.per_parameter else norms

    def __getstate__(self) -> dict[str, Any]:
        # A copy has told nobody yet; and weak references cannot be copied.
        return {**self.__dict__, "_told": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _told=WeakSet())


class GradientNorms(_Norms):
    r"""The norm of a model's gradients, as a metric.

    .. math:: \left(\sum_i |g_i|^p\right)^{1/p}, \qquad \max_i |g_i| \text{ for } p = \infty

    over all numbers :math:`g_i` of all gradients together. It is what
    ``torch.nn.utils.clip_grad_norm_`` returns. All norms are computed in one go, and stay on the
    model's device as tensors of one number: whoever shows them waits for them.

    **When.** Gradients are read at the event that it is attached to, ITERATION_COMPLETED by
    default. There they are still those of the step, if the step calls ``optimizer.zero_grad()``
    before it computes new ones, as glowplug-supervised's does; where they were clipped, they are so
    here too. A step that calls ``zero_grad()`` at its end has left none: then this warns once, and
    puts nothing into the metrics. Attach it to an event inside such a step. The supervised trainer
    has ``"BACKWARD_COMPLETED"`` (before clipping; under a gradient scaler still scaled; in a window
    of accumulation those added up so far) and ``"OPTIMIZER_STEP_STARTED"`` (as the optimizer sees
    them). A step of your own fires an event: see ``Engine.register_events``.

    A parameter without a gradient counts for nothing. Gradients in half precision are summed up in
    single precision, and a sparse one by its values. Where each rank has its own part of a model,
    the norm is that of this rank's part.

    Args:
        model: the network.
        norm_type: the order of the norm: 1, 2 or ``math.inf``.
        groups: names of groups, and what belongs to each: the name of a layer (``"encoder"``: all
            that is below it) or of a parameter, a pattern with ``*``, or a list of these. Each
            group's norm is found under ``name/group``.
        per_parameter: whether each parameter's norm is found under ``name/parameter`` too.

    Raises:
        InvalidType: for an argument of another type.
        InvalidArgument: for another order, a group without parameters, or a name given twice.

    Source:
        The definition: Pascanu, Mikolov, Bengio, "On the difficulty of training recurrent neural
        networks", ICML 2013, section 3.2.

    Example:
        >>> import torch
        >>> from glowplug import Engine
        >>> model = torch.nn.Linear(2, 1, bias=False)
        >>> def step(engine, batch):
        ...     model.zero_grad()
        ...     model(batch).sum().backward()
        >>> trainer = Engine(step)
        >>> handle = GradientNorms(model).attach(trainer)
        >>> trainer.run([torch.tensor([[3.0, 4.0]])]).metrics
        {'gradient_norm': tensor(5.)}
    """

    default_name = "gradient_norm"
    _reason = (
        "none of its parameters has a gradient there; call optimizer.zero_grad() before the "
        "backward pass instead of after the step, or attach to an event between both, such as "
        'event="OPTIMIZER_STEP_STARTED" of a supervised trainer'
    )

    def _tensor(self, parameter: Tensor) -> Tensor | None:
        return parameter.grad


class WeightNorms(_Norms):
    r"""The norm of a model's parameters, as a metric.

    .. math:: \left(\sum_i |w_i|^p\right)^{1/p}, \qquad \max_i |w_i| \text{ for } p = \infty

    over all numbers :math:`w_i` of all parameters together, frozen ones included and buffers left
    out. All norms are computed in one go, and stay on the model's device. Parameters in half
    precision are summed up in single precision. Where each rank has its own part of a model, the
    norm is that of this rank's part.

    Args:
        model: the network.
        norm_type: the order of the norm: 1, 2 or ``math.inf``.
        groups: names of groups, and what belongs to each, as for `GradientNorms`.
        per_parameter: whether each parameter's norm is found under ``name/parameter`` too.

    Raises:
        InvalidType: for an argument of another type.
        InvalidArgument: for another order, a group without parameters, or a name given twice.

    Source:
        The definition of a vector's p-norm: ISO 80000-2:2019, 2-18.

    Example:
        >>> import torch
        >>> from glowplug import Engine, Events
        >>> model = torch.nn.Linear(2, 1, bias=False)
        >>> with torch.no_grad():
        ...     _ = model.weight.copy_(torch.tensor([[3.0, 4.0]]))
        >>> trainer = Engine(lambda engine, batch: None)
        >>> handle = WeightNorms(model, per_parameter=True).attach(
        ...     trainer, event=Events.EPOCH_COMPLETED
        ... )
        >>> trainer.run([1, 2]).metrics
        {'weight_norm': tensor(5.), 'weight_norm/weight': tensor(5.)}
    """

    default_name = "weight_norm"
    _reason = "it has no parameters, or none that have been made yet"

    def _tensor(self, parameter: Tensor) -> Tensor | None:
        return parameter
