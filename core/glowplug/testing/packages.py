"""A distribution as an installer leaves it, written straight into a folder.

Owns: the files of a distribution: its modules, and the metadata beside them.
Must not know: what is done with the folder, or what glowplug reads in it.
"""

from __future__ import annotations

import base64
import hashlib
import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from glowplug.errors import InvalidArgument, InvalidType
from glowplug.switches import normalise

Source: TypeAlias = str | type | Callable[..., Any]
"""The text of a module, or a class or function whose source is taken."""
Sources: TypeAlias = Source | Iterable[Source]

_NAME = re.compile(r"[A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9]", re.IGNORECASE)
_VERSION = re.compile(r"\d+(\.\d+)*([.+a-z]+\d*)*", re.IGNORECASE)


class Package:
    """What a distribution is made of, checked before a file is written.

    Args:
        name: the distribution's name.
        version: its version.
        modules: source by module name; ``"acme.nan"`` is a module of the package ``acme``.
        entry_points: targets by name, by group.
        requires: its requirements, as in ``Requires-Dist``.
        summary: its description in one line.

    Raises:
        InvalidArgument: for a name, a version or a module's name that no installer would take.
        InvalidType: for a source that is neither text nor an object with a source.

    Example:
        >>> package = Package("acme-nan", "1.0", {"acme_nan": "LIMIT = 3"}, {}, (), "")
        >>> package.info
        'acme_nan-1.0.dist-info'
    """

    def __init__(
        self,
        name: str,
        version: str,
        modules: Mapping[str, Sources],
        entry_points: Mapping[str, Mapping[str, str]],
        requires: Iterable[str],
        summary: str,
    ) -> None:
        if not _NAME.fullmatch(name):
            raise InvalidArgument(
                f"expected a distribution's name such as 'acme-nan'; got {name!r}"
            )
        if not _VERSION.fullmatch(version):
            raise InvalidArgument(f"expected a version such as '1.0'; got {version!r}")
        self.name, self.version = name, version
        self.files = _module_files({module: text_of(given) for module, given in modules.items()})
        self.info = f"{normalise(name).replace('-', '_')}-{version}.dist-info"
        head = [("Name", name), ("Version", version), ("Summary", summary)]
        head += [("Requires-Dist", requirement) for requirement in requires]
        shown = "".join(f"{key}: {value}\n" for key, value in head if value)
        self._metadata = f"Metadata-Version: 2.1\n{shown}"
        self._entry_points = "\n".join(_section(*group) for group in entry_points.items())

    def write(self, folder: Path) -> Path:
        """Write the files, and the record of them.

        Args:
            folder: what an installer would call ``site-packages``.

        Returns:
            The folder of the metadata.

        Raises:
            InvalidArgument: when another distribution has written one of the files.
        """
        files = {
            **self.files,
            f"{self.info}/METADATA": self._metadata,
            f"{self.info}/WHEEL": "Wheel-Version: 1.0\nGenerator: glowplug.testing\n"
            "Root-Is-Purelib: true\nTag: py3-none-any\n",
            f"{self.info}/entry_points.txt": self._entry_points,
            f"{self.info}/INSTALLER": "glowplug.testing\n",
        }
        taken = [name for name in files if (folder / name).exists()]
        if taken:
            raise InvalidArgument(f"{self.name}: another plugin has laid down {', '.join(taken)}")
        record = [_recorded(name, text) for name, text in files.items()]
        files[f"{self.info}/RECORD"] = "".join([*record, f"{self.info}/RECORD,,\n"])
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return folder / self.info


def text_of(sources: Sources) -> str:
    r"""Return the text of a module.

    Args:
        sources: text, a class or a function, or several of them, which follow one another. Of an
            object just its own source is taken: the imports that it needs are given as text.

    Raises:
        InvalidType: for anything else, and for an object whose source cannot be found.

    Example:
        >>> text_of(["import math", "TAU = math.tau"])
        'import math\n\n\nTAU = math.tau\n'
    """
    several = sources if isinstance(sources, (list, tuple)) else [sources]
    return "\n\n\n".join(_text(source).strip("\n") for source in several) + "\n"


def _text(source: Any) -> str:
    if isinstance(source, str):
        return textwrap.dedent(source)
    try:
        return textwrap.dedent(inspect.getsource(source))
    except (TypeError, OSError):
        raise InvalidType(
            "expected a module's source, as text or as a class or function that a file defines; "
            f"got {source!r} of type {type(source).__name__}"
        ) from None


def _module_files(modules: Mapping[str, str]) -> dict[str, str]:
    """Return the text of each file; a module that has others below it is a package."""
    files = {}
    for name, text in modules.items():
        parts = name.split(".")
        if not all(part.isidentifier() for part in parts):
            raise InvalidArgument(f"expected a module's name such as 'acme.nan'; got {name!r}")
        for end in range(1, len(parts)):
            parent = ".".join(parts[:end])
            files[f"{parent.replace('.', '/')}/__init__.py"] = modules.get(parent, "")
        path = name.replace(".", "/")
        below = any(other.startswith(f"{name}.") for other in modules)
        files[f"{path}/__init__.py" if below else f"{path}.py"] = text
    return files


def _section(group: str, entries: Mapping[str, str]) -> str:
    return f"[{group}]\n" + "".join(f"{name} = {target}\n" for name, target in entries.items())


def _recorded(name: str, text: str) -> str:
    content = text.encode("utf-8")
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(content)}\n"
