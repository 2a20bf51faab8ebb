"""The fixtures of the kit.

Owns: what pytest hands to a test of a plugin.
Must not know: how a plugin is laid down, or what a test asks of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import pytest

from glowplug.plugins import PluginManager
from glowplug.testing.packages import Package, Sources
from glowplug.testing.sandbox import LaidPlugin, Sandbox


class ManagerMaker:
    """What the fixture ``plugin_manager`` is: makes managers that see what the test laid down.

    Example:
        >>> def test_nothing_is_installed(plugin_manager):
        ...     assert plugin_manager().plugins == ()
    """

    def __call__(
        self,
        *,
        only: Iterable[str] | None = None,
        disable: Iterable[str] = (),
        require: Iterable[str] = (),
        strict: bool | None = None,
    ) -> PluginManager:
        """Return a new manager; see :class:`glowplug.PluginManager` for the switches."""
        return PluginManager(only=only, disable=disable, require=require, strict=strict)


class PluginMaker:
    """What the fixture ``make_plugin`` is: lays down distributions, installed for the test.

    Args:
        sandbox: where they go.

    Example:
        >>> def test_it_is_found(make_plugin, plugin_manager):
        ...     source = "def nan_stop(engine): engine.terminate()"
        ...     make_plugin(
        ...         "acme-nan", "1.2", modules={"acme_nan": source},
        ...         entry_points={"glowplug.handlers": {"nan-stop": "acme_nan:nan_stop"}},
        ...     )
        ...     assert dict(plugin_manager().versions) == {"acme-nan": "1.2"}
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def __call__(
        self,
        name: str,
        version: str = "1.0",
        *,
        modules: Mapping[str, Sources] | None = None,
        entry_points: Mapping[str, Mapping[str, str]] | None = None,
        requires: Iterable[str] = (),
        summary: str = "",
    ) -> LaidPlugin:
        """Lay down a distribution: real metadata, and modules beside it.

        Args:
            name: the distribution's name.
            version: its version.
            modules: source by module name: text, a class or function whose source is taken, or a
                list of both.
            entry_points: targets by name, by group, as
                ``{"glowplug.handlers": {"nan-stop": "acme_nan:NanStop"}}``.
            requires: its requirements.
            summary: its description in one line.

        Returns:
            Its name, version and folders, and a manager of it alone.

        Raises:
            InvalidArgument: for names and versions that no installer would take, and for a module
                that is imported or laid down already.
            InvalidType: for a source that is neither text nor an object with a source.
        """
        package = Package(name, version, modules or {}, entry_points or {}, requires, summary)
        return self._sandbox.lay_down(package)


@pytest.fixture
def glowplug_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The process, as if no plugin were installed; put back after the test."""
    sandbox = Sandbox(tmp_path_factory.mktemp("plugins"))
    with sandbox.entered():
        yield sandbox


@pytest.fixture
def plugin_manager(glowplug_sandbox: Sandbox) -> ManagerMaker:
    """A function that makes a manager of the plugins which the test lays down, and no others.

    The process's own manager sees these alone too, and ``GLOWPLUG_*`` variables are not set, until
    the test is over.
    """
    return ManagerMaker()


@pytest.fixture
def make_plugin(glowplug_sandbox: Sandbox) -> PluginMaker:
    """A function that lays down a real distribution, which is installed until the test is over."""
    return PluginMaker(glowplug_sandbox)
