"""The file that a trace is written to.

Owns: a file of JSON that is whole after every write, packed or not, and what becomes of it where
writing fails.
Must not know: what is written.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from glowplug.errors import CannotWrite, InvalidType

LOGGER = logging.getLogger("glowplug_trace")
_GZIP = 31
"""What tells zlib to write the header and the sum of a gzip file."""
_CLOSING = b"\n]\n"


class TraceFile:
    r"""A JSON array of events that grows.

    Each write puts the closing bracket behind what is new, and the next one writes over it. So the
    file can be read at any time, after the process was killed too. It is open during a write only.

    Args:
        path: where it lies; with the suffix ``.gz`` it is packed.
        overwrite: whether a file that is there already is replaced.

    Raises:
        CannotWrite: when there is a file already, or none can be made.
        InvalidType: when ``path`` is no path.

    Example:
        >>> folder = getfixture("tmp_path")
        >>> file = TraceFile(folder / "trace.json")
        >>> file.append(['{"ph": "i"}', '{"ph": "E"}'])
        >>> (folder / "trace.json").read_text()
        '[\n{"ph": "i"},\n{"ph": "E"}\n]\n'
    """

    def __init__(self, path: str | PathLike[str], overwrite: bool = False) -> None:
        if not isinstance(path, (str, PathLike)):
            raise InvalidType(f"path must be a path, got {path!r} of type {type(path).__name__}")
        self.path = Path(path).absolute()  # whoever changes the working directory later
        self.gone = False
        self._packer = zlib.compressobj(wbits=_GZIP) if self.path.suffix == ".gz" else None
        self._end = 0
        self._is_empty = True
        text = self._packed(b"[")
        try:
            with self.path.open("wb" if overwrite else "xb") as file:
                file.write(text + self._tail())
        except FileExistsError:
            raise CannotWrite(
                f"{self.path} exists; give another path, or overwrite=True to replace it"
            ) from None
        except OSError as error:
            raise CannotWrite(
                f"the trace cannot be written to {self.path}: {error.strerror or error}; give the "
                "path of a file in a folder that exists and can be written to"
            ) from error
        self._end = len(text)

    def append(self, events: Sequence[str]) -> None:
        """Write events behind those that are there.

        Where this fails, as on a full disk, one line in the log says so, and nothing is written
        from then on: the run that is traced matters more than its trace.

        Args:
            events: objects in JSON, of ASCII characters.
        """
        if self.gone or not events:
            return
        text = self._packed(
            (("\n" if self._is_empty else ",\n") + ",\n".join(events)).encode("ascii")
        )
        try:
            with self.path.open("r+b") as file:
                file.seek(self._end)
                file.write(text + self._tail())
                file.truncate()
        except OSError as error:
            self.gone = True
            LOGGER.warning("the trace %s ends here (%s); the run goes on", self.path, error)
        self._end += len(text)
        self._is_empty = False

    def _packed(self, text: bytes) -> bytes:
        if self._packer is None:
            return text
        return self._packer.compress(text) + self._packer.flush(zlib.Z_SYNC_FLUSH)

    def _tail(self) -> bytes:
        """Return what makes the file whole, for now."""
        if self._packer is None:
            return _CLOSING
        packer = self._packer.copy()
        return packer.compress(_CLOSING) + packer.flush()
