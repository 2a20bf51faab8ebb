"""Build this repository's wheels, once, and install them into the environment that runs this.

Owns: which folders are distributions, and when a wheel is older than its sources.
Must not know: what is tested with the wheels.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = (sys.executable, "-m", "uv")


def distributions() -> dict[str, Path]:
    """Return the folder of each distribution by name, the core's first."""
    plugins = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))
    return {"glowplug": ROOT} | {folder.name: folder for folder in plugins}


def sources(folder: Path) -> Iterator[Path]:
    """Yield what goes into the wheel of the distribution in ``folder``, folders included.

    A folder's own time tells of a file that was deleted.
    """
    yield from (folder / name for name in ("pyproject.toml", "README.md"))
    tree = folder / ("core" if folder == ROOT else "src")
    for path in (tree, *tree.rglob("*")):
        if "__pycache__" not in path.parts:
            yield path


def build(name: str, folder: Path, into: Path) -> Path:
    """Return the wheel of a distribution, built anew if it is missing or older than its sources."""
    pattern = f"{name.replace('-', '_')}-[0-9]*.whl"
    newest = max(path.stat().st_mtime for path in sources(folder))
    old = sorted(into.glob(pattern))
    if len(old) == 1 and old[0].stat().st_mtime > newest:
        return old[0]
    with tempfile.TemporaryDirectory(dir=into) as scratch:
        command = (*UV, "build", "--quiet", "--wheel", "--out-dir", scratch, str(folder))
        subprocess.run(command, check=True)
        (fresh,) = Path(scratch).glob(pattern)
        for wheel in old:
            wheel.unlink(missing_ok=True)
        # a move, so that an environment which runs beside this one never meets half a wheel
        return fresh.replace(into / fresh.name)


def install(wheels: dict[str, Path], find_links: Path, extra: Sequence[str]) -> None:
    """Install the wheels, whatever of the same version stands there, and what they depend on."""
    command = [*UV, "pip", "install", "--quiet", "--python", sys.executable, *extra]
    command += ["--find-links", str(find_links)]
    command += [part for name in wheels for part in ("--reinstall-package", name)]
    subprocess.run([*command, *map(str, wheels.values())], check=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Build and install the distributions that the command line names."""
    known = distributions()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, help="where the wheels are kept")
    parser.add_argument("names", nargs="*", metavar="NAME", help="a distribution (default: all)")
    parser.add_argument("--no-install", action="store_true", help="build only")
    parser.add_argument("--no-deps", action="store_true", help="install nothing but the wheels")
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.names) - set(known)):
        parser.error(f"no distribution {', '.join(unknown)}; there are {', '.join(known)}")
    options.folder.mkdir(parents=True, exist_ok=True)
    wheels = {n: build(n, known[n], options.folder) for n in options.names or known}
    if not options.no_install:
        install(wheels, options.folder, ["--no-deps"] if options.no_deps else [])


if __name__ == "__main__":
    main()
