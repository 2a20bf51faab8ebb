"""Checkpoints whose name carries their hash.

Owns: the form of a hashed name.
Must not know: what a checkpoint holds.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from glowplug.errors import GlowplugError


class MissingCheckpoint(GlowplugError, FileNotFoundError):
    """There is no checkpoint at the path that was given."""


def hash_checkpoint(
    checkpoint_path: str | os.PathLike[str], output_dir: str | os.PathLike[str]
) -> tuple[Path, str]:
    """Copy a checkpoint to a name that ends in the first digits of its hash.

    ``best.pt`` becomes ``best-a50465cb.pt``, a name that ``torch.hub.load_state_dict_from_url``
    can check with ``check_hash=True``. The original stays where it is.

    Args:
        checkpoint_path: the file.
        output_dir: the folder of the copy; it is made where it is missing.

    Returns:
        The path of the copy, and its SHA-256 as 64 hexadecimal digits.

    Raises:
        MissingCheckpoint: when there is no such file; a FileNotFoundError too.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> torch_file = folder / "best.pt"
        >>> _ = torch_file.write_bytes(b"weights")
        >>> copy, digest = hash_checkpoint(torch_file, folder / "public")
        >>> copy.name == f"best-{digest[:8]}.pt"
        True
    """
    source = Path(checkpoint_path)
    if not source.is_file():
        raise MissingCheckpoint(f"there is no checkpoint file at {str(source)!r} to hash")
    digest = hashlib.sha256()
    with source.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    hexadecimal = digest.hexdigest()
    folder = Path(output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{source.stem}-{hexadecimal[:8]}{source.suffix}"
    shutil.copyfile(source, target)
    return target, hexadecimal
