"""How good a checkpoint is.

Owns: turning what a score function returns into a number, and the score that is a metric.
Must not know: which checkpoints are kept, or how a name is made of a score.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

from glowplug import Engine
from glowplug.errors import InvalidArgument, InvalidType, did_you_mean

Score = int | float
ScoreFunction = Callable[[Engine[Any, Any]], Any]


def as_number(score: Any) -> Score:
    """Return a score as a plain number.

    Args:
        score: a number, or a tensor or an array of one element.

    Raises:
        InvalidType: for anything else.

    Example:
        >>> import torch
        >>> as_number(torch.tensor([0.5])), as_number(3)
        (0.5, 3)
    """
    number = score
    if not isinstance(number, Real) and callable(getattr(number, "item", None)):
        try:
            number = number.item()
        except (RuntimeError, ValueError) as error:
            raise InvalidType(
                f"a score is one number, got {type(score).__name__} of shape "
                f"{tuple(getattr(score, 'shape', ()))}; reduce it, as by .mean()"
            ) from error
    if isinstance(number, Integral):
        return int(number)
    if isinstance(number, Real):
        return float(number)
    raise InvalidType(
        "a score is a number, or a tensor of one element; score_function returned "
        f"{score!r} of type {type(score).__name__}"
    )


def shown(score: Score) -> str:
    """Return a score as it stands in the name of a file: with four digits behind the point.

    Example:
        >>> shown(0.98765), shown(3)
        ('0.9877', '3')
    """
    return str(score) if isinstance(score, int) else f"{score:.4f}"


def rank(score: Score) -> tuple[bool, Score]:
    """Return what scores are compared by: NaN is below every number, and as good as another.

    Example:
        >>> rank(float("nan")) < rank(float("-inf")) < rank(0.0)
        True
    """
    is_number = not math.isnan(score)
    return is_number, score if is_number else 0


def metric_score(metric_name: str, score_sign: float = 1.0) -> ScoreFunction:
    """Return the score that is a metric of the engine.

    Args:
        metric_name: its name in ``engine.state.metrics``.
        score_sign: 1.0 where more is better, -1.0 where less is, as with a loss.

    Raises:
        InvalidType: when the name is no string.
        InvalidArgument: when the sign is another number.

    Example:
        >>> engine = Engine(lambda engine, batch: batch)
        >>> engine.state.metrics["loss"] = 0.5
        >>> metric_score("loss", -1.0)(engine)
        -0.5
    """
    return MetricScore(metric_name, score_sign)


class MetricScore:
    """A score that is one of ``engine.state.metrics``.

    Args:
        metric_name: the name of the metric.
        score_sign: 1.0 where more is better, -1.0 where less is.

    Raises:
        InvalidType: when the name is no string.
        InvalidArgument: when the sign is another number.
    """

    def __init__(self, metric_name: str, score_sign: float = 1.0) -> None:
        if not isinstance(metric_name, str):
            raise InvalidType(
                f"metric_name must be a string, got {metric_name!r} of type "
                f"{type(metric_name).__name__}"
            )
        if score_sign not in (1.0, -1.0):
            raise InvalidArgument(
                f"score_sign must be 1.0, where more is better, or -1.0, got {score_sign!r}"
            )
        self.metric_name = metric_name
        self._sign = score_sign

    def __call__(self, engine: Engine[Any, Any]) -> Score:
        """Return the metric, times the sign.

        Raises:
            InvalidArgument: when the engine has no such metric.
        """
        metrics = engine.state.metrics
        if self.metric_name not in metrics:
            known = ", ".join(map(repr, metrics)) or "none"
            raise InvalidArgument(
                f"no metric {self.metric_name!r} to be the score of a checkpoint"
                f"{did_you_mean(self.metric_name, map(str, metrics))} (there are: {known}); attach "
                "it to the engine that the checkpoint is attached to"
            )
        score = as_number(metrics[self.metric_name])
        return score if self._sign > 0 else -score
