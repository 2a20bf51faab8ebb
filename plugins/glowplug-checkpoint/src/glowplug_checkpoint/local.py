"""Files in a folder of this machine.

Owns: how a file gets onto a disk whole or not at all, and what a killed process leaves behind.
Must not know: what the files hold, or any other kind of store.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from glowplug_checkpoint import filenames

try:
    import fcntl
except ImportError:  # as on Windows
    fcntl = None  # type: ignore[assignment]  # a module, or none

_log = logging.getLogger(__name__)
_NO_SYNC_OF_FOLDERS = {errno.EINVAL, errno.EBADF, errno.ENOTSUP, errno.ENOSYS}


class LocalDraft:
    """A file on a disk that is being written.

    Args:
        file: open for writing and reading.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._synced = False

    def write(self, data: Any) -> int:
        """Write bytes at the end, and return how many."""
        self._synced = False
        return self._file.write(data)

    def flush(self) -> None:
        """Pass on what is held back to the operating system."""
        self._file.flush()

    def sync(self) -> None:
        """Wait until all of it is on the disk."""
        if not self._synced:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._synced = True

    @contextmanager
    def stored(self) -> Iterator[BinaryIO]:
        """Bring all of it to the disk, and yield it for reading from its beginning."""
        self.sync()
        if hasattr(os, "posix_fadvise"):
            # What is read now shall come from the disk, and not from memory.
            with suppress(OSError):
                os.posix_fadvise(self._file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        self._file.seek(0)
        yield self._file


class LocalStore:
    """The files of a folder on this machine.

    A file is written under a temporary name, brought to the disk (``fsync``), given its name
    (``rename``), and the folder is brought to the disk as well. Whatever happens in between, a name
    stands for a whole file: the old one or the new one.

    A process that is killed leaves its temporary file. Whoever next writes through a new store of
    the same folder, on the same machine, removes it; one whose writer lives is locked (``flock``),
    and stays.

    Args:
        folder: an existing folder.
        atomic: False to write files in place, for a file system that cannot rename; a file whose
            writing is cut off is then damaged.

    Example:
        >>> import tempfile
        >>> store = LocalStore(tempfile.mkdtemp())
        >>> with store.create("greeting") as file:
        ...     file.write(b"hello")
        5
        >>> store.names()
        ['greeting']
    """

    def __init__(self, folder: str | os.PathLike[str], atomic: bool = True) -> None:
        self.location = os.fspath(folder)
        self.atomic = atomic
        self._folder = Path(folder)
        self._swept = False

    def names(self) -> list[str]:
        """Return the names of the files, sorted; temporary ones are left out."""
        with os.scandir(self._folder) as entries:
            files = [entry.name for entry in entries if entry.is_file()]
        return sorted(name for name in files if not filenames.is_temporary(name))

    def stamps(self) -> dict[str, object]:
        """Return which file each name stands for, how large it is, and when it was written."""
        found: dict[str, object] = {}
        for name in self.names():
            with suppress(FileNotFoundError):  # another process has removed it meanwhile
                status = os.stat(self._folder / name)
                found[name] = (status.st_ino, status.st_size, status.st_mtime_ns)
        return found

    @contextmanager
    def create(self, name: str) -> Iterator[LocalDraft]:
        """Yield a file to write to, which gets its name when the block ends well."""
        path = self._path(name)
        if not self._swept:
            self._sweep()
            self._swept = True
        temporary, file = self._temporary(name) if self.atomic else (path, path.open("w+b"))
        try:
            with file:
                draft = LocalDraft(file)
                yield draft
                draft.sync()
                # Renamed while it is open, so that it is locked for as long as it is temporary.
                if self.atomic:
                    os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        sync_folder(self._folder)

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Yield a file for reading."""
        with self._path(name).open("rb") as file:
            yield file

    def rename(self, old: str, new: str) -> None:
        """Give a file another name at one stroke; a file that had it goes."""
        if self.atomic:
            os.replace(self._path(old), self._path(new))
        else:
            with self.open(old) as source, self.create(new) as target:
                shutil.copyfileobj(source, target)
            self._path(old).unlink()
        sync_folder(self._folder)

    def remove(self, name: str) -> None:
        """Remove a file."""
        self._path(name).unlink()
        sync_folder(self._folder)

    def exists(self, name: str) -> bool:
        """Return whether there is a file of this name."""
        return self._path(name).is_file()

    def size(self, name: str) -> int:
        """Return the bytes of a file."""
        return self._path(name).stat().st_size

    def free(self) -> int | None:
        """Return how many bytes the disk has room for; None where the system does not tell."""
        try:
            return shutil.disk_usage(self._folder).free
        except OSError:
            return None

    def where(self, name: str) -> str:
        """Return the path of a file."""
        return str(self._folder / name)

    def _path(self, name: str) -> Path:
        return self._folder / filenames.checked(name)

    def _temporary(self, name: str) -> tuple[Path, BinaryIO]:
        while True:
            path = self._folder / filenames.temporary(name)
            file = path.open("x+b")
            if not _locked(file):
                return path, file
            # Between its making and its locking somebody who sweeps the folder was quicker.
            file.close()

    def _sweep(self) -> None:
        """Remove the temporary files of processes of this machine that are gone."""
        if fcntl is None:
            return
        with os.scandir(self._folder) as entries:
            paths = [entry.path for entry in entries if filenames.is_temporary_here(entry.name)]
        for path in paths:
            with suppress(OSError), open(path, "r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(path)
                _log.info("removed %s, which a process that is gone left behind", path)


def sync_folder(folder: Path) -> None:
    """Bring to the disk which files a folder has, and what they are called."""
    if os.name == "nt":  # Windows opens no folders
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    except OSError as error:
        if error.errno not in _NO_SYNC_OF_FOLDERS:
            raise
    finally:
        os.close(number)


def _locked(file: BinaryIO) -> bool:
    """Lock a new file, and return whether somebody else had."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # the file system has no locks, and so nobody sweeps it
        return False
    return os.fstat(file.fileno()).st_nlink == 0


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, so that they outlive a power cut."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in missing:
        sync_folder(path.parent)
