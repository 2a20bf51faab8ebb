"""What is given to an engine when it is made: its step, and the components that attach to it.

Owns: checking the step, turning names, classes and objects into attached components.
Must not know: the loop, or how plugins are found.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeVar

from glowplug.errors import InvalidArgument, InvalidType
from glowplug.handlers import HandlerTable

StepT = TypeVar("StepT", bound=Callable[..., Any])


class PluginSource(Protocol):
    """What an engine needs of a plugin manager."""

    def resolve_handler(self, name: str) -> tuple[Any, str]:
        """Return the component of this name, and the plugin that offers it."""

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
    made = [_component(handler, plugins) for handler in handlers]
    for component, owner in made:
        if owner is None:
            component.attach(engine)
        else:
            with table.owned_by(owner):
                component.attach(engine)


def _component(handler: Any, plugins: PluginSource) -> tuple[Any, str | None]:
    """Return the object to attach, and the plugin that it comes from where it was named."""
    owner = None
    shown = repr(handler)
    if isinstance(handler, str):
        handler, owner = plugins.resolve_handler(handler)
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
    return handler, owner
