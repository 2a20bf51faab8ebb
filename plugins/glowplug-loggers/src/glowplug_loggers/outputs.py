"""What an engine computed, as named values to log.

Owns: collecting metrics, the output and attributes of the state under one tag.
Must not know: where the values go, or when they are asked for.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal

from glowplug import Engine
from glowplug.errors import InvalidArgument, did_you_mean
from glowplug_loggers.checks import checked_callable, checked_names, refusal
from glowplug_loggers.errors import LoggerWarning
from glowplug_loggers.handlers import BaseHandler, StepTransform, checked_step, count_of
from glowplug_loggers.scalars import Path, Scalar, to_scalars


class BaseOutputHandler(BaseHandler):
    """The base of handlers that log metrics, the output and attributes of an engine's state.

    Names are ``tag/metric``, ``tag/output`` (or ``tag/key`` where the transformed output is a dict)
    and ``tag/attribute``; a list, a tuple or a vector becomes ``name/0``, ``name/1`` and so on, a
    dict ``name/key``. Where names meet, attributes win over the output, and the output over
    metrics. Something that is missing or no number is skipped, with one warning.

    Nothing is converted until :meth:`values` is called, and the tensors are then fetched together:
    a handler attached with ``every=100`` costs nothing in between.

    Args:
        tag: what the names begin with; an empty string: nothing.
        metric_names: names of metrics, or ``"all"`` for all there are when it logs.
        output_transform: ``f(engine.state.output)``, whose result is logged: a number, a tensor of
            at most one dimension, or a dict, list or tuple of them.
        global_step_transform: ``f(engine, event) -> int``; the engine's count of the event if None.
        state_attributes: names of attributes of the state.

    Raises:
        InvalidType: for an argument of another type.
        InvalidArgument: when nothing is named that could be logged.

    Example:
        >>> class Show(BaseOutputHandler):
        ...     def __call__(self, engine, logger, event_name):
        ...         print(self.global_step(engine, event_name), self.values(engine))
        >>> from glowplug import Engine, Events
        >>> trainer = Engine(lambda engine, batch: batch / 2)
        >>> show = Show("training", output_transform=lambda loss: {"loss": loss})
        >>> completed = Events.EPOCH_COMPLETED
        >>> handle = trainer.add_event_handler(completed, show, None, completed)
        >>> state = trainer.run([4, 5], max_epochs=1)
        1 {'training/loss': 2.5}
    """

    separator: ClassVar[str] = "/"
    texts: ClassVar[bool] = False

    def __init__(
        self,
        tag: str,
        metric_names: Literal["all"] | Sequence[str] | None = None,
        output_transform: Callable[[Any], Any] | None = None,
        global_step_transform: StepTransform | None = None,
        state_attributes: Sequence[str] | None = None,
    ) -> None:
        if not isinstance(tag, str):
            raise refusal("tag", "a string", tag)
        if isinstance(metric_names, str) and metric_names != "all":
            raise refusal("metric_names", 'a list of names or "all"', metric_names)
        everything = isinstance(metric_names, str)
        self.tag = tag
        self.metric_names = (
            metric_names if everything else checked_names("metric_names", metric_names)
        )
        self.output_transform: Callable[[Any], Any] | None = checked_callable(
            "output_transform", output_transform, "f(output)"
        )
        self.global_step_transform: StepTransform = (
            checked_callable("global_step_transform", global_step_transform, "f(engine, event)")
            or count_of
        )
        self.state_attributes = checked_names("state_attributes", state_attributes)
        if metric_names is None and output_transform is None and state_attributes is None:
            raise InvalidArgument(
                "nothing to log: give at least one of metric_names, output_transform and "
                "state_attributes"
            )
        self._warned: set[object] = set()

    @property
    def named_metrics(self) -> tuple[str, ...]:
        """The metrics that are asked for by name; none where all are logged."""
        return self.metric_names if isinstance(self.metric_names, tuple) else ()

    def global_step(self, engine: Engine[Any, Any], event_name: Any) -> int:
        """Return the step at which the values of now are logged.

        Args:
            engine: the engine that fired the event.
            event_name: the event.

        Raises:
            InvalidType: when the ``global_step_transform`` returned no integer.
        """
        return checked_step(self.global_step_transform(engine, event_name))

    def values(self, engine: Engine[Any, Any]) -> dict[str, Scalar]:
        """Return what there is to log now; this is where tensors are fetched.

        Args:
            engine: the engine whose state is logged.

        Returns:
            Numbers by full name, such as ``training/loss``.

        Warns:
            LoggerWarning: once for each name that is missing, or whose value is no number.
        """
        found: dict[Path, Any] = {}
        head = (self.tag,) if self.tag else ()
        metrics = engine.state.metrics
        for name in metrics if self.metric_names == "all" else self.metric_names or ():
            if name in metrics:
                found[(*head, str(name))] = metrics[name]
            else:
                self._warn_missing("metric", name, metrics)
        if self.output_transform is not None:
            output = self.output_transform(engine.state.output)
            if isinstance(output, dict):
                found.update({(*head, str(key)): value for key, value in output.items()})
            else:
                found[(*head, "output")] = output
        for name in self.state_attributes or ():
            try:
                found[(*head, name)] = getattr(engine.state, name)
            except AttributeError:
                self._warn_missing("state attribute", name, vars(engine.state))
        scalars = to_scalars(found.items(), texts=self.texts, skipped=self._warn_skipped)
        return {self.separator.join(path): value for path, value in scalars.items()}

    def _warn_missing(self, what: str, name: str, known: Any) -> None:
        names = sorted(str(key) for key in known if not str(key).startswith("_"))
        there = ", ".join(names) or "none"
        self._warn_once(
            (what, name),
            f"{self._title()}: there is no {what} {name!r} to log{did_you_mean(name, names)} "
            f"(there are: {there}); it is skipped, and this is said once",
        )

    def _warn_skipped(self, path: Path, value: object) -> None:
        shape = f" and shape {tuple(value.shape)}" if hasattr(value, "shape") else ""
        shown = "" if shape else f" {value!r:.80}"
        self._warn_once(
            path,
            f"{self._title()}: cannot log {self.separator.join(path)!r}: expected a number, a "
            f"tensor of at most one dimension, or a dict, list or tuple of them; got{shown} of "
            f"type {type(value).__name__}{shape}; it is skipped, and this is said once",
        )

    def _warn_once(self, key: object, message: str) -> None:
        if key not in self._warned:
            self._warned.add(key)
            warnings.warn(message, LoggerWarning, stacklevel=2)

    def _title(self) -> str:
        return f"{type(self).__name__}({self.tag!r})"
