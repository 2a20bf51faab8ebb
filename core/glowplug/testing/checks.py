"""A plugin's check as an assertion.

Owns: what a failed check tells.
Must not know: how a plugin is examined.
"""

from __future__ import annotations

import warnings

from glowplug.errors import PluginError, PluginWarning
from glowplug.plugins import PluginManager
from glowplug.probe import SECONDS, probe
from glowplug.report import check_as_text


def assert_plugin_ok(name: str, *, seconds: float = SECONDS) -> None:
    """Fail unless ``glowplug plugins check NAME`` would find nothing wrong.

    Everything that the plugin declares is imported in a process of its own and looked at.

    Args:
        name: the plugin's name; a leading ``glowplug-`` may be left off. It is installed, or laid
            down by ``make_plugin``.
        seconds: how long this may take.

    Raises:
        AssertionError: with all that is wrong, and the traceback of each.
        MissingPlugin: when no such plugin is installed.

    Example:
        >>> assert_plugin_ok("acme-nothing")
        Traceback (most recent call last):
            ...
        glowplug.errors.MissingPlugin: no plugin 'acme-nothing' is installed
    """
    __tracebackhide__ = True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PluginWarning)  # of what is not asked for, or said below
        try:
            plugin = PluginManager(only=[name]).plugin(name)
        except PluginError as error:
            raise AssertionError(str(error)) from None
    findings = probe(plugin.name, seconds) if plugin.active else []
    if not plugin.active or any(finding.error for finding in findings):
        traces = [f"{f.what}:\n{f.traceback}" for f in findings if f.traceback]
        raise AssertionError("\n".join([check_as_text(plugin, findings), *traces]))
