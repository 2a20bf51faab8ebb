"""One handler on one event, checked when it is made and compiled to what a firing calls.

Owns: whether a handler takes the engine, how its arguments are put together, where it comes from,
and what it declares to compute and to report.
Must not know: the other handlers, or when events fire.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from types import BuiltinMethodType, MethodType
from typing import Any, TypeAlias

from glowplug.errors import InvalidHandler, InvalidType
from glowplug.events import CARRIED, EventEnum
from glowplug.filters import EventFilter, Filter, Predicate, Schedule
from glowplug.phases import Phase, declared_phase
from glowplug.sites import Site

Handler: TypeAlias = Callable[..., Any]
Call: TypeAlias = Callable[..., Any]
"""A compiled handler: ``call(engine, *carried)``."""
EventKey: TypeAlias = EventEnum | str


@dataclass(frozen=True)
class Origin:
    """Where a registration comes from.

    Args:
        owner: the plugin that attached it, or None.
        phase: the phase for handlers that declare none.
        sites: the lines of code that attached it, the nearest first.
    """

    owner: str | None = None
    phase: Phase = Phase.ACT
    sites: tuple[Site, ...] = ()


class Registration:
    """One handler on one event.

    Args:
        event: the event, without its filters.
        filters: all of them must let a firing through.
        handler: what is called; the plain function, where ``own``.
        args: what follows the engine and what the event carries.
        kwargs: keyword arguments of every call.
        own: whether ``handler`` is a method of the engine itself, kept without its ``self`` so that
            an engine does not hold itself.
        origin: where it comes from.

    Raises:
        InvalidType: when ``handler`` cannot be called.
        InvalidHandler: when it fits neither with the engine nor without.
        InvalidArgument: when the phase that it declares is none.

    Attributes:
        call: what a firing calls: ``call(engine, *carried)``.
        direct: the same, whoever watches.
        test: ``test(engine, count) -> bool``, or None without filters.
        phase: when it runs among the handlers of its event.
        computes: the names in ``state.metrics`` that it is declared to fill; ``...`` for others.
        reports: the names in ``state.metrics`` that it is declared to read.
    """

    __slots__ = (
        "__weakref__",
        "args",
        "call",
        "computes",
        "direct",
        "event",
        "filters",
        "handler",
        "kwargs",
        "origin",
        "own",
        "phase",
        "reports",
        "test",
    )

    def __init__(
        self,
        event: EventKey,
        filters: tuple[Filter, ...],
        handler: Handler,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        *,
        own: bool,
        origin: Origin,
    ) -> None:
        self.event, self.filters = event, filters
        self.handler, self.args, self.kwargs = handler, args, kwargs
        self.own, self.origin = own, origin
        self.phase = declared_phase(handler) or origin.phase
        self.computes: tuple[Any, ...] = ()
        self.reports: tuple[str, ...] = ()
        takes_engine = fits_with_engine(handler, len(CARRIED.get(event, ())), args, kwargs, own=own)
        self.call = self.direct = self._compile_call(takes_engine)
        self.test = self._compile_test()

    def is_of(self, handler: Handler, own: bool) -> bool:
        """Return whether this is a registration of ``handler``."""
        if self.own is not own:
            return False
        # Each access to a method makes a new object, which is equal to the last.
        method = isinstance(handler, (MethodType, BuiltinMethodType))
        return self.handler is handler or (method and self.handler == handler)

    def first_from(self, count: int) -> int:
        """Return a count at or above ``count`` before which this cannot fire."""
        return max(
            (made.first_from(count) if isinstance(made, Schedule) else 0 for made in self.filters),
            default=0,
        )

    def _compile_call(self, takes_engine: bool) -> Call:
        """Return what a firing calls, with nothing in between where nothing is needed."""
        handler, args, kwargs = self.handler, self.args, self.kwargs
        if self.own:
            if takes_engine:
                return lambda engine, *carried: handler(engine, engine, *carried, *args, **kwargs)
            return lambda engine, *carried: handler(engine, *carried, *args, **kwargs)
        if not takes_engine:
            return lambda engine, *carried: handler(*carried, *args, **kwargs)
        if args or kwargs:
            return lambda engine, *carried: handler(engine, *carried, *args, **kwargs)
        return handler

    def _compile_test(self) -> EventFilter | None:
        tests: list[EventFilter] = [
            made.function if isinstance(made, Predicate) else _count_test(made)
            for made in self.filters
        ]
        if len(tests) < 2:
            return tests[0] if tests else None
        return lambda engine, count: all(test(engine, count) for test in tests)

    def __reduce__(self) -> tuple[Any, ...]:
        fields = (self.event, self.filters, self.handler, self.args, self.kwargs)
        declared = (self.computes, self.reports)
        return _rebuild, (fields, self.own, self.origin, declared)

    def __str__(self) -> str:
        return str(self.event) + "".join(f"({made})" for made in self.filters)


_NEVER_RUN: tuple[Callable[[Any], bool], ...] = (
    inspect.iscoroutinefunction,
    inspect.isgeneratorfunction,
    inspect.isasyncgenfunction,
)


def _rebuild(fields: Any, own: bool, origin: Origin, declared: Any) -> Registration:
    registration = Registration(*fields, own=own, origin=origin)
    registration.computes, registration.reports = declared
    return registration


def _count_test(schedule: Schedule) -> EventFilter:
    return lambda _, count: schedule.fires(count)


def fits_with_engine(
    handler: Handler, carried: int, args: tuple[Any, ...], kwargs: dict[str, Any], *, own: bool
) -> bool:
    """Return whether ``handler`` takes the engine before its other arguments.

    Args:
        handler: what shall be called.
        carried: how many arguments the event hands over.
        args: what follows them.
        kwargs: keyword arguments.
        own: whether the handler's first parameter is the engine as ``self``.

    Raises:
        InvalidType: when ``handler`` cannot be called.
        InvalidHandler: when it is a coroutine function, or fits neither way.
    """
    if not callable(handler):
        raise InvalidType(
            f"a handler must be callable, got {handler!r} of type {type(handler).__name__}"
        )
    name = getattr(handler, "__qualname__", repr(handler))
    called = getattr(handler, "__call__", None)  # noqa: B004  # the method is wanted
    if any(never_runs(function) for never_runs in _NEVER_RUN for function in (handler, called)):
        raise InvalidHandler(
            f"handler {name} is a coroutine function or a generator function, whose body would "
            "never run; attach a plain function that starts it"
        )
    try:
        signature = inspect.signature(handler)
    except ValueError:  # some builtins have no signature: they get what every handler can get
        return True
    me: list[Any] = [None] if own else []
    rest = [*[None] * carried, *args]
    reasons = []
    for with_engine in (True, False):
        try:
            signature.bind(*me, *([None] if with_engine else []), *rest, **kwargs)
        except TypeError as error:
            reasons.append(str(error))
        else:
            return with_engine
    shown = ", ".join(
        [*["<carried>"] * carried, *map(repr, args), *(f"{k}={v!r}" for k, v in kwargs.items())]
    )
    with_shown = f"(engine, {shown})" if shown else "(engine)"
    raise InvalidHandler(
        f"handler {name}{signature} can be called neither as {with_shown}: {reasons[0]}; "
        f"nor as ({shown}): {reasons[1]}"
    )
