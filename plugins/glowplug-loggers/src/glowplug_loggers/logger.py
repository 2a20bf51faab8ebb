"""What every logger does: attach handlers to engines, and close.

Owns: which ranks attach, what a handler is called with, and undoing an attachment.
Must not know: where values go, or what is logged.
"""

from __future__ import annotations

import copy
import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType, TracebackType
from typing import Any, NoReturn, TypeVar

from glowplug import Engine, Phase, RemovableEventHandle
from glowplug.errors import InvalidType
from glowplug.events import CARRIED, AnyEvent, FilteredEvent, parts
from glowplug_loggers.attachments import Attachment, all_or_none
from glowplug_loggers.checks import refusal
from glowplug_loggers.errors import ClosedLogger
from glowplug_loggers.handlers import BaseHandler, BaseOptimizerParamsHandler
from glowplug_loggers.outputs import BaseOutputHandler
from glowplug_loggers.ranks import is_first_rank

LoggerT = TypeVar("LoggerT", bound="BaseLogger")

NO_KWARGS: Mapping[str, Any] = MappingProxyType({})


class BaseLogger(ABC):
    """The base of every logger.

    A logger writes on the first rank alone (see :func:`glowplug_loggers.is_first_rank`). Whether
    this process is it is decided when the logger is made and whenever something is attached: on the
    other ranks nothing is attached. So a handler of a logger must not wait for the other ranks, and
    the process group should be initialised first.

    A subclass calls ``super().__init__()``, says by ``_create_output_handler`` and
    ``_create_opt_params_handler`` which handlers the two shorthands make, and extends ``close``.

    Example:
        >>> class Lines(BaseLogger):
        ...     def _create_output_handler(self, *args, **kwargs):
        ...         return ShowOutput(*args, **kwargs)
        ...     def _create_opt_params_handler(self, *args, **kwargs):
        ...         raise NotImplementedError("no optimizers here")
        >>> from glowplug_loggers import BaseOutputHandler
        >>> class ShowOutput(BaseOutputHandler):
        ...     def __call__(self, engine, logger, event_name):
        ...         print(self.global_step(engine, event_name), self.values(engine))
        >>> from glowplug import Engine, Events
        >>> trainer = Engine(lambda engine, batch: batch * 2)
        >>> with Lines() as lines:
        ...     handle = lines.attach_output_handler(
        ...         trainer, Events.EPOCH_COMPLETED, tag="run", output_transform=lambda out: out)
        ...     state = trainer.run([1, 2, 3])
        1 {'run/output': 6}
    """

    def __init__(self) -> None:
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._closed

    def attach(
        self,
        engine: Engine[Any, Any],
        log_handler: Callable[..., Any],
        event_name: AnyEvent,
        *args: Any,
        **kwargs: Any,
    ) -> Attachment:
        """Call ``log_handler(engine, logger, event, *args, **kwargs)`` at an event.

        Attached to an event again, a handler logs the same values at the same step again, which
        charts show once.

        Args:
            engine: the engine whose event it is.
            log_handler: a handler of this logger, or any function that can be called so.
            event_name: an event, one with a filter, or a union. The handler is given the event that
                was fired, without its filters.
            *args: further arguments of each call.
            **kwargs: further keyword arguments of each call.

        Returns:
            A handle whose ``remove()`` undoes this.

        Raises:
            ClosedLogger: after ``close``.
            InvalidType: when an argument is of the wrong type, or the handler belongs to loggers of
                another kind.
            InvalidHandler: when ``log_handler`` cannot be called in this way.
            UnknownEvent: when the engine has no such event.
        """
        return self._attach(engine, log_handler, event_name, args, kwargs)

    def _attach(
        self,
        engine: Engine[Any, Any],
        log_handler: Callable[..., Any],
        event_name: AnyEvent,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] = NO_KWARGS,
    ) -> Attachment:
        """Do what ``attach`` says, also where a subclass gives ``attach`` another form."""
        self._check_attachable(engine)
        if not callable(log_handler):
            raise refusal("log_handler", "callable as f(engine, logger, event)", log_handler)
        if isinstance(log_handler, BaseHandler) and not isinstance(self, log_handler.logger_type):
            handler, wanted = type(log_handler), log_handler.logger_type.__name__
            raise InvalidType(
                f"{handler.__module__}.{handler.__qualname__} works with a {wanted} only, "
                f"and this is a {type(self).__name__}; use the handler of the same name for it"
            )
        names = log_handler.named_metrics if isinstance(log_handler, BaseOutputHandler) else ()
        with all_or_none() as handles, engine.in_phase(Phase.REPORT):
            for event, filters in parts(event_name):
                called = _without_carried(log_handler) if _carries(event) else log_handler
                where = event if isinstance(event, str) else FilteredEvent(event, filters)
                handle = engine.add_event_handler(where, called, self, event, *args, **kwargs)
                handles.append(handle.declare(reports=names))
        return self._on_first_rank(handles)

    def attach_output_handler(
        self, engine: Engine[Any, Any], event_name: AnyEvent, *args: Any, **kwargs: Any
    ) -> Attachment:
        """Attach this logger's output handler, made of the further arguments.

        Args:
            engine: the engine whose metrics, output or state are logged.
            event_name: when: an event, one with a filter, or a union.
            *args: arguments of the output handler: ``tag``, ``metric_names`` and so on.
            **kwargs: keyword arguments of the output handler.

        Returns:
            A handle whose ``remove()`` undoes this.

        Raises:
            ClosedLogger: after ``close``.
        """
        self._check_attachable(engine)
        return self._attach(engine, self._create_output_handler(*args, **kwargs), event_name)

    def attach_opt_params_handler(
        self, engine: Engine[Any, Any], event_name: AnyEvent, *args: Any, **kwargs: Any
    ) -> Attachment:
        """Attach this logger's handler of optimizer parameters, made of the further arguments.

        Args:
            engine: the engine whose event it is.
            event_name: when: an event, one with a filter, or a union.
            *args: arguments of the handler: ``optimizer``, ``param_name``, ``tag``.
            **kwargs: keyword arguments of the handler.

        Returns:
            A handle whose ``remove()`` undoes this.

        Raises:
            ClosedLogger: after ``close``.
        """
        self._check_attachable(engine)
        return self._attach(engine, self._create_opt_params_handler(*args, **kwargs), event_name)

    @abstractmethod
    def _create_output_handler(self, *args: Any, **kwargs: Any) -> BaseOutputHandler:
        """Return the handler that ``attach_output_handler`` attaches."""

    @abstractmethod
    def _create_opt_params_handler(self, *args: Any, **kwargs: Any) -> BaseOptimizerParamsHandler:
        """Return the handler that ``attach_opt_params_handler`` attaches."""

    def close(self) -> None:
        """Finish: what is used afterwards raises ``ClosedLogger``; again does nothing."""
        self._closed = True

    def __enter__(self: LoggerT) -> LoggerT:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        raise InvalidType(
            f"a {type(self).__name__} cannot be pickled: what it writes to belongs to this "
            "process, and each process decides for itself whether it logs; make one in each"
        )

    def __deepcopy__(self: LoggerT, memo: dict[int, Any]) -> LoggerT:
        # A copy within the process, as that of an engine, is made of copies of the parts.
        copied = memo[id(self)] = type(self).__new__(type(self))
        copied.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return copied

    def _check_open(self) -> None:
        if self._closed:
            raise ClosedLogger(
                f"this {type(self).__name__} is closed: make a new one, or close it after the last "
                "run that it logs"
            )

    def _check_attachable(self, engine: object) -> None:
        self._check_open()
        if not isinstance(engine, Engine):
            raise refusal("engine", "an Engine", engine)

    def _on_first_rank(
        self, handles: Iterable[RemovableEventHandle], removed: Callable[[], None] | None = None
    ) -> Attachment:
        """Return the handles as one; on the other ranks remove them."""
        attachment = Attachment(handles, removed)
        if is_first_rank():
            return attachment
        attachment.remove()
        return Attachment(())


def _carries(event: object) -> bool:
    """Return whether an event, or the one of this name, hands something over."""
    return event in CARRIED or event in [str(known) for known in CARRIED]


def _without_carried(log_handler: Callable[..., Any]) -> Callable[..., Any]:
    """Leave out what the event hands over, so that a log handler is called alike at every event."""

    @functools.wraps(log_handler, updated=())
    def call(
        engine: Engine[Any, Any], _: Any, logger: BaseLogger, event: Any, *args: Any, **kwargs: Any
    ) -> Any:
        return log_handler(engine, logger, event, *args, **kwargs)

    return call
