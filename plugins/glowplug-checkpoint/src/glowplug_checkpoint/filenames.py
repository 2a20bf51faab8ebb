"""What files are called.

Owns: which names a checkpoint may have, and the names of its manifest and of temporary files.
Must not know: how anything is stored, or what is in it.
"""

from __future__ import annotations

import os
import re
import secrets
import socket

from glowplug.errors import InvalidArgument, InvalidType

MANIFEST = ".manifest.json"
PENDING = MANIFEST + ".pending"
_TEMPORARY = re.compile(r"\..+\.(?P<host>[\w-]+)-\d+-[0-9a-f]{12}\.tmp")
_LONGEST_STEM = 100  # of the at most 255 bytes that a name may have; the host's takes up to 64


def checked(name: str) -> str:
    """Return a file's name as it is, if it is one.

    Args:
        name: a file's name, without a folder.

    Raises:
        InvalidType: when it is no string.
        InvalidArgument: when it is empty, has a folder in it or is kept for this package's files.
    """
    if not isinstance(name, str):
        raise InvalidType(
            f"a checkpoint's name is a string; got {name!r} of type {type(name).__name__}"
        )
    if name in ("", ".", "..") or set(name) & {"/", "\\", "\0"}:
        raise InvalidArgument(
            f"a checkpoint's name is a file's name without a folder; got {name!r}: give the folder "
            "to the store"
        )
    if is_temporary(name):
        raise InvalidArgument(
            f"{name!r} is a name of the temporary files of glowplug-checkpoint, which are removed "
            "when their writer is gone; give another"
        )
    return name


def checkpoint_name(name: str) -> str:
    """Return a checkpoint's name as it is, if it is one.

    Args:
        name: a file's name, without a folder.

    Raises:
        InvalidType: when it is no string.
        InvalidArgument: when no file can have it, or it is a manifest's.
    """
    if is_manifest(checked(name)):
        raise InvalidArgument(f"{name!r} is the name of a manifest; give the checkpoint another")
    return name


def manifest_of(name: str) -> str:
    """Return the name of a checkpoint's manifest."""
    return name + MANIFEST


def pending_of(name: str) -> str:
    """Return the name of the manifest of a checkpoint that is about to be put in place."""
    return name + PENDING


def is_manifest(name: str) -> bool:
    """Return whether a file of this name is a manifest, in place or pending."""
    return name.endswith((MANIFEST, PENDING))


def is_pending(name: str) -> bool:
    """Return whether a file of this name is a manifest that is pending."""
    return name.endswith(PENDING)


def described_by(name: str) -> str:
    """Return the name of the checkpoint that a manifest of this name is about."""
    return name.removesuffix(".pending").removesuffix(MANIFEST)


def temporary(name: str) -> str:
    """Return a new name for a temporary file, which says whose it is and what it is to become."""
    stem = name.encode()[:_LONGEST_STEM].decode(errors="ignore")
    return f".{stem}.{host()}-{os.getpid()}-{secrets.token_hex(6)}.tmp"


def is_temporary(name: str) -> bool:
    """Return whether a name is one that :func:`temporary` gave, on whatever machine."""
    return _TEMPORARY.fullmatch(name) is not None


def is_temporary_here(name: str) -> bool:
    """Return whether a name is one that :func:`temporary` gave on this machine."""
    found = _TEMPORARY.fullmatch(name)
    return found is not None and found["host"] == host()


def host() -> str:
    """Return this machine's name, with nothing in it that a file's name could not have."""
    return re.sub(r"[^\w-]", "_", socket.gethostname(), flags=re.ASCII)[:64] or "host"
