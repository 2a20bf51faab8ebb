"""The engine under a learning-rate range test.

Owns: the handlers of the test, what is kept of the engine itself, and what is said at the end.
Must not know: how models and optimizers are kept, or how a curve is judged.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from numbers import Real
from typing import Any

import torch

from glowplug import Events, State
from glowplug.errors import EngineBusy, InvalidArgument, InvalidType
from glowplug_handlers.attachment import AnyEngine
from glowplug_handlers.errors import HandlerWarning
from glowplug_handlers.lr_finder_curve import Curve, Settings
from glowplug_torch import all_reduce, generators_of, get_world_size


class RangeTestWarning(HandlerWarning):
    """A range test did not come as far as it should."""


class RangeTest:
    """A range test of one trainer.

    Args:
        settings: what is asked for.
        optimizer: the optimizer.
        output_transform: makes the loss from the step's output.

    Attributes:
        curve: the rates and losses of the last run.
    """

    def __init__(
        self, settings: Settings, optimizer: Any, output_transform: Callable[[Any], Any]
    ) -> None:
        self._settings, self._optimizer, self._loss = settings, optimizer, output_transform
        self._growth = settings.growth(optimizer.param_groups, iterations=1)
        self._expected = 0
        self.curve = Curve(settings.smooth_f, settings.diverge_th)

    @contextmanager
    def attached(self, trainer: AnyEngine) -> Iterator[None]:
        """Test the runs of a trainer within."""
        handles = [
            trainer.add_event_handler(Events.STARTED, self._begin),
            trainer.add_event_handler(Events.ITERATION_STARTED, self._set_rates),
            trainer.add_event_handler(Events.ITERATION_COMPLETED, self._take_loss),
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _begin(self, trainer: AnyEngine) -> None:
        """Let the run be as long as the test."""
        state, wanted = trainer.state, self._settings.num_iter
        length = None
        if state.max_iters is not None:
            length = state.max_iters
        elif state.max_epochs is not None and state.epoch_length is not None:
            length = state.max_epochs * state.epoch_length
        if wanted is None and length is None:
            raise InvalidArgument(
                "the length of the data is not known, so the range test cannot be as long: pass "
                "num_iter to attach(), or max_iters or epoch_length to run()"
            )
        self._expected = wanted or length or 1
        if wanted is not None and state.max_iters is not None and wanted > state.max_iters:
            self._expected = state.max_iters
            warnings.warn(
                RangeTestWarning(
                    f"num_iter={wanted} is more than the {state.max_iters} iterations of the run, "
                    "so the learning rate will not come up to end_lr; leave max_iters out of "
                    "run(), or lower num_iter"
                ),
                stacklevel=2,
            )
        elif wanted is not None:
            state.max_epochs, state.max_iters = None, wanted
        self._growth = replace(self._growth, iterations=wanted or length or 1)
        self.curve = Curve(self._settings.smooth_f, self._settings.diverge_th)

    def _set_rates(self, trainer: AnyEngine) -> None:
        set_rates(self._optimizer.param_groups, self._growth.at(trainer.state.iteration - 1))

    def _take_loss(self, trainer: AnyEngine) -> None:
        loss = loss_of(self._loss(trainer.state.output))
        ranks = get_world_size()
        if ranks > 1:  # else one would stop while the others wait for it
            loss = all_reduce(loss) / ranks
        self.curve.add(self._growth.at(trainer.state.iteration - 1), loss)
        if self.curve.diverged:
            trainer.terminate()

    def warn(self) -> None:
        """Say what kept the test from its end, if anything did and it was not said yet."""
        done, expected = len(self.curve.losses), self._expected
        if not expected or self.curve.diverged or done == expected < self._growth.iterations:
            return
        if done < expected:
            problem = f"the run ended after {done} of the range test's {expected} iterations"
            remedy = "give it data for all of them, lower num_iter, or see who ended the run"
        else:
            problem = f"the loss did not diverge in the {done} iterations of the range test"
            remedy = "raise end_lr, lower diverge_th, or look at lr_finder.plot()"
        warnings.warn(RangeTestWarning(f"{problem}; {remedy}"), stacklevel=5)


def set_rates(groups: Sequence[Any], rates: Sequence[float]) -> None:
    """Give each of an optimizer's groups its learning rate, one that is a tensor too.

    Example:
        >>> groups = [{"lr": 0.1}, {"lr": torch.tensor(0.1)}]
        >>> set_rates(groups, [0.5, 0.25])
        >>> groups
        [{'lr': 0.5}, {'lr': tensor(0.2500)}]
    """
    for group, rate in zip(groups, rates, strict=True):
        if isinstance(group["lr"], torch.Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


def loss_of(output: Any) -> float:
    """Return a loss as a number.

    Raises:
        InvalidType: when it is neither a number nor a tensor.
        InvalidArgument: when it is a tensor of several numbers.

    Example:
        >>> loss_of(torch.tensor([2.5]))
        2.5
    """
    if isinstance(output, torch.Tensor):
        if output.numel() != 1:
            raise InvalidArgument(
                "a range test needs a loss of one number, got a tensor of shape "
                f"{tuple(output.shape)}; pass output_transform, such as lambda output: "
                "output.mean()"
            )
        return float(output.detach())
    if isinstance(output, Real) and not isinstance(output, bool):
        return float(output)
    raise InvalidType(
        "a range test needs a loss, a number or a tensor of one element, got "
        f"{output!r} of type {type(output).__name__}; pass output_transform, such as "
        'lambda output: output["loss"]'
    )


@contextmanager
def unchanged(trainer: AnyEngine) -> Iterator[None]:
    """Let a trainer begin anew within, and stand afterwards where it stood, after an error too.

    Its metrics are kept as they are. Further attributes of the state are, too; what is changed
    inside of one is not undone, unless it was kept by other means.

    Args:
        trainer: an engine that does not run.

    Raises:
        EngineBusy: in a run of the trainer, or where one was interrupted.
        InvalidArgument: when the trainer's state lacks what ``state_dict_user_keys`` names.
    """
    if trainer.last_event_name is Events.INTERRUPT:
        raise EngineBusy(
            "the trainer's run was interrupted, and a range test would lose its place in the data; "
            "let run() go on to its end before, or test a trainer of its own"
        )
    before, ended = trainer.state, trainer.should_terminate
    # An engine may keep more than its state, as a deterministic one its place in the data.
    saved = trainer.state_dict() if before.iteration else None
    trainer.state = _fresh(before)
    generators: dict[torch.Generator, torch.Tensor] = {}

    def keep_generators(engine: AnyEngine) -> None:
        for generator in generators_of(engine.state.dataloader):
            generators.setdefault(generator, generator.get_state())

    handle = trainer.add_event_handler(Events.STARTED, keep_generators)
    try:
        yield
    finally:
        handle.remove()
        for generator, state in generators.items():
            generator.set_state(state)
        try:
            if saved is not None:
                trainer.load_state_dict(saved)
        finally:
            trainer.state, trainer.should_terminate = before, ended


def attributes_of(state: State[Any, Any]) -> dict[str, Any]:
    """Return what users and handlers have added to a state.

    Example:
        >>> attributes_of(State(iteration=3, mine="kept"))
        {'mine': 'kept'}
    """
    usual = vars(State())
    return {name: value for name, value in vars(state).items() if name not in usual}


def _fresh(state: State[Any, Any]) -> State[Any, Any]:
    """Return a state that has done nothing, with the attributes of one that has."""
    return State(**attributes_of(state), metrics=dict(state.metrics), seed=state.seed)
