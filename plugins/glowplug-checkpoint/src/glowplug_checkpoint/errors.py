"""What can go wrong with a checkpoint.

Owns: the errors and the warnings of this distribution, as types that carry prose and data.
Must not know: anything else of this distribution; this is its lowest rung.
"""

from __future__ import annotations

from glowplug.errors import GlowplugError, GlowplugWarning


class CheckpointError(GlowplugError):
    """The base of every error about a checkpoint.

    Attributes:
        file: the checkpoint's file or folder, as a path or a URL; empty where none is meant.
    """

    def __init__(self, message: str, file: str = "") -> None:
        super().__init__(message)
        self.file = file


class SaveFailed(CheckpointError, OSError):
    """A checkpoint could not be written; what was there before still is, unless this says more.

    Attributes:
        file: the file that was to be written.
        errno: the operating system's number for the reason; None where it gave none.
    """

    def __init__(self, message: str, file: str = "", errno: int | None = None) -> None:
        super().__init__(message, file)
        self.errno = errno


class LoadFailed(CheckpointError, OSError):
    """A checkpoint is there and cannot be read, as the operating system says.

    Attributes:
        file: the file that was to be read.
        errno: the operating system's number for the reason; None where it gave none.
    """

    def __init__(self, message: str, file: str = "", errno: int | None = None) -> None:
        super().__init__(message, file)
        self.errno = errno


class DamagedCheckpoint(CheckpointError, ValueError):
    """A file, or its manifest, is not what was written."""


class NoCheckpoint(CheckpointError, FileNotFoundError):
    """There is no checkpoint where one was looked for, or none that can be loaded."""


class NewerFormat(CheckpointError, ValueError):
    """A manifest was written by a later glowplug-checkpoint, in a format that this one lacks."""


class UnsavableContent(CheckpointError, TypeError):
    """Something in the content could not be read back with ``weights_only=True``.

    Attributes:
        path: where it is in the content, such as ``optimizer.state.0.foo``.
    """

    def __init__(self, message: str, file: str = "", path: str = "") -> None:
        super().__init__(message, file)
        self.path = path


class UnsafeContent(CheckpointError, ValueError):
    """A file holds what ``weights_only=True`` does not read, because it could run code."""


class MissingLibrary(CheckpointError, ImportError):
    """A library is not installed that an extra of glowplug-checkpoint brings.

    Attributes:
        name: the library.
    """

    def __init__(self, message: str, file: str = "", name: str = "") -> None:
        super().__init__(message, file)
        self.name = name


class CheckpointWarning(GlowplugWarning):
    """The base of every warning about checkpoints."""


class FallbackWarning(CheckpointWarning):
    """An older checkpoint was loaded, because newer ones are damaged."""


class UnverifiedWarning(CheckpointWarning):
    """A file was loaded that has no manifest, so nothing tells whether it is what was saved."""


class SeveralRunsWarning(CheckpointWarning):
    """A folder holds checkpoints of several runs, and the newest run's was taken."""
