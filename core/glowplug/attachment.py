"""What is given to an engine when it is made: its step, its events, and what attaches to it.

Owns: checking the step, finding sets of events, turning names, classes and objects into attached
components.
Must not know: the loop, or how plugins are found.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, TypeVar

from glowplug.components import Kind
from glowplug.errors import InvalidArgument, InvalidType
from glowplug.events import EventEnum
from glowplug.handlers import HandlerTable
from glowplug.phases import Phase, declared_phase

PHASES: Mapping[Kind, Phase] = MappingProxyType({Kind.LOGGER: Phase.REPORT})
"""The phase of components that are asked for by name and declare none."""

StepT = TypeVar("StepT", bound=Callable[..., Any])


class PluginSource(Protocol):
    """What an engine needs of a plugin manager."""

    def resolve_handler(self, name: str) -> tuple[Any, str, Kind]:
        """Return the component of this name, the plugin that offers it, and its kind."""

    def component(self, kind: Kind | str, name: str) -> Any:
        """Return the component of this kind and name."""

    def engine_created(self, engine: Any, table: HandlerTable) -> Mapping[str, str]:
        """Let the hook plugins act on a new engine; return name to version of the active ones."""

    def owner_of(self, module_name: str) -> tuple[str, str] | None:
        """Return name and version of the plugin that provides a module."""


def checked_step(step: StepT) -> StepT:
    """Return ``step`` where it can be called as (engine, batch).

    Raises:
        InvalidArgument: where it cannot.
    """
    wanted = "a step is called as step(engine, batch)"
    if not callable(step):
        raise InvalidArgument(f"{wanted}, got {step!r} of type {type(step).__name__}")
    name = getattr(step, "__qualname__", repr(step))
    if inspect.iscoroutinefunction(step) or inspect.isgeneratorfunction(step):
        raise InvalidArgument(
            f"{wanted}; {name} is a coroutine or generator function, whose body would never run"
        )
    try:
        signature = inspect.signature(step)
    except ValueError:  # some builtins have no signature to check
        return step
    try:
        signature.bind(None, None)
    except TypeError as error:
        raise InvalidArgument(f"{wanted}, got {name}{signature}: {error}") from None
    return step


def attach_handlers(
    engine: Any, table: HandlerTable, handlers: Iterable[Any], plugins: PluginSource
) -> None:
    """Attach components to an engine, in order; nothing is attached when one cannot be.

    Args:
        engine: the engine.
        table: its table of handlers.
        handlers: names from the catalog, classes that need no arguments, objects with ``attach``.
        plugins: where names are looked up.

    Raises:
        InvalidType: when ``handlers`` is no iterable of such things.
        InvalidArgument: when a class needs arguments.
        UnknownComponent: when a name is not in the catalog.
    """
    if isinstance(handlers, str) or not isinstance(handlers, Iterable):
        raise InvalidType(f"handlers must be a list of components, got {handlers!r}")
    for given in [_given(handler, plugins) for handler in handlers]:
        with table.marking(owner=given.owner, phase=given.phase):
            given.component.attach(engine)


class _Given(NamedTuple):
    """A component to attach, the plugin it comes from where it was named, and its phase."""

    component: Any
    owner: str | None
    phase: Phase | None


def _given(handler: Any, plugins: PluginSource) -> _Given:
    owner, phase = None, None
    shown = repr(handler)
    if isinstance(handler, str):
        handler, owner, kind = plugins.resolve_handler(handler)
        phase = PHASES.get(kind)
    if isinstance(handler, type):
        try:
            inspect.signature(handler).bind()
        except TypeError as error:
            raise InvalidArgument(
                f"handlers={shown}: {handler.__name__} cannot be made without arguments ({error}); "
                f"pass an object: handlers=[{handler.__name__}(...)]"
            ) from None
        except ValueError:  # no signature to check
            pass
        handler = handler()
    if not callable(getattr(handler, "attach", None)):
        raise InvalidType(
            f"handlers={shown} has no attach(engine), got type {type(handler).__name__}; attach a "
            "plain function by engine.add_event_handler(event, function)"
        )
    return _Given(handler, owner, declared_phase(handler) or phase)


def register_sets(engine: Any, sets: Iterable[Any], plugins: PluginSource) -> None:
    """Register sets of events, each with the counters that it declares.

    Args:
        engine: the engine.
        sets: names from the catalog, or subclasses of ``EventEnum``.
        plugins: where names are looked up.

    Raises:
        InvalidType: when ``sets`` is no iterable of such things.
        InvalidArgument: when two sets would be counted by one attribute.
        UnknownComponent: when a name is not in the catalog.
    """
    if isinstance(sets, (str, type)) or not isinstance(sets, Iterable):
        raise InvalidType(f"events must be a list of sets of events, got {sets!r}")
    for given in list(sets):
        found = plugins.component(Kind.EVENTS, given) if isinstance(given, str) else given
        if not isinstance(found, type) or not issubclass(found, EventEnum):
            raise InvalidType(
                f"events={given!r} is no set of events: expected a name from the catalog or a "
                f"subclass of EventEnum, got {found!r} of type {type(found).__name__}"
            )
        engine.register_events(*found)
