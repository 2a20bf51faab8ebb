"""What the tests of the core share: a log of events, and packages that are really installed.

Owns: watching an engine; the distributions of tests/dists, each installed into its own folder.
Must not know: what is tested with them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

import glowplug
from glowplug import Component, Engine, Events, Kind, manifest, plugins
from glowplug.errors import PluginWarning
from glowplug.manifest import Manifest, Scan
from glowplug.plugins import PluginManager

SOURCES = Path(__file__).resolve().parents[1] / "dists"
CORE = Path(glowplug.__file__).parents[1]
PIP = (sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-compile")


class Sites:
    """Folders as pip leaves them, one for each distribution, made when they are first asked for.

    Args:
        root: where they are kept.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def __call__(self, name: str) -> Path:
        """Return the folder that the distribution in ``tests/dists/NAME`` is installed in."""
        site = self._root / "sites" / name
        if not site.exists():
            self._install(self._build(name), site)
        return site

    def _build(self, name: str) -> Path:
        out = self._root / "wheels" / name
        command = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out))
        subprocess.run(command, cwd=SOURCES / name, check=True, capture_output=True)
        (wheel,) = out.glob("*.whl")
        return wheel

    def _install(self, wheel: Path, site: Path) -> None:
        if "malformed" in wheel.name:
            # pip refuses this one; other installers unpack it, as the format says.
            with ZipFile(wheel) as archive:
                archive.extractall(site)
            return
        subprocess.run((*PIP, "--target", str(site), str(wheel)), check=True)
        if "leftover" in wheel.name:
            # What pip renames things to before it removes them, when it does not get to that.
            for path in list(site.iterdir()):
                path.rename(site / f"~{path.name[1:]}")


@pytest.fixture(scope="session")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Sites:
    """The folders of the installed distributions."""
    return Sites(tmp_path_factory.mktemp("dists"))


@pytest.fixture
def installed(sites: Sites, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Scan]]:
    """A function that puts distributions on ``sys.path`` for one test, and scans them alone."""
    before = set(sys.modules)

    def install(*names: str) -> Scan:
        path = [str(sites(name)) for name in names]
        for folder in reversed(path):
            monkeypatch.syspath_prepend(folder)
        return manifest.scan(path)

    yield install
    for name in set(sys.modules) - before:
        if not name.startswith("glowplug"):
            del sys.modules[name]


@pytest.fixture
def manager(installed: Callable[..., Scan]) -> Callable[..., PluginManager]:
    """A function that makes a manager of some distributions; keywords are the manager's."""

    def make(*names: str, **switches: object) -> PluginManager:
        return PluginManager(scan=installed(*names), **switches)  # type: ignore[arg-type]  # passed on

    return make


@pytest.fixture
def quiet_manager(manager: Callable[..., PluginManager]) -> Callable[..., PluginManager]:
    """The same, for tests of what follows a warning that another test looks at."""

    def make(*names: str, **switches: object) -> PluginManager:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PluginWarning)
            return manager(*names, **switches)

    return make


@pytest.fixture
def offering() -> Callable[..., PluginManager]:
    """A function that makes a manager of one plugin, ``acme 1.0``, which offers one component."""

    def make(kind: Kind, name: str, target: str) -> PluginManager:
        components = (Component(kind, name, target),)
        return PluginManager(scan=Scan((Manifest("acme", "1.0", components=components),)))

    return make


@pytest.fixture
def environment(sites: Sites) -> Callable[..., dict[str, str]]:
    """A function that returns the environment of a process that sees some distributions."""

    def make(*names: str, **more: str) -> dict[str, str]:
        path = [*(str(sites(name)) for name in names), str(CORE)]
        kept = {key: value for key, value in os.environ.items() if "GLOWPLUG" not in key}
        return {**kept, "PYTHONPATH": os.pathsep.join(path), **more}

    return make


@pytest.fixture
def python(environment: Callable[..., dict[str, str]]) -> Callable[..., str]:
    """A function that runs code in a Python that sees some distributions, for its output."""

    def run(code: str, *names: str, **more: str) -> str:
        done = subprocess.run(
            (sys.executable, "-c", code),
            env=environment(*names, **more),
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    return run


@pytest.fixture(name="glowplug")
def glowplug_command(
    environment: Callable[..., dict[str, str]],
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """A function that runs the command in a Python that sees some distributions."""

    def run(arguments: str, *names: str, **more: str) -> subprocess.CompletedProcess[str]:
        command = (sys.executable, "-m", "glowplug", *arguments.split())
        return subprocess.run(
            command, env=environment(*names, **more), capture_output=True, text=True, check=False
        )

    return run


@pytest.fixture
def fresh_process() -> Iterator[None]:
    """Forget the process's own scan and manager, before a test and after it."""
    plugins.rescan()
    yield
    plugins.rescan()


@pytest.fixture
def watch() -> Callable[[Engine[Any, Any]], list[str]]:
    """A function that logs every firing of an engine as ``"EVENT epoch.iteration"``."""

    def attach(engine: Engine[Any, Any]) -> list[str]:
        log: list[str] = []

        def recorder(event: Events) -> Callable[..., None]:
            def record(engine: Engine[Any, Any], *_: object) -> None:
                log.append(f"{event} {engine.state.epoch}.{engine.state.iteration}")

            return record

        for event in Events:
            engine.add_event_handler(event, recorder(event))
        return log

    return attach
