"""Every exception of the core.

Owns: what can go wrong, as types that carry prose and data, and the wording of "did you mean".
Must not know: anything else of glowplug; this is the lowest rung.
"""

from __future__ import annotations

from collections.abc import Iterable


class GlowplugError(Exception):
    """The base of every error that glowplug raises on purpose.

    Each concrete error also derives from the builtin that fits it, so that code which catches
    ``ValueError`` or ``RuntimeError`` goes on working.
    """


class InvalidArgument(GlowplugError, ValueError):
    """An argument has the right type and an impossible value."""


class InvalidType(GlowplugError, TypeError):
    """An argument is of a type that the call cannot use."""


class InvalidHandler(InvalidArgument):
    """A handler cannot be called the way its event would call it."""


class UnknownEvent(InvalidArgument):
    """An event is not registered with this engine.

    Attributes:
        event: what was asked for.
    """

    def __init__(self, message: str, event: object) -> None:
        super().__init__(message)
        self.event = event


class NothingToEnd(GlowplugError, RuntimeError):
    """``terminate_epoch`` was called where no epoch's data runs."""


class EngineBusy(GlowplugError, RuntimeError):
    """The engine is in the middle of a run and cannot do this now."""


class StrayStopIteration(GlowplugError, RuntimeError):
    """A step, a handler or a filter let a ``StopIteration`` escape.

    Only the data may end the data: an escaped ``StopIteration`` is a bug in the callable that let
    it out, most often a bare ``next(...)``.
    """

    @classmethod
    def out_of(cls, where: str, error: StopIteration) -> StrayStopIteration:
        """Return the error for a ``StopIteration`` that left ``where``, caused by it."""
        stray = cls(
            f"a StopIteration left {where}; only the data's own ends the data: catch it there, or "
            "give next() a default"
        )
        stray.__cause__ = error
        return stray


class PluginError(GlowplugError, RuntimeError):
    """A plugin is broken: it could not be read, imported, registered or called.

    Attributes:
        plugin: the plugin's name.
    """

    def __init__(self, message: str, plugin: str) -> None:
        super().__init__(message)
        self.plugin = plugin


class MissingPlugin(GlowplugError, LookupError):
    """A plugin that was asked for by name, or required, is not installed.

    Attributes:
        plugin: the name that was asked for.
    """

    def __init__(self, message: str, plugin: str) -> None:
        super().__init__(message)
        self.plugin = plugin


class UnknownComponent(GlowplugError, LookupError):
    """No installed plugin offers a component of this name.

    Attributes:
        name: the name that was asked for.
    """

    def __init__(self, message: str, name: str) -> None:
        super().__init__(message)
        self.name = name


class AmbiguousComponent(UnknownComponent):
    """Several plugins offer a component of this name.

    Attributes:
        choices: the qualified names, one of which must be given.
    """

    def __init__(self, message: str, name: str, choices: Iterable[str]) -> None:
        super().__init__(message, name)
        self.choices = tuple(choices)


class CannotWrite(GlowplugError, OSError):
    """A folder or a file cannot be written, or there is one that would be overwritten."""


class GlowplugWarning(UserWarning):
    """The base of every warning that glowplug gives."""


class PluginWarning(GlowplugWarning):
    """A plugin was switched off, is shadowed, or a switch names none."""


class DataWarning(GlowplugWarning):
    """The data gave out before the run was done."""

    @classmethod
    def ended_early(cls, done: int, wanted: int | str) -> DataWarning:
        """Return the warning for data that ended after ``done`` of ``wanted`` iterations."""
        return cls(
            f"the data ended after {done} of {wanted} iterations and does not start over, so the "
            "run ends here; pass data that can be iterated again, such as a DataLoader, or put a "
            "fresh iterator into engine.state.dataloader at DATALOADER_STOP_ITERATION"
        )


class MetricWarning(GlowplugWarning):
    """A metric would be reported before it is computed, or is computed by nobody."""

    @classmethod
    def explained(cls, complaint: str) -> MetricWarning:
        """Return the warning for one metric."""
        return cls(
            f"{complaint}; attach what computes it to an event before, in the phase 'compute'; or "
            "say which handler of yours fills it: engine.add_event_handler(...)"
            ".declare(computes=[...])"
        )


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'a' or 'b'?"`` for the known names near ``name``, else ``""``.

    Args:
        name: what was asked for.
        known: the names that exist.

    Returns:
        A clause to append to an error message.

    Example:
        >>> did_you_mean("early-stoping", ["early-stopping", "timer"])
        "; did you mean 'early-stopping'?"
    """
    import difflib  # only an error needs it

    by_lower = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.6)
    if not near:
        return ""
    # Where one is much nearer than the others, it alone is meant.
    best = difflib.SequenceMatcher(None, near[0], name.lower()).ratio()
    near = difflib.get_close_matches(name.lower(), near, n=3, cutoff=max(0.6, best - 0.1))
    return "; did you mean " + " or ".join(repr(by_lower[n]) for n in near) + "?"
