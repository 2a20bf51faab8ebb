"""The progress bar.

Owns: what users ask of a progress bar, and which events move it.
Must not know: how a bar counts, or what becomes of its stream.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal
from weakref import WeakKeyDictionary

from tqdm import tqdm as plain_tqdm  # type: ignore[import-untyped]  # tqdm has no types
from tqdm.auto import tqdm  # type: ignore[import-untyped]  # as above; notebooks get their own bars

from glowplug import Engine, Events, Phase
from glowplug.errors import InvalidArgument, did_you_mean
from glowplug.events import AnyEvent
from glowplug_loggers import Attachment, BaseLogger, is_first_rank
from glowplug_loggers.attachments import all_or_none
from glowplug_tqdm.postfixes import OptimizerParamsPostfix, OutputPostfix
from glowplug_tqdm.spans import Span, checked_events
from glowplug_tqdm.terminals import Terminal
from glowplug_tqdm.tracks import Track

WITH_TOTAL = "{desc}[{n_fmt}/{total_fmt}] {percentage:3.0f}%|{bar}{postfix} [{elapsed}<{remaining}]"
WITHOUT_TOTAL = "{desc}[{n_fmt}] [{elapsed}, {rate_fmt}{postfix}]"
MANAGED = ("iterable", "total", "leave", "initial", "postfix")
"""Arguments of tqdm that a ProgressBar sets itself."""


class ProgressBar(BaseLogger):
    """Shows how far a run is, in a terminal or a notebook.

    It moves with an event, ``ITERATION_COMPLETED`` unless told otherwise, and shows metrics, the
    output and attributes of the state beside the bar. These are worked out when tqdm draws, at
    most ten times a second, and not at every event: a loss on a GPU is not waited for in between.

    One object serves several engines. Where the terminal is closed, or its stream breaks, the bar
    goes quiet with one line in the log, and the run goes on. Only the first rank shows anything.

    Args:
        persist: whether a bar stays visible when it is complete.
        bar_format: tqdm's format. Without a total the default leaves out what needs one.
        **tqdm_kwargs: further arguments of ``tqdm.tqdm``, such as ``desc`` (a title in place of
            "Epoch"), ``file``, ``ncols``, ``mininterval`` (seconds) or ``disable``.

    Raises:
        InvalidArgument: for an argument that tqdm does not have, or that the bar sets itself.

    Example:
        >>> import io
        >>> from glowplug import Engine
        >>> trainer = Engine(lambda engine, batch: 1 / batch)
        >>> terminal = io.StringIO()
        >>> bar = ProgressBar(persist=True, file=terminal, ncols=60)
        >>> handle = bar.attach(trainer, output_transform=lambda loss: {"loss": loss})
        >>> state = trainer.run([1, 2, 4])
        >>> terminal.getvalue().splitlines()[-1].startswith("Iteration: [3/3] 100%|")
        True
        >>> "loss=0.25" in terminal.getvalue()
        True
    """

    def __init__(
        self, persist: bool = False, bar_format: str = WITH_TOTAL, **tqdm_kwargs: Any
    ) -> None:
        super().__init__()
        _check_arguments(tqdm_kwargs)
        self.persist = persist
        self.bar_format = bar_format
        self.tqdm_kwargs = tqdm_kwargs
        self._terminal = Terminal("the progress bar", tqdm_kwargs.get("file"))
        self._messages = Terminal("messages beside the progress bar", tqdm_kwargs.get("file"))
        self._attachments: list[Attachment] = []
        self._tracks: list[Track] = []
        self._shown: WeakKeyDictionary[Engine[Any, Any], Mapping[str, Any]] = WeakKeyDictionary()

    def attach(  # type: ignore[override]  # users know this form; the base's is for log handlers
        self,
        engine: Engine[Any, Any],
        metric_names: Literal["all"] | Sequence[str] | None = None,
        output_transform: Callable[[Any], Any] | None = None,
        event_name: AnyEvent = Events.ITERATION_COMPLETED,
        closing_event_name: AnyEvent = Events.EPOCH_COMPLETED,
        state_attributes: Sequence[str] | None = None,
    ) -> Attachment:
        """Show a bar for an engine.

        Args:
            engine: the engine that is watched.
            metric_names: metrics to show beside the bar, or ``"all"`` for all there are.
            output_transform: ``f(engine.state.output)``, a number, a tensor, or a dict, list or
                tuple of them, to show beside the bar.
            event_name: what is counted. With a filter the bar moves, by as much as was counted,
                whenever the filter lets the event through.
            closing_event_name: what ends a bar: ``EPOCH_COMPLETED`` makes one for each epoch,
                ``COMPLETED`` one for the whole run.
            state_attributes: names of attributes of the state to show beside the bar.

        Returns:
            A handle whose ``remove()`` takes the bar away.

        Raises:
            ClosedLogger: after ``close``.
            InvalidType: when an argument is of the wrong type.
            InvalidArgument: when the closing event has a filter or comes before the counted one,
                and when this bar counts the event for this engine already.
            UnknownEvent: when the engine has no such event.
        """
        self._check_attachable(engine)
        counted, closing = checked_events(event_name, closing_event_name)
        output: OutputPostfix | None = None
        if (metric_names, output_transform, state_attributes) != (None, None, None):
            output = OutputPostfix(
                "", metric_names, output_transform, state_attributes=state_attributes
            )
        span = Span(counted, closing, engine.state.counter_of(counted))
        self._refuse_again(engine, span)

        def postfix(engine: Engine[Any, Any]) -> Mapping[str, Any]:
            own = {} if output is None else output.values(engine)
            return {**own, **self._shown.get(engine, {})}

        desc = self.tqdm_kwargs.get("desc")
        track = Track(span, self._make_bar, self._terminal, desc, postfix, self.persist)
        last_drawn = track.finish if self.persist else track.advance
        with all_or_none() as handles, engine.in_phase(Phase.REPORT):
            for event, handler in track.handlers(event_name):
                handles.append(engine.add_event_handler(event, handler))
                if output is not None and handler == last_drawn:
                    handles[-1].declare(reports=output.named_metrics)
        attachment = self._on_first_rank(handles, track.abandon)
        self._attachments.append(attachment)
        self._tracks.append(track)
        return attachment

    def show(self, engine: Engine[Any, Any], values: Mapping[str, Any]) -> None:
        """Show values beside an engine's bar until others take their place.

        Args:
            engine: the engine that the bar is attached to.
            values: numbers or texts by name; names that are shown already are kept.
        """
        self._shown[engine] = {**self._shown.get(engine, {}), **values}

    def log_message(self, message: str) -> None:
        """Print a message without breaking the bars apart.

        Args:
            message: a line of text. It goes to the bar's ``file``, else to standard output.

        Raises:
            ClosedLogger: after ``close``.
        """
        self._check_open()
        if is_first_rank():
            plain_tqdm.write(str(message), file=self._messages.stream(sys.stdout))

    def close(self) -> None:
        """Take all bars away, from the screen and from their engines; again does nothing."""
        for attachment in self._attachments:
            attachment.remove()
        self._attachments.clear()
        self._tracks.clear()
        super().close()

    def _refuse_again(self, engine: Engine[Any, Any], span: Span) -> None:
        for track in self._tracks:
            if track.span == span and engine.has_event_handler(track.advance):
                raise InvalidArgument(
                    f"this {type(self).__name__} counts {span.event!s} of this engine until "
                    f"{span.closing!s} already; remove() what attach returned then, or make another"
                )

    def _create_output_handler(self, *args: Any, **kwargs: Any) -> OutputPostfix:
        return OutputPostfix(*args, **kwargs)

    def _create_opt_params_handler(self, *args: Any, **kwargs: Any) -> OptimizerParamsPostfix:
        return OptimizerParamsPostfix(*args, **kwargs)

    def _make_bar(self, *, desc: str, total: int | None, initial: int) -> Any:
        without = total is None and self.bar_format == WITH_TOTAL
        return tqdm(
            **{**self.tqdm_kwargs, "desc": desc, "file": self._terminal.stream()},
            total=total,
            initial=initial,
            leave=self.persist,
            bar_format=WITHOUT_TOTAL if without else self.bar_format,
        )


def _check_arguments(given: Mapping[str, Any]) -> None:
    """Refuse what tqdm would refuse only when the run has begun."""
    managed = [name for name in given if name in MANAGED]
    if managed:
        raise InvalidArgument(
            f"the progress bar sets tqdm's {', '.join(managed)} itself; give persist= for leave, "
            "and attach(...) what to count and to show"
        )
    known = {*inspect.signature(plain_tqdm.__init__).parameters, "display"} - {"self", "kwargs"}
    unknown = [name for name in given if name not in known]
    if unknown:
        near = "".join(did_you_mean(name, known) for name in unknown)
        raise InvalidArgument(f"tqdm has no argument {', '.join(map(repr, unknown))}{near}")
