"""Ending a run whose score gets no better.

Owns: what counts as better, and how long to wait for it.
Must not know: how a score comes about.
"""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any, Literal

import torch

from glowplug import Engine, Events, Phase
from glowplug.errors import InvalidArgument, InvalidType
from glowplug.events import AnyEvent
from glowplug_handlers.arguments import (
    checked_choice,
    checked_count,
    checked_engine,
    checked_function,
    checked_number,
    checked_state,
)
from glowplug_handlers.attachment import AnyEngine, Attachable
from glowplug_handlers.errors import DeprecatedArgument, ScoreFailed


class EarlyStopping(Attachable):
    r"""Ends a run when a score has not become better for some evaluations.

    With the best score :math:`b` and the threshold :math:`\delta`, a score is better above
    :math:`b + \delta`, or above :math:`b + \delta \, |b|` where the threshold is relative; in the
    mode ``"min"`` below :math:`b - \delta`, and so on. NaN is never better and never the best: each
    is counted like any score that is not, and logged as a warning.

    It is a handler of the evaluator, attached by ``stopping.attach(evaluator)`` or by
    ``evaluator.add_event_handler(Events.COMPLETED, stopping)``.

    On several ranks it must come to the same on all, or those that go on wait for ever: attach it
    on every rank, and score what is the same on each, as a metric is.

    Args:
        patience: evaluations in a row that need not be better; at the last of them the run ends.
        score_function: ``f(engine) -> score`` of the engine that this is attached to: a number or
            a tensor of one element.
        trainer: the engine whose run is ended.
        threshold: how much better a score must be to count, 0 or more.
        cumulative: whether it must be that much better than the score that counted last; otherwise
            than the best one, which a score may become without counting as better.
        threshold_mode: ``"abs"`` or ``"rel"``, a share of the best score's size.
        mode: ``"max"`` where a greater score is better, or ``"min"``.
        min_delta: the former name of ``threshold``.
        min_delta_mode: the former name of ``threshold_mode``.
        cumulative_delta: the former name of ``cumulative``.

    Attributes:
        best_score: the best score, a float, or None before the first.
        counter: evaluations since the last that was better.

    Raises:
        InvalidType: for an argument of the wrong type.
        InvalidArgument: for a number out of range or an unknown mode, and when an argument and its
            former name are both given and differ.

    Example:
        >>> losses = iter([3.0, 2.0, 2.5, 2.1, 1.0])
        >>> trainer = Engine(lambda engine, batch: None)
        >>> evaluator = Engine(lambda engine, batch: next(losses))
        >>> stopping = EarlyStopping(2, lambda engine: engine.state.output, trainer, mode="min")
        >>> stopping.attach(evaluator)
        >>> handle = trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda: evaluator.run([0]))
        >>> trainer.run([1, 2], max_epochs=5).epoch, stopping.best_score
        (4, 2.0)
    """

    glowplug_phase = Phase.ACT

    def __init__(
        self,
        patience: int,
        score_function: Callable[..., Any],
        trainer: Engine[Any, Any],
        threshold: float = 0.0,
        cumulative: bool = False,
        threshold_mode: Literal["abs", "rel"] = "abs",
        mode: Literal["min", "max"] = "max",
        min_delta: float | None = None,
        min_delta_mode: Literal["abs", "rel"] | None = None,
        cumulative_delta: bool | None = None,
    ) -> None:
        super().__init__()
        threshold = _present("threshold", threshold, 0.0, "min_delta", min_delta)
        threshold_mode = _present(
            "threshold_mode", threshold_mode, "abs", "min_delta_mode", min_delta_mode
        )
        cumulative = _present("cumulative", cumulative, False, "cumulative_delta", cumulative_delta)
        self.patience = checked_count("patience", patience)
        self.score_function = checked_function("score_function", score_function, "f(engine)")
        self.trainer = checked_engine("trainer", trainer)
        if checked_number("threshold", threshold) < 0:
            raise InvalidArgument(f"threshold must be 0 or more, got {threshold!r}")
        self.threshold = threshold
        self.threshold_mode = checked_choice("threshold_mode", threshold_mode, ("abs", "rel"))
        self.mode = checked_choice("mode", mode, ("min", "max"))
        if not isinstance(cumulative, bool):
            raise InvalidType(f"cumulative must be True or False, got {cumulative!r}")
        self.cumulative = cumulative
        self.best_score: float | None = None
        self.counter = 0
        self._loaded = False
        self.logger = logging.getLogger(f"{__name__}.EarlyStopping")

    @property
    def min_delta(self) -> float:
        """The former name of ``threshold``."""
        return self.threshold

    @property
    def min_delta_mode(self) -> str:
        """The former name of ``threshold_mode``."""
        return self.threshold_mode

    @property
    def cumulative_delta(self) -> bool:
        """The former name of ``cumulative``."""
        return self.cumulative

    def __call__(self, engine: AnyEngine, *args: Any, **kwargs: Any) -> None:
        """Compare the engine's score with the best, and end the trainer's run if it is time.

        Args:
            engine: the engine that is scored.
            *args: further arguments of the score function.
            **kwargs: further keyword arguments of the score function.

        Raises:
            ScoreFailed: when the score function raises an error.
            InvalidType: when it returns no number.
        """
        score = self._score(engine, args, kwargs)
        better = self._is_better(score)
        if math.isnan(score):
            self.logger.warning(
                "the score is NaN, which counts as no improvement (best score: %s)", self.best_score
            )
        elif better or (not self.cumulative and self._is_ahead(score, self.best_score)):
            self.best_score = score
        self.counter = 0 if better else self.counter + 1
        self.logger.debug("score %s: %d of %d", score, self.counter, self.patience)
        if self.counter >= self.patience:
            self.logger.info(
                "no better score in %d evaluations (best: %s): the run ends",
                self.counter,
                self.best_score,
            )
            self.trainer.terminate()

    def attach(
        self,
        engine: AnyEngine,
        event: AnyEvent = Events.COMPLETED,
        reset_engine: AnyEngine | None = None,
        reset_event: AnyEvent = Events.STARTED,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Score an engine at an event, and begin anew at an event of an engine.

        Where a state was loaded and the engine's run, or its epoch, goes on from it, that is no
        beginning.

        Args:
            engine: the engine that is scored: the evaluator.
            event: when.
            reset_engine: the engine at whose event this begins anew, such as the trainer; None:
                never.
            reset_event: when.
            *args: further arguments of the score function.
            **kwargs: further keyword arguments of the score function.

        Raises:
            InvalidType: when an engine is none.
            InvalidArgument: when this is attached to ``engine`` already.
            UnknownEvent: when an event is not registered.
        """
        with self._attaching(engine) as handles:
            handles.append(engine.add_event_handler(event, self, *args, **kwargs))
            if reset_engine is not None:
                checked_engine("reset_engine", reset_engine)
                handles.append(reset_engine.add_event_handler(reset_event, self._begin))

    def reset(self) -> None:
        """Forget the best score and the count."""
        self.counter, self.best_score, self._loaded = 0, None, False

    def state_dict(self) -> dict[str, Any]:
        """Return the count and the best score, as plain values."""
        return {"counter": self.counter, "best_score": self.best_score}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a saved count and best score.

        Where the run had been ended when they were saved, the trainer that goes on from there ends
        at once, as it had; a greater ``patience`` lets it go on.

        Args:
            state_dict: what ``state_dict`` returned; other entries are passed over.

        Raises:
            InvalidType: when it is no mapping, or the best score neither a number nor None.
            InvalidArgument: when an entry is missing, or the count is none.
        """
        checked_state(self, state_dict, "counter", "best_score")
        counter, best = state_dict["counter"], state_dict["best_score"]
        if not isinstance(counter, int) or counter < 0:
            raise InvalidArgument(f"counter must be a whole number, 0 or more; got {counter!r}")
        self.best_score = None if best is None else _as_number("best_score is", best)
        self.counter, self._loaded = counter, True
        if not self.trainer.has_event_handler(self._end_again, Events.STARTED):
            self.trainer.add_event_handler(Events.STARTED, self._end_again)

    def _end_again(self, trainer: AnyEngine) -> None:
        trainer.remove_event_handler(self._end_again, Events.STARTED)
        if self.counter >= self.patience and trainer.goes_on():
            self.logger.info(
                "no better score in %d evaluations when this was saved: the run ends, as it had; "
                "a patience above %d lets it go on",
                self.counter,
                self.counter,
            )
            trainer.terminate()

    def _begin(self, engine: AnyEngine) -> None:
        if not (self._loaded and engine.goes_on()):
            self.reset()
        self._loaded = False

    def _score(self, engine: AnyEngine, args: Any, kwargs: Any) -> float:
        name = getattr(self.score_function, "__qualname__", repr(self.score_function))
        try:
            score = self.score_function(engine, *args, **kwargs)
        except Exception as error:
            metrics = ", ".join(map(repr, engine.state.metrics)) or "none"
            raise ScoreFailed(
                f"the score function {name} raised {type(error).__name__}: {error} (metrics of the "
                f"engine: {metrics})"
            ) from error
        return _as_number(f"the score function {name} returned", score)

    def _is_better(self, score: float) -> bool:
        best = self.best_score
        if best is None:
            return not math.isnan(score)
        if math.isinf(best):  # a share of infinity would leave no score that is better
            return self._is_ahead(score, best)
        margin = self.threshold * (abs(best) if self.threshold_mode == "rel" else 1)
        return self._is_ahead(score, best + margin if self.mode == "max" else best - margin)

    def _is_ahead(self, score: float, other: float | None) -> bool:
        if other is None:
            return False
        return score > other if self.mode == "max" else score < other


def _present(name: str, value: Any, default: Any, former: str, given: Any) -> Any:
    """Return the value of an argument that may have been given under its former name."""
    if given is None:
        return value
    if value not in (default, given):
        raise InvalidArgument(
            f"{former}={given!r} is the former name of {name}, and {name}={value!r} is given too; "
            f"leave {former} out"
        )
    warnings.warn(
        f"{former} is called {name} now: {name}={given!r}", DeprecatedArgument, stacklevel=3
    )
    return given


def _as_number(what: str, score: Any) -> float:
    """Return a score as a float."""
    if isinstance(score, torch.Tensor) and score.numel() == 1 and not score.is_complex():
        return float(score.item())
    if not isinstance(score, Real):
        shape = f" and shape {tuple(score.shape)}" if isinstance(score, torch.Tensor) else ""
        raise InvalidType(
            f"{what} {score!r} of type {type(score).__name__}{shape}; expected a number, or a "
            "tensor of one element"
        )
    return float(score)
