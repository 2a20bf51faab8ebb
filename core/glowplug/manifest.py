"""What the installed distributions declare, read without importing any of them.

Owns: the scan of the metadata of distributions, and what one of them declares.
Must not know: which plugins are switched off, or what a plugin does.

``importlib.metadata.entry_points()`` would read every distribution in one go, so that one malformed
file anywhere breaks them all. The scan reads them one at a time instead.
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from os.path import basename, realpath
from typing import Any, TypeAlias

from glowplug.components import Component, Kind, parse_target
from glowplug.errors import GlowplugError, did_you_mean
from glowplug.switches import normalise

Distribution: TypeAlias = Any
"""A distribution as importlib.metadata describes it, or its backport; their types differ."""
HOOK_GROUP = "glowplug"
_KINDS = {kind.group: kind for kind in Kind}


@dataclass(frozen=True)
class Manifest:
    """What one distribution declares.

    Args:
        name: the distribution's name, which is the plugin's, normalised as PEP 503 says.
        version: its version.
        summary: its description in one line.
        metadata: the folder of its metadata; empty where it has none on disk.
        hooks: its hook plugins, as ``"module"`` or ``"module:object"``.
        components: what it offers through entry points.
        unknown_groups: groups of entry points that look like glowplug's and are not.
        error: why it could not be read, or empty.
        twins: what else is installed under the same name, later on the path, and so never used.
    """

    name: str
    version: str
    summary: str = ""
    metadata: str = ""
    hooks: tuple[str, ...] = ()
    components: tuple[Component, ...] = ()
    unknown_groups: tuple[str, ...] = ()
    error: str = ""
    twins: tuple[Manifest, ...] = ()

    @property
    def is_plugin(self) -> bool:
        """Whether this has anything to do with glowplug."""
        declared = (self.hooks, self.components, self.unknown_groups, self.error)
        return any(declared) or any(twin.is_plugin for twin in self.twins)

    @property
    def rivals(self) -> tuple[Manifest, ...]:
        """The twins that are another installation, to be uninstalled."""
        # An editable installation leaves metadata of its own beside the sources.
        return tuple(
            twin
            for twin in self.twins
            if twin.version != self.version or ".egg-info" not in self.metadata + twin.metadata
        )

    @property
    def location(self) -> str:
        """The folder it is installed in, or for an editable installation the source's."""
        import json  # only those who show a plugin need these three
        from pathlib import Path
        from urllib.parse import unquote

        if not self.metadata:
            return ""
        folder = Path(self.metadata)
        try:
            direct = json.loads((folder / "direct_url.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return str(folder.parent)
        editable = direct.get("dir_info", {}).get("editable", False)
        source = unquote(str(direct.get("url", "")).removeprefix("file://"))
        return f"{source} (editable)" if editable else str(folder.parent)


@dataclass(frozen=True)
class Scan:
    """What was found on a path.

    Args:
        manifests: the plugins, sorted by name, so that every process sees one order.
        leftovers: folders that an interrupted pip left behind, which are ignored.
    """

    manifests: tuple[Manifest, ...] = ()
    leftovers: tuple[str, ...] = ()


def scan(path: Sequence[str] | None = None) -> Scan:
    """Read what the distributions on a path declare.

    Args:
        path: folders in the order of ``sys.path``, which is the default.

    Returns:
        The plugins among them. The first distribution of a name wins, as it does at an import.
    """
    found: dict[str, list[Manifest]] = {}
    leftovers = set()
    for distribution in _distributions(path):
        folder = _folder(distribution)
        manifest = _read(distribution, folder)
        if basename(folder).startswith("~"):
            leftovers |= {folder} if manifest.is_plugin else set()
            continue
        same_name = found.setdefault(manifest.name, [])
        if not any(_same_place(folder, other.metadata) for other in same_name):
            same_name.append(manifest)
    plugins = (replace(first, twins=tuple(twins)) for first, *twins in found.values())
    return Scan(
        tuple(sorted((p for p in plugins if p.is_plugin), key=lambda plugin: plugin.name)),
        tuple(sorted(leftovers)),
    )


_installed: Scan | None = None
_lock = threading.Lock()


def installed() -> Scan:
    """Return the scan of ``sys.path``, which is made once a process."""
    global _installed
    with _lock:
        if _installed is None:
            _installed = scan()
        return _installed


def forget() -> None:
    """Let the next ``installed()`` scan anew."""
    global _installed
    with _lock:
        _installed = None


def library() -> Any:
    """Return ``importlib.metadata``, or its backport on a Python before 3.12."""
    # Costs 20 ms and more, so it is imported when something is scanned and not before.
    if sys.version_info >= (3, 12):
        from importlib import metadata
    else:
        import importlib_metadata as metadata
    return metadata


def _distributions(path: Sequence[str] | None) -> Iterator[Distribution]:
    context: dict[str, Any] = {} if path is None else {"path": list(path)}
    yield from library().distributions(**context)


def _folder(distribution: Distribution) -> str:
    # No public attribute tells where the metadata lies; pip reads this one too.
    return str(getattr(distribution, "_path", ""))


def _same_place(one: str, other: str) -> bool:
    # A folder can be on the path twice, and lib64 can be a link to lib.
    return realpath(one) == realpath(other)


def _read(distribution: Distribution, folder: str) -> Manifest:
    # The folder's name tells name and version without a parse of METADATA, which takes 0.4 ms each.
    stem = re.match(
        r"~?(?P<name>[^-]+)(-(?P<version>[^-]+))?.*\.(dist|egg)-info$", basename(folder)
    )
    name, version = (stem["name"], stem["version"] or "") if stem else ("", "")
    try:
        if not stem:
            name = distribution.metadata.get("Name") or ""
        entry_points = list(_entry_points(distribution))
        if not entry_points:
            return Manifest(normalise(name), version, metadata=folder)
        metadata = distribution.metadata
        about = (metadata.get("Version") or version, metadata.get("Summary") or "")
        return _declared(Manifest(normalise(name), *about, metadata=folder), entry_points)
    except Exception as error:  # whatever is wrong with one distribution must not break the others
        what = (
            str(error) if isinstance(error, GlowplugError) else f"{type(error).__name__}: {error}"
        )
        return Manifest(normalise(name or folder), version, metadata=folder, error=what)


def _entry_points(distribution: Distribution) -> Iterator[tuple[str, str, str]]:
    # The parser of importlib.metadata drops what stands before the first section without a word.
    text = distribution.read_text("entry_points.txt") or ""
    lines = (line.strip() for line in text.splitlines())
    first = next((line for line in lines if line and not line.startswith("#")), "[]")
    if not (first.startswith("[") and first.endswith("]")):
        raise ValueError(f"expected a section such as [glowplug.handlers]; got {first!r}")
    for entry_point in distribution.entry_points:
        if f"{entry_point.group}.".startswith(f"{HOOK_GROUP}."):
            yield entry_point.group, entry_point.name, entry_point.value


def _declared(manifest: Manifest, entry_points: list[tuple[str, str, str]]) -> Manifest:
    hooks, components, unknown = [], [], []
    for group, name, value in entry_points:
        if group == HOOK_GROUP:
            parse_target(value)
            hooks.append(value)
        elif group in _KINDS:
            components.append(Component(_KINDS[group], name, value))
        else:
            unknown.append(f"{group!r}{did_you_mean(group, _KINDS)}")
    return replace(
        manifest,
        hooks=tuple(sorted(set(hooks))),
        components=tuple(sorted(components, key=lambda c: (c.kind.value, c.name, c.where))),
        unknown_groups=tuple(dict.fromkeys(unknown)),
    )
