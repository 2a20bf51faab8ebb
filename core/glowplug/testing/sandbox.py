"""A process in which just those plugins are installed that a test lays down.

Owns: what of the process is replaced meanwhile, and that it is put back.
Must not know: pytest, or what a test does with its plugins.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from glowplug import manifest, plugins
from glowplug.errors import InvalidArgument
from glowplug.plugins import PluginManager
from glowplug.switches import DISABLE, ONLY, STRICT
from glowplug.testing.packages import Package

VARIABLES = (ONLY, DISABLE, STRICT)


@dataclass(frozen=True)
class LaidPlugin:
    """A plugin that was laid down.

    Args:
        name: its distribution's name.
        version: its version.
        path: the folder that it lies in, which is on ``sys.path``.
        metadata: the folder of its metadata.

    Example:
        >>> def test_it_is_laid_down(make_plugin):
        ...     laid = make_plugin("acme-nan")
        ...     assert laid.metadata.name == "acme_nan-1.0.dist-info"
    """

    name: str
    version: str
    path: Path
    metadata: Path

    def manager(self, *, disable: Sequence[str] = (), strict: bool | None = None) -> PluginManager:
        """Return a new manager of this plugin alone, so that whatever is broken about it raises.

        Args:
            disable: as for ``PluginManager``.
            strict: as for ``PluginManager``.

        Raises:
            PluginError: when the plugin's metadata is broken.
        """
        found = manifest.scan([str(self.path)])
        return PluginManager(only=[self.name], disable=disable, strict=strict, scan=found)


class Sandbox:
    """The plugins of one test, in a folder of their own.

    Args:
        folder: where they are laid down; empty.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._modules: set[str] = set()

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Let the process see these plugins alone, and put everything back afterwards."""
        path, modules, scan = list(sys.path), dict(sys.modules), manifest._installed
        with alone():
            sys.path.insert(0, str(self._folder))
            self._rescan()
            try:
                yield
            finally:
                manifest._installed = scan
                sys.path[:] = path
                sys.path_importer_cache.pop(str(self._folder), None)
                self._forget_modules(modules)

    def lay_down(self, package: Package) -> LaidPlugin:
        """Write a package, so that it is installed from now on.

        Raises:
            InvalidArgument: when one of its modules is imported already, or a file of it exists.
        """
        roots = {Path(name).parts[0].removesuffix(".py") for name in package.files}
        for root in sorted(roots - self._modules):
            if root in sys.modules:
                raise InvalidArgument(
                    f"{package.name}: a module {root!r} is imported already, so that the one which "
                    "is laid down would not be seen; give it another name"
                )
        metadata = package.write(self._folder)
        self._modules |= roots
        importlib.invalidate_caches()
        self._rescan()
        return LaidPlugin(package.name, package.version, self._folder, metadata)

    def _rescan(self) -> None:
        plugins.rescan()
        manifest._installed = manifest.scan([str(self._folder)])

    def _forget_modules(self, before: Mapping[str, ModuleType]) -> None:
        """Put back the modules that were replaced, and drop those of the plugins.

        Others that were imported meanwhile stay: not every library can be imported twice.
        """
        for name in list(sys.modules):
            if name not in before and name.partition(".")[0] in self._modules:
                del sys.modules[name]
        sys.modules.update(before)


def manager_of(*names: str, **switches: Any) -> PluginManager:
    """Return a new manager of some installed plugins and no others.

    Args:
        *names: the plugins' names.
        **switches: further arguments of ``PluginManager``.

    Raises:
        MissingPlugin: when one of them is not installed.
        PluginError: when the metadata of one of them is broken.

    Example:
        >>> manager_of("acme-nothing")
        Traceback (most recent call last):
            ...
        glowplug.errors.MissingPlugin: no plugin 'acme-nothing' is installed
    """
    if names:
        nobody = PluginManager(only=())
        for name in names:
            nobody.plugin(name)  # refuses one that is not there, before a warning would
    return PluginManager(only=names, **switches)


@contextmanager
def alone(*names: str) -> Iterator[None]:
    """Let these installed plugins act on engines and no others, whatever the environment says.

    Args:
        *names: the plugins' names.

    Raises:
        MissingPlugin: when one of them is not installed.
    """
    said = {name: os.environ.pop(name) for name in VARIABLES if name in os.environ}
    before = plugins._default
    try:
        plugins._default = manager_of(*names)
        yield
    finally:
        plugins._default = before
        for name in VARIABLES:
            os.environ.pop(name, None)
        os.environ.update(said)
