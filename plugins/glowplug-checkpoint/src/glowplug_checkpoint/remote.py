"""Files at any URL that fsspec knows.

Owns: reading and writing them through fsspec, and that a file appears whole or not at all.
Must not know: what the files hold, or folders of this machine.
"""

from __future__ import annotations

import errno
import io
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any, BinaryIO, cast

from glowplug_checkpoint import filenames
from glowplug_checkpoint.errors import MissingLibrary

HELD_IN_MEMORY = 4 * 2**20
"""Files of at most this many bytes are not copied to this machine's disk to be read."""


class RemoteDraft:
    """A file that is being uploaded, under a temporary name.

    Args:
        fs: fsspec's file system.
        path: where to, as ``fs`` has it.
    """

    def __init__(self, fs: Any, path: str) -> None:
        self._fs = fs
        self._path = path
        self._file = fs.open(path, "wb")

    def write(self, data: Any) -> int:
        """Write bytes at the end, and return how many."""
        with _as_os_error(self._path):
            self._file.write(data)
        return memoryview(data).nbytes

    def flush(self) -> None:
        """Do nothing: a file is uploaded when it is complete."""

    @contextmanager
    def stored(self) -> Iterator[BinaryIO]:
        """Complete the upload, and yield the file as it is stored, for reading."""
        self.complete()
        with _as_os_error(self._path), self._fs.open(self._path, "rb") as file:
            yield file

    def complete(self) -> None:
        """End the upload; what is written afterwards is an error."""
        with _as_os_error(self._path):
            self._file.close()

    def discard(self) -> None:
        """Remove what was uploaded, as far as that is possible."""
        # The error that led here is the one to be told, and often there is nothing to remove.
        with suppress(Exception):
            # An upload in parts is given up where the file system knows how to.
            getattr(self._file, "discard", self._file.close)()
        with suppress(Exception):
            self._fs.rm_file(self._path)


_VERSIONS = ("etag", "ETag", "generation", "mtime", "last_modified", "LastModified", "ino")
"""What systems call that which another version of a file has another of."""


def _stamp(entry: Mapping[str, Any]) -> object:
    """Return what tells two versions of a file apart, None where the system tells nothing."""
    versions = [str(entry[key]) for key in _VERSIONS if entry.get(key) is not None]
    return (entry.get("size"), *versions) if versions else None


class FsspecStore:
    """The files of one folder at a URL.

    A file is uploaded under a temporary name and moved to its own when it is complete. How lasting
    and how sudden that is, is for the file system behind the URL to say; an upload that was killed
    leaves its temporary file, which is not listed and harms nothing.

    Args:
        url: the folder, as fsspec takes it.
        options: for the file system behind the URL.

    Raises:
        MissingLibrary: when fsspec, or what it needs for this URL, is not installed.
        InvalidArgument: when a name is not one that a file can have; so do all methods.

    Example:
        >>> store = FsspecStore("memory://an-example")
        >>> with store.create("greeting") as file:
        ...     file.write(b"hello")
        5
        >>> store.names()
        ['greeting']
    """

    def __init__(self, url: str, **options: Any) -> None:
        self.location = url
        try:
            core: Any = import_module("fsspec.core")  # an extra, which only a URL needs
        except ImportError as error:
            raise MissingLibrary(
                f"{url!r} is a URL, which takes the library fsspec: "
                "pip install 'glowplug-checkpoint[fsspec]'",
                file=url,
                name="fsspec",
            ) from error
        try:
            self._fs, root = core.url_to_fs(url, **options)
        except ImportError as error:
            raise MissingLibrary(f"fsspec cannot reach {url!r}: {error}", file=url) from error
        self._root = root.rstrip("/")

    def names(self) -> list[str]:
        """Return the names of the files, sorted; temporary ones are left out."""
        return sorted(self._listed())

    def stamps(self) -> dict[str, object]:
        """Return the size of each file with what the system tells of its version, or None."""
        return {name: _stamp(entry) for name, entry in self._listed().items()}

    def _listed(self) -> dict[str, dict[str, Any]]:
        """Return what the system tells of each file, by its name."""
        self._fs.invalidate_cache(self._root)
        with _as_os_error(self._root):
            try:
                found = self._fs.ls(self._root, detail=True)
            except FileNotFoundError:  # an object store has no empty folders
                return {}
        files = {e["name"].rpartition("/")[2]: e for e in found if e["type"] == "file"}
        return {name: entry for name, entry in files.items() if not filenames.is_temporary(name)}

    @contextmanager
    def create(self, name: str) -> Iterator[RemoteDraft]:
        """Yield a file to write to, which gets its name when the block ends well."""
        path, temporary = self._path(name), self._path_of(filenames.temporary(name))
        with _as_os_error(path):
            self._fs.makedirs(self._root, exist_ok=True)
            draft = RemoteDraft(self._fs, temporary)
        try:
            yield draft
            draft.complete()
            self._move(temporary, path)
        except BaseException:
            draft.discard()
            raise

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Yield a file for reading, from a copy on this machine, so that it can be read twice."""
        path = self._path(name)
        with _as_os_error(path):
            small = (self._fs.size(path) or 0) <= HELD_IN_MEMORY
        with cast(BinaryIO, io.BytesIO() if small else tempfile.TemporaryFile()) as copy:
            with _as_os_error(path), self._fs.open(path, "rb") as file:
                shutil.copyfileobj(file, copy, 2**20)
            copy.seek(0)
            yield copy

    def rename(self, old: str, new: str) -> None:
        """Give a file another name; a file that had it goes."""
        self._move(self._path(old), self._path(new))

    def remove(self, name: str) -> None:
        """Remove a file."""
        with _as_os_error(self._path(name)):
            self._fs.rm_file(self._path(name))

    def exists(self, name: str) -> bool:
        """Return whether there is a file of this name."""
        with _as_os_error(self._path(name)):
            return bool(self._fs.isfile(self._path(name)))

    def size(self, name: str) -> int:
        """Return the bytes of a file."""
        with _as_os_error(self._path(name)):
            return int(self._fs.size(self._path(name)))

    def free(self) -> None:
        """Return None: nobody tells how much room there is at a URL."""

    def where(self, name: str) -> str:
        """Return the URL of a file."""
        return f"{self.location.rstrip('/')}/{name}"

    def _path(self, name: str) -> str:
        return self._path_of(filenames.checked(name))

    def _path_of(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _move(self, old: str, new: str) -> None:
        with _as_os_error(new):
            self._fs.mv(old, new)


@contextmanager
def _as_os_error(path: str) -> Iterator[None]:
    """Turn what the libraries of file systems raise into what ``open`` would raise."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise OSError(errno.EIO, reason, path) from error
