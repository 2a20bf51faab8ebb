"""Layers that are not trained for a while.

Owns: which parameters a pattern stands for, when they are frozen, and what that does to them.
Must not know: optimizers, or how the layers are trained otherwise.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel

from glowplug import Events, Phase
from glowplug.errors import InvalidArgument, InvalidType, did_you_mean
from glowplug.events import EventEnum, FilteredEvent
from glowplug_handlers.arguments import checked_count
from glowplug_handlers.attachment import AnyEngine, Attachable
from glowplug_handlers.averaging_models import unwrapped
from glowplug_handlers.freezing_batch_norm import EvaluationMode


@dataclass(frozen=True)
class Frozen:
    """When something is frozen: bounds like those of an event's filter, neither included.

    Args:
        before: frozen in the epochs below this one; it is trained from this one on.
        after: frozen in the epochs above this one.

    Raises:
        InvalidType: when a bound is no integer.
        InvalidArgument: when a bound is below 1, or no epoch lies between the two.

    Example:
        >>> [epoch for epoch in range(1, 7) if Frozen(before=3).at(epoch)]
        [1, 2]
        >>> [epoch for epoch in range(1, 7) if Frozen(after=2, before=5).at(epoch)]
        [3, 4]
        >>> Frozen().at(1000)
        True
    """

    before: int | None = None
    after: int | None = None

    def __post_init__(self) -> None:
        for name, bound in (("before", self.before), ("after", self.after)):
            if bound is not None:
                checked_count(name, bound)
        if self.before is not None and self.before - (self.after or 0) < 2:
            raise InvalidArgument(f"{self} is never: no epoch lies between its bounds")

    def at(self, count: int) -> bool:
        """Return whether it is frozen in this epoch."""
        return (self.before is None or count < self.before) and count > (self.after or 0)


Times: TypeAlias = Frozen | Iterable[Frozen]


class LayerFreezing(Attachable):
    """Freezes parts of a model in some epochs.

    A frozen parameter needs no gradient, and has none: an optimizer that holds it passes it over,
    with its momentum and its weight decay. What is frozen follows from the number of the epoch
    alone, so a run that is resumed in epoch 5 has what is frozen in epoch 5.

    A pattern is the name of a parameter or of a layer (``"backbone"``: all that is below it), in
    which ``*``, ``?`` and ``[...]`` stand for other letters, dots included. Where several patterns
    fit a parameter, it is frozen when one of them says so. What no pattern fits is left alone.

    Args:
        model: the model. Wrapped in ``DistributedDataParallel`` it must look for unused parameters
            (``find_unused_parameters=True``), and must have been wrapped with nothing frozen that
            is trained later.
        frozen: patterns to when that is frozen: a `Frozen`, or several.
        batch_norm: whether batch-norm layers whose parameters are all frozen run in evaluation mode
            meanwhile, so that their statistics stay as they are.

    Raises:
        InvalidType: when ``model`` is no module, or ``frozen`` no mapping of that form.
        InvalidArgument: when a pattern fits no parameter, or the wrapper cannot do it.

    Example:
        >>> from glowplug import Engine
        >>> model = nn.Sequential()
        >>> model.backbone, model.head = nn.Linear(2, 2), nn.Linear(2, 1)
        >>> freezing = LayerFreezing(model, {"backbone": Frozen(before=3)})
        >>> trainer = Engine(lambda engine, batch: print(engine.state.epoch, freezing.frozen))
        >>> freezing.attach(trainer)
        >>> _ = trainer.run([0], max_epochs=3)
        1 ('backbone.weight', 'backbone.bias')
        2 ('backbone.weight', 'backbone.bias')
        3 ()
    """

    glowplug_phase = Phase.ACT

    def __init__(
        self, model: nn.Module, frozen: Mapping[str, Times], *, batch_norm: bool = True
    ) -> None:
        super().__init__()
        self.model = unwrapped(model)
        self._times = _fitting(self.model, _checked(frozen))
        if isinstance(model, DistributedDataParallel):
            self._check_wrapper(model)
        self._batch_norm = batch_norm
        self._evaluated = EvaluationMode()
        self._before: dict[str, bool] = {}
        self._now: dict[Frozen, bool] = {}
        self.logger = logging.getLogger(f"{__name__}.LayerFreezing")

    @property
    def frozen(self) -> tuple[str, ...]:
        """The names of the parameters that need no gradient now, of those that a pattern fits."""
        return tuple(name for name, parameter in self._fitted() if not parameter.requires_grad)

    def attach(
        self, engine: AnyEngine, event: EventEnum | FilteredEvent | str = Events.EPOCH_STARTED
    ) -> None:
        """Freeze and unfreeze at an event of an engine.

        Args:
            engine: the engine that trains the model.
            event: when; the numbers of `Frozen` are counts of this event, so of iterations at
                ``Events.ITERATION_STARTED``.

        Raises:
            InvalidType: when it is no engine.
            InvalidArgument: when this is attached to it already.
            UnknownEvent: when the event is not registered, or nothing counts it.
        """
        with self._attaching(engine) as handles:
            engine.state.get_event_attrib_value(event)  # raises where nothing counts it
            handles.append(engine.add_event_handler(event, self._follow, event))
        if not self._before:
            self._before = {n: p.requires_grad for n, p in self._fitted()}

    def detach(self, engine: AnyEngine) -> None:
        """Take back what ``attach`` did: each parameter needs a gradient, or not, as before.

        Args:
            engine: the engine.

        Raises:
            InvalidType: when it is no engine.
            InvalidArgument: when this is not attached to it.
        """
        super().detach(engine)
        for name, parameter in self._fitted():
            parameter.requires_grad_(self._before[name])
        self._before, self._now = {}, {}
        self._evaluated.set(())

    def apply(self, epoch: int) -> None:
        """Freeze what is frozen in an epoch, and unfreeze the rest of what a pattern fits.

        Args:
            epoch: its number, from 1.
        """
        was = self.frozen
        for name, parameter in self._fitted():
            freeze = any(time.at(epoch) for time in self._times[name])
            parameter.requires_grad_(not freeze)
            if freeze:
                parameter.grad = None  # an optimizer would go on using the last one
        now = self.frozen
        if now != was:
            self.logger.info(
                "from %d on %d of %d parameters are frozen", epoch, len(now), len(self._times)
            )
        if self._batch_norm:
            self._evaluated.set(self._frozen_batch_norms())

    def _follow(self, engine: AnyEngine, event: Any) -> None:
        count = engine.state.get_event_attrib_value(event)
        now = {time: time.at(count) for times in self._times.values() for time in times}
        if now != self._now:
            self.apply(count)
            self._now = now

    def _fitted(self) -> Iterator[tuple[str, nn.Parameter]]:
        named = self.model.named_parameters()
        return ((n, p) for n, p in named if n in self._times and _can_be_trained(p))

    def _frozen_batch_norms(self) -> Iterator[nn.Module]:
        """Walk the batch-norm layers that have parameters of which none is trained by our doing."""
        frozen = set(self.frozen)
        for path, module in self.model.named_modules():
            if isinstance(module, _BatchNorm):
                own = [f"{path}.{n}" if path else n for n, _ in module.named_parameters()]
                if own and frozen.issuperset(own):
                    yield module

    def _check_wrapper(self, wrapper: DistributedDataParallel) -> None:
        name = type(wrapper).__name__
        if not wrapper.find_unused_parameters or wrapper.static_graph:
            raise InvalidArgument(
                f"{name} waits for a gradient of every parameter, and frozen ones have none; wrap "
                "the model with find_unused_parameters=True and static_graph=False"
            )
        unknown = [n for n, p in self._fitted() if not p.requires_grad and self._is_trained(n)]
        if unknown:
            raise InvalidArgument(
                f"{', '.join(unknown)} needed no gradient when {name} wrapped the model, which "
                "leaves them out for good: once trained they would differ between ranks; wrap the "
                "model before anything is frozen"
            )

    def _is_trained(self, name: str) -> bool:
        return all(time != Frozen() for time in self._times[name])


def _can_be_trained(parameter: nn.Parameter) -> bool:
    """Return whether a parameter can have a gradient: integers, as of a quantized layer, cannot."""
    return parameter.is_floating_point() or parameter.is_complex()


def _checked(frozen: Any) -> dict[str, tuple[Frozen, ...]]:
    """Return patterns to times, each as a tuple."""
    wanted = "frozen must be a mapping from names of layers or parameters to Frozen(...)"
    if not isinstance(frozen, Mapping):
        raise InvalidType(f"{wanted}, got {frozen!r} of type {type(frozen).__name__}")
    checked = {}
    for pattern, given in frozen.items():
        times = given if isinstance(given, (list, tuple)) else (given,)
        if not isinstance(pattern, str):
            raise InvalidType(
                f"{wanted}; got the name {pattern!r} of type {type(pattern).__name__}"
            )
        for time in times:
            if not isinstance(time, Frozen):
                raise InvalidType(
                    f"{wanted}; got {time!r} of type {type(time).__name__} for {pattern!r}; to "
                    "train it from epoch 3 on say Frozen(before=3)"
                )
        checked[pattern] = tuple(times)
    return checked


def _fitting(
    model: nn.Module, frozen: Mapping[str, tuple[Frozen, ...]]
) -> dict[str, tuple[Frozen, ...]]:
    """Return the times of each parameter that a pattern fits."""
    names = [name for name, _ in model.named_parameters()]
    for pattern in frozen:
        if not any(_fits(pattern, name) for name in names):
            layers = {n.rsplit(".", depth)[0] for n in names for depth in range(n.count(".") + 1)}
            raise InvalidArgument(
                f"{pattern!r} fits no parameter of {type(model).__name__}"
                f"{did_you_mean(pattern, layers)} (parameters: {', '.join(names) or 'none'})"
            )
    fitting = {
        name: tuple(
            time for pattern, times in frozen.items() if _fits(pattern, name) for time in times
        )
        for name in names
    }
    return {name: times for name, times in fitting.items() if times}


def _fits(pattern: str, name: str) -> bool:
    """Return whether a pattern is that of a parameter, or of a layer that it is below."""
    return fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}.*")
