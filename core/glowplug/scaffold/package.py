"""A new package for a plugin: ``glowplug plugins new``.

Owns: how a name and a kind become a folder, all of it or nothing.
Must not know: what the files say, or which names are fit.
"""

from __future__ import annotations

import ast
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from glowplug.errors import CannotWrite, InvalidArgument
from glowplug.scaffold import blueprints, naming
from glowplug.scaffold.naming import Names


@dataclass(frozen=True)
class Made:
    """A package that has been made.

    Args:
        folder: where it is.
        name: the distribution's name, which is the plugin's and the component's.
        files: what is in it, as sorted relative paths with slashes.
        cautions: what is installed here that it would get in the way of.
    """

    folder: Path
    name: str
    files: tuple[str, ...]
    cautions: tuple[str, ...]


def new(name: str, kind: str, parent: Path, holder: str | None = None) -> Made:
    """Make the package of a plugin, in a folder of its name.

    It is written beside its place and moved there when it is whole. Nothing is overwritten.

    Args:
        name: the distribution's name.
        kind: what it offers: ``"handler"``, ``"logger"``, ``"scheduler"``, ``"metric"``,
            ``"trainer"``, ``"events"`` or ``"hooks"``.
        parent: the folder to make it in, which is made, too, if it is missing.
        holder: who holds the copyright, which puts it under the MIT licence; left out, the package
            has no licence and says so.

    Returns:
        What was made.

    Raises:
        InvalidArgument: when the name, the kind or the holder cannot be used.
        CannotWrite: when the folder is there with something in it, or cannot be written.

    Example:
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     made = new("acme-nan-stop", "handler", Path(folder))
        >>> made.files[:3]
        ('.github/workflows/ci.yml', '.gitignore', 'CHANGELOG.md')
    """
    blueprint = blueprints.blueprint_of(kind)
    names = naming.checked(name)
    files = blueprints.files(blueprint, asdict(names), _checked_holder(holder))
    _refuse_clashes(names, files)
    cautions = naming.cautions(names)
    folder = parent / names.name
    try:
        _refuse_occupied(folder)
        with _made(parent):
            _write(files, folder)
    except OSError as error:
        if isinstance(error, CannotWrite):
            raise
        raise CannotWrite(
            f"cannot write {folder}: {error.strerror or error}; nothing was left there; choose a "
            "folder that you may write to by --dir"
        ) from error
    return Made(folder, names.name, tuple(sorted(files)), cautions)


def _checked_holder(holder: str | None) -> str | None:
    if holder is None or (holder.strip() and holder.isprintable()):
        return holder and holder.strip()
    raise InvalidArgument(
        f"expected the name of who holds the copyright, on one line; got {holder!r}"
    )


def _refuse_clashes(names: Names, files: Mapping[str, str]) -> None:
    """Raise when the example has something else that is called like the package or its class."""
    for path, text in files.items():
        bound = list(_bound(text)) if path.endswith(".py") else []
        for word in (names.package, names.class_name):
            if bound.count(word) > 1:
                raise InvalidArgument(
                    f"no package can be called {names.name!r}: {path} would have two things called "
                    f"{word}; choose another name, such as 'acme-{names.name}'"
                )


def _bound(text: str) -> Iterator[str]:
    """Yield the names that the top level of a module gives to something."""
    for node in ast.parse(text).body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name


def _refuse_occupied(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise CannotWrite(f"{folder} is there already and is no folder; nothing is overwritten")
    if folder.exists() and any(folder.iterdir()):
        raise CannotWrite(
            f"{folder} is there already and not empty; nothing is overwritten: choose another "
            "name, or another folder by --dir"
        )


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Have a folder, and leave none of what had to be made for it if what follows fails."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for path in missing:
            with suppress(OSError):  # not made, or somebody else has put something there
                path.rmdir()
        raise


def _write(files: Mapping[str, str], folder: Path) -> None:
    # Beside its place, so that the last act is a move within one file system, which is all or none.
    with tempfile.TemporaryDirectory(prefix=".glowplug-", dir=folder.parent) as scratch:
        whole = Path(scratch) / folder.name
        for path, text in files.items():
            file = whole / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
        if folder.exists():  # empty; some systems move nothing onto a folder
            folder.rmdir()
        whole.rename(folder)
