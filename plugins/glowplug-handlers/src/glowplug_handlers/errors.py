"""What can go wrong with a handler of this distribution.

Owns: the errors and the warnings that are its own.
Must not know: any handler.
"""

from __future__ import annotations

from glowplug.errors import GlowplugError, GlowplugWarning


class ScoreFailed(GlowplugError, RuntimeError):
    """The score function of an ``EarlyStopping`` raised an error, the cause of this one."""


class WeightsSwapped(GlowplugError, RuntimeError):
    """Averages were asked for while the model has them in place of its own weights."""


class HandlerWarning(GlowplugWarning):
    """A handler found something on the engine that is hardly meant."""


class DeprecatedArgument(GlowplugWarning, DeprecationWarning):
    """An argument has another name now."""
