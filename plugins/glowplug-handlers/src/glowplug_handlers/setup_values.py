"""What the set-up functions read of an engine: parts of its output, its scores, its steps.

Owns: small functions as objects, so that an engine which has them can be pickled.
Must not know: what they are given to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from glowplug import Engine
from glowplug.errors import InvalidArgument, InvalidType, did_you_mean


class OutputPart:
    """Takes one named part of a step's output.

    Of a mapping it is the one of that name; of a list or a tuple the one at its place; anything
    else is taken as it is.

    Args:
        name: the name.
        place: its place among the names.

    Example:
        >>> OutputPart("loss", 0)({"loss": 0.5}), OutputPart("loss", 1)((0.25, 0.5))
        (0.5, 0.5)
    """

    def __init__(self, name: str, place: int) -> None:
        self._name, self._place = name, place

    def __call__(self, output: Any) -> Any:
        """Return the part.

        Raises:
            InvalidArgument: when the output has no such part.
        """
        if isinstance(output, Mapping):
            if self._name not in output:
                raise InvalidArgument(
                    f"output_names has {self._name!r}, which the step's output lacks"
                    f"{did_you_mean(self._name, map(str, output))} (it has "
                    f"{', '.join(map(str, output)) or 'nothing'})"
                )
            return output[self._name]
        if isinstance(output, Sequence) and not isinstance(output, (str, bytes)):
            if self._place >= len(output):
                raise InvalidArgument(
                    f"output_names has {self._name!r} at place {self._place}, and the step's output"
                    f" has {len(output)} parts"
                )
            return output[self._place]
        return output


class MetricScore:
    """Takes a metric of an engine as its score.

    Args:
        name: the name of the metric.
        sign: 1.0 where more is better, -1.0 where less is.

    Raises:
        InvalidType: when the name is no string.
        InvalidArgument: when the sign is another number.

    Example:
        >>> engine = Engine(lambda engine, batch: batch)
        >>> engine.state.metrics["loss"] = 0.5
        >>> MetricScore("loss", -1.0)(engine)
        -0.5
    """

    def __init__(self, name: str, sign: float) -> None:
        if not isinstance(name, str):
            raise InvalidType(
                f"metric_name must be a string, got {name!r} of type {type(name).__name__}"
            )
        if sign not in (1.0, -1.0):
            raise InvalidArgument(
                f"score_sign must be 1.0 where more is better, -1.0 where less is, got {sign!r}"
            )
        self._name, self._sign = name, sign

    def __call__(self, engine: Engine[Any, Any]) -> Any:
        """Return the score.

        Raises:
            InvalidArgument: when the engine has no such metric.
        """
        metrics = engine.state.metrics
        if self._name not in metrics:
            raise InvalidArgument(
                f"the evaluator has no metric {self._name!r}{did_you_mean(self._name, metrics)} "
                f"(it has {', '.join(metrics) or 'none'}); attach it before the score is asked for"
            )
        return self._sign * metrics[self._name]


class StepOf:
    """Takes a step, as checkpoints and loggers count them, from another engine.

    Args:
        engine: the engine whose counters are read.

    Attributes:
        engine: that engine; a checkpoint puts down its run.
    """

    def __init__(self, engine: Engine[Any, Any]) -> None:
        self.engine = engine

    def __call__(self, engine: Engine[Any, Any], event_name: Any) -> int:
        """Return how often that engine has fired the event."""
        return self.engine.state.get_event_attrib_value(event_name)


class OneStep:
    """Calls ``step()`` of a scheduler, which would take the engine for an argument of its own.

    Args:
        scheduler: a scheduler, such as torch's.
    """

    def __init__(self, scheduler: Any) -> None:
        self._scheduler = scheduler

    def __call__(self) -> None:
        """Let the scheduler make a step."""
        self._scheduler.step()
