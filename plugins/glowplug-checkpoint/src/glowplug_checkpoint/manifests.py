"""What stands beside a checkpoint, about it.

Owns: a manifest as a value, as JSON, and which versions of that can be read.
Must not know: where it is kept, or how a checkpoint is read; torch.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from glowplug_checkpoint.errors import DamagedCheckpoint, NewerFormat
from glowplug_checkpoint.format_names import Format

FORMAT_VERSION = 1
"""The version of what is written."""
_VERSION, _OWN_SUM = "format_version", "manifest_sha256"


@dataclass(frozen=True)
class About:
    """What a checkpoint is of, which its content does not tell by itself.

    Args:
        iteration: the number done; None where it is not known.
        epoch: the number done or under way; None where it is not known.
        run: the id of the run; None where it has none.
        sequence: grows with every checkpoint of a folder, see
            :func:`~glowplug_checkpoint.next_sequence`.
        versions: the versions of what made it, by name.

    Example:
        >>> About(iteration=100, epoch=2, sequence=7).run is None
        True
    """

    iteration: int | None = None
    epoch: int | None = None
    run: str | None = None
    sequence: int = 0
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """What is known of a checkpoint without reading it.

    Args:
        file: the checkpoint's name.
        size: its bytes.
        sha256: its SHA-256, in hexadecimal digits.
        format: how it was written.
        iteration: the number done; None where it is not known.
        epoch: the number done or under way; None where it is not known.
        run: the id of the run; None where it has none.
        sequence: the later of two checkpoints of a folder has the larger.
        saved_at: when it was saved, in UTC as ISO 8601 has it; for people, as clocks go wrong.
        keys: what each path of the content holds, as ``"float32[10, 5]"`` or ``"int"``.
        versions: the versions of what made it, by name.
        extra: what a manifest has beside these, from whoever wrote it.
        format_version: the version of the manifest's format.

    Example:
        >>> manifest = Manifest("last.pt", 3, "00" * 32, Format.TORCH, iteration=100)
        >>> Manifest.parse(manifest.to_json()) == manifest
        True
    """

    file: str
    size: int
    sha256: str
    format: Format
    iteration: int | None = None
    epoch: int | None = None
    run: str | None = None
    sequence: int = 0
    saved_at: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    format_version: int = FORMAT_VERSION

    @property
    def age(self) -> tuple[int, int, str]:
        """What checkpoints are ordered by: the newest has the largest. No clock is in it."""
        return self.sequence, -1 if self.iteration is None else self.iteration, self.file

    def to_json(self) -> bytes:
        """Return the bytes of the file; ``manifest_sha256`` in it is of all the rest."""
        entries = {**asdict(self), "format": self.format.value}
        entries = {_VERSION: entries.pop(_VERSION), **entries.pop("extra"), **entries}
        entries[_OWN_SUM] = _sum(entries)
        return (json.dumps(entries, indent=1) + "\n").encode()

    @classmethod
    def parse(cls, data: bytes) -> Manifest:
        """Return the manifest in a file.

        Args:
            data: the file's bytes.

        Raises:
            NewerFormat: when a later version of glowplug-checkpoint wrote it.
            DamagedCheckpoint: when it is not what was written, or no manifest at all.
        """
        entries = _loaded(data)
        wanted = entries.pop(_OWN_SUM, None)
        got = _sum(entries)
        if wanted is not None and wanted != got:
            raise DamagedCheckpoint(
                "the manifest is damaged: its own SHA-256 should be "
                f"{str(wanted)[:12]}..., and is {got[:12]}..."
            )
        version = entries.pop(_VERSION, None)
        if isinstance(version, int) and version > FORMAT_VERSION:
            raise NewerFormat(
                f"the manifest is of version {version}, and this glowplug-checkpoint reads up to "
                f"{FORMAT_VERSION}{_written_by(entries)}: install a later glowplug-checkpoint"
            )
        named = {name: entries.pop(name) for name in _TYPES if name in entries}
        _check({_VERSION: version, **named})
        named["format"] = Format(named["format"])
        return cls(**named, format_version=version, extra=entries)


def _loaded(data: bytes) -> dict[str, Any]:
    try:
        entries = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DamagedCheckpoint(f"the manifest is no JSON ({error})") from error
    if not isinstance(entries, dict):
        raise DamagedCheckpoint(f"the manifest is a {type(entries).__name__}, not an object")
    return entries


def _written_by(entries: dict[str, Any]) -> str:
    versions = entries.get("versions")
    writer = versions.get("glowplug-checkpoint") if isinstance(versions, dict) else None
    return f" (glowplug-checkpoint {writer} wrote it)" if writer else ""


def _sum(entries: Mapping[str, Any]) -> str:
    text = json.dumps(entries, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


_NONE = type(None)
_TYPES: Mapping[str, tuple[type, ...]] = {
    "file": (str,),
    "size": (int,),
    "sha256": (str,),
    "format": (str,),
    "iteration": (int, _NONE),
    "epoch": (int, _NONE),
    "run": (str, _NONE),
    "sequence": (int,),
    "saved_at": (str,),
    "keys": (dict,),
    "versions": (dict,),
}
_NEEDED = ("file", "size", "sha256", "format")


def _check(entries: Mapping[str, Any]) -> None:
    wrong = [f"{name} is missing" for name in _NEEDED if name not in entries]
    for name, value in entries.items():
        types = _TYPES.get(name, (int,))
        if type(value) not in types:
            names = " or ".join("null" if kind is _NONE else kind.__name__ for kind in types)
            wrong.append(f"{name} is {value!r}, expected {names}")
    formats = [format.value for format in Format]
    if not wrong and entries["format"] not in formats:
        wrong.append(f"format is {entries['format']!r}, expected {' or '.join(formats)}")
    if wrong:
        raise DamagedCheckpoint(f"the manifest is no manifest: {'; '.join(wrong)}")
