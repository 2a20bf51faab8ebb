"""New packages, made and built, in a fresh environment beside glowplug's own wheels.

Owns: making one package of each kind, building them, and the environment that they are used in.
Must not know: what is expected of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UV = (sys.executable, "-m", "uv")
KINDS = ("handler", "logger", "scheduler", "metric", "trainer", "events", "hooks")
EXAMPLE = ROOT / "docs" / "examples" / "acme-nan-stop"
OWN = ("glowplug", "glowplug-loggers", "glowplug-tqdm")  # those that need no torch


@dataclass(frozen=True)
class Environment:
    """A virtual environment.

    Args:
        folder: where it is.
    """

    folder: Path

    def run(self, program: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run a program of this environment, as a shell does in which it is activated."""
        scripts = self.folder / ("Scripts" if os.name == "nt" else "bin")
        kept = {k: v for k, v in os.environ.items() if "GLOWPLUG" not in k and "PYTHON" not in k}
        path = f"{scripts}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            (str(scripts / program), *arguments),
            cwd=cwd,
            env={**kept, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )

    def install(self, requirements: Sequence[str]) -> None:
        """Install packages."""
        python = str(self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
        command = (*UV, "pip", "install", "--quiet", "--python", python, *requirements)
        subprocess.run(command, check=True)


@dataclass(frozen=True)
class Project:
    """A package and the environment that it is installed in.

    Args:
        folder: its sources.
        wheel: what was built of them.
        environment: where the wheel is installed.
    """

    folder: Path
    wheel: Path
    environment: Environment

    @property
    def name(self) -> str:
        """The distribution's name."""
        return self.folder.name

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment in the project's folder."""
        return self.environment.run(program, *arguments, cwd=self.folder)


def build(folder: Path, into: Path) -> Path:
    """Return the wheel that is built of a package's sdist, which shows that the sdist is whole."""
    out = into / folder.name
    command = (*UV, "build", "--quiet", "--out-dir", str(out), str(folder))
    subprocess.run(command, check=True)
    (wheel,) = out.glob("*.whl")
    return wheel


@pytest.fixture(scope="session")
def own_wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """glowplug's own wheels."""
    folder = Path(os.environ.get("GLOWPLUG_WHEELS") or tmp_path_factory.mktemp("wheels"))
    script = str(ROOT / "tests" / "wheels.py")
    subprocess.run([sys.executable, script, "--no-install", str(folder), *OWN], check=True)
    return [next(folder.glob(f"{name.replace('-', '_')}-[0-9]*.whl")) for name in OWN]


@pytest.fixture(scope="session")
def build_wheel() -> Callable[[Path, Path], Path]:
    """A function that builds the wheel of a package, in a folder."""
    return build


@pytest.fixture(scope="session")
def make_environment(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[Sequence[Path]], Environment]:
    """A function that makes a fresh environment with some wheels in it."""

    def make(wheels: Sequence[Path]) -> Environment:
        folder = tmp_path_factory.mktemp("fresh") / "venv"
        command = (*UV, "venv", "--quiet", "--python", sys.executable, str(folder))
        subprocess.run(command, check=True)
        made = Environment(folder)
        made.install([str(wheel) for wheel in wheels])
        return made

    return make


@pytest.fixture(scope="session")
def environment(
    own_wheels: list[Path], make_environment: Callable[[Sequence[Path]], Environment]
) -> Environment:
    """A fresh environment with glowplug's wheels."""
    return make_environment(own_wheels)


@pytest.fixture(scope="session")
def projects(
    environment: Environment, own_wheels: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Project]:
    """A new package of each kind, and the one of the tutorial, installed with its extra."""
    home = tmp_path_factory.mktemp("projects")
    for kind in KINDS:
        done = environment.run(
            "glowplug", "plugins", "new", f"acme-{kind}", "--kind", kind, cwd=home
        )
        assert done.returncode == 0, done.stderr
    folders = {kind: home / f"acme-{kind}" for kind in KINDS} | {"example": EXAMPLE}
    out = tmp_path_factory.mktemp("built")
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        wheels = list(pool.map(lambda folder: build(folder, out), folders.values()))
    asked = [f"{wheel.parent.name}[test] @ {wheel.as_uri()}" for wheel in wheels]
    environment.install([*map(str, own_wheels), *asked])
    pairs = zip(folders, folders.values(), wheels, strict=True)
    return {kind: Project(folder, wheel, environment) for kind, folder, wheel in pairs}


@pytest.fixture(params=[*KINDS, "example"])
def project(projects: dict[str, Project], request: pytest.FixtureRequest) -> Project:
    """Each of the packages."""
    return projects[request.param]
