"""Checkpoints for glowplug that survive kills, full disks and broken files.

Owns: the public names of this distribution.
Must not know: what its modules do.

A name is imported when it is first asked for, so that ``glowplug ckpt list`` does without torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glowplug_checkpoint.background import BackgroundSaver
    from glowplug_checkpoint.background_entering import SlowSavingWarning
    from glowplug_checkpoint.checkpoint import Checkpoint
    from glowplug_checkpoint.checkpoint_saves import NameTaken
    from glowplug_checkpoint.commands import ckpt
    from glowplug_checkpoint.errors import (
        CheckpointError,
        CheckpointWarning,
        DamagedCheckpoint,
        FallbackWarning,
        LoadFailed,
        MissingLibrary,
        NewerFormat,
        NoCheckpoint,
        SaveFailed,
        SeveralRunsWarning,
        UnsafeContent,
        UnsavableContent,
        UnverifiedWarning,
    )
    from glowplug_checkpoint.events import CheckpointEvents
    from glowplug_checkpoint.files import load, remove, save
    from glowplug_checkpoint.folders import checkpoints, load_newest, next_sequence
    from glowplug_checkpoint.following import InexactWarning, follow
    from glowplug_checkpoint.format_names import Format
    from glowplug_checkpoint.local import LocalStore
    from glowplug_checkpoint.manifests import About, Manifest
    from glowplug_checkpoint.model_checkpoint import ModelCheckpoint
    from glowplug_checkpoint.objects_loading import StateRefused
    from glowplug_checkpoint.remote import FsspecStore
    from glowplug_checkpoint.resuming import Resume, Resumed, resume
    from glowplug_checkpoint.savers import BaseSaveHandler, SaveUnderWay
    from glowplug_checkpoint.savers_disk import DiskSaver
    from glowplug_checkpoint.steps import global_step_from_engine
    from glowplug_checkpoint.stores import Draft, Store, store_at

__all__ = [
    "About",
    "BackgroundSaver",
    "BaseSaveHandler",
    "Checkpoint",
    "CheckpointError",
    "CheckpointEvents",
    "CheckpointWarning",
    "DamagedCheckpoint",
    "DiskSaver",
    "Draft",
    "FallbackWarning",
    "Format",
    "FsspecStore",
    "InexactWarning",
    "LoadFailed",
    "LocalStore",
    "Manifest",
    "MissingLibrary",
    "ModelCheckpoint",
    "NameTaken",
    "NewerFormat",
    "NoCheckpoint",
    "Resume",
    "Resumed",
    "SaveFailed",
    "SaveUnderWay",
    "SeveralRunsWarning",
    "SlowSavingWarning",
    "StateRefused",
    "Store",
    "UnsafeContent",
    "UnsavableContent",
    "UnverifiedWarning",
    "checkpoints",
    "ckpt",
    "follow",
    "global_step_from_engine",
    "load",
    "load_newest",
    "next_sequence",
    "remove",
    "resume",
    "save",
    "store_at",
]

_MODULES = {
    "background": ("BackgroundSaver",),
    "background_entering": ("SlowSavingWarning",),
    "checkpoint": ("Checkpoint",),
    "checkpoint_saves": ("NameTaken",),
    "commands": ("ckpt",),
    "errors": (
        "CheckpointError",
        "CheckpointWarning",
        "DamagedCheckpoint",
        "FallbackWarning",
        "LoadFailed",
        "MissingLibrary",
        "NewerFormat",
        "NoCheckpoint",
        "SaveFailed",
        "SeveralRunsWarning",
        "UnsafeContent",
        "UnsavableContent",
        "UnverifiedWarning",
    ),
    "events": ("CheckpointEvents",),
    "files": ("load", "remove", "save"),
    "following": ("InexactWarning", "follow"),
    "folders": ("checkpoints", "load_newest", "next_sequence"),
    "format_names": ("Format",),
    "local": ("LocalStore",),
    "manifests": ("About", "Manifest"),
    "model_checkpoint": ("ModelCheckpoint",),
    "objects_loading": ("StateRefused",),
    "remote": ("FsspecStore",),
    "resuming": ("Resume", "Resumed", "resume"),
    "savers": ("BaseSaveHandler", "SaveUnderWay"),
    "savers_disk": ("DiskSaver",),
    "steps": ("global_step_from_engine",),
    "stores": ("Draft", "Store", "store_at"),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
