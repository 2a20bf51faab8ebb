"""Content to bytes, and back.

Owns: the formats, and what a reader's errors mean.
Must not know: files on disks, manifests, or what a content is for.
"""

from __future__ import annotations

import pickle
import struct
from typing import Any, BinaryIO, Protocol

import torch

from glowplug.errors import InvalidArgument
from glowplug_checkpoint import safetensor_files, trees
from glowplug_checkpoint.errors import UnsafeContent
from glowplug_checkpoint.format_names import Format

UNREADABLE = (
    pickle.UnpicklingError,
    RuntimeError,
    EOFError,
    KeyError,
    ValueError,
    AttributeError,
    IndexError,
    OverflowError,
    struct.error,
)
"""What torch raises where it cannot make out a file, among other reasons."""
_REFUSED = ("nsupported global", "nsupported class", "whose module")


class Writable(Protocol):
    """What is written to."""

    def write(self, data: Any) -> int:
        """Write bytes, and return how many."""

    def flush(self) -> None:
        """Pass on what is held back."""


def write(content: Any, file: Writable, format: Format = Format.TORCH, **kwargs: Any) -> None:
    """Write a content.

    Args:
        content: a tree of dicts, lists, tuples, tensors and plain values. It is checked before
            anything is written.
        file: what to write to.
        format: how.
        kwargs: for ``torch.save``.

    Raises:
        UnsavableContent: when something in it could not be read back, by its path.
        InvalidArgument: when a keyword would make the file unreadable with ``weights_only=True``,
            or is given for a format that is not torch's.

    Example:
        >>> import io
        >>> file = io.BytesIO()
        >>> write({"epoch": 3}, file)
        >>> _ = file.seek(0)
        >>> read(file)
        {'epoch': 3}
    """
    _check_keywords(format, kwargs)
    if format is Format.SAFETENSORS:
        safetensor_files.write(content, file)
        return
    trees.check(content)
    torch.save(content, file, **kwargs)  # type: ignore[arg-type]  # it writes and flushes, no more


def _check_keywords(format: Format, kwargs: dict[str, Any]) -> None:
    if format is not Format.TORCH and kwargs:
        raise InvalidArgument(
            f"{', '.join(kwargs)}: keywords of torch.save, and the format is {format.value!r}"
        )
    for name, readable in (("pickle_protocol", 2), ("pickle_module", pickle)):
        if kwargs.get(name, readable) != readable:
            raise InvalidArgument(
                f"{name}={kwargs[name]!r} makes a file that torch.load(weights_only=True) does not "
                "read; leave it out"
            )


def read(
    file: BinaryIO,
    format: Format | None = None,
    map_location: Any = None,
    weights_only: bool = True,
) -> Any:
    """Read a content.

    Args:
        file: open for reading, at its beginning.
        format: how it was written; None to find out.
        map_location: where tensors go, as ``torch.load`` takes it. Without it they go to the device
            that they were on in torch's format, and to the CPU in that of safetensors.
        weights_only: False to let the file run code, which only a file that you trust may.

    Raises:
        UnsafeContent: when the file holds what ``weights_only=True`` refuses.
        DamagedCheckpoint: when a file of safetensors is none. What torch cannot read ends in
            one of torch's errors: it may be the file, and may be the device or the memory.
        InvalidArgument: when ``map_location`` cannot be used for the format.
    """
    if (format or sniff(file)) is Format.SAFETENSORS:
        return safetensor_files.read(file, map_location)
    try:
        return torch.load(file, map_location=map_location, weights_only=weights_only)
    except pickle.UnpicklingError as error:
        if weights_only and any(sign in str(error) for sign in _REFUSED):
            raise UnsafeContent(
                f"it holds what weights_only=True does not read ({reason(error)}); weights_only="
                "False reads it, and runs whatever code it holds: for a file that you trust alone"
            ) from error
        raise


def reason(error: Exception) -> str:
    """Return the line of one of torch's errors that says what is wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if "rror:" in line] or lines or [type(error).__name__]
    return telling[0].removeprefix("WeightsUnpickler error: ")[:200]


def sniff(file: BinaryIO) -> Format:
    """Return the format of a file by its first bytes, and go back to its beginning.

    Args:
        file: open for reading, at its beginning.
    """
    head = file.read(9)
    file.seek(0)
    return Format.SAFETENSORS if head[8:9] == b"{" else Format.TORCH
