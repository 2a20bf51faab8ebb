"""What goes wrong with a logger.

Owns: the errors and the warning that every logger shares.
Must not know: what is logged, or where to.
"""

from __future__ import annotations

from glowplug.errors import GlowplugError, GlowplugWarning


class ClosedLogger(GlowplugError, RuntimeError):
    """A logger was used after it was closed."""


class LoggerWarning(GlowplugWarning):
    """Something that should have been logged cannot be: it is missing, or it is no number."""
