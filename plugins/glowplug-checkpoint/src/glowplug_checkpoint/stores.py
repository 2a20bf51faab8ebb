"""Where the files of checkpoints live.

Owns: what a store of files must do, and which kind of store a path or a URL means.
Must not know: what the files hold, or how a store does what it must.
"""

from __future__ import annotations

import os
import re
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from glowplug.errors import InvalidType
from glowplug_checkpoint import filenames
from glowplug_checkpoint.errors import NoCheckpoint, SaveFailed
from glowplug_checkpoint.local import LocalStore, make_folder
from glowplug_checkpoint.remote import FsspecStore

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+(://|::)")


class Draft(Protocol):
    """A file that is being written, and that has not got its name yet.

    Example:
        >>> import tempfile
        >>> store = store_at(tempfile.mkdtemp())
        >>> with store.create("notes.txt") as draft:
        ...     written = draft.write(b"not there yet")
        ...     with draft.stored() as file:
        ...         file.read(), store.exists("notes.txt")
        (b'not there yet', False)
        >>> store.exists("notes.txt")
        True
    """

    def write(self, data: Any) -> int:
        """Write bytes at the end, and return how many."""

    def flush(self) -> None:
        """Pass on what is held back."""

    def stored(self) -> AbstractContextManager[BinaryIO]:
        """Bring all of it to where it is kept, and open that for reading; writing is over."""


class Store(Protocol):
    """The files of one folder, wherever it is.

    Every method that takes a name raises InvalidArgument for one that a file cannot have, and an
    OSError when the folder does.

    Attributes:
        location: the folder, as a path or a URL.

    Example:
        >>> store = store_at("memory://runs/of-a-store")
        >>> with store.create("a.txt") as draft:
        ...     _ = draft.write(b"abc")
        >>> store.rename("a.txt", "b.txt")
        >>> store.names(), store.size("b.txt")
        (['b.txt'], 3)
    """

    location: str

    def names(self) -> list[str]:
        """Return the names of the files, sorted; temporary ones are left out."""

    def stamps(self) -> dict[str, object]:
        """Return what changes when a file does, by its name; None where nobody tells."""

    def create(self, name: str) -> AbstractContextManager[Draft]:
        """Yield a file to write to, which gets its name when the block ends well."""

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        """Yield a file for reading, which can be read from any place in it."""

    def rename(self, old: str, new: str) -> None:
        """Give a file another name at one stroke; a file that had it goes."""

    def remove(self, name: str) -> None:
        """Remove a file."""

    def exists(self, name: str) -> bool:
        """Return whether there is a file of this name."""

    def size(self, name: str) -> int:
        """Return the bytes of a file."""

    def free(self) -> int | None:
        """Return how many bytes there is room for; None where nobody tells."""

    def where(self, name: str) -> str:
        """Return the path or the URL of a file, for people."""


def store_at(where: str | os.PathLike[str], create: bool = False, atomic: bool = True) -> Store:
    """Return the store at a path or a URL.

    Args:
        where: a folder of this machine (a ``file://`` URL is one, too), or any URL that fsspec
            knows, which takes the extra ``fsspec``.
        create: make the folder where there is none.
        atomic: False to write files in place, see :class:`LocalStore`.

    Returns:
        A :class:`LocalStore` or an :class:`FsspecStore`.

    Raises:
        InvalidType: when ``where`` is neither a string nor a path.
        NoCheckpoint: when there is no such folder, and none is to be made.
        SaveFailed: when the folder cannot be made.
        MissingLibrary: when a URL is given and fsspec, or what it needs, is not installed.

    Example:
        >>> store_at("memory://runs").location
        'memory://runs'
    """
    if not isinstance(where, (str, os.PathLike)):
        raise InvalidType(
            f"a store is at a path or a URL; got {where!r} of type {type(where).__name__}"
        )
    path = os.fspath(where)
    if isinstance(path, str) and path.startswith("file://"):
        path = path.removeprefix("file://")
    elif _URL.match(path):
        return FsspecStore(path)
    folder = Path(path)
    if create:
        try:
            make_folder(folder)
        except OSError as error:
            raise SaveFailed(
                f"cannot make the folder {path}: {error.strerror}", str(path), error.errno
            ) from error
    elif not folder.is_dir():
        what = "is no folder" if folder.exists() else "does not exist"
        raise NoCheckpoint(f"there are no checkpoints in {path}: it {what}", file=path)
    return LocalStore(folder, atomic)


def store_and_name(where: str | os.PathLike[str]) -> tuple[Store, str]:
    """Return the store that a file is in, and its name.

    Args:
        where: a file or a folder, as a path or a URL.

    Returns:
        The store and the file's name, which is empty where ``where`` is a folder.

    Raises:
        NoCheckpoint: when there is no such folder, or none that the file could be in.

    Example:
        >>> store, name = store_and_name("memory://runs/today")
        >>> store.location, name
        ('memory://runs/today', '')
    """
    path = os.fspath(where)
    url = _URL.match(path)
    if not url or url[0] == "file://":
        local = Path(path.removeprefix("file://"))
        if local.is_dir():
            return store_at(local), ""
        return store_at(local.parent), local.name
    folder, _, name = path.rstrip("/").rpartition("/")
    if len(folder) > url.end():
        store = store_at(folder)
        if store.exists(name) or store.exists(filenames.manifest_of(name)):
            return store, name
    return store_at(path), ""
