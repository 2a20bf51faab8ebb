"""What can go wrong with a metric.

Owns: the errors and warnings that are the metrics' own.
Must not know: any metric.
"""

from __future__ import annotations

from glowplug.errors import GlowplugError, GlowplugWarning


class NotComputableError(GlowplugError, RuntimeError):
    """A metric was asked for its value before it had taken in anything."""


class EpochMetricWarning(GlowplugWarning):
    """The function of an ``EpochMetric`` failed when it was tried on the first outputs."""


class MissingLibrary(GlowplugError, ModuleNotFoundError):
    """A metric needs a library that is not installed."""


class NoDevice(GlowplugError, RuntimeError):
    """A metric of a device was made on a machine that has none."""
